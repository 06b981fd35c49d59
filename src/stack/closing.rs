//! Shutdown and close, step by step.

use super::Stack;
use crate::event::Here;
use crate::hash::Lookup;
use crate::listener::{Descriptor, Listener, ListenerId};
use crate::lockdep::{Held, Nothing};
use crate::migrate::{Leaving, Moved};
use crate::net::{ListenerRef, OwnerRef, RequestRef};
use crate::outcome::{Outcome, SockError, Wake};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Stops listening; the socket stays open and may listen again. It stays bound, unless it found its
    /// port with [`bind_any`](Self::bind_any).
    ///
    /// Returns the steps that deal with the connections that wait. If they are not all taken, the
    /// socket stays between states; calling this again goes on with them. Takes `ListenerSock`,
    /// `BindBucket`, `ListenBucket`, `Reuseport`. (Linux: `tcp_disconnect()` of a listener.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the socket was closed, [`SockError::NotListening`] if it does
    /// not listen.
    pub fn shutdown(&self, id: ListenerId<C, B>, here: Here) -> Result<Closing<'_, 's, C, B>, SockError> {
        self.stop(id, here, false)
    }

    /// Closes a socket: its id is stale from now on, but for calling this again. It holds its address until
    /// the last step.
    ///
    /// Returns the steps that deal with the connections that wait. If they are not all taken, the
    /// socket stays between states; calling this again goes on with them. Locks as
    /// [`shutdown`](Self::shutdown). (Linux: `tcp_close()` of a listener.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the socket was closed already.
    pub fn close(&self, id: ListenerId<C, B>, here: Here) -> Result<Closing<'_, 's, C, B>, SockError> {
        self.stop(id, here, true)
    }

    fn stop(
        &self,
        id: ListenerId<C, B>,
        here: Here,
        close: bool,
    ) -> Result<Closing<'_, 's, C, B>, SockError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(SockError::Stale)?;
        let held = &mut self.nothing_held();
        let (mut descriptor, mut held) = listener.sock.lock_and(held);
        let moved = match *descriptor {
            Descriptor::Closed => return Err(SockError::Stale),
            Descriptor::Idle if !close => return Err(SockError::NotListening),
            Descriptor::Stopping { close: true, .. } if !close => return Err(SockError::Stale),
            Descriptor::Stopping { handed: true, .. } => Moved::All(None),
            Descriptor::Idle | Descriptor::Stopping { .. } => Moved::NotAll(None),
            Descriptor::Listening => {
                // First out of the group and the table, then CLOSE: who sees CLOSE and looks again
                // finds somebody else. (Linux: `tcp_set_state()`.)
                let leaving = self.leaving(&listener, here, close);
                if B::planted(Fault::ClosedBeforeLeaving) {
                    listener.set_listening(false);
                }
                let left = self.design.leave(&leaving, &mut held);
                let moved = self.design.stop(&leaving, left, &mut held);
                let keeps = B::planted(Fault::PickedPortKept);
                if listener.found_its_port() && !keeps || (close && B::planted(Fault::UnboundEarly)) {
                    self.ports.unbind(&listener, &mut held);
                }
                moved
            }
        };
        let handed = matches!(moved, Moved::All(_));
        *descriptor = Descriptor::Stopping { close, handed };
        let listens = listener.listens();
        let estate = match listener.estate.load(Ordering::Relaxed) {
            NONE => None,
            // SAFETY: a stored reference, which is only taken back under `sock`.
            stored => Some(unsafe { OwnerRef::clone_raw(&self.net, stored) }),
        };
        drop(descriptor);
        let (moved, drained) = match moved {
            // Whose steps were begun before, or who held nothing: that one stored no estate.
            Moved::All(None) => (estate.as_ref().and_then(|estate| self.told_again(estate)), true),
            Moved::All(moved) => (moved, true),
            Moved::NotAll(moved) => (moved, false),
        };
        Ok(Closing { stack: self, listener, here, close, listens, estate, moved, drained, lookup: None })
    }

    fn leaving<'a>(
        &'a self,
        listener: &'a ListenerRef<'a, 's, C, B>,
        here: Here,
        close: bool,
    ) -> Leaving<'a, 's, C, B> {
        Leaving { net: &self.net, table: &self.table, ehash: &self.ehash, listener, here, close }
    }

    /// The last step of a stop after the `listens`th listen: nothing waits any more and nothing can
    /// arrive.
    fn stopped(&self, listener: &ListenerRef<'_, 's, C, B>, listens: u32) {
        let held = &mut self.nothing_held();
        let (mut descriptor, mut held) = listener.sock.lock_and(held);
        let Descriptor::Stopping { close, .. } = *descriptor else {
            return; // somebody else took the last step at the same time
        };
        if listener.listens() != listens {
            return; // it listened again since and stops again: that has a last step of its own
        }
        let estate = listener.estate.load(Ordering::Relaxed);
        listener.estate.store(NONE, Ordering::Relaxed);
        if !close {
            *descriptor = Descriptor::Idle;
            drop(descriptor);
            self.net.put_owner(estate);
            return;
        }
        *descriptor = Descriptor::Closed;
        self.ports.unbind(listener, &mut held);
        drop(descriptor);
        self.net.put_owner(estate);
        self.put_home(listener);
        // SAFETY: who opened the socket stored the descriptor's reference, and the descriptor became
        // Closed once.
        drop(unsafe { ListenerRef::from_raw(&self.net, listener.index()) });
    }

    /// Tells again who has what a listener handed over, to whoever goes on with its steps: the wake-up may
    /// not have been done.
    fn told_again<'a>(&'a self, estate: &OwnerRef<'a, 's, C, B>) -> Option<Outcome<C, B>> {
        let held = &mut self.nothing_held();
        let (told, root) = self.net.at_root(estate, held, |heir, queue, _| {
            (heir.is_listening() && !queue.is_empty()).then(|| (heir.id(), queue.len()))
        });
        drop(root);
        let (to, connections) = told?;
        Some(Outcome::HandedOver { to, connections, wake: Some(Wake(to)) })
    }

    /// Takes one request of what a listener that stopped left with another one that had stopped.
    ///
    /// # Errors
    ///
    /// If that one listens again, what waits there is its own, and it has to be woken.
    fn drain_estate<'a>(
        &'a self,
        estate: &OwnerRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Option<RequestRef<'a, 's, C, B>>, Outcome<C, B>> {
        let (drained, root) = self.net.at_root(estate, held, |heir, queue, _| {
            if heir.is_listening() {
                return Err((heir.id(), queue.len()));
            }
            Ok(heir.drain_estate(queue, &self.net))
        });
        drop(root);
        drained.map_err(|(to, connections)| Outcome::HandedOver { to, connections, wake: Some(Wake(to)) })
    }

    /// Puts a closed listener's reference on its owner.
    pub(super) fn put_home(&self, listener: &Listener<C, B>) {
        let home = listener.accept_queue.lock(&mut self.nothing_held()).set_home(NONE);
        self.net.put_owner(home);
    }
}

