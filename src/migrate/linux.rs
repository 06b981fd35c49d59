//! Linux's rules, with the request itself moved and no clone: each connection goes to the member of its group
//! that a program or its hash chooses among those that still listen.
//!
//! The guard is looked at where Linux looks: when the listener stops, which decides whether it stays in its
//! group's closed section, and at each choice. A connection of a listener that did not stay is given up
//! without being counted; one for which nobody is chosen is given up and counted.
//!
//! It differs where Linux loses a connection to a race: what was chosen is locked, and if it does not listen
//! any more, another one is chosen, for as long as the group has one. Half-open requests are in
//! `stack::elsewhere`.

use super::{Leaving, Left, abort, requeue};
use crate::counters::count;
use crate::group::Occasion;
use crate::listener::{AddError, Capacity};
use crate::lockdep::{Held, Nothing, order::ListenerSock};
use crate::net::RequestRef;
use crate::outcome::{Outcome, Wake};
use crate::reuseport::{Migration, Selecting};
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Takes the listener out of the table and, if its connections may migrate, into its group's closed section.
/// (Linux: `reuseport_stop_listen_sock()`.)
pub(super) fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    held: &mut Held<'_, ListenerSock>,
) -> Left<'a, 's, C, B> {
    let keep = at.net.may_migrate(at.listener) || B::planted(Fault::AlwaysInClosedSection);
    abort::unhash(at, keep && !B::planted(Fault::NeverInClosedSection), held)
}

/// Moves one connection, or aborts it. The target's backlog is not minded. (Linux: the loop of
/// `inet_csk_listen_stop()`.)
pub(super) fn stop_one<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    mut request: RequestRef<'a, 's, C, B>,
    held: &mut Held<'_, Nothing>,
) -> Option<Outcome<C, B>> {
    let Leaving { net, listener, here, .. } = *at;
    // SAFETY: the request was filled in, and is in our hands.
    let Some(key) = (unsafe { request.key() }) else {
        return abort::child_forget(at, request);
    };
    let fast = request.tfo_listener.load(Ordering::Relaxed) != 0;
    let occasion = if fast { Occasion::CloseFastOpen } else { Occasion::Close };
    let selecting = Selecting::migrating::<B>(key, here, occasion, listener.index());
    loop {
        let target = match net.migrate_sock(listener, &selecting, held) {
            Migration::To(target) => target,
            Migration::ListensAgain => listener.clone(),
            Migration::Failed => {
                if !B::planted(Fault::MigrationFailureNotCounted) {
                    count(&net.counters.TCPMigrateReqFailure);
                }
                return abort::child_forget(at, request);
            }
            Migration::NotInGroup => return abort::child_forget(at, request),
        };
        let moved = if fast {
            requeue::add_fast_open(at, &target, request, held)
        } else {
            let minded = B::planted(Fault::TargetBacklogMinded);
            let capacity = if minded { Capacity::Enforced } else { Capacity::Ignored };
            target.queue_add(request, net, capacity, held)
        };
        match moved {
            Ok(()) => {
                if !B::planted(Fault::MigrationNotCounted) {
                    count(&net.counters.TCPMigrateReqSuccess);
                }
                let to = target.id();
                let wake = (!B::planted(Fault::MigrantNotWoken)).then_some(Wake(to));
                return Some(Outcome::Moved { to, wake });
            }
            Err((AddError::Full, back)) => return abort::child_forget(at, back),
            Err((AddError::NotAtHome, back)) if B::planted(Fault::LateArrivalDropped) => {
                return abort::child_forget(at, back);
            }
            Err((AddError::NotAtHome, back)) => request = back,
        }
    }
}
