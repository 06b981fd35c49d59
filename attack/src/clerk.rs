//! A thread of an attack: what it does to the stack is written down.

use crate::host::{Host, Slip};
use crate::tally::{Deed, Tally, refusal};
use crate::world::World;
use crate::{Child, Listener, Request};
use rskq::{
    Arrival, Closing, Delivered, FastOpened, HandshakeEnd, Here, ListenError, Outcome, Payload, Refusal,
    Refused, SockError, Syn, SynAckTimer, Tuple, Wake,
};
use std::net::SocketAddr;

/// One thread's calls of a stack, and what came of them.
pub struct Clerk<'a, B: Host> {
    pub(crate) world: &'a World<B>,
    pub(crate) tally: Tally,
    pub(crate) rng: fastrand::Rng,
    /// The CPU that it says to be.
    cpu: u32,
    /// The number of its next connection.
    next: u64,
}

/// Bits of a connection's number that count; those above tell whose it is.
pub(crate) const NUMBER_BITS: u32 = 40;

impl<'a, B: Host> Clerk<'a, B> {
    pub(crate) fn new(world: &'a World<B>, thread: u64) -> Self {
        let rng = fastrand::Rng::with_seed(thread);
        Self { world, tally: Tally::default(), rng, cpu: thread as u32, next: thread << NUMBER_BITS }
    }

    fn here(&self) -> Here {
        Here { cpu: self.cpu, now: self.world.clock.now() }
    }

    fn did(&mut self, deed: Deed) {
        self.tally[deed] += 1;
    }

    fn child(&mut self) -> Child {
        let number = self.next;
        self.next += 1;
        self.tally.born.add(number);
        Box::new(number)
    }

    /// A connection left the stack; returns its number.
    fn ended(&mut self, child: Child, deed: Deed) -> u64 {
        let number = *child;
        self.tally.ended.add(number);
        self.did(deed);
        if B::slips(Slip::ChildLost) {
            std::mem::forget(child);
        } else if B::slips(Slip::ChildUsedLate) {
            let late: *const u64 = &raw const *child;
            drop(child);
            // SAFETY: none, that is the fault: what is read was freed.
            std::hint::black_box(unsafe { late.read_volatile() });
        }
        number
    }

    fn refused(&mut self, Refused { child, why }: Refused<Child>) -> Refusal {
        self.ended(child, Deed::GivenBack);
        self.did(refusal(why));
        why
    }

    /// A listener gained connections.
    fn ring(&mut self, wake: Option<Wake<Child, B>>) {
        match wake {
            Some(wake) => self.world.bells.ring(wake.listener()),
            None => self.did(Deed::NotWoken),
        }
    }

    fn delivered(
        &mut self,
        delivered: Result<Delivered<Child, B>, Refused<Child>>,
        deed: Deed,
    ) -> Result<Listener<B>, Refusal> {
        match delivered {
            Ok(Delivered { listener, wake }) => {
                self.did(deed);
                self.ring(wake);
                Ok(listener)
            }
            Err(refused) => Err(self.refused(refused)),
        }
    }

    pub(crate) fn syn(&mut self, arrival: Arrival) -> Result<Syn<Child, B>, Refusal> {
        let result = self.world.stack.syn(arrival, self.here());
        self.did(match &result {
            Ok(Syn::New { .. }) => Deed::New,
            Ok(Syn::Duplicate(_)) => Deed::Duplicate,
            Ok(Syn::Cookie(_)) => Deed::Cookie,
            Err(why) => refusal(*why),
        });
        result
    }

    /// A final ACK of a new connection.
    pub(crate) fn ack(&mut self, tuple: &Tuple, payload: Payload) -> Result<Listener<B>, Refusal> {
        let child = self.child();
        let result = self.world.stack.ack(tuple, payload, self.here(), child);
        if matches!(&result, Err(refused) if refused.why == Refusal::NoListener) {
            self.did(Deed::RequestLost);
        }
        self.delivered(result, Deed::Completed)
    }

    /// An ACK without a request, and whether the cookie in it is genuine.
    pub(crate) fn cookie(&mut self, arrival: Arrival, genuine: bool) -> Result<Listener<B>, Refusal> {
        let cookie = self.world.stack.cookie_ack(arrival, self.here());
        let cookie = cookie.inspect_err(|why| self.tally[refusal(*why)] += 1)?;
        if !genuine {
            cookie.reject();
            self.did(Deed::Rejected);
            return Err(Refusal::NoCookieSent);
        }
        self.did(Deed::Genuine);
        let child = self.child();
        let result = cookie.believe(child);
        self.delivered(result, Deed::Believed)
    }

    pub(crate) fn deliver(&mut self, arrival: Arrival) -> Result<Listener<B>, Refusal> {
        let child = self.child();
        let result = self.world.stack.deliver(arrival, self.here(), child);
        self.delivered(result, Deed::Delivered)
    }