/// The connections of a listener that stops, one outcome at a time.
///
/// Each step is O(1) and holds no lock when it returns, so that a caller may pause between steps
/// for as long as it likes. Steps left over when the socket listens again do nothing. (Linux: the
/// loop of `inet_csk_listen_stop()` with its `cond_resched()`.)
#[must_use = "connections wait until the steps are taken"]
pub struct Closing<'a, 's, C: Send + 'static, B: Backend> {
    stack: &'a Stack<'s, C, B>,
    listener: ListenerRef<'a, 's, C, B>,
    here: Here,
    close: bool,
    /// Which stop these are the steps of.
    listens: u32,
    /// Where what it held is, if that is with another listener that has stopped.
    estate: Option<OwnerRef<'a, 's, C, B>>,
    /// What moved as a whole.
    moved: Option<Outcome<C, B>>,
    /// Whether that was everything.
    drained: bool,
    /// Who listened at the address of the connection before.
    lookup: Option<Lookup<B>>,
}

// Steps may be taken by another thread than the one that closed.
#[cfg(feature = "spin")]
static_assertions::assert_impl_all!(Closing<'static, 'static, core::cell::Cell<u32>, crate::DefaultBackend>: Send);

impl<C: Send + 'static, B: Backend> Iterator for Closing<'_, '_, C, B> {
    type Item = Outcome<C, B>;

    fn next(&mut self) -> Option<Outcome<C, B>> {
        if let Some(moved) = self.moved.take() {
            return Some(moved);
        }
        let Self { stack, listener, here, close, listens, estate, drained, lookup, .. } = self;
        if !*drained {
            let held = &mut stack.nothing_held();
            loop {
                let mut request = listener.queue_drain(&stack.net, *listens, held);
                if let (None, Some(owner)) = (&request, &*estate) {
                    match stack.drain_estate(owner, held) {
                        Ok(drained) => request = drained,
                        Err(handed_over) => {
                            *estate = None;
                            return Some(handed_over);
                        }
                    }
                }
                let Some(request) = request else { break };
                // A request without a child would be one that somebody else dealt with.
                let leaving = stack.leaving(listener, *here, *close);
                if let Some(outcome) = stack.design.stop_one(&leaving, request, lookup, held) {
                    return Some(outcome);
                }
            }
            // Nobody adds to the list any more: who ends a handshake sees CLOSE.
            while stack.pop_reset(listener, Some(*listens)) {}
        }
        stack.stopped(listener, *listens);
        None
    }
}
