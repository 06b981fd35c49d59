//! One bucket of the listening table, without its lock.

use crate::address::{Place, RcvSaddr};
use crate::group::SockReuseport;
use crate::lockdep::{Mutex, order::ListenBucket};
use crate::net::Net;
use crate::slab::Vacant;
use crate::sync::{Backend, Link};
use core::mem::ManuallyDrop;
use intrusive_collections::linked_list::LinkedList;
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    HashedAdapter<B> = UnsafeRef<SockReuseport<B>>: SockReuseport<B> { hashed => Link }
    where B: Backend
);

/// One bucket of the listening table. (Linux: `struct inet_listen_hashbucket`.)
pub struct Bucket<B: Backend>(pub(super) Mutex<Chain<B>, ListenBucket, B>);

impl<B: Backend> Vacant for Bucket<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = Bucket(Mutex::new(Chain(ManuallyDrop::new(LinkedList::new(HashedAdapter::NEW)))));
}

impl<B: Backend> Bucket<B> {
    /// An empty bucket, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { Bucket::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }
}

/// What a bucket's lock protects: the groups that have listening members, in the order in which they
/// came to have them.
///
/// A hashed group is alive: it leaves when its last listening member does. Dropping the chain touches
/// nothing, because the slab may be gone by then.
pub(crate) struct Chain<B: Backend>(ManuallyDrop<LinkedList<HashedAdapter<B>>>);

impl<B: Backend> Chain<B> {
    /// Returns the slots and the addresses of the groups.
    fn groups(&self) -> impl Iterator<Item = (u32, RcvSaddr)> {
        self.0.iter().filter_map(|group| {
            // SAFETY: a hashed group's address is only read, under the bucket's lock, which is held
            // by who can see the chain.
            unsafe { group.addr.with(|addr| addr.map(|addr| (group.index(), addr))) }
        })
    }

    /// Returns the slot of the group whose members listen at `addr`.
    pub(super) fn group_at(&self, addr: &RcvSaddr) -> Option<u32> {
        self.groups().find(|(_, at)| at == addr).map(|(group, _)| group)
    }

    /// Returns the slot of the first group that receives what goes to `place`.
    pub(super) fn group_for(&self, place: &Place) -> Option<u32> {
        let receive = self.groups().filter(|(_, at)| at.receives(place));
        receive.min_by_key(|(_, at)| at.precedence()).map(|(group, _)| group)
    }

    /// Hashes a group that got its first listening member, in a slot of `net`.
    pub(super) fn hash_group<C: Send + 'static>(&mut self, net: &Net<'_, C, B>, group: u32, addr: RcvSaddr) {
        let Some(group) = net.groups.get(group) else { return };
        // SAFETY: the group is not hashed yet, so that nobody looks at its address.
        unsafe { group.addr.with_mut(|a| *a = Some(addr)) };
        // SAFETY: slots outlive the stack's use of the table; the members' reference keeps the
        // group what it is until `unhash_group`.
        self.0.push_back(unsafe { UnsafeRef::from_raw(group) });
    }

    /// Unhashes a group whose last listening member left.
    pub(super) fn unhash_group<C: Send + 'static>(&mut self, net: &Net<'_, C, B>, group: u32) {
        let Some(group) = net.groups.get(group) else { return };
        if group.hashed.is_linked() {
            // SAFETY: the group is linked, and a group is linked only in its address's bucket, which
            // is this one.
            unsafe { self.0.cursor_mut_from_ptr(group) }.remove();
        }
    }
}
