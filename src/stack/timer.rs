//! The SYN-ACK timer of a half-open request goes off.

use super::Stack;
use super::ack::Orphan;
use crate::counters::count;
use crate::event::Here;
use crate::group::Occasion;
use crate::listener::Listener;
use crate::lockdep::{Held, Nothing};
use crate::migrate::Design;
use crate::net::RequestRef;
use crate::outcome::{SockError, SynAckTimer};
use crate::queue::Charges;
use crate::request::{RequestId, RequestSock, RequestState};
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// What a listener did when the timer of one of its requests went off.
pub(super) enum Ticked<'a, 's, C: Send + 'static, B: Backend> {
    Done(SynAckTimer),
    NobodyHome(Orphan<'a, 's, C, B>),
}

/// What is due when a timer goes off.
pub(super) enum Due {
    Expire,
    Retransmit,
    /// Nothing: the client has sent its ACK, and the listener waits for data.
    Wait,
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// The SYN-ACK timer of a half-open request went off for the first or a later time; after `retries`
    /// times, or fewer where the listener is under pressure, the request is given up. O(1). Locks as
    /// [`ack`](Self::ack). (Linux: `reqsk_timer_handler()`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the request is not half open any more.
    pub fn synack_timer(
        &self,
        id: RequestId<C, B>,
        retries: u32,
        here: Here,
    ) -> Result<SynAckTimer, SockError> {
        let request = RequestRef::by_id(&self.net, id).ok_or(SockError::Stale)?;
        #[cfg(feature = "designs")]
        if let (Some(posted), Some(tuple)) = (self.posted(), Self::tuple(&request)) {
            drop(request);
            return posted.synack_timer(&tuple, retries, &mut self.nothing_held());
        }
        self.time_out(&request, retries, here)
    }

    /// The same for a request that a reference is held on.
    pub(super) fn time_out<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        retries: u32,
        here: Here,
    ) -> Result<SynAckTimer, SockError> {
        let held = &mut self.nothing_held();
        loop {
            let orphan = match self.tick(request, retries, here, held)? {
                Ticked::Done(outcome) => return Ok(outcome),
                Ticked::NobodyHome(orphan) => orphan,
            };
            if self.design == Design::Linux {
                match self.tick_elsewhere(&orphan, retries, here, held) {
                    Some(outcome) => return Ok(outcome),
                    None => continue,
                }
            }
            if !self.adopted(&orphan, Occasion::Timer, here, held) {
                return if self.unhash_request(request, held) {
                    Ok(SynAckTimer::Dropped)
                } else {
                    Err(SockError::Stale)
                };
            }
        }
    }

    /// Counts a timeout, where somebody is at home.
    fn tick<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        retries: u32,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Ticked<'a, 's, C, B>, SockError> {
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() }.ok_or(SockError::Stale)?;
        let (mut bucket, mut held) = self.ehash.lock(&key.tuple, held).ok_or(SockError::Stale)?;
        if request.state() != RequestState::Hashed && !B::planted(Fault::UnhashedTimedOut) {
            return Err(SockError::Stale);
        }
        let owner = self.owner_of(request);
        // It is started again unless the request is given up.
        self.disarm(request, &mut held);
        let ((ticked, gone), root) = self.net.at_root(&owner, &mut held, |listener, queue, _| {
            if !listener.is_at_home(queue) {
                if B::planted(Fault::LoserCounts) {
                    let _ = Due::Retransmit.counted(request);
                }
                return (Err(listener.clone()), None);
            }
            let due = Due::at(listener, queue.charges(), request, retries);
            if let Due::Expire = due {
                queue.charge(-Charges::one(request.is_young()));
                B::trace(Event::Unhashed { request: request.index() });
                return (Ok(SynAckTimer::Expired), bucket.remove(&self.net, request));
            }
            if request.is_young() {
                queue.charge(Charges { qlen: 0, young: -1 });
            }
            (Ok(due.counted(request)), None)
        });
        if gone.is_none() && !B::planted(Fault::TimerNotRestarted) {
            self.arm(request, here, &mut held);
        }
        drop(bucket);
        drop((gone, root));
        Ok(match ticked {
            Ok(outcome) => {
                count(&self.net.counters.TCPTimeouts);
                Ticked::Done(outcome)
            }
            Err(closed) => Ticked::NobodyHome(Orphan { request: request.clone(), owner, closed }),
        })
    }
}

impl Due {
    /// Decides what is due for a request of `listener`, which is charged with `charges`. (Linux:
    /// `syn_ack_recalc()`.)
    pub(super) fn at<C: Send + 'static, B: Backend>(
        listener: &Listener<C, B>,
        charges: Charges,
        request: &RequestSock<C, B>,
        retries: u32,
    ) -> Due {
        let (timeouts, defer) = (request.timeouts(), listener.rskq_defer_accept());
        let acked = request.acked.load(Ordering::Relaxed) != 0;
        let retries = pruned(retries, charges, listener.backlog());
        let spent = timeouts >= retries && !B::planted(Fault::NeverExpires);
        if spent && (defer == 0 || !acked || timeouts >= defer) {
            Due::Expire
        } else if defer != 0 && acked && timeouts + 1 < defer {
            Due::Wait
        } else {
            Due::Retransmit
        }
    }

    /// Counts a timeout after which the request goes on.
    pub(super) fn counted<C: Send + 'static, B: Backend>(self, request: &RequestSock<C, B>) -> SynAckTimer {
        let timeouts = request.timeouts().saturating_add(1);
        request.num_timeout.store(timeouts, Ordering::Relaxed);
        match self {
            Due::Wait => SynAckTimer::Wait { timeouts },
            Due::Expire | Due::Retransmit => SynAckTimer::Retransmit { timeouts },
        }
    }
}

/// Returns how often a request may time out under the pressure that its listener is under.
///
/// A request normally is done within its first timeout. Where more than half of the backlog is in use,
/// each doubling of those that are not young costs one retry, down to two, so that old requests make way.
fn pruned(retries: u32, charges: Charges, backlog: u32) -> u32 {
    let (qlen, young) = (i64::from(charges.qlen), i64::from(charges.young));
    if qlen * 2 <= i64::from(backlog.max(8)) {
        return retries;
    }
    // Where none is young, no doubling of them is ever all: it costs what there is.
    let doublings = (1..=u32::BITS).find(|&times| young << times > qlen);
    let cost = doublings.map_or(u32::MAX, |times| times - 1);
    retries.saturating_sub(cost).max(retries.min(2))
}
