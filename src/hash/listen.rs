//! The listening table under its locks: hash, unhash, look up.

use super::bucket::{Bucket, Chain};
use crate::address::{Place, RcvSaddr};
use crate::group::SockReuseport;
use crate::listener::{AddError, Listener};
use crate::lockdep::{Before, Held, MutexGuard, Nothing, order::ListenBucket, order::ListenerSock};
use crate::net::{ListenerRef, Net};
use crate::outcome::Refusal;
use crate::reuseport::{CannotAdd, Detached, Selected, Selecting};
use crate::slab::{Fresh, Id, Storage};
use crate::sync::{AtomicU32, Backend, Fault};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;

/// Why a socket cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    /// Every group slot is in use, or the address's group has as many members as it may, or the table has no
    /// buckets.
    NoRoom,
    /// The address's group could only grow, and there are no chunks.
    NoSocks,
}

impl From<CannotAdd> for HashError {
    fn from(error: CannotAdd) -> Self {
        match error {
            CannotAdd::GroupFull => Self::NoRoom,
            CannotAdd::SocksFull => Self::NoSocks,
        }
    }
}

/// The listening table. (Linux: `tcp_hashinfo.lhash2`.)
pub(crate) struct ListenTable<'s, B: Backend> {
    buckets: Storage<'s, Bucket<B>>,
    /// How often a group was hashed or unhashed.
    changes: B::Stat,
}

/// What a look-up found, for who looks up the same again and again: a closer whose connections came to one
/// address.
pub(crate) struct Lookup<B: Backend> {
    local: SocketAddr,
    changes: u32,
    group: Id<SockReuseport<B>>,
}

/// A bucket whose lock is held.
pub(crate) struct LockedBucket<'a, B: Backend> {
    chain: MutexGuard<'a, Chain<B>, ListenBucket, B>,
    changes: &'a B::Stat,
    held: Held<'a, ListenBucket>,
}

impl<'s, B: Backend> ListenTable<'s, B> {
    pub(crate) fn new(mut buckets: Storage<'s, Bucket<B>>) -> Self {
        for (key, bucket) in (0..).zip(buckets.iter_mut()) {
            // The chain that another stack left in this memory points into nowhere.
            *bucket = Bucket::new();
            bucket.0.place(key);
        }
        let mut changes = B::Stat::ZERO;
        changes.place(0);
        Self { buckets, changes }
    }

