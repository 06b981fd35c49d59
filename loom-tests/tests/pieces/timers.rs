//! The SYN-ACK timers under their lock: who finds one due against who takes its request off the table.

use crate::wrong::Unlocked;
use crate::{Body, Race, expect, nothing_held, outcome, threads};
use rskq::Storage;
use rskq::request::RequestSock;
use rskq::slab::{Fresh, Ref, Slab, Store};
use rskq::sync::Backend;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::timer::{Backoff, Clock, SynAckTimers};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

type Request<B> = RequestSock<u32, B>;
type RequestRef<'a, B> = Ref<'a, Request<B>, Room<B>>;

/// Requests, each armed and with the reference that the established table would hold.
struct Room<B: Backend> {
    requests: Slab<'static, Request<B>, B>,
    timers: SynAckTimers<u32, B>,
    retired: AtomicU32,
    /// How often each request was popped or cancelled.
    got: [AtomicU32; 2],
}

impl<B: Backend> Store<Request<B>> for Room<B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Request<B>, B> {
        &self.requests
    }

    fn retire(&self, request: &Request<B>) -> Option<u32> {
        self.retired.fetch_or(1 << request.index(), Ordering::Relaxed);
        None
    }
}

/// What the remover does first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Cancel,
    /// It puts the table's reference: what the timers rely on is not so.
    Put,
}

impl<B: Backend> Room<B> {
    /// Requests in slots from 0, the first one due first.
    fn new(requests: u32) -> Arc<Self> {
        let room = Self {
            requests: Slab::new(Storage::boxed(requests as usize), 0),
            timers: SynAckTimers::new(Backoff::LINUX),
            retired: AtomicU32::new(0),
            got: Default::default(),
        };
        for slot in 0..requests {
            let request = Fresh::alloc(&room).expect("there is a slot for each").publish();
            // SAFETY: requests and timers are fields of one room.
            let armed = unsafe { room.timers.lock(&mut nothing_held()).arm(&request, slot) };
            assert_eq!((armed, request.into_raw()), (Ok(()), slot), "slots are given in order");
        }
        Arc::new(room)
    }

    fn got(&self, slot: u32) {
        self.got[slot as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn table_reference(&self, slot: u32) -> RequestRef<'_, B> {
        // SAFETY: `new` stored the reference, and each model takes back each once.
        unsafe { RequestRef::from_raw(self, slot) }
    }

    /// Pops what is due, at a time at which all are.
    fn poll(&self) {
        let due = {
            let held = &mut nothing_held();
            let mut timers = self.timers.lock(held);
            expect("clock", timers.advance(60_000) == Clock::Forwards, || "the clock ran backwards".into());
            timers.pop_due(self)
        };
        let Some(request) = due else { return outcome("nothing due") };
        outcome("popped");
        let slot = request.index();
        self.got(slot);
        expect("kept", request.id().generation() == 0, || format!("popped {:?}", request.id()));
        let retired = self.retired.load(Ordering::Relaxed) & 1 << slot != 0;
        expect("kept", !retired, || format!("{slot} was retired in the poller's hands"));
    }

    /// Takes a request off the table, as far as its timer is concerned.
    fn remove(&self, slot: u32, first: First) {
        let table = self.table_reference(slot);
        let request: *const Request<B> = &*table;
        let table = Some(table).filter(|_| first == First::Cancel);
        // SAFETY: a slot always holds a request, and stays where it is as long as the room.
        let cancelled = self.timers.lock(&mut nothing_held()).cancel(unsafe { &*request });
        outcome(if cancelled { "cancelled" } else { "not armed" });
        if cancelled {
            self.got(slot);
        }
        drop(table);
    }

    /// At the end: of the first `count` requests each was popped or cancelled, none is armed, all are gone.
    fn check(&self, count: u32) {
        let got: Vec<_> = self.got.iter().map(|got| got.load(Ordering::Relaxed)).collect();
        expect("once", got.iter().take(count as usize).all(|&got| got == 1), || format!("got: {got:?}"));
        let next = self.timers.lock(&mut nothing_held()).next_deadline();
        expect("armed", next.is_none(), || format!("a timer is left: {next:?}"));
        let (free, all) = (self.requests.available(), self.requests.capacity());
        expect("free", free == all, || format!("{free} of {all} slots are free"));
    }
}

fn poller<B: Backend>(room: &Arc<Room<B>>) -> Body {
    let room = Arc::clone(room);
    Box::new(move || room.poll())
}

fn remover<B: Backend>(room: &Arc<Room<B>>, first: First) -> Body {
    let room = Arc::clone(room);
    Box::new(move || room.remove(0, first))
}

fn poller_and_remover<B: Backend>(first: First) -> impl Fn() + Send + Sync {
    move || {
        let room = Room::<B>::new(1);
        threads([poller(&room), remover(&room, first)]);
        room.check(1);
    }
}

/// 1. The timer of request 0 is due, and the table holds the only reference.
/// 2. T1 polls: pops it with a reference of its own, or finds nothing due.
/// 3. T2 cancels it, or finds it not armed, and puts the table's reference.
/// 4. One of them got it. What T1 has in hand is the request that was armed, until it lets go of it.
#[test]
fn poller_against_remover() {
    let seen = Race::named("poller_against_remover").explore(poller_and_remover::<Loom<Fine>>(First::Cancel));
    seen.holds(&["cancelled", "not armed", "nothing due", "popped"]);
}

/// 1. Requests 0 and 1 are due, 0 earlier.
/// 2. T1 and T2 poll, T3 takes request 0 off the table.
/// 3. Each request is popped or cancelled, by one of them.
#[test]
fn two_pollers_against_remover() {
    let seen = Race::named("two_pollers_against_remover").explore(|| {
        let room = Room::<Loom<Fine>>::new(2);
        threads([poller(&room), poller(&room), remover(&room, First::Cancel)]);
        drop(room.table_reference(1));
        room.check(2);
    });
    seen.holds(&["cancelled", "not armed", "nothing due", "popped"]);
}

/// The same with a remover that puts the table's reference before it cancels: a request that a poller can
/// no longer take a reference on is nobody's. And without the lock.
#[test]
fn poller_against_remover_controls() {
    let early = Race::named("control: the table's reference put first");
    early.explore(poller_and_remover::<Loom<Fine>>(First::Put)).notices("once");
    Race::named("control: timers without their lock").races(poller_and_remover::<Unlocked>(First::Cancel));
}
