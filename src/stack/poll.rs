//! Timers that the stack keeps itself: what is due, and when to ask again.

use super::Stack;
use crate::counters::count;
use crate::event::Here;
use crate::lockdep::{Held, order::EstablishedBucket, order::Timer};
use crate::net::RequestRef;
use crate::outcome::SynAckTimer;
use crate::request::{RequestId, RequestSock, Tuple};
use crate::sync::Backend;
use crate::timer::{Backoff, Clock, LockedTimers};

/// Who keeps the SYN-ACK timers of half-open requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timers {
    /// The stack: [`Stack::poll`] is called when [`Stack::next_deadline`] has come.
    Stack(Backoff),
    /// The embedder: it starts one when it sends a SYN-ACK, and calls [`Stack::synack_timer`] when it goes
    /// off.
    Embedder,
}

/// A SYN-ACK timer that went off.
#[derive(Debug)]
#[must_use = "a SYN-ACK may have to be sent again"]
pub struct TimedOut<C, B: Backend> {
    /// The request.
    pub request: RequestId<C, B>,
    /// Its connection.
    pub tuple: Tuple,
    /// What is to be done.
    pub outcome: SynAckTimer,
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Deals with the SYN-ACK timer that is due next, and returns what is to be done; `None` if none is due. O(1)
    /// for each timer. Takes `Timer`, and then locks as [`synack_timer`](Self::synack_timer). Several
    /// contexts may poll at a time. (Linux: `reqsk_timer_handler()`.)
    ///
    /// A time that is earlier than one told before counts as that one, and is counted.
    pub fn poll(&self, here: Here) -> Option<TimedOut<C, B>> {
        let timers = self.timers.as_ref()?;
        loop {
            let request = {
                let mut held = self.nothing_held();
                let mut locked = timers.lock(&mut held);
                self.advance(&mut locked, here);
                locked.pop_due(&self.net)?
            };
            // SAFETY: an armed request was filled in, and a reference is held.
            let Some(key) = (unsafe { request.key() }) else { continue };
            let retries = self.net.sysctl.tcp_synack_retries();
            // Somebody else may have taken it off the table since.
            if let Ok(outcome) = self.time_out(&request, retries, here) {
                return Some(TimedOut { request: RequestRef::id(&request), tuple: key.tuple, outcome });
            }
        }
    }

    /// Returns when [`poll`](Self::poll) has something to do next, in milliseconds; `None` if no timer runs, or
    /// the embedder keeps them. O(1). Takes `Timer`.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.as_ref()?.lock(&mut self.nothing_held()).next_deadline()
    }

    /// Takes the timers' lock, if the stack keeps them, inside a bucket's; or goes on as if.
    pub(super) fn timers<'a>(
        &'a self,
        held: &'a mut Held<'_, EstablishedBucket>,
    ) -> (Option<LockedTimers<'a, C, B>>, Held<'a, Timer>) {
        match &self.timers {
            Some(timers) => {
                let (locked, held) = timers.lock_and(held);
                (Some(locked), held)
            }
            None => (None, held.at()),
        }
    }

    /// Starts the timer of a hashed request, whose bucket's lock is held, or starts it anew.
    pub(super) fn arm(
        &self,
        request: &RequestSock<C, B>,
        here: Here,
        held: &mut Held<'_, EstablishedBucket>,
    ) {
        if let (Some(mut timers), _) = self.timers(held) {
            self.advance(&mut timers, here);
            timers.cancel(request);
            // SAFETY: slots stay where they are, and this stack has one `SynAckTimers`.
            let armed = unsafe { timers.arm(request, request.timeouts()) };
            debug_assert!(armed.is_ok());
        }
    }

    /// Stops the timer of a request that is about to be taken off the table.
    pub(super) fn disarm(&self, request: &RequestSock<C, B>, held: &mut Held<'_, EstablishedBucket>) {
        if let (Some(mut timers), _) = self.timers(held) {
            timers.cancel(request);
        }
    }

    fn advance(&self, timers: &mut LockedTimers<'_, C, B>, here: Here) {
        if let Clock::Backwards { .. } = timers.advance(here.now) {
            count(&self.net.counters.ClockBackwards);
        }
    }
}
