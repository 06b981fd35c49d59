//! Listeners that are opened and closed all the time while connections arrive: none is lost, none comes twice.
//!
//! Two closers have two listeners each, so that somebody listens at every moment. Acceptors look only where
//! somebody was woken. SYN-ACK timers go off; what is half open has no more than two tries.

use super::Size;
use crate::clerk::Clerk;
use crate::report::Report;
use crate::tally::Deed;
use crate::world::{Job, PATIENCE, Sizes, World, arrival, local, timed};
use crate::{Host, Request};
use rskq::{Arrival, Config, Design, HandshakeEnd, ListenError, Payload, Syn, Sysctl};
use spin::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

const CLIENTS: u64 = 2;
const CLOSERS: usize = 2;
/// Listeners of each closer.
const EACH: usize = 2;
const BACKLOG: u32 = 64;
/// How many connections arrive, at least, before a closer stops the next listener.
const CALM: u64 = 16;
/// For how many stops of each closer clients wait where they are ahead of it: that the threads meet at all is not left
/// to the scheduler.
const MET: u64 = 64;
/// Fast-open connections of each listener.
const FAST: u32 = 8;

const SIZES: Sizes = Sizes {
    // Those that were closed keep theirs while half-open requests name them.
    listeners: 64,
    owners: 128,
    requests: 512,
    groups: 2,
    chunks: 2,
    ports: 1,
    buckets: 1,
    ehash: 64,
};

/// Fast-open handshakes that go on.
type Fast<B> = Mutex<Vec<Request<B>>>;

pub(super) fn run<B: Host>(design: Design, Size { connections, .. }: Size) -> Report {
    timed(format!("close_storm ({design:?})"), |report| {
        let mut config = Config::migrating(design);
        config.sysctl = Sysctl { tcp_synack_retries: 2, ..config.sysctl };
        let world = World::<B>::new(SIZES, config);
        let mut opener = world.clerk();
        for place in 0..CLOSERS * EACH {
            open(&mut opener, place).expect("there is room");
        }
        let fast: Fast<B> = Mutex::new(Vec::new());
        let arrived = AtomicU64::new(0);
        let stops = [const { AtomicU64::new(0) }; CLOSERS];
        let (fast, arrived, stops, began) = (&fast, &arrived, &stops, Instant::now());
        let mut workers: Vec<Job<'_, B>> = Vec::new();
        for first in 0..CLIENTS {
            workers.push(Box::new(move |clerk| {
                for client in (first..connections).step_by(CLIENTS as usize) {
                    arrive(clerk, client, fast);
                    let arrived = arrived.fetch_add(1, Ordering::Relaxed);
                    let due = (arrived / CALM).min(MET);
                    let is_behind = |stops: &AtomicU64| stops.load(Ordering::Relaxed) < due;
                    // A closer may have panicked.
                    while stops.iter().any(is_behind) && began.elapsed() < PATIENCE {
                        thread::yield_now();
                    }
                }
            }));
        }
        let mut helpers: Vec<Job<'_, B>> = Vec::new();
        for (closer, stops) in stops.iter().enumerate() {
            helpers.push(Box::new(move |clerk| {
                for round in 0.. {
                    let place = closer * EACH + round % EACH;
                    while arrived.load(Ordering::Relaxed) < round as u64 * CALM && !clerk.world.is_done() {
                        thread::yield_now();
                    }
                    if clerk.world.is_done() {
                        return;
                    }
                    close_and_reopen(clerk, place, round);
                    stops.store(round as u64 + 1, Ordering::Relaxed);
                }
            }));
        }
        helpers.push(Box::new(|clerk| {
            while !clerk.world.is_done() {
                if !clerk.answer() {
                    thread::yield_now();
                }
            }
        }));
        helpers.push(Box::new(|clerk| {
            while !clerk.world.is_done() {
                let ended = std::mem::take(&mut *fast.lock());
                ended.into_iter().for_each(|handshake| clerk.end_fast(handshake, HandshakeEnd::Reset));
                if !clerk.poll() {
                    thread::yield_now();
                }
            }
        }));
        let mut tally = world.run(workers, helpers, report);
        for handshake in fast.lock().drain(..) {
            opener.end_fast(handshake, HandshakeEnd::Done);
        }
        tally += &opener.tally;

        report.figure("connections", connections);
        report.figure("connections a second", (connections as f64 / began.elapsed().as_secs_f64()) as u64);
        if matches!(design, Design::Requeue | Design::Handover) {
            for lost in [Deed::Aborted, Deed::NoListener, Deed::RequestLost, Deed::Dropped] {
                report.expect(tally[lost] == 0, || {
                    format!("{lost:?} {} times, and somebody always listened", tally[lost])
                });
            }
        }
        let met = tally[Deed::Moved] + tally[Deed::HandedOver] + tally[Deed::Aborted];
        report.expect(met > 0, || "the threads never met".into());
        world.settle(tally, report);
    })
}

fn open<B: Host>(clerk: &mut Clerk<'_, B>, place: usize) -> Result<(), ListenError> {
    let id = clerk.listen_at(local(443), BACKLOG, true)?;
    clerk.world.stack.set_fastopen(id, FAST).expect("it is open");
    clerk.world.set_listener(place, id);
    Ok(())
}

/// A connection arrives in one of five ways.
fn arrive<B: Host>(clerk: &mut Clerk<'_, B>, client: u64, fast: &Fast<B>) {
    let arrival = arrival(local(443), client);
    match client % 8 {
        0 | 1 => drop(clerk.deliver(arrival)),
        2 => {
            if let Ok(handshake) = clerk.open_fast(arrival) {
                if clerk.rng.bool() {
                    clerk.end_fast(handshake, HandshakeEnd::Done);
                } else {
                    fast.lock().push(handshake);
                }
            }
        }
        3 => {
            let _ = clerk.syn(arrival);
            clerk.reset(&arrival.tuple);
        }
        // It is never heard of again.
        4 => drop(clerk.syn(arrival)),
        _ => shake_hands(clerk, arrival),
    }
}

fn shake_hands<B: Host>(clerk: &mut Clerk<'_, B>, arrival: Arrival) {
    for _ in 0..2 {
        if clerk.rng.u8(..) < 16 {
            thread::yield_now();
        }
        let syn = clerk.syn(arrival);
        if clerk.rng.u8(..) < 16 {
            thread::yield_now();
        }
        match syn {
            Ok(Syn::New { .. } | Syn::Duplicate(_)) if clerk.ack(&arrival.tuple, Payload::None).is_ok() => {
                return;
            }
            Ok(Syn::Cookie(_)) if clerk.cookie(arrival, true).is_ok() => return,
            _ => thread::yield_now(),
        }
    }
}

/// Stops a listener and lets it, or another one in its place, listen.
fn close_and_reopen<B: Host>(clerk: &mut Clerk<'_, B>, place: usize, round: usize) {
    let id = clerk.world.listener(place).expect("it was open when this began");
    if round % 4 < 2 {
        clerk.shutdown(id).expect("it listens");
        return clerk.listen(id, BACKLOG).expect("its group has room for it");
    }
    clerk.close(id).expect("it is open");
    let begin = Instant::now();
    while let Err(error) = open(clerk, place) {
        // Connections still name those that were closed, until they are accepted.
        assert_eq!(error, ListenError::NoListenerSlot);
        assert!(begin.elapsed() < PATIENCE, "no slot of a listener came back");
        if clerk.world.is_done() {
            return;
        }
        thread::yield_now();
    }
}
