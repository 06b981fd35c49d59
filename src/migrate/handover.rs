//! Ours, whole: everything that a listener holds goes to one heir, in O(1), whatever it holds.
//!
//! Requests name their listener through an owner, so that one store changes whose they all are. The
//! closer, which has left its group, holds one lock at a time:
//!
//! 1. it locks the heir's queue and takes a reference on the owner whose home the heir is;
//! 2. it locks its own queue, makes its state CLOSE, takes the list, the charges of half-open requests and the fast-open
//!    queue, and hands its owner to the heir's with one store. From here on every request that it held,
//!    queued or half open, resolves to the heir, and what was queued is in no queue;
//! 3. it locks the queue of whoever the chain leads to, which is the heir or the heir's heir, and
//!    appends the list and adds the charges.
//!
//! The heir may close at any time. Before 1 another one is looked for. Between 1 and 3 it hands its own
//! owner on, which it does even if it holds nothing, and the chain of 3 leads to its heir.
//!
//! 1. T1 closes A, whose heir is B, and has taken A's queue: A's owner leads to B's.
//! 2. T2 closes B, whose heir is C: B's owner leads to C's, and B's queue is C's.
//! 3. T1 follows A's owner to C, locks C's queue, and appends.
//!
//! The model of this schedule is `heir_closes_in_transit`. Handing on cannot go round in a ring: the heir
//! is chosen under `Reuseport` from those who listen after the closer has left, so that it leaves later
//! than the closer did, if at all, and a listener that comes back has another owner.
//!
//! If the heir closed and found nobody to hand its owner to, the chain ends at it, and it will not look at
//! its queue again. Links never lead back, because what was resolved by them meanwhile was charged where
//! they led. So 3 appends all the same, and the closer keeps the owner and takes the steps of
//! [`Requeue`](super::Design::Requeue) where its chain leads: to who has come to listen, or the connections
//! are given up. The model is `last_heir_closes_in_transit`.
//!
//! What shutdown hands over leaves the socket without an owner, so that a fresh one is taken first. If
//! there is none, nothing is handed over: the queue is moved one by one, as in
//! [`Requeue`](super::Design::Requeue), and half-open requests when they are looked at next.

use super::{Leaving, Left, Moved};
use crate::counters::count_many;
use crate::lockdep::{Held, order::ListenerSock};
use crate::net::{ListenerRef, Net, OwnerRef};
use crate::outcome::{Outcome, Wake};
use crate::queue::{Detached, Pending};
use crate::request::Owner;
use crate::slab::{Fresh, NONE};
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// Everything that a listener held, on the way to another.
struct Estate<C, B: Backend> {
    queue: Detached<C, B>,
    fastopen: Pending<C, B>,
}

impl<C, B: Backend> Estate<C, B> {
    fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.queue.charges().is_none() && self.fastopen.is_empty()
    }
}

/// Takes the listener out of the table and its group, and chooses its heir: the member that took its
/// place in `socks[]`.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let Some(mut bucket) = at.lock(held) else { return Left::Group };
    Left::Heir(bucket.unhash(at.net, at.listener, false, |group, detached| {
        detached.moved().and_then(|place| at.net.sock_ref(group, place))
    }))
}

/// Makes the listener's state CLOSE and hands over everything that it holds, beginning with `heir`.
///
/// The steps have to deal with what is there if nobody listens, or if a fresh owner is needed and there is
/// none.
pub(super) fn hand_over<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    mut heir: Option<ListenerRef<'a, 's, C, B>>,
    held: &mut Held<'_, ListenerSock>,
) -> Moved<C, B> {
    let to = loop {
        let Some(chosen) = heir.take().or_else(|| at.heir(held)) else {
            B::trace(Event::PickFailed { from: at.listener.index() });
            break None;
        };
        if let Some(home) = home_of(at.net, &chosen, held) {
            B::trace(Event::Picked { from: at.listener.index(), to: chosen.index() });
            break Some(home);
        }
    };
    // A socket that is closed needs no owner any more.
    let replacement = if at.close || to.is_none() { Some(NONE) } else { another_home(at) };
    let (Some(to), Some(replacement)) = (to, replacement) else {
        let _queue = at.listener.accept_queue.lock(held);
        at.listener.set_listening(false);
        return Moved::NotAll(None);
    };
    match detach(at, to, replacement, held) {
        Some((mine, estate)) => append(at, mine, estate, held),
        None => Moved::All(None),
    }
}

