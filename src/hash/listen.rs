//! The listening table under its locks: hash, unhash, look up.

use super::bucket::{Bucket, Chains};
use crate::group::SockReuseport;
use crate::listener::{AddError, Capacity, Listener, ListenerId};
use crate::lockdep::{MutexGuard, order::ListenBucket};
use crate::net::{ListenerRef, Net, RequestRef};
use crate::outcome::Refusal;
use crate::reuseport::{Detached, GroupFull};
use crate::slab::{Fresh, Id, NONE, Storage};
use crate::sync::{AtomicU32, Backend, Fault};
use core::hash::{Hash, Hasher};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;

/// Why a socket cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashError {
    /// Somebody is bound to the address who does not share it, or the newcomer does not.
    AddrInUse,
    /// Every group slot is in use, or the address's group has no room.
    NoRoom,
}

/// The listening table. (Linux: `tcp_hashinfo`'s listening half.)
pub(crate) struct ListenTable<'s, C, B: Backend> {
    buckets: Storage<'s, Bucket<C, B>>,
}

/// A bucket whose lock is held.
pub(crate) struct LockedBucket<'a, C, B: Backend>(MutexGuard<'a, Chains<C, B>, ListenBucket, B>);

impl<'s, C: Send + 'static, B: Backend> ListenTable<'s, C, B> {
    pub(crate) fn new(mut buckets: Storage<'s, Bucket<C, B>>) -> Self {
        for (key, bucket) in (0..).zip(buckets.iter_mut()) {
            // The chains that another stack left in this memory point into nowhere.
            *bucket = Bucket::new();
            bucket.0.place(key);
        }
        Self { buckets }
    }

    /// Locks the bucket of `addr`; `None` if the table has no buckets.
    #[track_caller]
    pub(crate) fn lock(&self, addr: SocketAddr) -> Option<LockedBucket<'_, C, B>> {
        let mut hasher = fnv::FnvHasher::default();
        addr.hash(&mut hasher);
        let bucket = hasher.finish().checked_rem(self.buckets.len() as u64)?;
        Some(LockedBucket(self.buckets[bucket as usize].0.lock()))
    }

    /// Returns the group that listens at `addr`. Takes the bucket's lock. (Linux:
    /// `__inet_lookup_listener()`.)
    pub(crate) fn lookup(&self, net: &Net<'s, C, B>, addr: SocketAddr) -> Option<Id<SockReuseport<B>>> {
        let bucket = self.lock(addr)?;
        // A hashed group is what it is for as long as the bucket's lock is held.
        Some(net.groups.id_at(bucket.0.group_at(addr)?))
    }
}

impl<'s, C: Send + 'static, B: Backend> ListenTable<'s, C, B> {
    /// Adds a request in the caller's hands to the accept queue of the listener at `addr` that `hash`
    /// falls on, beginning with `group`, which listened there a moment ago.
    ///
    /// A listener that closes meanwhile is no reason to give up: the address is looked up again, for
    /// as long as somebody listens at it. Each time round another listener has closed.
    ///
    /// # Errors
    ///
    /// Returns the request with the reason.
    pub(crate) fn queue_add<'a>(
        &self,
        net: &'a Net<'s, C, B>,
        addr: SocketAddr,
        mut group: Id<SockReuseport<B>>,
        hash: u32,
        capacity: Capacity,
        mut request: RequestRef<'a, 's, C, B>,
    ) -> Result<ListenerId<C, B>, (Refusal, RequestRef<'a, 's, C, B>)> {
        loop {
            if let Some(listener) = net.select_sock(group, hash) {
                match listener.queue_add(request, net, capacity) {
                    Ok(()) => return Ok(listener.id()),
                    Err((AddError::Full, refused)) => return Err((Refusal::AcceptQueueFull, refused)),
                    Err((AddError::NotAtHome, refused)) => request = refused,
                }
                if B::planted(Fault::LateArrivalDropped) {
                    return Err((Refusal::NoListener, request));
                }
            }
            match self.lookup(net, addr) {
                Some(found) => group = found,
                None => return Err((Refusal::NoListener, request)),
            }
        }
    }
}

impl<C: Send + 'static, B: Backend> LockedBucket<'_, C, B> {
    /// Binds a new listener to `addr` and hashes it: into the group that listens there, or a group
    /// of its own. (Linux: `inet_csk_get_port()` and `inet_hash()`.)
    pub(crate) fn bind_and_hash<'s>(
        &mut self,
        net: &Net<'s, C, B>,
        listener: &Listener<C, B>,
        addr: SocketAddr,
        reuseport: bool,
    ) -> Result<(), HashError> {
        if self.0.bound_shared(addr).is_some_and(|shared| !shared || !reuseport) {
            return Err(HashError::AddrInUse);
        }
        self.hash(net, listener, addr)?;
        self.0.bind(listener, addr, reuseport);
        Ok(())
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
    /// its other closed members.
    pub(crate) fn hash<'s>(
        &mut self,
        net: &Net<'s, C, B>,
        listener: &Listener<C, B>,
        addr: SocketAddr,
    ) -> Result<(), HashError> {
        let full = |GroupFull| HashError::NoRoom;
        if let Some(group) = self.0.group_at(addr).and_then(|group| net.groups.get(group)) {
            let lock = net.reuseport_lock();
            if !net.has_room(group, &lock) {
                return Err(HashError::NoRoom);
            }
            net.leave_closed(listener, &lock);
            listener.set_listening(true);
            return net.add_sock(group, listener, &lock).map_err(full);
        }
        if net.max_socks() == 0 {
            return Err(HashError::NoRoom);
        }
        let group = Fresh::<SockReuseport<B>, _>::alloc(net).ok_or(HashError::NoRoom)?.publish();
        {
            let lock = net.reuseport_lock();
            net.leave_closed(listener, &lock);
            listener.set_listening(true);
            net.add_sock(&group, listener, &lock).map_err(full)?;
        }
        // From now on the members hold this reference together.
        self.0.hash_group(net, group.into_raw(), addr);
        Ok(())
    }

    /// Takes a listener out of its group and, with the last one, the group out of the table.
    ///
    /// With `keep` the listener stays in the group's closed section, from which it can still find
    /// the members that listen. (Linux: `reuseport_stop_listen_sock()`.) `pick` runs under the
    /// global reuseport lock, after the listener left.
    pub(crate) fn unhash<'a, 's>(
        &mut self,
        net: &'a Net<'s, C, B>,
        listener: &Listener<C, B>,
        keep: bool,
        pick: impl FnOnce(&SockReuseport<B>, Detached) -> Option<ListenerRef<'a, 's, C, B>>,
    ) -> Option<ListenerRef<'a, 's, C, B>> {
        let lock = net.reuseport_lock();
        let group = net.groups.get(listener.sk_reuseport_cb.peek())?;
        let detached = net.detach_listening_sock(group, listener, &lock);
        let picked = pick(group, detached);
        if keep {
            net.add_closed_sock(group, listener, &lock);
        } else {
            listener.sk_reuseport_cb.store(NONE, Ordering::Release);
        }
        if detached.num_socks == 0 {
            self.0.unhash_group(net, group.index());
        }
        net.put_if_empty(group, &lock);
        picked
    }

    /// Takes a closed listener off its address.
    pub(crate) fn unbind(&mut self, listener: &Listener<C, B>) {
        self.0.unbind(listener);
    }
}
