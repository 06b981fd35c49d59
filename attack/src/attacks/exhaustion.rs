//! Every allocation fails in turn, and every part of the memory is too small by everything in turn.
//!
//! One thread does all that a stack can do, and minds no refusal. After that the books have to agree and nothing
//! may be left, whatever was refused.

use crate::clerk::Clerk;
use crate::host::{Host, Seeded};
use crate::report::Report;
use crate::tally::Deed;
use crate::world::{Job, Sizes, World, arrival, local, timed};
use rskq::{
    AttachType, Config, Design, HandshakeEnd, MapFlag, Payload, Program, ProgramId, SkReuseportMd,
    SockOptions, Syn, Sysctl, Verdict,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// More of everything than is ever in use.
const ENOUGH: Sizes =
    Sizes { listeners: 12, owners: 16, requests: 40, groups: 8, chunks: 8, ports: 4, buckets: 4, ehash: 4 };

/// A part of the memory, by name.
type Part = (&'static str, fn(&mut Sizes) -> &mut usize);

const PARTS: [Part; 8] = [
    ("listeners", |sizes| &mut sizes.listeners),
    ("owners", |sizes| &mut sizes.owners),
    ("requests", |sizes| &mut sizes.requests),
    ("groups", |sizes| &mut sizes.groups),
    ("chunks", |sizes| &mut sizes.chunks),
    ("ports", |sizes| &mut sizes.ports),
    ("buckets", |sizes| &mut sizes.buckets),
    ("ehash", |sizes| &mut sizes.ehash),
];

static PROGRAMS: [&dyn Program; 1] = [&Passes];

struct Passes;

impl Program for Passes {
    fn attach_type(&self) -> AttachType {
        AttachType::SelectOrMigrate
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        // Whether there is such an entry is no matter.
        let _ = md.select(md.hash % 4);
        Verdict::Pass
    }
}

pub(super) fn run<B: Host>(design: Design) -> Report {
    timed(format!("exhaustion ({design:?})"), |report| {
        let mut refused = 0;
        for (part, of) in PARTS {
            let mut enough = ENOUGH;
            for count in 0..=*of(&mut enough) {
                let mut sizes = ENOUGH;
                *of(&mut sizes) = count;
                let Attempt { refusals, broken, .. } = attempt::<B>(sizes, design, None);
                report
                    .broken
                    .extend(broken.into_iter().map(|broken| format!("with {count} {part}: {broken}")));
                report.expect(refusals == 0 || count < *of(&mut enough), || {
                    format!("{count} {part} are not enough")
                });
                refused += refusals;
            }
        }
        report.figure("refused for want of memory", refused);
        for nth in 1.. {
            let Attempt { denied, broken, .. } = attempt::<Seeded>(ENOUGH, design, Some(nth));
            let why = broken.into_iter().map(|broken| format!("without allocation {nth}: {broken}"));
            report.broken.extend(why);
            if !denied {
                report.figure("allocations, each of which failed once", nth - 1);
                break;
            }
        }
    })
}

struct Attempt {
    /// How often something was refused for want of memory.
    refusals: u64,
    /// Whether the allocation that was to fail came to pass.
    denied: bool,
    broken: Vec<String>,
}

/// Does everything on a fresh stack, of which one allocation may fail.
fn attempt<B: Host>(sizes: Sizes, design: Design, nth: Option<u64>) -> Attempt {
    let mut config = Config::migrating(design);
    config.sysctl = Sysctl { tcp_synack_retries: 1, ..config.sysctl };
    let world = World::<B>::with_programs(sizes, config, &PROGRAMS, 4).with_a_still_clock();
    let denied = AtomicBool::new(false);
    let job: Job<'_, B> = Box::new(|clerk| {
        Seeded::deny(nth.unwrap_or(0));
        everything(clerk);
        denied.store(Seeded::was_denied(), Ordering::Relaxed);
    });
    let mut report = Report::default();
    let tally = world.run(vec![job], vec![], &mut report);
    let wants = [Deed::NoListenerSlot, Deed::NoGroupRoom, Deed::NoRequestSlot, Deed::ListenRefused];
    let refusals = wants.iter().map(|&deed| tally[deed]).sum();
    world.settle(tally, &mut report);
    Attempt { refusals, denied: denied.into_inner(), broken: report.broken }
}

/// Where sockets listen: three share an address, one has a program, one finds its port, one is alone.
const SHARING: std::ops::Range<usize> = 0..3;
const PROGRAMMED: usize = 3;
const FOUND: usize = 4;
const ALONE: usize = 5;

fn everything<B: Host>(clerk: &mut Clerk<'_, B>) {
    let mut client = 0;
    for _ in 0..2 {
        (0..=ALONE).for_each(|place| open(clerk, place));
        arrive(clerk, &mut client);
        for place in [0, PROGRAMMED, FOUND] {
            let Some(id) = clerk.world.listener(place) else { continue };
            if clerk.shutdown(id).is_ok() && place != FOUND {
                let _ = clerk.listen(id, 1);
            }
            arrive(clerk, &mut client);
        }
        clerk.world.clock.skip(1_500);
        clerk.poll();
        clerk.answer();
        arrive(clerk, &mut client);
        for place in [1, 0, PROGRAMMED, FOUND, ALONE, 2] {
            let Some(id) = clerk.world.listener(place) else { continue };
            let _ = clerk.close(id);
            arrive(clerk, &mut client);
        }
        clerk.answer();
    }
}

/// Opens a socket at a place, unless it is refused.
fn open<B: Host>(clerk: &mut Clerk<'_, B>, place: usize) {
    let world = clerk.world;
    let stack = &world.stack;
    let opened = match place {
        PROGRAMMED | FOUND => {
            let socket = stack.open(SockOptions { reuseport: place == PROGRAMMED, v6only: false });
            clerk.listened(&socket.map(drop));
            let Ok(id) = socket else { return };
            let bound = match place {
                FOUND => stack.bind_any(id, local(0), 90..92).map(drop),
                _ => stack.bind(id, local(81)),
            };
            // Without room for a group of its own it goes without a program.
            let _ = stack.attach_reuseport_prog(id, ProgramId(0));
            if bound.is_err() || clerk.listen(id, 1).is_err() {
                let _ = clerk.close(id);
                return;
            }
            Ok(id)
        }
        ALONE => clerk.listen_at(local(82), 0, false),
        _ => clerk.listen_at(local(80), 1, true),
    };
    let Ok(id) = opened else { return };
    world.set_listener(place, id);
    let _ = stack.set_fastopen(id, 1);
    if SHARING.contains(&place) {
        let _ = stack.map_update(place as u32, id, MapFlag::Any);
    }
}

/// Connections arrive everywhere, each in another way.
fn arrive<B: Host>(clerk: &mut Clerk<'_, B>, client: &mut u64) {
    for port in [80, 81, 82, 90] {
        for way in 0..5 {
            *client += 1;
            let arrival = arrival(local(port), *client);
            match way {
                0 => drop(clerk.deliver(arrival)),
                1 => {
                    if let Ok(handshake) = clerk.open_fast(arrival) {
                        clerk.end_fast(handshake, HandshakeEnd::Reset);
                    }
                }
                2 if clerk.syn(arrival).is_ok() => clerk.reset(&arrival.tuple),
                3 => match clerk.syn(arrival) {
                    Ok(Syn::Cookie(_)) => drop(clerk.cookie(arrival, true)),
                    Ok(_) => drop(clerk.ack(&arrival.tuple, Payload::None)),
                    Err(_) => {}
                },
                _ => drop(clerk.syn(arrival)),
            }
        }
    }
}
