//! The list inside an accept queue, without its lock.

use crate::request::RequestSock;
use crate::sync::{Backend, Link};
use core::mem::ManuallyDrop;
use intrusive_collections::singly_linked_list::SinglyLinkedList;
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    RskqAdapter<C, B> = UnsafeRef<RequestSock<C, B>>: RequestSock<C, B> { node => Link }
    where B: Backend
);

/// The request is in a queue already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyQueued;

/// A FIFO of requests, linked through the requests themselves, with its tail at hand.
///
/// The list never touches a request on its own account: dropping a list that is not empty leaves
/// its requests linked, because the storage of requests may be gone by then.
pub struct AcceptQueue<C, B: Backend> {
    list: ManuallyDrop<SinglyLinkedList<RskqAdapter<C, B>>>,
    /// The last request; dangling or null while the list is empty.
    tail: *const RequestSock<C, B>,
}

// SAFETY: the list reaches requests, which are shared between threads anyway (`RequestSock` is
// `Sync` for `C: Send`); the pointers themselves are plain addresses.
unsafe impl<C: Send, B: Backend> Send for AcceptQueue<C, B> {}

impl<C, B: Backend> AcceptQueue<C, B> {
    /// An empty list.
    #[allow(clippy::new_without_default)] // only queues make them
    pub const fn new() -> Self {
        Self { list: ManuallyDrop::new(SinglyLinkedList::new(RskqAdapter::NEW)), tail: core::ptr::null() }
    }

    /// Tells whether the list is empty. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a request at the tail. O(1).
    ///
    /// # Errors
    ///
    /// [`AlreadyQueued`] if it is in a list.
    ///
    /// # Safety
    ///
    /// The request must stay where it is until it has been popped, and nobody may link or unlink
    /// it at the same time.
    pub unsafe fn push(&mut self, request: *const RequestSock<C, B>) -> Result<(), AlreadyQueued> {
        // SAFETY: the caller keeps the request alive.
        let node = unsafe { UnsafeRef::from_raw(request) };
        if node.node.is_linked() {
            return Err(AlreadyQueued);
        }
        if self.list.is_empty() {
            self.list.push_front(node);
        } else {
            // SAFETY: the list is not empty, so `tail` is its last request.
            unsafe { self.list.cursor_mut_from_ptr(self.tail) }.insert_after(node);
        }
        self.tail = request;
        Ok(())
    }

    /// Adds a request at the head: a planted fault.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    ///
    /// # Safety
    ///
    /// As [`push`](Self::push).
    pub(super) unsafe fn push_front(
        &mut self,
        request: *const RequestSock<C, B>,
    ) -> Result<(), AlreadyQueued> {
        let mut rest = self.take();
        // SAFETY: the caller's contract.
        let pushed = unsafe { self.push(request) };
        self.splice_tail(&mut rest);
        pushed
    }

    /// Takes the request at the head. O(1).
    pub fn pop(&mut self) -> Option<UnsafeRef<RequestSock<C, B>>> {
        self.list.pop_front()
    }

    /// Takes the whole list and leaves an empty one. O(1).
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new())
    }

    /// Puts all of `other` before all of this list. O(1).
    pub fn splice_head(&mut self, other: &mut Self) {
        let mut natives = self.take();
        *self = other.take();
        self.splice_tail(&mut natives);
    }

    /// Puts all of `other` behind all of this list. O(1).
    pub fn splice_tail(&mut self, other: &mut Self) {
        if other.list.is_empty() {
            return;
        }
        let Self { list, tail } = other.take();
        let list = ManuallyDrop::into_inner(list);
        if self.list.is_empty() {
            *self.list = list;
        } else {
            // SAFETY: the list is not empty, so `tail` is its last request. Nothing follows it, so
            // that the library need not look for the end of the other list.
            unsafe { self.list.cursor_mut_from_ptr(self.tail) }.splice_after(list);
        }
        self.tail = tail;
    }

    /// As [`splice_head`](Self::splice_head), with the assignment of the v1 and v2 patches that goes the wrong
    /// way: if this list is empty, the *other* one gets this one's tail. [`mend`](Self::mend) before anything
    /// is added.
    #[cfg(feature = "designs")]
    pub(super) fn splice_head_as_posted(&mut self, other: &mut Self) {
        let was_empty = self.list.is_empty();
        let tail = self.tail;
        self.splice_head(other);
        if was_empty {
            self.tail = tail;
        }
    }

    /// Finds the tail again, if it is not where it belongs; tells whether it was not. O(n).
    #[cfg(feature = "designs")]
    pub(super) fn mend(&mut self) -> bool {
        let last = self.list.iter().last().map(core::ptr::from_ref);
        let lost = last.filter(|&last| last != self.tail);
        self.tail = lost.unwrap_or(self.tail);
        lost.is_some()
    }

    /// Returns the requests, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &RequestSock<C, B>> {
        self.list.iter()
    }
}
