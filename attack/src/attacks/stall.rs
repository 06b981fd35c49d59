//! Acceptors that stop accepting, one or all, and come back.
//!
//! Each listener has one acceptor, so that connections of one client thread have to come in the order in which
//! they were queued. While an acceptor rests its queue has to fill to its limit and not beyond; what did not fit
//! stays half open and tries again, or is reset, as the embedder wants.

use super::Size;
use crate::Host;
use crate::clerk::{Clerk, NUMBER_BITS};
use crate::report::Report;
use crate::tally::Deed;
use crate::world::{Job, PATIENCE, Sizes, World, arrival, local, timed};
use rskq::{Arrival, Config, Design, Payload, Refusal, Syn, Sysctl};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

const LISTENERS: usize = 2;
const CLIENTS: u64 = 2;
const BACKLOG: u32 = 16;
/// Handshakes of each client thread that go on at a time.
const WINDOW: usize = 64;

const SIZES: Sizes = Sizes {
    listeners: LISTENERS,
    owners: LISTENERS,
    requests: 4 * (BACKLOG as usize + 1) * LISTENERS,
    groups: 1,
    chunks: 1,
    ports: 1,
    buckets: 1,
    ehash: 64,
};

/// What the acceptors do.
#[derive(Default)]
struct Acceptors {
    resting: [AtomicBool; LISTENERS],
    out_of_order: AtomicU64,
}

pub(super) fn run<B: Host>(aborts: bool, Size { time, .. }: Size) -> Report {
    let kind = if aborts { "what does not fit is reset" } else { "what does not fit tries again" };
    timed(format!("stall ({kind})"), |report| {
        let mut config = Config::migrating(Design::Requeue);
        config.sysctl = Sysctl { tcp_abort_on_overflow: aborts, tcp_synack_retries: 2, ..config.sysctl };
        let world = World::<B>::new(SIZES, config);
        let mut opener = world.clerk();
        for place in 0..LISTENERS {
            let id = opener.listen_at(local(80), BACKLOG, true).expect("there is room");
            world.set_listener(place, id);
        }
        let (acceptors, rests) = (Acceptors::default(), AtomicU64::new(0));
        let mut helpers: Vec<Job<'_, B>> = Vec::new();
        for place in 0..LISTENERS {
            helpers.push(Box::new({
                let acceptors = &acceptors;
                move |clerk| accept(clerk, place, acceptors)
            }));
        }
        for first in 0..CLIENTS {
            helpers.push(Box::new(move |clerk| connect(clerk, first)));
        }
        helpers.push(Box::new(|clerk| {
            while !clerk.world.is_done() {
                if !clerk.poll() {
                    thread::yield_now();
                }
            }
        }));
        let director: Job<'_, B> = Box::new(|clerk| {
            let begin = Instant::now();
            for round in 1.. {
                // One, the other, or both.
                rest(clerk, |place| (round % 3 + 1) >> place & 1 != 0, &acceptors);
                rests.store(round, Ordering::Relaxed);
                if begin.elapsed() > time / 2 {
                    return;
                }
            }
        });
        let mut tally = world.run(vec![director], helpers, report);
        tally += &opener.tally;

        let out_of_order = acceptors.out_of_order.load(Ordering::Relaxed);
        report.figure("rests", rests.load(Ordering::Relaxed));
        report.expect(out_of_order == 0, || format!("{out_of_order} connections came before earlier ones"));
        report.expect(aborts == (tally[Deed::AbortedOnOverflow] != 0), || {
            format!("{} connections were reset because they did not fit", tally[Deed::AbortedOnOverflow])
        });
        for lost in [Deed::Aborted, Deed::NoListener, Deed::Dropped] {
            report.expect(tally[lost] == 0, || format!("{lost:?} {} times", tally[lost]));
        }
        world.settle(tally, report);
    })
}

fn accept<B: Host>(clerk: &mut Clerk<'_, B>, place: usize, acceptors: &Acceptors) {
    let mut newest = [0; 16];
    let id = clerk.world.listener(place).expect("it is open");
    while !clerk.world.is_done() {
        let rests = acceptors.resting[place].load(Ordering::Acquire);
        let Some(number) = (!rests).then(|| clerk.accept(id).expect("it listens")).flatten() else {
            thread::yield_now();
            continue;
        };
        let newest = &mut newest[(number >> NUMBER_BITS) as usize];
        if number < *newest {
            acceptors.out_of_order.fetch_add(1, Ordering::Relaxed);
        }
        *newest = number;
    }
}

/// Lets some acceptors rest until their queues are full, and then come back until they are not.
fn rest<B: Host>(clerk: &mut Clerk<'_, B>, who: impl Fn(usize) -> bool, acceptors: &Acceptors) {
    let places = || (0..LISTENERS).filter(|&place| who(place));
    let wait_for = |what: &str, len: std::ops::RangeInclusive<u32>| {
        let begin = Instant::now();
        for place in places() {
            let id = clerk.world.listener(place).expect("it is open");
            loop {
                let (waiting, _) = clerk.world.stack.queue_len(id).expect("it listens");
                assert!(waiting <= BACKLOG + 1, "{waiting} connections wait where {BACKLOG} and one may");
                if len.contains(&waiting) {
                    break;
                }
                assert!(
                    begin.elapsed() < PATIENCE,
                    "{waiting} connections wait, and the queue never is {what}"
                );
                thread::yield_now();
            }
        }
    };
    places().for_each(|place| acceptors.resting[place].store(true, Ordering::Release));
    wait_for("full", BACKLOG + 1..=BACKLOG + 1);
    (0..clerk.rng.u32(0..64)).for_each(|_| thread::yield_now());
    places().for_each(|place| acceptors.resting[place].store(false, Ordering::Release));
    wait_for("half empty", 0..=BACKLOG / 2);
}

/// Many clients that shake hands, and try again where there is no room.
fn connect<B: Host>(clerk: &mut Clerk<'_, B>, first: u64) {
    let mut half_open = [const { None::<Arrival> }; WINDOW];
    for client in (first..).step_by(CLIENTS as usize) {
        if clerk.world.is_done() {
            return;
        }
        let pending = &mut half_open[clerk.rng.usize(..WINDOW)];
        let Some(known) = *pending else {
            let arrival = arrival(local(80), client);
            match clerk.syn(arrival) {
                Ok(Syn::New { .. }) => *pending = Some(arrival),
                Ok(Syn::Cookie(_)) => drop(clerk.cookie(arrival, true)),
                _ => thread::yield_now(),
            }
            continue;
        };
        if clerk.ack(&known.tuple, Payload::None) == Err(Refusal::AcceptQueueFull) {
            thread::yield_now();
        } else {
            *pending = None;
        }
    }
}
