//! A half-open request whose listener has left LISTEN, by Linux's rules: it is looked at when its SYN-ACK
//! timer goes off or its final ACK arrives, and goes to a listener of the group that its own is still in.
//!
//! The request itself moves, and no clone. Whoever moves it holds its bucket's lock and finds it still in the
//! table and still naming the listener that has left, or somebody else was faster. A target that has left by
//! the time its queue is locked is no reason to give the connection up: another one is chosen, for as long
//! as there is one. (Linux chooses once an ACK or a timeout.)
//!
//! 1. T1 gets the final ACK of a request of A, which is closed, and chooses C.
//! 2. T2 closes C: C leaves the group, and then LISTEN.
//! 3. T1 locks C's queue, sees that C does not listen, and chooses B.
//!
//! The model of this schedule is `ack_of_closed_closer_of_target`.

use super::Stack;
use super::ack::{Ack, Finished, Orphan};
use super::timer::Due;
use crate::counters::count;
use crate::event::{Here, Payload};
use crate::group::Occasion;
use crate::lockdep::{Held, Nothing};
use crate::net::ListenerRef;
use crate::outcome::{Refusal, Refused, SynAckTimer};
use crate::queue::Charges;
use crate::request::RequestState;
use crate::reuseport::{Migration, Selecting};
use crate::sync::{Backend, Event, Fault};

/// Who a request goes to.
enum Target<'a, 's, C: Send + 'static, B: Backend> {
    To(ListenerRef<'a, 's, C, B>),
    /// Its own listener, which listens again.
    Itself,
    /// Nobody: it has to be given up.
    Nobody,
}

/// What became of a timeout at a target.
enum TickedAt {
    /// The target does not listen.
    NotAtHome,
    /// Somebody else moved the request, or took it off the table.
    Moved,
    Done(SynAckTimer),
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Chooses a listener for the request.
    fn target_of<'a>(
        &'a self,
        orphan: &Orphan<'a, 's, C, B>,
        occasion: Occasion,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> Target<'a, 's, C, B> {
        // SAFETY: the request was filled in, and a reference is held.
        let Some(key) = (unsafe { orphan.request.key() }) else { return Target::Nobody };
        let selecting = Selecting::migrating::<B>(key, here, occasion, orphan.closed.index());
        match self.net.migrate_sock(&orphan.closed, &selecting, held) {
            Migration::To(_) if B::planted(Fault::AckNotMigrated) && occasion == Occasion::Ack => {
                Target::Nobody
            }
            Migration::To(target) => Target::To(target),
            Migration::Failed => {
                count(&self.net.counters.TCPMigrateReqFailure);
                Target::Nobody
            }
            Migration::NotInGroup => Target::Nobody,
            Migration::ListensAgain => Target::Itself,
        }
    }

    /// The final ACK of such a request.
    pub(super) fn ack_elsewhere<'a>(
        &'a self,
        orphan: &Orphan<'a, 's, C, B>,
        payload: Payload,
        here: Here,
        mut child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Ack<'a, 's, C, B> {
        loop {
            let target = match self.target_of(orphan, Occasion::Ack, here, held) {
                Target::To(target) => target,
                Target::Itself => return Ack::Moved(child),
                Target::Nobody => {
                    return self.nobody_for(orphan, child, held);
                }
            };
            match self.finish_at(&target, orphan, payload, child, held) {
                Err(back) => return Ack::Moved(back),
                Ok(Finished::NotAtHome(back)) if B::planted(Fault::LateArrivalDropped) => {
                    return self.nobody_for(orphan, back, held);
                }
                Ok(Finished::NotAtHome(back)) => child = back,
                Ok(finished) => {
                    match finished {
                        Finished::Queued { .. } => count(&self.net.counters.TCPMigrateReqSuccess),
                        Finished::Overflow(..) => count(&self.net.counters.TCPMigrateReqFailure),
                        Finished::Deferred(_) | Finished::NotAtHome(_) => {}
                    }
                    return self.finished(finished);
                }
            }
        }
    }

    /// Gives the request up, and the child back.
    fn nobody_for<'a>(
        &'a self,
        orphan: &Orphan<'a, 's, C, B>,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Ack<'a, 's, C, B> {
        // Of two who find nobody, one gives the request up.
        let mine = self.unhash_request(&orphan.request, held);
        let why = if mine { Refusal::NoListener } else { Refusal::NoRequest };
        Ack::Refused(Refused { child, why })
    }

