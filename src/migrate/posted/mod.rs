//! The request protocol of Linux, on which the designs of the discussion run.
//!
//! It differs from ours in three ways, and each is a source of what the designs break:
//!
//! * a request names its listener, and who looks at it takes the name without a lock. The owner that a
//!   request stores here is never handed on: it stands for the listener, and its references for those on
//!   the listener. A design that takes a reference on a listener that is gone, or puts one that is not
//!   there, is reported and goes on as if there were no listener: slots are type-stable, so that looking is
//!   defined;
//! * `qlen` and `young` are atomic counters, written without a lock;
//! * a fast-open connection has one reference on its request for the queue and the handshake together.
//!   Whoever is second puts it, accept or the end of the handshake; who is second is told under the
//!   `fastopenq.lock` of the listener that accepts, or of the one that the request names.

mod cloning;
mod ehash;
mod fastopen;
mod half_open;
mod in_place;
mod timer;

use crate::hash::EstablishedTable;
use crate::listener::Listener;
use crate::lockdep::{Before, Held, order::Rskq};
use crate::net::{Net, OwnerRef, RequestRef};
use crate::outcome::Wake;
use crate::request::{Key, Link, RequestSock};
use crate::slab::NONE;
use crate::sync::{Backend, Event};

use super::Design;

/// What an operation of a design of the discussion works on.
pub(crate) struct Site<'a, 's, C: Send + 'static, B: Backend> {
    pub(crate) net: &'a Net<'s, C, B>,
    pub(crate) ehash: &'a EstablishedTable<'s, C, B>,
    pub(crate) design: Design,
}

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// Returns the owner that the request names, without a lock. Where designs rewrite it, that is a step that
    /// others may come before or after; in the merged design it is what the request was made with.
    fn name(&self, request: &RequestSock<C, B>) -> u32 {
        let owner = if self.design.fixes().is_some() { request.peek_owner() } else { request.owner() };
        if let Some(listener) = self.home_of(owner) {
            B::trace(Event::Named { request: request.index(), listener });
        }
        owner
    }

    /// Returns the slot of the listener that an owner stands for, if it stands for one.
    fn home_of(&self, owner: u32) -> Option<u32> {
        match self.net.owners.get(owner)?.peek() {
            Link::Home(listener) => Some(listener),
            Link::Vacant | Link::Handed(_) => None,
        }
    }

    /// Makes the request name another owner, or none, whatever becomes of the one before.
    pub(in super::super) fn rename(&self, request: &RequestSock<C, B>, owner: u32) {
        B::trace(Event::Renamed { request: request.index(), listener: self.home_of(owner) });
        let _before = request.set_owner(owner);
    }

    /// Takes a reference on the listener that `owner` stands for, as one does who takes it for granted that
    /// it is there. (Linux: `sock_hold()`.)
    pub(super) fn hold(&self, owner: u32) -> Option<OwnerRef<'a, 's, C, B>> {
        let held = OwnerRef::try_get(self.net, owner);
        if held.is_none() && owner != NONE {
            B::violated("I6/I7", "a listener is used that is gone, by its owner", owner);
        }
        held
    }

    /// Puts a reference on the listener that `owner` stands for. (Linux: `sock_put()`.)
    pub(super) fn put(&self, owner: u32) {
        if owner != NONE && !OwnerRef::put_as_posted(self.net, owner) {
            B::violated("I6/I7", "a reference is put that is not there, on the owner", owner);
        }
    }

    /// Returns the listener that a referenced owner stands for.
    pub(super) fn listener(&self, owner: &OwnerRef<'a, 's, C, B>) -> Option<&'a Listener<C, B>> {
        self.net.listeners.get(self.home_of(owner.index())?)
    }

    /// Returns what a request is made of.
    fn key(request: &RequestSock<C, B>) -> Option<Key> {
        // SAFETY: requests are asked that were filled in, by who holds a reference on them or knows that
        // one is held: a key is written only where there is none.
        unsafe { request.key() }
    }

    /// Returns the wake-up of a listener that gained a connection.
    pub(super) fn wake(&self, listener: &Listener<C, B>) -> Wake<C, B> {
        Wake(self.net.listeners.id_at(listener.index()))
    }

    /// Adds a request to the listener's queue, if it listens. (Linux: `inet_csk_reqsk_queue_add()`.)
    ///
    /// # Errors
    ///
    /// Returns the request if it does not.
    pub(super) fn queue_add<'r, H: Before<Rskq>>(
        &self,
        listener: &Listener<C, B>,
        request: RequestRef<'r, 's, C, B>,
        held: &mut Held<'_, H>,
    ) -> Result<(), RequestRef<'r, 's, C, B>> {
        let mut queue = listener.accept_queue.lock(held);
        let index = request.index();
        if !listener.is_at_home(&queue) {
            B::trace(Event::Refused { request: index, listener: listener.index() });
            return Err(request);
        }
        // SAFETY: requests and listeners live in the memory of one stack, until it is gone.
        unsafe { queue.push(request) }?;
        B::trace(Event::Queued { request: index, listener: listener.index() });
        Ok(())
    }
}
