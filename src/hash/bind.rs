//! The table of ports: who is bound where, whether it listens or not.

use crate::address::{Port, RcvSaddr};
use crate::listener::Listener;
use crate::lockdep::{Held, Mutex, MutexGuard, order};
use crate::net::Net;
use crate::outcome::BindError;
use crate::slab::{Storage, Vacant};
use crate::sync::{AtomicU32, Backend, Fault, Link};
use core::mem::ManuallyDrop;
use core::sync::atomic::Ordering;
use intrusive_collections::linked_list::LinkedList;
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    BoundAdapter<C, B> = UnsafeRef<Listener<C, B>>: Listener<C, B> { bound => Link }
    where B: Backend
);

/// The bound sockets of a bucket, whatever their port.
///
/// A linked socket is alive: it leaves before its descriptor's reference goes. Dropping the chains touches
/// nothing, because the slab may be gone by then.
struct Bound<C, B: Backend> {
    /// Those that share their address with nobody: few, of a port that many share.
    exclusive: ManuallyDrop<LinkedList<BoundAdapter<C, B>>>,
    /// Those that share it with others that also do.
    shared: ManuallyDrop<LinkedList<BoundAdapter<C, B>>>,
}

/// One bucket of the table of ports. (Linux: `struct inet_bind_hashbucket`.)
pub struct BindBucket<C, B: Backend>(Mutex<Bound<C, B>, order::BindBucket, B>);

impl<C, B: Backend> Vacant for BindBucket<C, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = BindBucket(Mutex::new(Bound {
        exclusive: ManuallyDrop::new(LinkedList::new(BoundAdapter::NEW)),
        shared: ManuallyDrop::new(LinkedList::new(BoundAdapter::NEW)),
    }));
}

impl<C, B: Backend> BindBucket<C, B> {
    /// An empty bucket, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { BindBucket::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }
}

/// The table of ports. (Linux: `tcp_hashinfo.bhash`.)
pub(crate) struct BindTable<'s, C, B: Backend> {
    buckets: Storage<'s, BindBucket<C, B>>,
}

impl<'s, C: Send + 'static, B: Backend> BindTable<'s, C, B> {
    pub(crate) fn new(mut buckets: Storage<'s, BindBucket<C, B>>) -> Self {
        for (key, bucket) in (0..).zip(buckets.iter_mut()) {
            // The chains that another stack left in this memory point into nowhere.
            *bucket = BindBucket::new();
            bucket.0.place(key);
        }
        Self { buckets }
    }

    #[track_caller]
    fn lock<'a>(
        &'a self,
        addr: &RcvSaddr,
        held: &'a mut Held<'_, order::ListenerSock>,
    ) -> Option<MutexGuard<'a, Bound<C, B>, order::BindBucket, B>> {
        Some(self.buckets[super::bucket_of(&addr.port(), self.buckets.len())?].0.lock(held))
    }

    /// Binds a socket that is not bound. O(sockets in the bucket that share with nobody) for one that shares
    /// and does not look for a free port, otherwise O(sockets in the bucket). Under the socket's `sock`;
    /// takes `BindBucket`. (Linux: `inet_csk_get_port()`.)
    ///
    /// # Errors
    ///
    /// [`BindError::AddrInUse`], [`BindError::NoBuckets`].
    pub(crate) fn bind(
        &self,
        net: &Net<'s, C, B>,
        listener: &Listener<C, B>,
        addr: RcvSaddr,
        port: Port,
        held: &mut Held<'_, order::ListenerSock>,
    ) -> Result<(), BindError> {
        let mut bound = self.lock(&addr, held).ok_or(BindError::NoBuckets)?;
        // SAFETY: what a socket may share is written by who opens it, before it is given out.
        let reuseport = unsafe { listener.bind.with(|bind| bind.reuseport) };
        if bound.conflict(
            listener,
            &addr,
            port == Port::Locked && reuseport && reuseport_cb_ok(net, listener),
        ) {
            return Err(BindError::AddrInUse);
        }
        // SAFETY: the socket is not linked, so that nobody looks but under its `sock`, which is held.
        unsafe {
            listener.bind.with_mut(|bind| {
                bind.addr = Some(addr);
                bind.port = port;
            });
        }
        // SAFETY: the descriptor's reference keeps the listener alive until `unbind`.
        bound.chain(reuseport).push_back(unsafe { UnsafeRef::from_raw(listener) });
        Ok(())
    }

    /// Tells whether a bound socket may listen where it is bound. It may, unless it came to a group of its
    /// own since, and somebody else is bound there. Locks and cost as [`bind`](Self::bind). (Linux:
    /// `inet_csk_get_port()` of a socket that has the port already.)
    pub(crate) fn may_listen(
        &self,
        net: &Net<'s, C, B>,
        listener: &Listener<C, B>,
        addr: &RcvSaddr,
        held: &mut Held<'_, order::ListenerSock>,
    ) -> bool {
        reuseport_cb_ok(net, listener)
            || self.lock(addr, held).is_none_or(|bound| !bound.conflict(listener, addr, false))
    }

    /// Takes a socket off its address, if it is bound. O(1). Under its `sock`; takes `BindBucket`. (Linux:
    /// `inet_put_port()`.)
    pub(crate) fn unbind(&self, listener: &Listener<C, B>, held: &mut Held<'_, order::ListenerSock>) {
        let Some(addr) = listener.bound_to() else { return };
        let Some(mut bound) = self.lock(&addr, held) else { return };
        // SAFETY: as in `bind`.
        let chain = bound.chain(unsafe { listener.bind.with(|bind| bind.reuseport) });
        // SAFETY: a bound socket is linked, in the chain of its kind of its port's bucket, which is this.
        unsafe { chain.cursor_mut_from_ptr(listener) }.remove();
        // SAFETY: as in `bind`.
        unsafe { listener.bind.with_mut(|bind| bind.addr = None) };
    }
}

/// Tells whether the group that a socket is in, if it is in one, is no reason not to share. One that it
/// was given before it listened is; one whose closed section it is in is not. (Linux: `reuseport_cb_ok` in
/// `inet_csk_bind_conflict()`.)
fn reuseport_cb_ok<C: Send + 'static, B: Backend>(net: &Net<'_, C, B>, listener: &Listener<C, B>) -> bool {
    let group = net.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire));
    // Looked at without a lock, as in Linux: who is evicted meanwhile was in a closed section.
    group.is_none_or(|group| group.num_closed_socks.load(Ordering::Relaxed) != 0)
}

impl<C, B: Backend> Bound<C, B> {
    fn chain(&mut self, shared: bool) -> &mut LinkedList<BoundAdapter<C, B>> {
        if shared { &mut self.shared } else { &mut self.exclusive }
    }

    /// Tells whether a newcomer to `addr` would receive what somebody else does with whom it does not share.
    /// (Linux: `inet_csk_bind_conflict()`.)
    fn conflict(&self, newcomer: &Listener<C, B>, addr: &RcvSaddr, shares: bool) -> bool {
        let overlaps = |listener: &Listener<C, B>| {
            // SAFETY: a linked socket's address is not written, and the bucket's lock is held.
            let bound = unsafe { listener.bind.with(|bind| bind.addr) };
            let minds = |bound: RcvSaddr| bound == *addr || !B::planted(Fault::OverlapIgnored);
            let overlap = bound.is_some_and(|bound| bound.overlaps(addr) && minds(bound));
            overlap && !core::ptr::eq(listener, newcomer)
        };
        self.exclusive.iter().any(overlaps) || (!shares && self.shared.iter().any(overlaps))
    }
}
