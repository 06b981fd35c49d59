//! SYNs of spoofed clients, as fast as two threads make them, beside clients that connect.
//!
//! Spoofed clients also send ACKs with cookies that they guess, SYNs twice, and resets. Whoever connects goes on
//! until it is connected: a SYN that is dropped is sent again. Nobody may have to give up, nothing may be
//! allocated but connections that wait, and every SYN has to be counted where Linux counts it.

use super::Size;
use crate::clerk::Clerk;
use crate::report::Report;
use crate::tally::{Deed, Tally, mixed};
use crate::world::{Job, PATIENCE, Sizes, World, arrival, goes_on, local, timed};
use crate::{HEAP, Host};
use rskq::{Arrival, Config, Design, Payload, Refusal, Syn, Syncookies, Sysctl};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// What the flooded stack does about it.
pub(super) struct Kind {
    name: &'static str,
    cookies: Syncookies,
    /// How many half-open requests there is memory for.
    requests: usize,
}

const LISTENERS: usize = 4;
const BACKLOG: u32 = 255;
/// How many half-open requests all listeners take, and as many connections that wait.
const HALF_OPEN: usize = LISTENERS * (BACKLOG as usize + 1);
const SPOOFERS: usize = 2;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "cookies", cookies: Syncookies::WhenFull, requests: 2 * HALF_OPEN },
    Kind { name: "no cookies: old requests make way", cookies: Syncookies::Never, requests: 2 * HALF_OPEN },
    Kind {
        name: "fewer slots than a SYN queue is long",
        cookies: Syncookies::Never,
        requests: HALF_OPEN * 3 / 4,
    },
];

/// What clients who connect saw.
#[derive(Default)]
struct Seen {
    connected: AtomicU64,
    tries: AtomicU64,
    most_tries: AtomicU64,
    gave_up: AtomicU64,
    most_milliseconds: AtomicU64,
    most_heap: AtomicUsize,
}

pub(super) fn run<B: Host>(kind: &'static Kind, Size { time, .. }: Size) -> Report {
    timed(format!("syn_flood ({})", kind.name), |report| {
        let sizes = Sizes {
            listeners: LISTENERS,
            owners: LISTENERS,
            groups: 1,
            chunks: 1,
            requests: kind.requests,
            ports: 1,
            buckets: 1,
            ehash: 1024,
        };
        let mut config = Config::migrating(Design::Requeue);
        config.sysctl =
            Sysctl { tcp_syncookies: kind.cookies, tcp_max_syn_backlog: 1 << 20, ..config.sysctl };
        let world = World::<B>::new(sizes, config);
        let mut opener = world.clerk();
        for place in 0..LISTENERS {
            let id = opener.listen_at(local(80), BACKLOG, true).expect("there is room");
            world.set_listener(place, id);
        }
        let seen = Seen::default();
        let flooded = Instant::now();
        let heap = HEAP.allocated();
        let believed = |tally: &Tally| kind.cookies == Syncookies::Never || tally[Deed::Believed] > 0;
        let spoof = |clerk: &mut Clerk<'_, B>| {
            while goes_on(flooded, time, limited(&clerk.tally) > 0) {
                (0..64).for_each(|_| spoof(clerk));
            }
        };
        let connect = |clerk: &mut Clerk<'_, B>| {
            let mut client = 0;
            while goes_on(flooded, time, client > 0 && believed(&clerk.tally))
                && seen.gave_up.load(Ordering::Relaxed) == 0
            {
                client += 1;
                connect(clerk, &seen, client);
            }
        };
        let accept = |clerk: &mut Clerk<'_, B>| {
            while !clerk.world.is_done() {
                if !clerk.answer() {
                    thread::yield_now();
                }
            }
        };
        let mind = |clerk: &mut Clerk<'_, B>| {
            while !clerk.world.is_done() {
                seen.most_heap.fetch_max(HEAP.allocated().saturating_sub(heap), Ordering::Relaxed);
                if !clerk.poll() {
                    thread::yield_now();
                }
            }
        };
        let mut workers: Vec<Job<'_, B>> = vec![Box::new(connect)];
        workers.extend((0..SPOOFERS).map(|_| -> Job<'_, B> { Box::new(spoof) }));
        let mut tally = world.run(workers, vec![Box::new(accept), Box::new(mind)], report);
        let took = flooded.elapsed();
        tally += &opener.tally;

        let number = |seen: &AtomicU64| seen.load(Ordering::Relaxed);
        let (connected, tries) = (number(&seen.connected), number(&seen.tries));
        let syns = [
            Deed::New,
            Deed::Duplicate,
            Deed::Cookie,
            Deed::SynQueueFull,
            Deed::NoRequestSlot,
            Deed::AcceptQueueFull,
        ];
        let syns: u64 = syns.iter().map(|&deed| tally[deed]).sum();
        report.figure("SYNs a second", (syns as f64 / took.as_secs_f64()) as u64);
        report.figure("clients connected", connected);
        report.figure("clients that gave up", number(&seen.gave_up));
        report.figure("tries of all clients", tries);
        report.figure("most tries of a client", number(&seen.most_tries));
        report.figure("most milliseconds of a client", number(&seen.most_milliseconds));
        report.expect(believed(&tally), || "no cookie was believed".into());
        let most_heap = seen.most_heap.load(Ordering::Relaxed);
        report.figure("most bytes of heap", most_heap as u64);
        report.expect(number(&seen.gave_up) == 0, || "a client gave up".into());
        report.expect(connected > 0, || "no client connected".into());
        // A word for each connection that waits, or is in some thread's hands.
        let bound = size_of::<u64>() * (kind.requests + 8);
        report.expect(most_heap <= bound + THREADS_OWN, || {
            format!("{most_heap} bytes of heap were used for at most {} connections", kind.requests)
        });
        report.expect(limited(&tally) > 0, || "there was no flood".into());
        world.settle(tally, report);
    })
}

