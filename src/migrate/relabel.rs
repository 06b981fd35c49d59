//! The seven steps, from the discussion of December 2020: the splice without two locks.
//!
//! The closer leaves the table and its group and chooses a target as in [`splice`](super::splice), releases
//! the listening bucket, and then
//!
//! 1. takes its own `rskq_lock`,
//! 2. takes the whole queue off and puts the references on itself, one for each request,
//! 3. releases the lock;
//! 4. makes each request, which is in no queue now, the target's;
//! 5. takes the target's `rskq_lock`,
//! 6. puts the requests before the target's and takes a reference on it for each,
//! 7. releases the lock. Only later does the closer's state become CLOSE.
//!
//! What it leaves undone: from 2 to 6 the requests name a listener on which they have no reference; a
//! fast-open request changes its listener, and so its lock, without either lock, and its charge stays; 6
//! does not ask whether the target still listens, or is still there; nobody is woken; what arrives before
//! CLOSE stays behind.

use super::posted::Site;
use super::{Leaving, Left};
use crate::lockdep::{Held, order::ListenerSock};
use crate::net::ListenerRef;
use crate::outcome::Outcome;
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Event};
use core::sync::atomic::Ordering;

/// Takes the listener out of the table and its group, and takes the seven steps if there is a target.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    site: &Site<'a, 's, C, B>,
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let target = at.lock(held).and_then(|mut bucket| {
        bucket.unhash(at.net, at.listener, false, |group, detached| at.net.pick_for_queue(group, detached))
    });
    target.map_or(Left::Group, |target| Left::Moved(seven_steps(site, at, &target, held)))
}

fn seven_steps<'a, 's, C: Send + 'static, B: Backend>(
    site: &Site<'a, 's, C, B>,
    at: &Leaving<'a, 's, C, B>,
    new: &ListenerRef<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Outcome<C, B> {
    let old = at.listener;
    B::trace(Event::Picked { from: old.index(), to: new.index() });
    let chain = {
        let mut queue = old.accept_queue.lock(held);
        let chain = queue.detach();
        chain.requests().for_each(|request| site.put(request.peek_owner()));
        chain
    };
    let home = new.home.load(Ordering::Relaxed);
    for request in chain.requests() {
        site.rename(request, home);
    }
    let mut queue = new.accept_queue.lock(held);
    for request in chain.requests() {
        match site.hold(home) {
            Some(held) => {
                let _ = held.into_raw();
            }
            // Nothing may be put for it later.
            None => site.rename(request, NONE),
        }
    }
    queue.prepend(chain);
    B::trace(Event::Spliced { from: old.index(), to: new.index() });
    Outcome::Spliced { to: new.id() }
}
