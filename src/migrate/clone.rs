//! The design that Linux merged in 5.14: each request is cloned for a target of its own.
//!
//! The closer is in CLOSE before it looks at its queue, so nothing arrives late. It takes requests
//! from its queue one by one, chooses a target for each by the connection's hash among the members
//! that listen, makes a new request that belongs to the target, and adds it at the tail of the
//! target's queue, minding the target's state but not its backlog. It never holds two `rskq_lock`s.
//!
//! One try each: a target that closes between the choice and the addition costs the connection.

use super::{Leaving, Left, abort};
use crate::counters::count;
use crate::listener::Capacity;
use crate::lockdep::{Held, Nothing, order::ListenerSock};
use crate::net::{ListenerRef, Net, RequestRef};
use crate::outcome::{Outcome, Wake};
use crate::request::{RequestSock, RequestState};
use crate::reuseport::Migration;
use crate::slab::Fresh;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Which of the later fixes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneFixes {
    /// How the target is woken. (A1: 3864c6ba1e04, CVE-2026-46015.)
    pub wakeup: Wakeup,
}

impl CloneFixes {
    /// As merged in 5.14: the target is not woken.
    pub const AS_MERGED: Self = Self { wakeup: Wakeup::Missing };
    /// With every later fix.
    pub const AS_FIXED: Self = Self { wakeup: Wakeup::Held };
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
    let keep = at.net.sysctl_tcp_migrate_req.load(Ordering::Relaxed) != 0;
    abort::unhash(at, keep, held)
}

/// Migrates one connection, or aborts it. (Linux: the loop of `inet_csk_listen_stop()`.)
pub(super) fn stop_one<'a, C: Send + 'static, B: Backend>(
    fixes: CloneFixes,
    at: &Leaving<'a, '_, C, B>,
    request: RequestRef<'a, '_, C, B>,
    held: &mut Held<'_, Nothing>,
) -> Option<Outcome<C, B>> {
    let Leaving { net, listener, .. } = *at;
    // SAFETY: the request was just taken from the queue: it is in our hands.
    let (key, child) = unsafe { (request.key()?, request.take_child()?) };
    // If anything keeps it after this, that is a fast-open handshake, as after an accept.
    request.set_state(RequestState::Accepted);
    let target = match net.migrate_sock(listener, key.hashes.sk_hash) {
        Migration::To(target) => target,
        Migration::Failed | Migration::NotInGroup => return Some(Outcome::Aborted(child)),
    };
    let Some(fresh) = Fresh::<RequestSock<C, B>, _>::alloc(net) else {
        count(&net.counters.TCPMigrateReqFailure);
        return Some(Outcome::Aborted(child));
    };
    // SAFETY: fresh from the slab, not published.
    let none = unsafe {
        fresh.fill(key);
        fresh.put_child(child)
    };
    debug_assert!(none.is_none());
    let clone = fresh.publish();
    if B::planted(Fault::OwnerNotMoved)
        && let Some(old) = crate::net::OwnerRef::try_get(net, request.owner())
    {
        let _none = clone.set_owner(old.into_raw());
    }
    let (slot, to) = (clone.index(), target.id());
    match target.queue_add(clone, net, Capacity::Ignored, held) {
        Ok(()) => {
            count(&net.counters.TCPMigrateReqSuccess);
            let wake = match fixes.wakeup {
                Wakeup::Missing => None,
                Wakeup::ThroughRequest => wake_through(net, slot),
                Wakeup::Held => Some(Wake(to)),
            };
            Some(Outcome::Moved { to, wake })
        }
        Err((_, clone)) => {
            count(&net.counters.TCPMigrateReqFailure);
            abort::child_forget(at, clone)
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
