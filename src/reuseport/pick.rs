//! Where a connection migrates to: read without a lock.

use crate::counters::count;
use crate::listener::Listener;
use crate::net::{ListenerRef, Net};
use crate::sync::{AtomicU32, Backend, Event};
use core::sync::atomic::Ordering;

/// What came of looking for a listener to migrate to.
pub(crate) enum Migration<'a, 's, C: Send + 'static, B: Backend> {
    /// A target, which listened a moment ago.
    To(ListenerRef<'a, 's, C, B>),
    /// There is none: counted as a failure.
    Failed,
    /// The listener that closes does not take part in migration: not counted.
    NotInGroup,
}

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Chooses where a connection of the `closed` listener migrates to, in one try, as Linux does:
    /// what is found may have closed by the time it is used. (Linux: `reuseport_migrate_sock()`.)
    pub(crate) fn migrate_sock(&self, closed: &Listener<C, B>, sk_hash: u32) -> Migration<'_, 's, C, B> {
        let Some(group) = self.group_of(closed) else {
            return Migration::NotInGroup;
        };
        let num = group.num_socks.load(Ordering::Acquire);
        let allowed = self.sysctl_tcp_migrate_req.load(Ordering::Relaxed) != 0;
        let picked = if num == 0 || !allowed { None } else { self.pick_by_hash(group, sk_hash, num) };
        // The closed member may have been evicted, and the group have gone, while it was read.
        let picked = picked.filter(|_| closed.sk_reuseport_cb.load(Ordering::Acquire) == group.index());
        match picked {
            Some(target) => {
                B::trace(Event::Picked { from: closed.index(), to: target.index() });
                Migration::To(target)
            }
            None => {
                B::trace(Event::PickFailed { from: closed.index() });
                count(&self.counters.TCPMigrateReqFailure);
                Migration::Failed
            }
        }
    }
}