/// How many SYNs were more than there was room for.
fn limited(tally: &Tally) -> u64 {
    tally[Deed::Cookie] + tally[Deed::SynQueueFull] + tally[Deed::NoRequestSlot]
}

/// What the threads of an attack themselves take of the heap: their names, handles, results.
const THREADS_OWN: usize = 16 << 10;

/// Somebody who never was there.
fn spoof<B: Host>(clerk: &mut Clerk<'_, B>) {
    // Addresses that those who connect do not have.
    let arrival = arrival(local(80), clerk.rng.u64(1 << 47..1 << 48));
    match clerk.rng.u8(..) {
        0..8 => {
            let _ = clerk.ack(&arrival.tuple, Payload::None);
        }
        8..16 => {
            let guess = clerk.rng.u64(..);
            let _ = clerk.cookie(arrival, guess == cookie(&arrival));
        }
        16..20 => {
            for _ in 0..2 {
                let _ = clerk.syn(arrival);
            }
        }
        20..22 => {
            let _ = clerk.syn(arrival);
            clerk.reset(&arrival.tuple);
        }
        _ => {
            let _ = clerk.syn(arrival);
        }
    }
}

/// What a client gets as a cookie, and others do not know.
fn cookie(arrival: &Arrival) -> u64 {
    mixed(u64::from(arrival.hashes.syn_hash) << 32 | u64::from(arrival.hashes.sk_hash))
}

/// A client that connects, however often it has to try.
fn connect<B: Host>(clerk: &mut Clerk<'_, B>, seen: &Seen, client: u64) {
    let arrival = arrival(local(80), client);
    let begin = Instant::now();
    for tries in 1.. {
        let connected = match clerk.syn(arrival) {
            Ok(Syn::New { .. } | Syn::Duplicate(_)) => clerk.ack(&arrival.tuple, Payload::None).is_ok(),
            Ok(Syn::Cookie(_)) => {
                // As an embedder sees it: an ACK, which has no request.
                let ack = clerk.ack(&arrival.tuple, Payload::None);
                ack.is_ok() || ack == Err(Refusal::NoRequest) && clerk.cookie(arrival, true).is_ok()
            }
            Err(_) => false,
        };
        if connected || begin.elapsed() > PATIENCE {
            let ended = if connected { &seen.connected } else { &seen.gave_up };
            ended.fetch_add(1, Ordering::Relaxed);
            seen.tries.fetch_add(tries, Ordering::Relaxed);
            seen.most_tries.fetch_max(tries, Ordering::Relaxed);
            seen.most_milliseconds.fetch_max(begin.elapsed().as_millis() as u64, Ordering::Relaxed);
            return;
        }
    }
}
