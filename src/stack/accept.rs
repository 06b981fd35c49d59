//! Accept.

use super::Stack;
use crate::listener::ListenerId;
use crate::net::RequestRef;
use crate::outcome::SockError;
use crate::sync::{Backend, Fault};
use heapless::Vec;

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Takes the connection that waited longest on a listener, or `None` if none waits. O(1).
    ///
    /// Takes `Rskq`. (Linux: `inet_csk_accept()`, not waiting.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the socket was closed, [`SockError::NotListening`] if it does not listen.
    pub fn accept(&self, id: ListenerId<C, B>) -> Result<Option<C>, SockError> {
        #[cfg(feature = "designs")]
        if let Some(posted) = self.posted() {
            let listener = self.listening(id)?;
            let request = listener.queue_remove(&self.net, &mut self.nothing_held());
            return Ok(request.and_then(|r| posted.accepted(&listener, r, &mut self.nothing_held())));
        }
        // No reference is taken: slots are type-stable, so that the queue can be locked whoever is in the slot,
        // and who listens under the lock is there until it is released.
        let found = self.net.listeners.get(id.index()).and_then(|listener| {
            let is_it = || self.net.listeners.id_at(id.index()) == id && listener.is_listening();
            listener.queue_remove_if(is_it, &self.net, &mut self.nothing_held())
        });
        let Some(request) = found else {
            return self.listening(id).map(|_| None);
        };
        Ok(self.child_of(request))
    }

    /// Takes up to `N` connections, those that waited longest, in their order. Nobody gets one between two of them: they
    /// are taken in one section of the lock. O(`N`).
    ///
    /// `N` is how long the lock may be held: some ten nanoseconds for each, or a miss of the cache. They are moved
    /// by way of the caller's kernel stack, `N` at a time. Takes `Rskq`.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn accept_many<const N: usize>(
        &self,
        id: ListenerId<C, B>,
    ) -> Result<impl Iterator<Item = C> + use<C, B, N>, SockError> {
        #[cfg(feature = "designs")]
        if let Some(posted) = self.posted() {
            let listener = self.listening(id)?;
            let next = || {
                let request = listener.queue_remove(&self.net, &mut self.nothing_held())?;
                posted.accepted(&listener, request, &mut self.nothing_held())
            };
            return Ok(core::iter::from_fn(next).take(N).collect::<Vec<C, N>>().into_iter());
        }
        // As in `accept`.
        let found: Vec<RequestRef<'_, 's, C, B>, N> =
            self.net.listeners.get(id.index()).map_or_else(Vec::new, |listener| {
                let is_it = || self.net.listeners.id_at(id.index()) == id && listener.is_listening();
                listener.queue_remove_many_if(is_it, &self.net, &mut self.nothing_held())
            });
        if found.is_empty() {
            drop(self.listening(id)?);
        }
        let children = found.into_iter().filter_map(|request| self.child_of(request));
        Ok(children.collect::<Vec<C, N>>().into_iter())
    }

    /// Takes the connection out of a request that was taken from a queue.
    #[inline]
    fn child_of(&self, request: RequestRef<'_, 's, C, B>) -> Option<C> {
        // SAFETY: just taken from the queue: in our hands.
        let child = unsafe { request.take_child() };
        if B::planted(Fault::RequestPutTwice) {
            // SAFETY: none, that is the fault: this reference is not ours to put.
            drop(unsafe { RequestRef::from_raw(&self.net, request.index()) });
        }
        child
    }
}
