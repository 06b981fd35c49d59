//! The SYN-ACK timer of the merged design, which moves a request while other threads may complete it.
//!
//! Where the request's listener has left LISTEN, the handler
//!
//! 1. picks a target and makes a clone for it, with a reference for the table, one for the timer and one for
//!    itself, and charges the target;
//! 2. counts the timeout for the clone and arms the clone's timer;
//! 3. puts the clone in the request's place in the table. It may be late: the final ACK, or a reset, took the
//!    request away. Then the clone's timer is cancelled, its charge taken back, and the request dropped.
//!
//! An armed timer holds a reference. Whoever takes a request off the table cancels its timer. In Linux that
//! waits for a handler that runs; what it would do after that is left to the handler here: not to arm the
//! timer again, and to take the charge.
//!
//! Fixed one after the other: to cancel a timer also while its handler runs (A3); and in the rewrite that
//! this took, to put the request at the end and not the clone (A4), to drop the request from its own
//! listener's charge and not the target's (A5), and to cancel the timer of a clone that came late (A6).

use super::super::clone::CloneFixes;
use super::Site;
use crate::counters::count;
use crate::listener::Listener;
use crate::lockdep::{Held, Nothing};
use crate::net::{ListenerRef, RequestRef};
use crate::outcome::{SockError, SynAckTimer};
use crate::queue::Charges;
use crate::request::{RequestSock, TimerState, Tuple};
use crate::reuseport::Migration;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Whose business it is to take the charge of a request whose timer was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charged {
    /// The canceller's.
    Canceller,
    /// The handler's, which runs.
    Handler,
}

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    fn turn(request: &RequestSock<C, B>, from: TimerState, to: TimerState) -> bool {
        let (from, to) = (from as u32, to as u32);
        request.posted.rsk_timer.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Arms the timer, which holds a reference from now on. (Linux: `mod_timer()`.)
    pub(super) fn arm(&self, request: &RequestRef<'a, 's, C, B>) {
        let _ = request.clone().into_raw();
        request.posted.rsk_timer.store(TimerState::Pending as u32, Ordering::Release);
    }

    /// Cancels the timer of a request that was taken off the table. (Linux: `timer_delete_sync()`, and
    /// `timer_pending()` before that until A3.)
    pub(super) fn cancel(&self, fixes: CloneFixes, request: &RequestSock<C, B>) -> Charged {
        if B::planted(Fault::TimerKept) {
            return Charged::Canceller;
        }
        loop {
            if Self::turn(request, TimerState::Pending, TimerState::Idle) {
                // SAFETY: the reference that the timer held, which is not armed any more.
                drop(unsafe { RequestRef::from_raw(self.net, request.index()) });
                return Charged::Canceller;
            }
            if !fixes.handler_waited_for {
                return Charged::Canceller; // a timer whose handler runs is not pending
            }
            if Self::turn(request, TimerState::Running, TimerState::Cancelled) {
                return Charged::Handler;
            }
            if request.posted.rsk_timer.peek() == TimerState::Idle as u32 {
                return Charged::Canceller;
            }
        }
    }

    /// The timer of a request for `tuple` goes off: returns the request with the timer's reference.
    fn fire(&self, tuple: &Tuple) -> Option<RequestRef<'a, 's, C, B>> {
        let requests = (0..self.net.requests.capacity() as u32).filter_map(|i| self.net.requests.get(i));
        let mut armed = requests.filter(|request| {
            request.posted.rsk_timer.peek() == TimerState::Pending as u32
                && Self::key(request).is_some_and(|key| key.tuple == *tuple)
        });
        let request = armed.find(|request| Self::turn(request, TimerState::Pending, TimerState::Running))?;
        // SAFETY: an armed timer holds a reference, and its handler runs once.
        Some(unsafe { RequestRef::from_raw(self.net, request.index()) })
    }

    /// The handler is done with a request, and arms its timer again or not.
    fn handled(&self, request: RequestRef<'a, 's, C, B>, again: bool) {
        if again && Self::turn(&request, TimerState::Running, TimerState::Pending) {
            let _ = request.into_raw();
        } else {
            self.settle(&request);
        }
    }

    /// The timer of a request is not armed again.
    fn settle(&self, request: &RequestSock<C, B>) {
        if !Self::turn(request, TimerState::Running, TimerState::Idle)
            && Self::turn(request, TimerState::Cancelled, TimerState::Idle)
            && let Some(listener) = self.used(self.name(request))
        {
            // What the canceller would have done once it had waited.
            listener.accept_queue.charge_unlocked(-Charges::one(request.is_young()));
        }
    }

    /// The timer's handler. (Linux: `reqsk_timer_handler()`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if no timer is armed for the tuple.
    pub(super) fn timer_cloning(
        &self,
        fixes: CloneFixes,
        tuple: &Tuple,
        retries: u32,
        held: &mut Held<'_, Nothing>,
    ) -> Result<SynAckTimer, SockError> {
        let original = self.fire(tuple).ok_or(SockError::Stale)?;
        let listener = self.used(self.name(&original));
        if listener.is_some_and(Listener::is_listening) {
            let timeouts = original.num_timeout.load(Ordering::Relaxed);
            if timeouts >= retries {
                return self.dropped(original, listener, SynAckTimer::Expired, held);
            }
            Self::count_timeout(&original, timeouts, listener);
            self.handled(original, true);
            return Ok(SynAckTimer::Retransmit { timeouts: timeouts + 1 });
        }
        let Some((target, clone)) = listener.and_then(|listener| self.clone_for_timer(&original, listener))
        else {
            return self.dropped(original, listener, SynAckTimer::Dropped, held);
        };
        self.migrate_half_open(fixes, (original, listener), (clone, &target), retries, held)
    }

    fn count_timeout(request: &RequestSock<C, B>, timeouts: u32, listener: Option<&Listener<C, B>>) {
        request.num_timeout.store(timeouts + 1, Ordering::Relaxed);
        if let Some(listener) = listener.filter(|_| timeouts == 0) {
            listener.accept_queue.charge_unlocked(Charges { qlen: 0, young: -1 });
        }
    }

    fn clone_for_timer(
        &self,
        original: &RequestRef<'a, 's, C, B>,
        listener: &Listener<C, B>,
    ) -> Option<(ListenerRef<'a, 's, C, B>, RequestRef<'a, 's, C, B>)> {
        let hash = Self::key(original)?.hashes.sk_hash;
        let Migration::To(target) = self.net.migrate_sock_as_posted(listener, hash) else { return None };
        let clone = self.clone_of(original, &target)?;
        target.accept_queue.charge_unlocked(Charges::one(clone.is_young()));
        Some((target, clone))
    }

    /// Steps 2 and 3.
    fn migrate_half_open(
        &self,
        fixes: CloneFixes,
        (original, listener): (RequestRef<'a, 's, C, B>, Option<&Listener<C, B>>),
        (clone, target): (RequestRef<'a, 's, C, B>, &ListenerRef<'a, 's, C, B>),
        retries: u32,
        held: &mut Held<'_, Nothing>,
    ) -> Result<SynAckTimer, SockError> {
        let slot = clone.index();
        let timeouts = original.num_timeout.load(Ordering::Relaxed);
        let mut charged = Charged::Canceller;
        let mut late = clone;
        if timeouts < retries {
            Self::count_timeout(&late, timeouts, Some(target));
            self.arm(&late);
            match self.replace(&original, late.clone(), held) {
                Ok(hashed) => {
                    count(&self.net.counters.TCPMigrateReqSuccess);
                    if let Some(listener) = listener {
                        listener.accept_queue.charge_unlocked(-Charges::one(original.is_young()));
                    }
                    drop(hashed);
                    self.handled(original, false);
                    return Ok(SynAckTimer::Retransmit { timeouts: timeouts + 1 });
                }
                Err(unused) => {
                    // Somebody else owns the request.
                    drop(unused);
                    if fixes.clone_timer_cancelled {
                        charged = self.cancel(fixes, &late);
                    } else {
                        late = self.freed_with_timer(late);
                    }
                }
            }
        } else {
            count(&self.net.counters.TCPMigrateReqFailure);
        }
        if charged == Charged::Canceller {
            target.accept_queue.charge_unlocked(-Charges::one(late.is_young()));
        }
        self.free_unhashed(late);
        let accused = if fixes.dropped_from_owner { listener } else { Some(&**target) };
        let dropped = self.drop_half_open(&original, accused, None, held);
        if fixes.original_put {
            self.handled(original, false);
        } else {
            // The clone is put once more, and the original never.
            self.settle(&original);
            let _ = original.into_raw();
            if !RequestRef::put_as_posted(self.net, slot) {
                B::violated("I6/I7", "a request is put that is freed", slot);
            }
        }
        if dropped { Ok(SynAckTimer::Expired) } else { Err(SockError::Stale) }
    }

    /// Frees a clone whose timer is armed.
    fn freed_with_timer(&self, clone: RequestRef<'a, 's, C, B>) -> RequestRef<'a, 's, C, B> {
        B::violated("I15", "a request is freed while its timer is armed", clone.index());
        if Self::turn(&clone, TimerState::Pending, TimerState::Idle) {
            // SAFETY: the reference that the timer held.
            drop(unsafe { RequestRef::from_raw(self.net, clone.index()) });
        }
        clone
    }

    /// The handler gives a request up that has its own listener's charge.
    fn dropped(
        &self,
        request: RequestRef<'a, 's, C, B>,
        listener: Option<&Listener<C, B>>,
        outcome: SynAckTimer,
        held: &mut Held<'_, Nothing>,
    ) -> Result<SynAckTimer, SockError> {
        let dropped = self.drop_half_open(&request, listener, None, held);
        self.handled(request, false);
        if dropped { Ok(outcome) } else { Err(SockError::Stale) }
    }
}
