//! Where a connection migrates to in the designs of the discussion: read without a lock.

use super::Detached;
use super::migrate::Migration;
use super::select::reciprocal_scale;
use crate::counters::count;
use crate::group::SockReuseport;
use crate::listener::Listener;
use crate::net::{ListenerRef, Net, Picker, PostedProgram};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Event};
use core::sync::atomic::Ordering;

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Chooses where a connection of the `closed` listener migrates to, in one try, as Linux does:
    /// what is found may have closed by the time it is used. (Linux: `reuseport_migrate_sock()`.)
    pub(crate) fn migrate_sock_as_posted(
        &self,
        closed: &Listener<C, B>,
        sk_hash: u32,
    ) -> Migration<'_, 's, C, B> {
        let Some(group) = self.group_of(closed) else {
            return Migration::NotInGroup;
        };
        let num = group.num_socks.load(Ordering::Acquire);
        let allowed = self.sysctl.tcp_migrate_req();
        let slot = if num == 0 || !allowed { None } else { self.pick_one(group, sk_hash, num) };
        let slot = slot.filter(|&slot| !self.is_elsewhere(group, slot));
        // The closed member may have been evicted, and the group have gone, while it was read.
        let slot = slot.filter(|_| closed.sk_reuseport_cb.load(Ordering::Acquire) == group.index());
        // The last look: who asks may hold a lock under which a reference must not be put.
        match slot.and_then(|slot| ListenerRef::try_get(self, slot)) {
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
        let picked = picked.filter(|&slot| !self.is_elsewhere(group, slot));
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
            Picker::AsPosted | Picker::LastMoved => left.moved().and_then(|place| self.slot_at(group, place)),
            _ if left.num_socks == 0 => None,
            _ => self.pick_one(group, 0, left.num_socks),
        };
        slot.and_then(|slot| ListenerRef::try_get(self, slot))
    }

    /// Returns the slot at `place`, or at the last place before it that is still there.
    ///
    /// Who reads an old number in Linux finds the array as it was, and in what was the last place the member
    /// that is now the last, or the one that left. Here the place may be gone along with its chunk.
    fn slot_at(&self, group: &SockReuseport<B>, place: u32) -> Option<u32> {
        (0..=place).rev().find_map(|place| self.socks.load(&group.socks, place))
    }

    /// Tells whether a listener that was found is another group's: its chunk was this one's when the tree was
    /// read. Linux's array stays as it was for as long as somebody reads it.
    fn is_elsewhere(&self, group: &SockReuseport<B>, slot: u32) -> bool {
        self.listeners.get(slot).is_none_or(|listener| {
            let at = listener.sk_reuseport_cb.load(Ordering::Acquire);
            at != NONE && at != group.index()
        })
    }

    /// Picks one of `num` members, which is not 0, and returns its slot.
    fn pick_one(&self, group: &SockReuseport<B>, hash: u32, num: u32) -> Option<u32> {
        let by_hash = |hash| self.slot_at(group, reciprocal_scale(hash, num));
        let by_program = |hash| match self.picking.run() {
            PostedProgram::Drop => None,
            PostedProgram::Select(slot) if self.listens_in(group, slot, num) => Some(slot),
            PostedProgram::Select(_) | PostedProgram::Pass => by_hash(hash),
        };
        match self.picking.picker() {
            Picker::AsPosted | Picker::SynHash => by_hash(hash),
            Picker::LastMoved => self.slot_at(group, num - 1),
            // Fibonacci hashing: seeds that differ little pick members that do not.
            Picker::Random(seed) => by_hash((hash ^ u32::from(seed)).wrapping_mul(0x9e37_79b9)),
            Picker::Program => by_program(hash),
            Picker::ProgramPerQueue => by_program(0),
            Picker::IncomingCpu(cpu) => {
                let for_cpu = |&slot: &u32| {
                    let member = self.listeners.get(slot);
                    member.is_some_and(|l| l.sk_incoming_cpu.load(Ordering::Relaxed) == u32::from(cpu) + 1)
                };
                (0..num)
                    .filter_map(|place| self.slot_at(group, place))
                    .find(for_cpu)
                    .or_else(|| by_hash(hash))
            }
            Picker::Nobody => None,
        }
    }

    /// Tells whether the listener in `slot` is among the group's `num` members that listen, at this moment.
    fn listens_in(&self, group: &SockReuseport<B>, slot: u32, num: u32) -> bool {
        self.listeners.get(slot).is_some_and(|listener| {
            let place = listener.socks_index.load(Ordering::Relaxed);
            place < num && self.slot_at(group, place) == Some(slot) && listener.is_listening()
        })
    }
}