    pub(crate) fn open_fast(&mut self, arrival: Arrival) -> Result<Request<B>, Refusal> {
        let child = self.child();
        match self.world.stack.syn_fastopen(arrival, self.here(), child) {
            Ok(FastOpened { delivered, handshake }) => {
                self.delivered(Ok(delivered), Deed::OpenedFast)?;
                Ok(handshake)
            }
            Err(refused) => Err(self.refused(refused)),
        }
    }

    pub(crate) fn end_fast(&mut self, handshake: Request<B>, end: HandshakeEnd) {
        if self.world.stack.fastopen_remove(handshake, end, self.here()).is_ok() {
            self.did(Deed::FastEnded);
        }
    }

    pub(crate) fn reset(&mut self, tuple: &Tuple) {
        let reset = self.world.stack.reset(tuple);
        self.did(reset.map_or_else(refusal, |()| Deed::Reset));
    }

    /// Deals with every SYN-ACK timer that is due; tells whether one was.
    pub(crate) fn poll(&mut self) -> bool {
        let mut any = false;
        while let Some(timed_out) = self.world.stack.poll(self.here()) {
            any = true;
            self.did(match timed_out.outcome {
                SynAckTimer::Retransmit { .. } => Deed::Retransmitted,
                SynAckTimer::Wait { .. } => Deed::Waited,
                SynAckTimer::Expired => Deed::Expired,
                SynAckTimer::Dropped => Deed::Dropped,
            });
        }
        any
    }

    /// Accepts one connection; returns its number.
    pub(crate) fn accept(&mut self, id: Listener<B>) -> Result<Option<u64>, SockError> {
        let child = self.world.stack.accept(id)?;
        Ok(child.map(|child| self.ended(child, Deed::Accepted)))
    }

    /// Accepts whatever waits where somebody rang; tells whether anything did.
    pub(crate) fn answer(&mut self) -> bool {
        let mut any = false;
        let world = self.world;
        for id in world.bells.rung() {
            // An error is a listener that its closer has in hand, who rings where the connections go.
            while let Ok(Some(_)) = self.accept(id) {
                any = true;
            }
            any |= self.world.stack.evict_reset(id) == Ok(true);
        }
        any
    }

    pub(crate) fn listen_at(
        &mut self,
        addr: SocketAddr,
        backlog: u32,
        reuseport: bool,
    ) -> Result<Listener<B>, ListenError> {
        let result = self.world.stack.listen_at(addr, backlog, reuseport);
        self.listened(&result.map(drop));
        result
    }

    pub(crate) fn listen(&mut self, id: Listener<B>, backlog: u32) -> Result<(), ListenError> {
        let result = self.world.stack.listen(id, backlog);
        self.listened(&result);
        result
    }

    pub(crate) fn listened(&mut self, result: &Result<(), ListenError>) {
        self.did(match result {
            Ok(()) => Deed::Listened,
            Err(ListenError::NoListenerSlot) => Deed::NoListenerSlot,
            Err(ListenError::NoGroupRoom) => Deed::NoGroupRoom,
            Err(_) => Deed::ListenRefused,
        });
    }

    /// Stops listening, step by step; now and then the steps are left, and taken again from the start.
    pub(crate) fn shutdown(&mut self, id: Listener<B>) -> Result<(), SockError> {
        self.stop(|clerk| clerk.world.stack.shutdown(id, clerk.here()))?;
        self.did(Deed::Shut);
        Ok(())
    }

    pub(crate) fn close(&mut self, id: Listener<B>) -> Result<(), SockError> {
        self.stop(|clerk| clerk.world.stack.close(id, clerk.here()))?;
        self.did(Deed::Closed);
        Ok(())
    }

    fn stop(
        &mut self,
        stop: impl Fn(&Self) -> Result<Closing<'a, 'static, Child, B>, SockError>,
    ) -> Result<(), SockError> {
        let mut steps = stop(self)?;
        if self.rng.u8(..) < 32 {
            let Some(first) = steps.next() else { return Ok(()) };
            self.step(first);
            drop(steps);
            steps = stop(self)?;
        }
        steps.for_each(|step| self.step(step));
        Ok(())
    }

    fn step(&mut self, step: Outcome<Child, B>) {
        match step {
            Outcome::Aborted(child) => {
                self.ended(child, Deed::Aborted);
            }
            Outcome::Moved { wake, .. } => {
                self.did(Deed::Moved);
                self.ring(wake);
            }
            Outcome::HandedOver { connections, wake, .. } => {
                self.did(Deed::HandedOver);
                if connections > 0 {
                    self.ring(wake);
                }
            }
            // No design of ours splices.
            Outcome::Spliced { .. } => self.did(Deed::Unknown),
        }
    }
}
