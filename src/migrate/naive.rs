//! The prototype of 10 December 2020: requests are moved one by one, themselves and not clones of them.
//!
//! The closer is in CLOSE and goes through its queue. For each request it
//!
//! 1. takes it out under its own `rskq_lock`;
//! 2. picks a member;
//! 3. takes that one's `rskq_lock`; if it listens, adds the request at the tail and counts it. If not, the
//!    connection is reset: there is one try;
//! 4. under the lock, calls what moves half-open requests in place: `qlen` and `young` move, a reference on
//!    the closer is put, one on the target is taken, and the request names the target.
//!
//! What it leaves undone: nobody is woken. The charges that 4 moves were taken when the handshake ended, so
//! that the closer is one short and the target has one too many, for ever. 4 does not hold the child, so
//! that the end of a fast-open handshake may have looked up the closer and lock it afterwards, and the
//! fast-open charge stays with the closer.

use super::Leaving;
use super::posted::Site;
use crate::lockdep::{Held, Nothing};
use crate::net::RequestRef;
use crate::outcome::Outcome;
use crate::queue::Charges;
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

/// Moves one connection, or gives it up.
pub(super) fn stop_one<'a, 's, C: Send + 'static, B: Backend>(
    site: &Site<'a, 's, C, B>,
    at: &Leaving<'a, 's, C, B>,
    request: RequestRef<'a, 's, C, B>,
    held: &mut Held<'_, Nothing>,
) -> Option<Outcome<C, B>> {
    // SAFETY: the request was filled in, and is in our hands.
    let hash = unsafe { request.key() }.map_or(0, |key| key.hashes.sk_hash);
    let target = at.net.pick_unheld(at.listener, hash).and_then(|slot| at.net.listeners.get(slot));
    let Some(target) = target else {
        return site.forget(at.listener, request, held).map(Outcome::Aborted);
    };
    let slot = request.index();
    let mut queue = target.accept_queue.lock(held);
    // The queue keeps a request that it takes, so that it is what it is under the lock.
    let added = if target.is_at_home(&queue) {
        // SAFETY: the requests of a stack are there until it is gone.
        unsafe { queue.push(request) }
    } else {
        Err(request)
    };
    match (added, at.net.requests.get(slot)) {
        (Ok(()), Some(request)) => {
            let charge = Charges::one(request.is_young());
            at.listener.accept_queue.charge_unlocked(-charge);
            target.accept_queue.charge_unlocked(charge);
            site.put(request.peek_owner());
            let home = site.hold(target.home.load(Ordering::Relaxed));
            site.rename(request, home.map_or(NONE, |home| home.into_raw()));
            drop(queue);
            Some(Outcome::Moved { to: at.net.listeners.id_at(target.index()), wake: None })
        }
        (Err(request), _) => {
            drop(queue);
            site.forget(at.listener, request, held).map(Outcome::Aborted)
        }
        (Ok(()), None) => None,
    }
}
