//! Ours, spread: each connection goes to the tail of the listener that its hash falls on now.
//!
//! The closer is in CLOSE before it looks at its queue, so nothing arrives late. It takes requests
//! from its queue one by one and adds each, the request itself and no clone, to the queue of whoever
//! listens at the address: lock, check that somebody is at home, exchange the owner, append; if the
//! target has closed meanwhile, look again. So a connection is given up only when nobody listens at
//! the address any more, it names its queue's listener whenever it is in a queue, and no two
//! `rskq_lock`s are ever held. Nothing is allocated, so nothing can fail half-way.
//!
//! 1. T1 closes C, takes a connection out of its queue, and selects B for it.
//! 2. T2 closes B, which leaves its group and LISTEN, and drains it.
//! 3. T1 locks B's queue, sees that B does not listen, looks again, and finds A.
//!
//! The model of this schedule is `closer_closer_of_target`.

use super::{Leaving, abort};
use crate::counters::count;
use crate::listener::Capacity;
use crate::net::RequestRef;
use crate::outcome::{Outcome, Wake};
use crate::sync::Backend;

/// Moves one connection to who listens at the address now, or aborts it if nobody does. The
/// target's backlog is not minded, as in Linux.
pub(super) fn stop_one<'a, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, '_, C, B>,
    request: RequestRef<'a, '_, C, B>,
) -> Option<Outcome<C, B>> {
    let Leaving { net, table, addr, .. } = *at;
    // SAFETY: the request was just taken from the queue: it is in our hands.
    let hash = unsafe { request.hashes() }.sk_hash;
    let moved = match table.lookup(net, addr) {
        Some(group) => table.queue_add(net, addr, group, hash, Capacity::Ignored, request),
        None => Err((crate::outcome::Refusal::NoListener, request)),
    };
    match moved {
        Ok(to) => {
            count(&net.counters.TCPMigrateReqSuccess);
            Some(Outcome::Moved { to, wake: Some(Wake(to)) })
        }
        Err((_, request)) => {
            count(&net.counters.TCPMigrateReqFailure);
            abort::child_forget(at, request)
        }
    }
}