    /// Locks the bucket of `addr`; `None` if the table has no buckets.
    #[track_caller]
    pub(crate) fn lock<'a, H: Before<ListenBucket>>(
        &'a self,
        addr: &RcvSaddr,
        held: &'a mut Held<'_, H>,
    ) -> Option<LockedBucket<'a, B>> {
        self.lock_at(&addr.at(), held)
    }

    #[track_caller]
    fn lock_at<'a, H: Before<ListenBucket>>(
        &'a self,
        place: &Place,
        held: &'a mut Held<'_, H>,
    ) -> Option<LockedBucket<'a, B>> {
        let buckets = self.buckets.len();
        let bucket = match B::planted(Fault::FamiliesApart) {
            true => super::bucket_of(&super::Whole(place), buckets)?,
            false => super::bucket_of(place, buckets)?,
        };
        let bucket = &self.buckets[bucket];
        let (chain, held) = bucket.0.lock_and(held);
        Some(LockedBucket { chain, changes: &self.changes, held })
    }

    /// Returns the group that receives what goes to `local`: one that listens at that address, or at a
    /// wildcard; for IPv4 one of IPv4's own sockets before one of IPv6. Takes the locks of two buckets, one
    /// after the other. (Linux: `__inet_lookup_listener()` and `inet6_lookup_listener()`.)
    ///
    /// Of two wildcards of IPv6, of which one does not receive IPv4, it is the one that listened first.
    pub(crate) fn lookup<C: Send + 'static, H: Before<ListenBucket>>(
        &self,
        net: &Net<'s, C, B>,
        local: SocketAddr,
        held: &mut Held<'_, H>,
    ) -> Option<Id<SockReuseport<B>>> {
        let local = Place::from(local);
        let mut places = [local, local.any()];
        if B::planted(Fault::WildcardFirst) {
            places.reverse();
        }
        places.iter().find_map(|place| {
            let bucket = self.lock_at(place, held)?;
            // A hashed group is what it is for as long as the bucket's lock is held.
            Some(net.groups.id_at(bucket.chain.group_for(place)?))
        })
    }

    /// The same, which looks only if `before` was for another address, or a group came or went since. No lock
    /// is taken then: who comes or goes at the same time may do so after the look as well.
    pub(crate) fn lookup_again<C: Send + 'static, H: Before<ListenBucket>>(
        &self,
        net: &Net<'s, C, B>,
        local: SocketAddr,
        before: &mut Option<Lookup<B>>,
        held: &mut Held<'_, H>,
    ) -> Option<Id<SockReuseport<B>>> {
        // Before the look: what comes later is noticed the next time.
        let changes = self.changes.load(Ordering::Acquire);
        if let Some(before) =
            before.as_ref().filter(|before| (before.local, before.changes) == (local, changes))
        {
            return Some(before.group);
        }
        let group = self.lookup(net, local, held)?;
        *before = Some(Lookup { local, changes, group });
        Some(group)
    }

    /// Takes a reference on the member that joined last of the group that listens at `addr`: it listens
    /// now, and leaves later than everybody who has left. Takes the bucket's lock and `Reuseport`.
    pub(crate) fn heir_at<'a, C: Send + 'static>(
        &self,
        net: &'a Net<'s, C, B>,
        addr: &RcvSaddr,
        held: &mut Held<'_, ListenerSock>,
    ) -> Option<ListenerRef<'a, 's, C, B>> {
        let LockedBucket { chain, mut held, .. } = self.lock(addr, held)?;
        let group = net.groups.get(chain.group_at(addr)?)?;
        let _lock = net.reuseport_lock(&mut held);
        net.sock_ref(group, group.num_socks.peek().checked_sub(1)?)
    }
}

