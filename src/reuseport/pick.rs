//! Where a connection migrates to in the designs of the discussion: read without a lock.

use super::Detached;
use super::select::reciprocal_scale;
use crate::counters::count;
use crate::group::SockReuseport;
use crate::listener::Listener;
use crate::net::{ListenerRef, Net, Picker, Program};
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
        let allowed = self.sysctl.tcp_migrate_req();
        let slot = if num == 0 || !allowed { None } else { self.pick_one(group, sk_hash, num) };
        let picked = slot.and_then(|slot| ListenerRef::try_get(self, slot));
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

    /// Chooses where a connection of the `closed` listener migrates to, as the patches before the merged one
    /// do: no switch is asked, and no reference is taken on what is found. Returns its slot.
    pub(crate) fn pick_unheld(&self, closed: &Listener<C, B>, sk_hash: u32) -> Option<u32> {
        let group = self.group_of(closed)?;
        let num = group.num_socks.load(Ordering::Acquire);
        let picked = if num == 0 { None } else { self.pick_one(group, sk_hash, num) };
        B::trace(match picked {
            Some(to) => Event::Picked { from: closed.index(), to },
            None => Event::PickFailed { from: closed.index() },
        });
        picked
    }

    /// Chooses who gets the whole queue of a listener that left its group, under `Reuseport`.
    pub(crate) fn pick_for_queue(
        &self,
        group: &SockReuseport<B>,
        left: Detached,
    ) -> Option<ListenerRef<'_, 's, C, B>> {
        let slot = match self.picking.picker() {
            Picker::AsPosted | Picker::LastMoved => left.moved().map(|place| self.slot_at(group, place)),
            _ if left.num_socks == 0 => None,
            _ => self.pick_one(group, 0, left.num_socks),
        };
        slot.and_then(|slot| ListenerRef::try_get(self, slot))
    }

    fn slot_at(&self, group: &SockReuseport<B>, place: u32) -> u32 {
        self.sock_at(group, place).load(Ordering::Acquire)
    }

    /// Picks one of `num` members, which is not 0, and returns its slot.
    fn pick_one(&self, group: &SockReuseport<B>, hash: u32, num: u32) -> Option<u32> {
        let by_hash = |hash| Some(self.slot_at(group, reciprocal_scale(hash, num)));
        let by_program = |hash| match self.picking.run() {
            Program::Drop => None,
            Program::Select(slot) if self.listens_in(group, slot, num) => Some(slot),
            Program::Select(_) | Program::Pass => by_hash(hash),
        };
        match self.picking.picker() {
            Picker::AsPosted | Picker::SynHash => by_hash(hash),
            Picker::LastMoved => Some(self.slot_at(group, num - 1)),
            // Fibonacci hashing: seeds that differ little pick members that do not.
            Picker::Random(seed) => by_hash((hash ^ u32::from(seed)).wrapping_mul(0x9e37_79b9)),
            Picker::Program => by_program(hash),
            Picker::ProgramPerQueue => by_program(0),
            Picker::IncomingCpu(cpu) => {
                let for_cpu = |&slot: &u32| {
                    let member = self.listeners.get(slot);
                    member.is_some_and(|l| l.sk_incoming_cpu.load(Ordering::Relaxed) == u32::from(cpu) + 1)
                };
                (0..num).map(|place| self.slot_at(group, place)).find(for_cpu).or_else(|| by_hash(hash))
            }
            Picker::Nobody => None,
        }
    }

    /// Tells whether the listener in `slot` is among the group's `num` members that listen, at this moment.
    fn listens_in(&self, group: &SockReuseport<B>, slot: u32, num: u32) -> bool {
        self.listeners.get(slot).is_some_and(|listener| {
            let place = listener.socks_index.load(Ordering::Relaxed);
            place < num && self.slot_at(group, place) == slot && listener.is_listening()
        })
    }
}
