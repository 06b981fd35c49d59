//! Which member answers: read without a lock.

use super::program::Dropped;
use crate::event::{Arrival, Here};
use crate::group::{Occasion, SockReuseport};
use crate::net::{ListenerRef, Net};
use crate::request::{Key, Tuple};
use crate::slab::Id;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// A connection that looks for a listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selecting {
    /// Its ends.
    pub(crate) tuple: Tuple,
    /// The hash that selects.
    pub(crate) hash: u32,
    /// The CPU where that happens.
    pub(crate) cpu: u32,
    /// Why it looks for one.
    pub(crate) occasion: Occasion,
    /// The slot of the listener that it leaves.
    pub(crate) from: Option<u32>,
}

/// Who answers a SYN.
pub(crate) enum Selected<'a, 's, C: Send + 'static, B: Backend> {
    /// A member, which listened a moment ago.
    To(ListenerRef<'a, 's, C, B>),
    /// The program refuses the connection.
    Refused,
    /// Nobody any more: the address is to be looked up again.
    Nobody,
}

impl Selecting {
    /// A SYN, or a connection whose handshake is done.
    pub(crate) fn by_syn(arrival: Arrival, here: Here) -> Self {
        let Arrival { tuple, hashes } = arrival;
        Self { tuple, hash: hashes.syn_hash, cpu: here.cpu, occasion: Occasion::Syn, from: None }
    }

    /// A connection that leaves the listener in slot `from`.
    pub(crate) fn migrating<B: Backend>(key: Key, here: Here, occasion: Occasion, from: u32) -> Self {
        let Key { tuple, mut hashes } = key;
        if B::planted(Fault::MigratesBySynHash) {
            hashes.sk_hash = hashes.syn_hash;
        }
        if B::planted(Fault::MigratesByZero) {
            hashes.sk_hash = 0;
        }
        Self { tuple, hash: hashes.sk_hash, cpu: here.cpu, occasion, from: Some(from) }
    }
}

/// Maps a hash to `0 .. n` without a division. (Linux: `reciprocal_scale()`.)
pub(super) fn reciprocal_scale(hash: u32, n: u32) -> u32 {
    ((u64::from(hash) * u64::from(n)) >> 32) as u32
}

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Takes a reference on the member of `group` that the hash falls on; where members are for some CPU,
    /// on the first from there that is for this one. (Linux: `reuseport_select_sock_by_hash()`.)
    pub(super) fn pick_by_hash(
        &self,
        group: &SockReuseport<B>,
        selecting: &Selecting,
        num: u32,
    ) -> Option<ListenerRef<'_, 's, C, B>> {
        let hash = if B::planted(Fault::FirstSelected) { 0 } else { selecting.hash };
        let first = reciprocal_scale(hash, num);
        let mut place = first;
        if group.incoming_cpu.load(Ordering::Relaxed) != 0 && !B::planted(Fault::IncomingCpuIgnored) {
            let is_for_this = |&place: &u32| self.incoming_cpu_at(group, place) == Some(selecting.cpu);
            place = (first..num).chain(0..first).find(is_for_this).unwrap_or(first);
        }
        self.sock_ref(group, place)
    }

    /// Selects the member of `group` that answers a SYN: whoever its program selects, or the hash. O(1), or
    /// O(members) where members are for some CPU; no lock, no shared write but the reference on what is
    /// found. (Linux: `reuseport_select_sock()`.)
    ///
    /// What is found was a member when it was looked at. It may have stopped listening since, which
    /// the accept queue finds under its lock. Nobody if no member listens, or if the one that was
    /// selected is gone, or the group.
    pub(crate) fn select_sock(
        &self,
        group: Id<SockReuseport<B>>,
        selecting: &Selecting,
    ) -> Selected<'_, 's, C, B> {
        let Some(sock_reuseport) = self.groups.get(group.index()) else { return Selected::Nobody };
        // Acquire: the places below the number are filled in.
        let num = sock_reuseport.num_socks.load(Ordering::Acquire);
        if num == 0 {
            return Selected::Nobody;
        }
        let program = self.program(sock_reuseport, selecting.occasion);
        let selected = match program.map(|program| self.run(program, sock_reuseport, selecting)) {
            // The program may have been another group's.
            Some(Err(Dropped)) if self.groups.id_at(group.index()) == group => return Selected::Refused,
            Some(Err(Dropped)) => return Selected::Nobody,
            Some(Ok(selected)) => selected,
            None => None,
        };
        // The place may be read after its member left, or its chunk, or one above it, after another group
        // took that; the slot that it names may be another listener's by now; or the group's slot another
        // group's.
        let Some(member) = selected.or_else(|| self.pick_by_hash(sock_reuseport, selecting, num)) else {
            return Selected::Nobody;
        };
        let is_member = member.sk_reuseport_cb.load(Ordering::Acquire) == group.index();
        let is_member = is_member || B::planted(Fault::MemberNotChecked);
        if is_member && self.groups.id_at(group.index()) == group {
            Selected::To(member)
        } else {
            Selected::Nobody
        }
    }
}
