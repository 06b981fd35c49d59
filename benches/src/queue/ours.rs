//! Ours: the accept queue of a listener, without the stack around it.

use super::{AcceptQueue, BACKLOG, child, number_of};
use crate::Child;
use rskq::DefaultBackend as B;
use rskq::Storage;
use rskq::listener::Listener;
use rskq::lockdep::{Held, Nothing};
use rskq::request::RequestSock;
use rskq::slab::{Fresh, Ref, Slab, Store};
use std::mem::ManuallyDrop;

type Request = RequestSock<Child, B>;

/// Requests, and one listener.
struct Room {
    requests: Slab<'static, Request, B>,
    listeners: Slab<'static, Listener<Child, B>, B>,
}

impl Store<Request> for Room {
    type Backend = B;
    fn slab(&self) -> &Slab<'_, Request, B> {
        &self.requests
    }
    fn retire(&self, _: &Request) -> Option<u32> {
        None
    }
}

impl Store<Listener<Child, B>> for Room {
    type Backend = B;
    fn slab(&self) -> &Slab<'_, Listener<Child, B>, B> {
        &self.listeners
    }
    fn retire(&self, _: &Listener<Child, B>) -> Option<u32> {
        None
    }
}

impl Room {
    fn listening() -> Self {
        let requests = Slab::new(Storage::boxed(BACKLOG + 2), 0);
        let room = Self { requests, listeners: Slab::new(Storage::boxed(1), 1) };
        let _ = Fresh::<Listener<Child, B>, _>::alloc(&room).expect("there is a slot").publish().into_raw();
        room
    }

    /// Takes a request for a connection.
    #[inline(never)]
    fn alloc(&self, number: u64) -> Option<Ref<'_, Request, Self>> {
        let request = Fresh::<Request, _>::alloc(self)?;
        // SAFETY: fresh from the slab, not published.
        let none = unsafe { request.put_child(child(number)) };
        debug_assert!(none.is_none());
        Some(request.publish())
    }

    /// Puts a request in hand, and returns the number of its connection.
    #[inline(never)]
    fn put(request: Ref<'_, Request, Self>) -> u64 {
        // SAFETY: just popped: in our hands.
        let child = unsafe { request.take_child() };
        number_of(&child.expect("a popped request has its child"))
    }

    #[inline(always)]
    fn listener(&self) -> ManuallyDrop<Ref<'_, Listener<Child, B>, Self>> {
        // SAFETY: the first slot was taken and published, and nobody takes that reference back.
        ManuallyDrop::new(unsafe { Ref::from_raw(self, 0) })
    }

    #[inline(always)]
    fn held() -> Held<'static, Nothing> {
        // SAFETY: a lock is taken here with none held, and released before the next.
        unsafe { Held::nothing() }
    }

    /// Queues a request, or gives it back if there is no room.
    #[inline(never)]
    fn push<'r>(&self, request: Ref<'r, Request, Self>) -> Result<(), Ref<'r, Request, Self>> {
        let listener = self.listener();
        let mut held = Self::held();
        let mut queue = listener.accept_queue.lock(&mut held);
        if queue.len() as usize > BACKLOG {
            return Err(request);
        }
        // SAFETY: the slab outlives the queue's use.
        unsafe { queue.push(request) }
    }

    #[inline(never)]
    fn pop(&self) -> Option<Ref<'_, Request, Self>> {
        let listener = self.listener();
        // SAFETY: all requests in the queue are of this room.
        unsafe { listener.accept_queue.lock(&mut Self::held()).pop(self) }
    }
}

/// Requests that are there are linked.
pub struct Link(Room);

impl AcceptQueue for Link {
    fn empty() -> Self {
        let room = Room::listening();
        for number in 0..BACKLOG as u64 + 2 {
            let _ = room.alloc(number).expect("there is a slot").into_raw();
        }
        Self(room)
    }

    #[inline(always)]
    fn push(&self, number: u64) -> bool {
        // SAFETY: a request that is in no queue has the one reference that it was published with.
        let request = unsafe { Ref::from_raw(&self.0, number as u32) };
        self.0.push(request).map_err(Ref::into_raw).is_ok()
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        Some(u64::from(self.0.pop()?.into_raw()))
    }
}

/// A request is taken from its slab, filled in, queued, and put when it is popped.
pub struct Real(Room);

impl AcceptQueue for Real {
    fn empty() -> Self {
        Self(Room::listening())
    }

    #[inline(always)]
    fn push(&self, number: u64) -> bool {
        self.0.alloc(number).is_some_and(|request| self.0.push(request).is_ok())
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.pop().map(|request| Room::put(request))
    }
}
