//! The patch of 1 December 2020: the whole queue goes to one other listener, in O(1).
//!
//! Exactly as posted, including what it leaves undone. The closer, in its `unhash`, under the
//! listening bucket's lock:
//!
//! 1. takes `reuseport_lock`, leaves `socks[]`; the last member takes its place. That *moved*
//!    member is the target, or, if the closer was last itself, its left neighbour;
//! 2. releases `reuseport_lock`, keeps the bucket's lock;
//! 3. takes its own `rskq_lock`, then the target's: two locks of one class, in the order "old, new";
//! 4. puts its whole queue *before* the target's and moves the count; ignores the target's backlog;
//! 5. releases both; only later does its state become CLOSE.
//!
//! What keeps step 3 from a deadlock, and the target from closing, is step 1 and the bucket's lock:
//! who left `socks[]` is nobody's target, and the target's own `unhash` waits for the bucket.
//!
//! With the fourth patch, then: its own `fastopenq.lock`, then the target's, in the same way; the charges
//! and the reset list move like the queue.
//!
//! What it leaves undone: the requests keep the old listener's owner, nobody is woken, and what
//! arrives between 4 and CLOSE stays behind and is aborted. Where the fourth patch puts a reset list before
//! an empty one, it assigns the tail the wrong way round.

use super::{Leaving, Left};
use crate::listener::Listener;
use crate::lockdep::{Before, Held, order::FastOpen, order::ListenerSock, order::Rskq};
use crate::net::ListenerRef;
use crate::outcome::Outcome;
use crate::sync::{Backend, Event, Fault};

/// Takes the listener out of the table and its group, and splices its queue onto the moved member's, with
/// the fast-open part or without.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    fastopen: bool,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    if B::planted(Fault::SpliceUnguarded) {
        return unhash_unguarded(at, held);
    }
    let Some(mut bucket) = at.lock(held) else { return Left::Group };
    let target =
        bucket.unhash(at.net, at.listener, false, |group, detached| at.net.pick_for_queue(group, detached));
    let Some(target) = target else { return Left::Group };
    let outcome = splice(at.listener, &target, &mut bucket.held());
    if fastopen {
        splice_fastopen(at.listener, &target, &mut bucket.held());
    }
    Left::Moved(outcome)
}

/// The fourth patch's part: the charges of fast-open connections, and the reset list before the target's.
/// Where the target's list is empty an assignment goes the wrong way, and its tail is lost.
fn splice_fastopen<C: Send + 'static, B: Backend, H: Before<FastOpen>>(
    old: &Listener<C, B>,
    new: &Listener<C, B>,
    held: &mut Held<'_, H>,
) {
    let (old, new) = (&old.accept_queue.fastopenq, &new.accept_queue.fastopenq);
    let (mut from, mut to) = old.lock_both_unordered(new, held);
    to.splice_as_posted(&mut from);
}

fn splice<C: Send + 'static, B: Backend, H: Before<Rskq>>(
    old: &Listener<C, B>,
    new: &ListenerRef<'_, '_, C, B>,
    held: &mut Held<'_, H>,
) -> Outcome<C, B> {
    B::trace(Event::Picked { from: old.index(), to: new.index() });
    let (mut from, mut to) = old.accept_queue.lock_both_unordered(&new.accept_queue, held);
    to.splice_head(&mut from);
    B::trace(Event::Spliced { from: old.index(), to: new.index() });
    Outcome::Spliced { to: new.id() }
}

/// The same without what protects it: the target is chosen while the closer still is a member, and
/// the queues are locked without the bucket's lock. The negative control of the deadlock check.
fn unhash_unguarded<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let target = at.net.neighbour_of(at.listener, held);
    let spliced = target.map(|target| splice(at.listener, &target, held));
    if let Some(mut bucket) = at.lock(held) {
        let picked = bucket.unhash(at.net, at.listener, false, |_, _| None);
        debug_assert!(picked.is_none());
    }
    spliced.map_or(Left::Group, Left::Moved)
}
