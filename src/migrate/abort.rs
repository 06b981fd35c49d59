//! The baseline of Linux 5.10: what waits when a listener closes is aborted.

use super::{Leaving, Left};
use crate::lockdep::{Held, order::ListenerSock};
use crate::net::RequestRef;
use crate::outcome::Outcome;
use crate::request::RequestState;
use crate::sync::{Backend, Event, Fault};

/// Takes the listener out of the table and its group; moves nothing.
///
/// With `keep` the listener stays in its group's closed section.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    keep: bool,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    if B::planted(Fault::BucketUnderReuseport) {
        let _reuseport = at.net.reuseport_lock(held);
        // SAFETY: none, that is the fault: a token that says that nothing is held.
        drop(at.lock(&mut unsafe { Held::nothing() }));
    }
    if let Some(mut bucket) = at.lock(held) {
        let picked = bucket.unhash(at.net, at.listener, keep, |_, _| None);
        debug_assert!(picked.is_none());
    }
    Left::Group
}

/// Gives up a connection that is in the caller's hands. (Linux: `inet_child_forget()`.)
pub(super) fn child_forget<C: Send + 'static, B: Backend>(
    at: &Leaving<'_, '_, C, B>,
    request: RequestRef<'_, '_, C, B>,
) -> Option<Outcome<C, B>> {
    B::trace(Event::Aborted { request: request.index(), listener: at.listener.index() });
    // If anything keeps it now, that is a fast-open handshake, as after an accept.
    request.set_state(RequestState::Accepted);
    // SAFETY: the request was just taken from a queue, or refused by one: it is in our hands.
    let child = unsafe { request.take_child() };
    child.filter(|_| !B::planted(Fault::AbortedUntold)).map(Outcome::Aborted)
}
