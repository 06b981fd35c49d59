//! Where a connection goes whose listener has left LISTEN, by Linux's rules.

use super::program::Dropped;
use super::select::Selecting;
use crate::group::Occasion;
use crate::listener::Listener;
use crate::lockdep::{Held, Nothing};
use crate::net::{ListenerRef, Net};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// What came of looking for a listener to migrate to.
pub(crate) enum Migration<'a, 's, C: Send + 'static, B: Backend> {
    /// A target, which listened a moment ago.
    To(ListenerRef<'a, 's, C, B>),
    /// There is none: to be counted as a failure.
    Failed,
    /// The listener that closes does not take part in migration: not to be counted.
    NotInGroup,
    /// It listens again: nothing has to migrate.
    ListensAgain,
}

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Tells whether connections of a listener that stops may migrate, now or later: it stays in its group
    /// then. Under its `sock`. This is the first of the two times that the guard is looked at. (Linux:
    /// `reuseport_stop_listen_sock()`.)
    pub(crate) fn may_migrate(&self, listener: &Listener<C, B>) -> bool {
        let group = self.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire));
        let asks = |group| self.program(group, Occasion::Close).is_some();
        // One that does not share its address has nobody to migrate to.
        listener.shares() && (self.sysctl.tcp_migrate_req() || group.is_some_and(asks))
    }

    /// Chooses where a connection of the `closed` listener migrates to: whoever the group's program selects, or
    /// its hash. (Linux: `reuseport_migrate_sock()`.)
    ///
    /// No lock is held while it looks. If who was found has gone, somebody left meanwhile; the global lock is
    /// waited for, so that it is not overlooked again, and another one is chosen. So it is before a connection is
    /// given up: a listener that listens again leaves its group's closed section and joins under that lock, and
    /// is in no group between.
    ///
    /// 1. T1 gets the final ACK of a request of A, which was shut down, and sees that A does not listen.
    /// 2. T2 makes A listen again: A leaves the closed section.
    /// 3. T1 finds A in no group, and waits for the lock.
    /// 4. T2 makes A's state LISTEN, and A a member; T1 sees that A listens.
    ///
    /// The model of this schedule is `shutdown_listen_again_ack`.
    pub(crate) fn migrate_sock(
        &self,
        closed: &Listener<C, B>,
        selecting: &Selecting,
        held: &mut Held<'_, Nothing>,
    ) -> Migration<'_, 's, C, B> {
        loop {
            let cb = closed.sk_reuseport_cb.load(Ordering::Acquire);
            let Some(group) = self.groups.get(cb).filter(|_| cb != NONE) else {
                let _lock = self.reuseport_lock(held);
                if closed.is_listening() {
                    return Migration::ListensAgain;
                }
                if closed.sk_reuseport_cb.peek() == NONE {
                    return Migration::NotInGroup;
                }
                continue;
            };
            // It may have left, or the closed member have been evicted, and the group's slot be another's.
            let still = |listener: &Listener<C, B>| listener.sk_reuseport_cb.load(Ordering::Acquire) == cb;
            let num = group.num_socks.load(Ordering::Acquire);
            let program = self.program(group, selecting.occasion);
            let asked_before = B::planted(Fault::GuardLookedAtOnce);
            let picked = if num == 0 || program.is_none() && !asked_before && !self.sysctl.tcp_migrate_req() {
                Err(Dropped)
            } else {
                match program.map(|program| self.run(program, group, selecting)) {
                    Some(Ok(Some(selected))) => Ok(Some(selected)),
                    Some(Ok(None)) | None => Ok(self.pick_by_hash(group, selecting, num)),
                    Some(Err(dropped)) => Err(dropped),
                }
            };
            let Ok(picked) = picked else {
                let _lock = self.reuseport_lock(held);
                if closed.is_listening() {
                    return Migration::ListensAgain;
                }
                if !still(closed) {
                    // Another group's number, or program.
                    continue;
                }
                B::trace(Event::PickFailed { from: closed.index() });
                return Migration::Failed;
            };
            if let Some(target) = picked
                && still(&target)
                && still(closed)
                && target.index() != closed.index()
            {
                B::trace(Event::Picked { from: closed.index(), to: target.index() });
                return Migration::To(target);
            }
            let _lock = self.reuseport_lock(held);
            if closed.is_listening() {
                return Migration::ListensAgain;
            }
            if self.is_in_own_group(closed) {
                // A program was attached to it since it stopped: nobody else is there. Linux chooses it itself,
                // and counts nothing when it turns out not to listen.
                return Migration::NotInGroup;
            }
        }
    }
}
