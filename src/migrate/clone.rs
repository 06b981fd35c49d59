//! The design that Linux merged in 5.14: each request is cloned for a target of its own.
//!
//! The closer is in CLOSE before it looks at its queue, so nothing arrives late. It takes requests
//! from its queue one by one, chooses a target for each by the connection's hash among the members
//! that listen, makes a new request that belongs to the target, and adds it at the tail of the
//! target's queue, minding the target's state but not its backlog. It never holds two `rskq_lock`s.
//!
//! One try each: a target that closes between the choice and the addition costs the connection.
//!
//! Half-open requests are cloned at the SYN-ACK timer and at the final ACK; a fast-open connection with its
//! child locked, and the child names the clone from then on. See [`posted`](super::posted).

use super::posted::Site;
use super::{Leaving, Left, abort};
use crate::counters::count;
use crate::lockdep::{Held, Nothing, order::EstablishedBucket, order::ListenerSock};
use crate::net::{ListenerRef, Net, RequestRef};
use crate::outcome::{Outcome, Wake};
use crate::request::RequestState;
use crate::reuseport::Migration;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Which of the later fixes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneFixes {
    /// How the target is woken. (A1: 3864c6ba1e04, CVE-2026-46015.)
    pub wakeup: Wakeup,
    /// Whether the target is charged with a fast-open connection. (A2: a0ab2ba83e35, CVE-2026-74696.)
    pub fastopen_charged: bool,
    /// Whether who takes a request off the table cancels its timer also while the handler runs. (A3:
    /// e8c526f2bdf1.)
    pub handler_waited_for: bool,
    /// Whether the timer's handler puts the request at its end, and not the clone. (A4: c31e72d021db.)
    pub original_put: bool,
    /// Whether the handler drops a request from its own listener's charge, and not from the target's. (A5:
    /// 7eca3292cac7.)
    pub dropped_from_owner: bool,
    /// Whether the timer of a clone that came late is cancelled. (A6: 97c8a3c1f73d, CVE-2026-99270.)
    pub clone_timer_cancelled: bool,
    /// Whether a lookup refuses what is not in the table, and a clone that is not is put, and not freed.
    /// (A7: CVE-2026-99288.)
    pub unhashed_rejected: bool,
    /// Whether what takes a request's place in the table comes before the request leaves. (1532ed0d0753.)
    pub replaced_in_place: bool,
}

impl CloneFixes {
    /// As merged in 5.14. What A4 to A6 fix came with A3.
    pub const AS_MERGED: Self = Self {
        wakeup: Wakeup::Missing,
        fastopen_charged: false,
        handler_waited_for: false,
        unhashed_rejected: false,
        replaced_in_place: false,
        ..Self::AS_FIXED
    };
    /// With every later fix.
    pub const AS_FIXED: Self = Self {
        wakeup: Wakeup::Held,
        fastopen_charged: true,
        handler_waited_for: true,
        original_put: true,
        dropped_from_owner: true,
        clone_timer_cancelled: true,
        unhashed_rejected: true,
        replaced_in_place: true,
    };
}

/// How the target of a migration is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// Not at all: 5.14 as merged.
    Missing,
    /// Through the request that was just queued, as the fix was first posted: an accept may have
    /// freed it by then.
    ThroughRequest,
    /// Through a target that the closer still holds: the fix as merged.
    Held,
}

/// Takes the listener out of the table and, if migration is switched on, into its group's closed
/// section. This is the first of the two times the switch is looked at.
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let keep = at.net.sysctl.tcp_migrate_req();
    abort::unhash(at, keep, held)
}