    /// Gives the child back if somebody else moved the request.
    fn finish_at<'a>(
        &'a self,
        target: &ListenerRef<'a, 's, C, B>,
        orphan: &Orphan<'a, 's, C, B>,
        payload: Payload,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Finished<'a, 's, C, B>, C> {
        let Orphan { request, owner, .. } = orphan;
        // SAFETY: the request was filled in, and a reference is held.
        let Some(key) = (unsafe { request.key() }) else { return Err(child) };
        let Some((mut bucket, mut held)) = self.ehash.lock(&key.tuple, held) else { return Err(child) };
        let moved = request.peek_owner() != owner.index() && !B::planted(Fault::MovedUnnoticed);
        if request.state() != RequestState::Hashed || moved {
            return Err(child);
        }
        let charge = Charges::one(request.is_young());
        let (mut timers, mut inner) = self.timers(&mut held);
        let finished = {
            let mut queue = target.accept_queue.lock(&mut inner);
            let on = (&mut bucket, timers.as_mut());
            let finished = self.finish(target, &mut queue, on, request, payload, child);
            if finished.is_off_the_table() && B::planted(Fault::AckUnchargesTarget) {
                queue.charge(-charge);
            }
            finished
        };
        drop(timers);
        let charged = finished.is_off_the_table() && !B::planted(Fault::ChargeKept);
        let root = charged.then(|| self.net.at_root(owner, &mut held, |_, queue, _| queue.charge(-charge)).1);
        drop(bucket);
        drop(root);
        Ok(finished)
    }

    /// A timeout of such a request. `None` if it is to be looked at again.
    pub(super) fn tick_elsewhere<'a>(
        &'a self,
        orphan: &Orphan<'a, 's, C, B>,
        retries: u32,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> Option<SynAckTimer> {
        loop {
            let target = match self.target_of(orphan, Occasion::Timer, here, held) {
                Target::To(target) => target,
                Target::Itself => return None,
                Target::Nobody => {
                    return self.unhash_request(&orphan.request, held).then_some(SynAckTimer::Dropped);
                }
            };
            match self.tick_at(&target, orphan, retries, here, held) {
                TickedAt::NotAtHome => {}
                TickedAt::Moved => return None,
                TickedAt::Done(outcome) => {
                    count(match outcome {
                        SynAckTimer::Expired => &self.net.counters.TCPMigrateReqFailure,
                        _ => &self.net.counters.TCPMigrateReqSuccess,
                    });
                    return Some(outcome);
                }
            }
        }
    }

    /// The target's backlog is not minded, and its retries and its waiting for data are those that count.
    fn tick_at<'a>(
        &'a self,
        target: &ListenerRef<'a, 's, C, B>,
        orphan: &Orphan<'a, 's, C, B>,
        retries: u32,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> TickedAt {
        let Orphan { request, owner, .. } = orphan;
        // SAFETY: the request was filled in, and a reference is held.
        let Some(key) = (unsafe { request.key() }) else { return TickedAt::Moved };
        let Some((mut bucket, mut held)) = self.ehash.lock(&key.tuple, held) else { return TickedAt::Moved };
        if request.state() != RequestState::Hashed || request.peek_owner() != owner.index() {
            return TickedAt::Moved;
        }
        let charge = Charges::one(request.is_young());
        // It is started again unless the request is given up.
        self.disarm(request, &mut held);
        let (outcome, gone, before) = {
            let mut queue = target.accept_queue.lock(&mut held);
            if !target.is_at_home(&queue) {
                return TickedAt::NotAtHome;
            }
            match Due::at(target, queue.charges() + charge, request, retries) {
                Due::Expire => {
                    if B::planted(Fault::ExpiryUnchargesTarget) {
                        queue.charge(-charge);
                    }
                    B::trace(Event::Unhashed { request: request.index() });
                    (SynAckTimer::Expired, bucket.remove(&self.net, request), None)
                }
                due => {
                    // Counted at once: it is not young any more.
                    if !B::planted(Fault::TargetNotCharged) {
                        queue.charge(Charges { qlen: 1, young: 0 });
                    }
                    (due.counted(request), None, Some(target.adopt(&queue, request, &self.net)))
                }
            }
        };
        let ((), root) = self.net.at_root(owner, &mut held, |_, queue, _| queue.charge(-charge));
        if outcome != SynAckTimer::Expired {
            self.arm(request, here, &mut held);
        }
        drop(bucket);
        drop((gone, root));
        if let Some(before) = before {
            self.net.put_owner(before);
        }
        count(&self.net.counters.TCPTimeouts);
        TickedAt::Done(outcome)
    }
}
