//! Which member answers: read without a lock.

use crate::event::{Arrival, Here};
use crate::group::SockReuseport;
use crate::net::{ListenerRef, Net};
use crate::request::Tuple;
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
}

impl Selecting {
    /// A SYN, or a connection whose handshake is done.
    pub(crate) fn by_syn(arrival: Arrival, here: Here) -> Self {
        let Arrival { tuple, hashes } = arrival;
        Self { tuple, hash: hashes.syn_hash, cpu: here.cpu }
    }
}

/// Maps a hash to `0 .. n` without a division. (Linux: `reciprocal_scale()`.)
pub(super) fn reciprocal_scale(hash: u32, n: u32) -> u32 {
    ((u64::from(hash) * u64::from(n)) >> 32) as u32
}

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Takes a reference on the member of `group` that `hash` falls on.
    fn pick_by_hash(
        &self,
        group: &SockReuseport<B>,
        hash: u32,
        num: u32,
    ) -> Option<ListenerRef<'_, 's, C, B>> {
        let place = reciprocal_scale(hash, num);
        self.sock_ref(group, place)
    }

    /// Selects the member of `group` that answers a SYN. O(1), no lock, no shared write but the
    /// reference on what is found. (Linux: `reuseport_select_sock()`.)
    ///
    /// What is found was a member when it was looked at. It may have stopped listening since, which
    /// the accept queue finds under its lock. `None` if no member listens, or if the one that was
    /// selected is gone, or the group: it is to be looked up again.
    pub(crate) fn select_sock(
        &self,
        group: Id<SockReuseport<B>>,
        selecting: &Selecting,
    ) -> Option<ListenerRef<'_, 's, C, B>> {
        let sock_reuseport = self.groups.get(group.index())?;
        // Acquire: the places below the number are filled in.
        let num = sock_reuseport.num_socks.load(Ordering::Acquire);
        if num == 0 {
            return None;
        }
        // The place may be read after its member left, or its chunk, or one above it, after another group
        // took that; the slot that it names may be another listener's by now; or the group's slot another
        // group's.
        let member = self.pick_by_hash(sock_reuseport, selecting.hash, num)?;
        let is_member = member.sk_reuseport_cb.load(Ordering::Acquire) == group.index();
        let is_member = is_member || B::planted(Fault::MemberNotChecked);
        (is_member && self.groups.id_at(group.index()) == group).then_some(member)
    }
}
