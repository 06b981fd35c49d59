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
//!
//! A fast-open connection whose handshake has not ended is charged to its listener, and the charge
//! moves with it under the lock of its tuple's bucket, so that the end of the handshake comes before
//! or after.

use super::{Leaving, abort};
use crate::counters::count;
use crate::group::Occasion;
use crate::hash::Lookup;
use crate::listener::{AddError, Capacity};
use crate::lockdep::{Before, Held, Nothing, order::FastOpen};
use crate::net::{ListenerRef, OwnerRef, RequestRef};
use crate::outcome::{Outcome, Wake};
use crate::reuseport::Selecting;
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Moves one connection to who listens at the address now, or aborts it if nobody does. The
/// target's backlog is not minded, as in Linux.
pub(super) fn stop_one<'a, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, '_, C, B>,
    request: RequestRef<'a, '_, C, B>,
    lookup: &mut Option<Lookup<B>>,
    held: &mut Held<'_, Nothing>,
) -> Option<Outcome<C, B>> {
    let Leaving { net, table, here, .. } = *at;
    // SAFETY: the request was filled in, and is in our hands.
    let Some(key) = (unsafe { request.key() }) else {
        return abort::child_forget(at, request);
    };
    let fast = request.tfo_listener.load(Ordering::Relaxed) != 0;
    let occasion = if fast { Occasion::CloseFastOpen } else { Occasion::Close };
    let selecting = Selecting::migrating::<B>(key, here, occasion, at.listener.index());
    // Who listens there is looked up once for all connections, as long as nobody came or went.
    let group = table.lookup_again(net, key.tuple.local, lookup, held);
    let moved = table.offer(net, group, &selecting, request, held, |target, request, held| {
        if request.tfo_listener.load(Ordering::Relaxed) != 0 {
            add_fast_open(at, target, request, held)?;
        } else {
            target.queue_add(request, net, Capacity::Ignored, held)?;
        }
        Ok(target.id())
    });
    match moved {
        Ok(to) => {
            count(&net.counters.TCPMigrateReqSuccess);
            let wake = (!B::planted(Fault::MigrantNotWoken)).then_some(Wake(to));
            Some(Outcome::Moved { to, wake })
        }
        Err((_, request)) => {
            count(&net.counters.TCPMigrateReqFailure);
            abort::child_forget(at, request)
        }
    }
}

/// Adds a connection to the target's queue and moves its fast-open charge, if it still has one.
pub(super) fn add_fast_open<'a, 's, C: Send + 'static, B: Backend>(
    at: &Leaving<'a, 's, C, B>,
    target: &ListenerRef<'a, 's, C, B>,
    request: RequestRef<'a, 's, C, B>,
    held: &mut Held<'_, Nothing>,
) -> Result<(), (AddError, RequestRef<'a, 's, C, B>)> {
    let net = at.net;
    // SAFETY: the request was filled in, and is in our hands.
    let Some(key) = (unsafe { request.key() }) else { return Err((AddError::NotAtHome, request)) };
    let Some((bucket, mut held)) = at.ehash.lock(&key.tuple, held) else {
        return Err((AddError::NotAtHome, request));
    };
    // The end of the handshake takes this bucket's lock first.
    let charged = request.tfo_listener.load(Ordering::Relaxed) != 0;
    let before = {
        let (mut queue, mut held) = target.accept_queue.lock_and(&mut held);
        let before = target.enqueue(&mut queue, request, net, Capacity::Ignored)?;
        if charged && !B::planted(Fault::FastChargeNotMoved) {
            target.accept_queue.fastopenq.lock(&mut held).charge(1);
        }
        before
    };
    if before == NONE {
        return Ok(());
    }
    // SAFETY: the reference that the request stored when it was in another queue.
    let before = unsafe { OwnerRef::from_raw(net, before) };
    let root = charged.then(|| net.at_root(&before, &mut held, |old, _, held| uncharge(old, held)).1);
    drop(bucket);
    drop((before, root));
    Ok(())
}

/// Takes the charge of one fast-open connection back.
pub(super) fn uncharge<C: Send + 'static, B: Backend, H: Before<FastOpen>>(
    from: &ListenerRef<'_, '_, C, B>,
    held: &mut Held<'_, H>,
) {
    from.accept_queue.fastopenq.lock(held).charge(-1);
}