impl<'s, B: Backend> ListenTable<'s, B> {
    /// Offers `item` to the listener that a connection looks for, beginning with `group`, which listened at
    /// its address a moment ago.
    ///
    /// A listener that closes meanwhile is no reason to give up: the address is looked up again, for
    /// as long as somebody listens at it. Each time round another listener has closed.
    ///
    /// # Errors
    ///
    /// Returns the item with the reason.
    pub(crate) fn offer<'a, C: Send + 'static, T, R>(
        &self,
        net: &'a Net<'s, C, B>,
        group: Option<Id<SockReuseport<B>>>,
        selecting: &Selecting,
        mut item: T,
        held: &mut Held<'_, Nothing>,
        mut offer: impl FnMut(&ListenerRef<'a, 's, C, B>, T, &mut Held<'_, Nothing>) -> Result<R, (AddError, T)>,
    ) -> Result<R, (Refusal, T)> {
        let mut at = group;
        loop {
            match at.map_or(Selected::Nobody, |group| net.select_sock(group, selecting)) {
                Selected::To(listener) => {
                    match offer(&listener, item, held) {
                        Ok(taken) => return Ok(taken),
                        Err((AddError::Full, refused)) => return Err((Refusal::AcceptQueueFull, refused)),
                        Err((AddError::NotAtHome, refused)) => item = refused,
                    }
                    if B::planted(Fault::LateArrivalDropped) {
                        return Err((Refusal::NoListener, item));
                    }
                }
                Selected::Refused => return Err((Refusal::DroppedByProgram, item)),
                Selected::Nobody => {}
            }
            at = self.lookup(net, selecting.tuple.local, held);
            if at.is_none() {
                return Err((Refusal::NoListener, item));
            }
        }
    }
}

impl<B: Backend> LockedBucket<'_, B> {
    /// Returns the token that says what is held.
    #[cfg(feature = "designs")]
    pub(crate) fn held(&mut self) -> Held<'_, ListenBucket> {
        self.held.reborrow()
    }

    /// Hashes a bound listener, which listens from now on. (Linux: `inet_hash()`, `reuseport_alloc()`,
    /// `reuseport_add_sock()` and `reuseport_resurrect()`.) Under the listener's `sock`.
    ///
    /// It enters LISTEN only where nothing can fail any more: a socket that was in LISTEN for a
    /// moment could be given a connection, by who selected it when it last listened, and nobody
    /// would accept or move that connection.
    ///
    /// If it is still a closed member of some group, it leaves that section: for the group that
    /// listens at its address now, or, if none does, for a fresh one. The group that it was in keeps
    /// its other closed members. A group of its own, which a program was attached to, it brings along.
    pub(crate) fn hash<'s, C: Send + 'static>(
        &mut self,
        net: &Net<'s, C, B>,
        listener: &Listener<C, B>,
        addr: RcvSaddr,
    ) -> Result<(), HashError> {
        let there = self.chain.group_at(&addr).filter(|_| !B::planted(Fault::GroupNotLookedFor));
        if let Some(group) = there.and_then(|group| net.groups.get(group)) {
            let lock = net.reuseport_lock(&mut self.held);
            net.can_add(group, &lock)?;
            if !B::planted(Fault::OldGroupKept) {
                net.leave(listener, &lock);
            }
            listener.set_listening(true);
            return Ok(net.add_sock(group, listener, &lock)?);
        }
        if net.is_in_own_group(listener) {
            // A program was attached to it: its group is hashed as it is.
            listener.set_listening(true);
            self.hash_group(net, listener.sk_reuseport_cb.peek(), addr);
            return Ok(());
        }
        let group = Fresh::<SockReuseport<B>, _>::alloc(net).ok_or(HashError::NoRoom)?;
        let group = {
            let lock = net.reuseport_lock(&mut self.held);
            net.can_add(&group, &lock)?;
            let group = group.publish();
            if let Some(before) = net.groups.get(listener.sk_reuseport_cb.peek()) {
                if B::planted(Fault::ProgramKept) {
                    group.prog.store(before.prog.peek(), Ordering::Relaxed);
                }
                if B::planted(Fault::CookiesKept) {
                    let sent = before.synq_overflow_ts.load(Ordering::Relaxed);
                    group.synq_overflow_ts.store(sent, Ordering::Relaxed);
                }
            }
            net.leave(listener, &lock);
            listener.set_listening(true);
            net.add_sock(&group, listener, &lock)?;
            group
        };
        // From now on the members hold this reference together.
        self.hash_group(net, group.into_raw(), addr);
        Ok(())
    }

    fn hash_group<C: Send + 'static>(&mut self, net: &Net<'_, C, B>, group: u32, addr: RcvSaddr) {
        self.chain.hash_group(net, group, addr);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Takes a listener out of its group and, with the last one, the group out of the table.
    ///
    /// With `keep` the listener stays in the group's closed section, from which it can still find
    /// the members that listen. (Linux: `reuseport_stop_listen_sock()`.) `pick` runs under the
    /// global reuseport lock, after the listener left.
    pub(crate) fn unhash<'a, 's, C: Send + 'static>(
        &mut self,
        net: &'a Net<'s, C, B>,
        listener: &Listener<C, B>,
        keep: bool,
        pick: impl FnOnce(&SockReuseport<B>, Detached) -> Option<ListenerRef<'a, 's, C, B>>,
    ) -> Option<ListenerRef<'a, 's, C, B>> {
        let lock = net.reuseport_lock(&mut self.held);
        let group = net.groups.get(listener.sk_reuseport_cb.peek())?;
        if !B::planted(Fault::MapEntryKept) {
            net.map_leave(listener, &lock);
        }
        let detached = net.detach_listening_sock(group, listener, &lock);
        let picked = pick(group, detached);
        if keep {
            net.add_closed_sock(group, listener, &lock);
        } else if !B::planted(Fault::GroupStillNamed) {
            net.part(group, listener);
        }
        if detached.num_socks == 0 || B::planted(Fault::GroupUnhashedEarly) {
            self.chain.unhash_group(net, group.index());
            self.changes.fetch_add(1, Ordering::Release);
        }
        net.put_if_empty(group, &lock);
        picked
    }
}