/// Migrates one connection, or aborts it. (Linux: the loop of `inet_csk_listen_stop()`.)
///
/// A fast-open connection's child is locked meanwhile; nobody looks at another one's.
pub(super) fn stop_one<'a, 's, C: Send + 'static, B: Backend>(
    fixes: CloneFixes,
    site: &Site<'a, 's, C, B>,
    at: &Leaving<'a, 's, C, B>,
    request: RequestRef<'a, 's, C, B>,
    held: &mut Held<'_, Nothing>,
) -> Option<Outcome<C, B>> {
    // SAFETY: the request was just taken from the queue: it is in our hands.
    let tuple = unsafe { request.key()? }.tuple;
    let (outcome, (_request, _target, refused)) = if request.posted.was_fast() {
        let (child, mut inner) = at.ehash.lock(&tuple, held)?;
        let migrated = migrate(fixes, site, at, request, &mut inner);
        drop(child);
        migrated
    } else {
        migrate(fixes, site, at, request, &mut held.at())
    };
    if let Some(clone) = refused {
        site.free_unhashed(clone);
    }
    outcome
}

/// What is to be put once the child is not locked any more.
type ToPut<'a, 's, C, B> =
    (RequestRef<'a, 's, C, B>, Option<ListenerRef<'a, 's, C, B>>, Option<RequestRef<'a, 's, C, B>>);

fn migrate<'a, 's, C: Send + 'static, B: Backend>(
    fixes: CloneFixes,
    site: &Site<'a, 's, C, B>,
    at: &Leaving<'a, 's, C, B>,
    request: RequestRef<'a, 's, C, B>,
    held: &mut Held<'_, EstablishedBucket>,
) -> (Option<Outcome<C, B>>, ToPut<'a, 's, C, B>) {
    let Leaving { net, listener, .. } = *at;
    // SAFETY: the request was just taken from the queue: it is in our hands.
    let hash = unsafe { request.key() }.map_or(0, |key| key.hashes.sk_hash);
    let target = match net.migrate_sock_as_posted(listener, hash) {
        Migration::To(target) => Some(target),
        Migration::Failed | Migration::NotInGroup | Migration::ListensAgain => None,
    };
    let clone = target.as_ref().and_then(|target| site.clone_of(&request, target));
    let (Some(clone), Some(target)) = (clone, &target) else {
        site.forget_handshake(listener, &request, held);
        return (site.forgotten(listener, &request).map(Outcome::Aborted), (request, target, None));
    };
    let target = target.clone();
    site.fastopen_moved((listener, &request), (&target, &clone), fixes.fastopen_charged, held);
    clone.posted.child_hashed.store(request.posted.child_hashed.load(Ordering::Relaxed), Ordering::Relaxed);
    // SAFETY: both are in our hands.
    let none = unsafe { request.take_child().and_then(|child| clone.put_child(child)) };
    debug_assert!(none.is_none());
    // If anything keeps it after this, that is a fast-open handshake, as after an accept.
    request.set_state(RequestState::Accepted);
    if B::planted(Fault::OwnerNotMoved)
        && let Some(old) = crate::net::OwnerRef::try_get(net, request.owner())
    {
        net.put_owner(clone.set_owner(old.into_raw()));
    }
    let (slot, to) = (clone.index(), target.id());
    match site.queue_add(&target, clone, held) {
        Ok(()) => {
            count(&net.counters.TCPMigrateReqSuccess);
            let wake = match fixes.wakeup {
                Wakeup::Missing => None,
                Wakeup::ThroughRequest => wake_through(net, slot),
                Wakeup::Held => Some(Wake(to)),
            };
            (Some(Outcome::Moved { to, wake }), (request, Some(target), None))
        }
        Err(clone) => {
            count(&net.counters.TCPMigrateReqFailure);
            site.forget_handshake(&target, &clone, held);
            let forgotten = site.forgotten(&target, &clone).map(Outcome::Aborted);
            (forgotten, (request, Some(target), Some(clone)))
        }
    }
}

/// Looks up whom to wake in a request that belongs to the target's queue, not to us: if an accept
/// freed it meanwhile, there is nobody in it, or somebody else.
fn wake_through<C: Send + 'static, B: Backend>(net: &Net<'_, C, B>, slot: u32) -> Option<Wake<C, B>> {
    let request = net.requests.get(slot)?;
    let listener = net.rsk_listener(request.owner())?;
    Some(Wake(ListenerRef::id(&listener)))
}
