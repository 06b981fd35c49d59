//! The same in C, with the kernel's layout.

use super::{AcceptQueue, BACKLOG, child, number_of};
use crate::Child;
use std::ptr::NonNull;

/// Opaque: `struct request`.
enum Request {}
/// Opaque: `struct queue`.
enum RawQueue {}
/// Opaque: `struct slab`.
enum RawSlab {}

unsafe extern "C" {
    fn peer_queue(backlog: u32) -> *mut RawQueue;
    fn peer_slab(room: usize) -> *mut RawSlab;
    fn peer_free(queue: *mut RawQueue, slab: *mut RawSlab);
    fn peer_alloc(slab: *mut RawSlab, child: *const Child) -> *mut Request;
    fn peer_put(slab: *mut RawSlab, request: *mut Request, child: *mut Child);
    fn peer_push(queue: *mut RawQueue, request: *mut Request) -> bool;
    fn peer_pop(queue: *mut RawQueue) -> *mut Request;
}

/// A queue and the requests that are queued.
struct Peer {
    queue: NonNull<RawQueue>,
    slab: NonNull<RawSlab>,
}

// SAFETY: all that is behind the pointers is changed under spin locks.
unsafe impl Send for Peer {}
// SAFETY: as above.
unsafe impl Sync for Peer {}

impl Peer {
    fn new() -> Self {
        // SAFETY: the functions take any number.
        let (queue, slab) = unsafe { (peer_queue(BACKLOG as u32), peer_slab(BACKLOG + 2)) };
        Self { queue: NonNull::new(queue).expect("memory"), slab: NonNull::new(slab).expect("memory") }
    }

    fn alloc(&self, number: u64) -> Option<NonNull<Request>> {
        // SAFETY: the slab lives as long as this, and the child is read before the call returns.
        NonNull::new(unsafe { peer_alloc(self.slab.as_ptr(), &child(number)) })
    }

    fn put(&self, request: NonNull<Request>) -> u64 {
        let mut child = Child::default();
        // SAFETY: the request is of this slab, and in nobody else's hands.
        unsafe { peer_put(self.slab.as_ptr(), request.as_ptr(), &mut child) };
        number_of(&child)
    }

    #[inline(always)]
    fn push(&self, request: NonNull<Request>) -> bool {
        // SAFETY: the queue lives as long as this, and the request is in no queue.
        unsafe { peer_push(self.queue.as_ptr(), request.as_ptr()) }
    }

    #[inline(always)]
    fn pop(&self) -> Option<NonNull<Request>> {
        // SAFETY: the queue lives as long as this.
        NonNull::new(unsafe { peer_pop(self.queue.as_ptr()) })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and nobody uses them any more.
        unsafe { peer_free(self.queue.as_ptr(), self.slab.as_ptr()) }
    }
}

/// Requests that are there are linked.
pub struct CLink {
    peer: Peer,
    requests: Vec<NonNull<Request>>,
}

// SAFETY: the requests are reached by who was given their number, one at a time.
unsafe impl Send for CLink {}
// SAFETY: as above.
unsafe impl Sync for CLink {}

/// What [`peer_alloc`] fills in first is the number; a request begins with its link, 12 bytes of words, its
/// state, and then the child.
const CHILD_AT: usize = 24;

impl AcceptQueue for CLink {
    fn empty() -> Self {
        let peer = Peer::new();
        let requests =
            (0..BACKLOG as u64 + 2).map(|number| peer.alloc(number).expect("there is room")).collect();
        Self { peer, requests }
    }

    #[inline(always)]
    fn push(&self, number: u64) -> bool {
        self.peer.push(self.requests[number as usize])
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        // SAFETY: the child is there since the request was taken, and is not written any more.
        self.peer.pop().map(|request| unsafe { request.cast::<u8>().add(CHILD_AT).cast::<u64>().read() })
    }
}

/// A request is taken from its slab, filled in, queued, and put when it is popped.
pub struct CReal(Peer);

impl AcceptQueue for CReal {
    fn empty() -> Self {
        Self(Peer::new())
    }

    #[inline(always)]
    fn push(&self, number: u64) -> bool {
        let Some(request) = self.0.alloc(number) else { return false };
        let pushed = self.0.push(request);
        if !pushed {
            self.0.put(request);
        }
        pushed
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.pop().map(|request| self.0.put(request))
    }
}
