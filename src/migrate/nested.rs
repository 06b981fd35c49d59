//! The second version, of 7 December 2020: the splice with its locks in order.
//!
//! As [`splice`](super::splice) with the fast-open part, and with half-open requests
//! [rewritten in place](super::posted). The closer, in its `unhash`, under the listening bucket's lock:
//!
//! 1. leaves `socks[]`, and is counted as a closed member; the moved member is the target;
//! 2. takes both `rskq_lock`s, in an order that does not depend on who closes (in the patch by address; by
//!    listener id here);
//! 3. in them, both `fastopenq.lock`s in the same order;
//! 4. puts its whole queue before the target's, and its reset list before the target's reset list;
//! 5. releases all four; only later does its state become CLOSE.
//!
//! What it leaves undone: everything that the first version does, but for the order. Four locks of two
//! classes are held together.

use super::{Leaving, Left};
use crate::listener::Listener;
use crate::lockdep::{Before, Held, order::ListenerSock, order::Rskq};
use crate::net::ListenerRef;
use crate::outcome::Outcome;
use crate::sync::{Backend, Event};

/// Takes the listener out of the table and its group, and splices what it has onto the target's.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let Some(mut bucket) = at.lock(held) else { return Left::Group };
    let target =
        bucket.unhash(at.net, at.listener, true, |group, detached| at.net.pick_for_queue(group, detached));
    match target.and_then(|target| splice(at.listener, &target, &mut bucket.held())) {
        Some(outcome) => Left::Moved(outcome),
        None => Left::Group,
    }
}

fn splice<C: Send + 'static, B: Backend, H: Before<Rskq>>(
    old: &Listener<C, B>,
    new: &ListenerRef<'_, '_, C, B>,
    held: &mut Held<'_, H>,
) -> Option<Outcome<C, B>> {
    B::trace(Event::Picked { from: old.index(), to: new.index() });
    let (mut from, mut to) = old.accept_queue.lock_pair(&new.accept_queue, held)?;
    // SAFETY: the fast-open locks come after what is held, which is not among them, and are released
    // before it.
    let mut inner = unsafe { Held::nothing() };
    let (mut fast_from, mut fast_to) =
        old.accept_queue.fastopenq.lock_pair(&new.accept_queue.fastopenq, &mut inner)?;
    to.splice_head(&mut from);
    fast_to.splice_as_posted(&mut fast_from);
    B::trace(Event::Spliced { from: old.index(), to: new.index() });
    Some(Outcome::Spliced { to: new.id() })
}
