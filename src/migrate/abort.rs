//! The baseline of Linux 5.10: what waits when a listener closes is aborted.

use super::Leaving;
use crate::net::RequestRef;
use crate::outcome::Outcome;
use crate::sync::{Backend, Event, Fault};

/// Takes the listener out of the table and its group; moves nothing.
///
/// With `keep` the listener stays in its group's closed section.
pub(super) fn unhash<C: Send + 'static, B: Backend>(
    at: &Leaving<'_, '_, C, B>,
    keep: bool,
) -> Option<Outcome<C, B>> {
    if B::planted(Fault::BucketUnderReuseport) {
        let _reuseport = at.net.reuseport_lock();
        drop(at.table.lock(at.addr));
    }
    let mut bucket = at.table.lock(at.addr)?;
    let picked = bucket.unhash(at.net, at.listener, keep, |_, _| None);
    debug_assert!(picked.is_none());
    None
}

/// Gives up a connection that is in the caller's hands. (Linux: `inet_child_forget()`.)
pub(super) fn child_forget<C: Send + 'static, B: Backend>(
    at: &Leaving<'_, '_, C, B>,
    request: RequestRef<'_, '_, C, B>,
) -> Option<Outcome<C, B>> {
    B::trace(Event::Aborted { request: request.index(), listener: at.listener.index() });
    // SAFETY: the request was just taken from a queue, or refused by one: it is in our hands.
    let (_, child) = unsafe { request.take_body() };
    child.map(Outcome::Aborted)
}
