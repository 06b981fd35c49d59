//! Half-open requests by tuple, in buckets with a lock each.

use super::bucket_of;
use crate::lockdep::{Before, Held, Mutex, MutexGuard, order::EstablishedBucket};
use crate::net::{Net, RequestRef};
use crate::request::{RequestSock, RequestState, Tuple};
use crate::slab::{Storage, Vacant};
use crate::sync::{Backend, Fault, Link};
use core::mem::ManuallyDrop;
use core::ops::Deref;
use intrusive_collections::linked_list::LinkedList;
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    EhashAdapter<C, B> = UnsafeRef<RequestSock<C, B>>: RequestSock<C, B> { node => Link }
    where B: Backend
);

/// The requests of one bucket. Each linked one is kept by a reference that the chain holds. Dropping
/// the chain touches nothing, because the slab may be gone by then.
struct Chain<C, B: Backend>(ManuallyDrop<LinkedList<EhashAdapter<C, B>>>);

/// One bucket of the established table. (Linux: `struct inet_ehash_bucket` and its lock.)
pub struct EhashBucket<C, B: Backend>(Mutex<Chain<C, B>, EstablishedBucket, B>);

impl<C, B: Backend> Vacant for EhashBucket<C, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self =
        EhashBucket(Mutex::new(Chain(ManuallyDrop::new(LinkedList::new(EhashAdapter::NEW)))));
}

impl<C, B: Backend> EhashBucket<C, B> {
    /// An empty bucket, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { EhashBucket::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }
}

impl<C: Send + 'static, B: Backend> EhashBucket<C, B> {
    /// Locks the bucket.
    #[inline]
    #[track_caller]
    pub(crate) fn lock<'a, H: Before<EstablishedBucket>>(
        &'a self,
        held: &'a mut Held<'_, H>,
    ) -> (LockedEhash<'a, C, B>, Held<'a, EstablishedBucket>) {
        let (chain, held) = self.0.lock_and(held);
        (LockedEhash(chain), held)
    }
}

/// The established table, the half-open part of it. (Linux: `tcp_hashinfo.ehash`.)
pub(crate) struct EstablishedTable<'s, C, B: Backend> {
    buckets: Storage<'s, EhashBucket<C, B>>,
}

/// A bucket whose lock is held.
///
/// Besides the chain the lock protects what may change of the requests whose tuple falls on the
/// bucket: a half-open request's owner and timeouts, and the end of a fast-open handshake.
pub(crate) struct LockedEhash<'a, C, B: Backend>(MutexGuard<'a, Chain<C, B>, EstablishedBucket, B>);

impl<'s, C: Send + 'static, B: Backend> EstablishedTable<'s, C, B> {
    pub(crate) fn new(mut buckets: Storage<'s, EhashBucket<C, B>>) -> Self {
        for (key, bucket) in (0..).zip(buckets.iter_mut()) {
            // The chains that another stack left in this memory point into nowhere.
            *bucket = EhashBucket::new();
            bucket.0.place(key);
        }
        Self { buckets }
    }

    /// Tells whether the table has no buckets, so that it holds nothing.
    pub(crate) fn is_void(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Returns the bucket of `tuple`, for who locks it more than once; `None` if the table has no buckets.
    #[inline]
    pub(crate) fn bucket(&self, tuple: &Tuple) -> Option<&EhashBucket<C, B>> {
        self.buckets.get(bucket_of(tuple, self.buckets.len())?)
    }

    /// Locks the bucket of `tuple`; `None` if the table has no buckets.
    #[track_caller]
    pub(crate) fn lock<'a, H: Before<EstablishedBucket>>(
        &'a self,
        tuple: &Tuple,
        held: &'a mut Held<'_, H>,
    ) -> Option<(LockedEhash<'a, C, B>, Held<'a, EstablishedBucket>)> {
        Some(self.bucket(tuple)?.lock(held))
    }

    /// Tells whether nobody holds a bucket's lock, in a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn is_free(&self) -> bool {
        self.buckets.iter().all(|bucket| crate::sync::model::is_free(bucket.0.tag()))
    }

    /// Looks at every half-open request without locks, for checkers.
    ///
    /// # Safety
    ///
    /// Nobody may change a chain while `f` runs.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek(&self, mut f: impl FnMut(&RequestSock<C, B>)) {
        for bucket in self.buckets.iter() {
            // SAFETY: the caller's contract.
            unsafe { bucket.0.peek(|chain| chain.0.iter().for_each(&mut f)) }
        }
    }
}

impl<C: Send + 'static, B: Backend> LockedEhash<'_, C, B> {
    /// Returns the half-open request for `tuple`. O(requests in the bucket).
    pub(crate) fn find<'n>(&self, net: &'n Net<'_, C, B>, tuple: &Tuple) -> Option<&'n RequestSock<C, B>> {
        let found = self.0.0.iter().find(|request| {
            // SAFETY: a hashed request was filled in, and the chain keeps it.
            unsafe { request.is_for(tuple) || B::planted(Fault::TupleNotCompared) }
        })?;
        net.requests.get(found.index())
    }

    /// Adds a request in the caller's hands; its reference belongs to the table from now on. O(1).
    pub(crate) fn insert(&mut self, request: RequestRef<'_, '_, C, B>) {
        let object: *const RequestSock<C, B> = request.deref();
        request.set_state(RequestState::Hashed);
        let _ = request.into_raw();
        // SAFETY: slots outlive the stack's use of the table, and the reference that was just stored
        // keeps the request what it is until `remove`.
        self.0.0.push_back(unsafe { UnsafeRef::from_raw(object) });
    }

    /// Takes a hashed request off the table, with the table's reference, into the caller's hands. O(1).
    pub(crate) fn remove<'n, 's>(
        &mut self,
        net: &'n Net<'s, C, B>,
        request: &RequestSock<C, B>,
    ) -> Option<RequestRef<'n, 's, C, B>> {
        if request.state() != RequestState::Hashed {
            return None;
        }
        // SAFETY: a request in state Hashed is linked, in its tuple's bucket, which is this one.
        unsafe { self.0.0.cursor_mut_from_ptr(request) }.remove()?;
        request.set_state(RequestState::InHand);
        // SAFETY: `insert` stored this reference, and the request left the chain.
        Some(unsafe { RequestRef::from_raw(net, request.index()) })
    }
}
