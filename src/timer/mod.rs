//! SYN-ACK timers of half-open requests: O(1) for each event, however many requests live.
//!
//! How long a timer runs depends on nothing but how often it went off ([`Backoff`]). So requests that
//! went off equally often are due in the order in which they were armed, and a FIFO for each number of
//! timeouts is a list in order of deadlines: to arm is to append, to cancel is to unlink, and what is due
//! next is at one of the heads. For that time must not run backwards: the timers keep the newest time
//! that they were told, and take an older one for that.
//!
//! An armed timer holds no reference of its own; the established table's is enough:
//!
//! * A timer is armed and cancelled under the lock of its request's bucket: armed once the request is
//!   hashed, cancelled before it is taken off. So while a timer is armed the table holds a reference, and
//!   a request that is not hashed is not armed.
//! * Who finds a timer due does not hold the bucket's lock, which is taken before this one. It unlinks
//!   the request and takes a reference under the timers' lock: whoever takes the request off the table
//!   waits for that lock before it puts the table's reference, so that there is one to be added to.
//!
//! 1. T1 polls: pops the request, takes a reference, releases the lock.
//! 2. T2 has the final ACK and the bucket's lock: cancels, which finds the timer not armed, takes the
//!    request off the table, puts the table's reference.
//! 3. T1 locks the bucket: the request is what it was when it was popped, and not hashed. Nothing is due.
//!
//! The model of this schedule is `poller_against_remover`.

mod backoff;
mod deadlines;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub use backoff::Backoff;
pub use deadlines::AlreadyArmed;

use crate::lockdep::{Before, Held, Mutex, MutexGuard, order::Timer};
use crate::request::RequestSock;
use crate::slab::{Ref, Store};
use crate::sync::Backend;
use deadlines::Deadlines;

/// What the timers' lock protects, besides the requests' `rsk_timer` and `expires`.
struct Inner<C, B: Backend> {
    deadlines: Deadlines<C, B>,
    /// The newest time that was told, in milliseconds.
    now: u64,
}

/// The SYN-ACK timers of all half-open requests. (Stands for the `rsk_timer` of Linux's requests.)
///
/// Time is in milliseconds since any moment before the first use. It only moves when it is told
/// ([`LockedTimers::advance`]).
pub struct SynAckTimers<C, B: Backend> {
    lock: Mutex<Inner<C, B>, Timer, B>,
    backoff: Backoff,
}

/// How a time relates to the newest one that was told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a clock that runs backwards is to be counted"]
pub enum Clock {
    /// It is not earlier.
    Forwards,
    /// It is earlier, and the newest time goes on holding.
    ///
    /// A little is nothing: two CPUs read the clock and then wait for one lock. More is a clock that
    /// was set back; no timer goes off until it has caught up.
    Backwards {
        /// Milliseconds.
        by: u64,
    },
}

impl<C: Send + 'static, B: Backend> SynAckTimers<C, B> {
    /// Makes timers of which none is armed, at time 0.
    #[must_use]
    pub fn new(backoff: Backoff) -> Self {
        let mut lock = Mutex::new(Inner { deadlines: Deadlines::new(), now: 0 });
        lock.place(0);
        Self { lock, backoff }
    }

    /// Tells whether nobody holds the timers' lock, in a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn is_free(&self) -> bool {
        crate::sync::model::is_free(self.lock.tag())
    }

    /// Takes the timers' lock.
    #[track_caller]
    pub fn lock<'a, H: Before<Timer>>(&'a self, held: &'a mut Held<'_, H>) -> LockedTimers<'a, C, B> {
        LockedTimers { inner: self.lock.lock(held), backoff: self.backoff }
    }

    /// Takes the timers' lock; the token that comes with it says what may be taken while it is held.
    #[track_caller]
    pub fn lock_and<'a, H: Before<Timer>>(
        &'a self,
        held: &'a mut Held<'_, H>,
    ) -> (LockedTimers<'a, C, B>, Held<'a, Timer>) {
        let (inner, held) = self.lock.lock_and(held);
        (LockedTimers { inner, backoff: self.backoff }, held)
    }
}

/// The timers, while their lock is held.
#[must_use = "the lock is released when the guard is dropped"]
pub struct LockedTimers<'a, C, B: Backend> {
    inner: MutexGuard<'a, Inner<C, B>, Timer, B>,
    backoff: Backoff,
}

impl<C: Send + 'static, B: Backend> LockedTimers<'_, C, B> {
    /// Tells the time, in milliseconds: it holds from now on, unless a newer one was told. O(1).
    pub fn advance(&mut self, now: u64) -> Clock {
        match self.inner.now.checked_sub(now) {
            None | Some(0) => {
                self.inner.now = now;
                Clock::Forwards
            }
            Some(by) => Clock::Backwards { by },
        }
    }

    /// Arms the timer of a request for which it went off `num_timeout` times. A deadline that time
    /// cannot express is the last moment that it can. O(1). (Linux: `mod_timer()` of `rsk_timer`.)
    ///
    /// # Errors
    ///
    /// [`AlreadyArmed`] if it is armed; it goes on as it was.
    ///
    /// # Safety
    ///
    /// Until the request has been popped or cancelled, it must stay where it is, and no other
    /// `SynAckTimers` may be asked to arm or cancel it.
    pub unsafe fn arm(&mut self, request: &RequestSock<C, B>, num_timeout: u32) -> Result<(), AlreadyArmed> {
        // Neither the time nor what is added to it for one list ever decreases.
        let deadline = self.inner.now.saturating_add(self.backoff.timeout(num_timeout));
        // SAFETY: the caller's contract.
        unsafe { self.inner.deadlines.push(request, num_timeout, deadline) }
    }

    /// Disarms the timer of a request, before the request is taken off the established table; tells
    /// whether it was armed. If not, and it had been, somebody has found it due. O(1). (Linux:
    /// `timer_delete()` of `rsk_timer`.)
    pub fn cancel(&mut self, request: &RequestSock<C, B>) -> bool {
        self.inner.deadlines.remove(request)
    }

    /// Disarms the timer with the earliest deadline, if that has come, and returns its request with a
    /// reference. Of equal deadlines the one after fewer timeouts comes first, and then the one that
    /// was armed first. O(1): looks at 33 heads.
    ///
    /// All armed requests have to be of `store`. One that nobody holds a reference on is passed over: it
    /// is gone, and who dropped it has not kept to what is said at the head of this room.
    pub fn pop_due<'r, S>(&mut self, store: &'r S) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let Inner { deadlines, now } = &mut *self.inner;
        let mut due = core::iter::from_fn(|| deadlines.pop_due(*now));
        due.find_map(|request| Ref::try_get(store, request.index()))
    }

    /// Returns when the next timer goes off, in the time that is told; `None` if none is armed. O(1): looks
    /// at 33 heads.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.inner.deadlines.first().map(|first| first.deadline)
    }
}