/// Takes a reference on the owner whose home `heir` is, unless nobody will look at its queue again.
fn home_of<'a, 's, C: Send + 'static, B: Backend>(
    net: &'a Net<'s, C, B>,
    heir: &ListenerRef<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Option<OwnerRef<'a, 's, C, B>> {
    let queue = heir.accept_queue.lock(held);
    let dealt_with = heir.is_listening() || queue.is_open();
    // SAFETY: the home is a stored reference, which is only taken back under the queue's lock.
    (dealt_with && queue.home() != NONE).then(|| unsafe { OwnerRef::clone_raw(net, queue.home()) })
}

/// Makes an owner whose home the listener is once it has handed over its own.
fn another_home<C: Send + 'static, B: Backend>(at: &Leaving<'_, '_, C, B>) -> Option<u32> {
    Some(Net::home_of(at.listener, Fresh::<Owner<B>, _>::alloc(at.net)?).into_raw())
}

/// Makes the listener's state CLOSE, takes everything that it holds and hands its owner to `to`. Returns
/// that owner; or nothing, if there is nothing and nobody else has a reference on the owner. Either way
/// nobody will look at the queue again.
fn detach<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    to: OwnerRef<'a, 's, C, B>,
    replacement: u32,
    held: &mut Held<'_, ListenerSock>,
) -> Option<(OwnerRef<'a, 's, C, B>, Estate<C, B>)> {
    let accept_queue = &at.listener.accept_queue;
    let (mut queue, mut inner) = accept_queue.lock_and(held);
    at.listener.set_listening(false);
    queue.set_open(false);
    let estate =
        Estate { queue: queue.detach_all(), fastopen: accept_queue.fastopenq.lock(&mut inner).detach() };
    // Who could still come upon the owner has a reference, or takes one under this lock.
    if estate.is_empty() && at.net.owners.is_unique(queue.home()) {
        let unused = if at.close { queue.set_home(NONE) } else { replacement };
        drop(queue);
        at.net.put_owner(unused);
        return None;
    }
    // SAFETY: the home is a stored reference, and another one is stored now.
    let mine = unsafe { OwnerRef::from_raw(at.net, queue.set_home(replacement)) };
    if B::planted(Fault::OwnerNotHanded) {
        return Some((to, estate));
    }
    let link = mine.hand_to(to.into_raw());
    B::trace(Event::Handed { from: at.listener.index() });
    drop(queue);
    at.net.put_link(link);
    Some((mine, estate))
}

/// Appends everything to what the listener at the root of `mine` holds.
///
/// If nobody will look at that listener's queue again, the closer's steps do.
fn append<'a, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, '_, C, B>,
    mine: OwnerRef<'a, '_, C, B>,
    estate: Estate<C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Moved<C, B> {
    let Leaving { net, listener, .. } = *at;
    let connections = estate.queue.len();
    let ((to, dealt_with), root) = net.at_root(&mine, held, |heir, queue, held| {
        let dealt_with = heir.is_listening() || queue.is_open();
        queue.append(estate.queue);
        queue.set_open(true);
        heir.accept_queue.fastopenq.lock(held).append(estate.fastopen);
        B::trace(Event::HandedOver { from: listener.index(), to: heir.index() });
        (heir.id(), dealt_with)
    });
    drop(root);
    // Until the steps are taken: who takes them may have to be told again.
    listener.estate.store(mine.into_raw(), Ordering::Relaxed);
    if !dealt_with {
        return Moved::NotAll(None);
    }
    count_many(&net.counters.TCPMigrateReqSuccess, connections);
    let wake = (connections > 0 && !B::planted(Fault::HeirNotWoken)).then_some(Wake(to));
    Moved::All(Some(Outcome::HandedOver { to, connections, wake }))
}
