//! One bucket of the listening table, without its lock.

use crate::group::SockReuseport;
use crate::listener::Listener;
use crate::lockdep::{Mutex, order::ListenBucket};
use crate::net::Net;
use crate::slab::Vacant;
use crate::sync::Backend;
use core::mem::ManuallyDrop;
use core::net::SocketAddr;
use intrusive_collections::linked_list::{AtomicLink, LinkedList};
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    HashedAdapter<B> = UnsafeRef<SockReuseport<B>>: SockReuseport<B> { hashed => AtomicLink }
    where B: Backend
);
intrusive_adapter!(
    BoundAdapter<C, B> = UnsafeRef<Listener<C, B>>: Listener<C, B> { bound => AtomicLink }
    where B: Backend
);

/// One bucket of the listening table. (Linux: `struct inet_listen_hashbucket`, and the part of
/// `struct inet_bind_hashbucket` that concerns listeners.)
pub struct Bucket<C, B: Backend>(pub(super) Mutex<Chains<C, B>, ListenBucket, B>);

impl<C, B: Backend> Vacant for Bucket<C, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = Bucket(Mutex::new(Chains::new()));
}

impl<C, B: Backend> Bucket<C, B> {
    /// An empty bucket, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { Bucket::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }
}

/// What a bucket's lock protects.
///
/// A linked object is alive: a group leaves when its last listening member does, a listener when
/// its descriptor is closed, both before their last reference goes. Dropping the chains touches
/// nothing, because the slabs may be gone by then.
pub(crate) struct Chains<C, B: Backend> {
    hashed: ManuallyDrop<LinkedList<HashedAdapter<B>>>,
    bound: ManuallyDrop<LinkedList<BoundAdapter<C, B>>>,
}

impl<C, B: Backend> Chains<C, B> {
    const fn new() -> Self {
        Self {
            hashed: ManuallyDrop::new(LinkedList::new(HashedAdapter::NEW)),
            bound: ManuallyDrop::new(LinkedList::new(BoundAdapter::NEW)),
        }
    }
}

impl<C: Send + 'static, B: Backend> Chains<C, B> {
    /// Returns the slot of the group whose members listen at `addr`.
    pub(super) fn group_at(&self, addr: SocketAddr) -> Option<u32> {
        let found = self.hashed.iter().find(|group| {
            // SAFETY: a hashed group's address is only read, under the bucket's lock, which is held
            // by who can see the chains.
            unsafe { group.addr.with(|a| *a == Some(addr)) }
        })?;
        Some(found.index())
    }

    /// Hashes a group that got its first listening member, in a slot of `net`.
    pub(super) fn hash_group(&mut self, net: &Net<'_, C, B>, group: u32, addr: SocketAddr) {
        let Some(group) = net.groups.get(group) else { return };
        // SAFETY: the group is not hashed yet, so that nobody looks at its address.
        unsafe { group.addr.with_mut(|a| *a = Some(addr)) };
        // SAFETY: slots outlive the stack's use of the table; the members' reference keeps the
        // group what it is until `unhash_group`.
        self.hashed.push_back(unsafe { UnsafeRef::from_raw(group) });
    }

    /// Unhashes a group whose last listening member left.
    pub(super) fn unhash_group(&mut self, net: &Net<'_, C, B>, group: u32) {
        let Some(group) = net.groups.get(group) else { return };
        if group.hashed.is_linked() {
            // SAFETY: the group is linked, and a group is linked only in its address's bucket, which
            // is this one.
            unsafe { self.hashed.cursor_mut_from_ptr(group) }.remove();
        }
    }

    /// Tells whether the sockets bound to `addr`, if there are any, share it.
    ///
    /// They agree with each other, or they would not all be bound: one is enough to know.
    pub(super) fn bound_shared(&self, addr: SocketAddr) -> Option<bool> {
        self.bound.iter().find_map(|listener| {
            // SAFETY: address and `reuseport` of a bound listener are written before it is linked
            // and after it is unlinked, both under the bucket's lock.
            let (bound, shared) = unsafe { listener.bind.with(|bind| (bind.addr, bind.reuseport)) };
            (bound == Some(addr)).then_some(shared)
        })
    }

    /// Binds a listener to `addr`.
    pub(super) fn bind(&mut self, listener: &Listener<C, B>, addr: SocketAddr, reuseport: bool) {
        // SAFETY: the listener is not linked yet, and this runs under the bucket's lock.
        unsafe {
            listener.bind.with_mut(|bind| {
                bind.addr = Some(addr);
                bind.reuseport = reuseport;
            });
        }
        // SAFETY: the descriptor's reference keeps the listener alive until `unbind`.
        self.bound.push_back(unsafe { UnsafeRef::from_raw(listener) });
    }

    /// Takes a closed listener off its address.
    pub(super) fn unbind(&mut self, listener: &Listener<C, B>) {
        if listener.bound.is_linked() {
            // SAFETY: the listener is linked, in its address's bucket, which is this one.
            unsafe { self.bound.cursor_mut_from_ptr(listener) }.remove();
        }
    }
}
