//! Selection programs that do what they should not, while members come and go.

use super::Size;
use crate::clerk::Clerk;
use crate::report::Report;
use crate::tally::{Deed, mixed};
use crate::world::{Job, PATIENCE, Sizes, World, arrival, local, timed};
use crate::{Host, Listener};
use rskq::{
    AttachType, Config, Design, MapFlag, Payload, Program, ProgramId, Refusal, SelectError, SkReuseportMd,
    Syn, Verdict,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// What a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Drops,
    SelectsWhoLeft,
    SelectsNoEntry,
    AnswersAnything,
}

pub(super) const KINDS: &[Kind] =
    &[Kind::Drops, Kind::SelectsWhoLeft, Kind::SelectsNoEntry, Kind::AnswersAnything];

/// Listeners of the group, each in the entry of its place. The last ones come and go.
const MEMBERS: usize = 4;
const COME_AND_GO: std::ops::Range<usize> = 2..MEMBERS;
/// The entry of a listener of another group.
const STRANGER: usize = MEMBERS;
const ENTRIES: usize = 8;
const CLIENTS: u64 = 2;
const BACKLOG: u32 = 64;

const SIZES: Sizes =
    Sizes { listeners: 12, owners: 12, requests: 512, groups: 3, chunks: 3, ports: 2, buckets: 2, ehash: 64 };

/// A program, and what came of what it did.
struct Hostile {
    kind: Kind,
    dropped: AtomicU64,
    selected: AtomicU64,
    found_none: AtomicU64,
    found_stranger: AtomicU64,
    /// Listeners that it could select, and that did not listen all the while.
    selected_closed: AtomicU64,
}

static PROGRAMS: [&dyn Program; 4] = [&HOSTILE[0], &HOSTILE[1], &HOSTILE[2], &HOSTILE[3]];
static HOSTILE: [Hostile; 4] = [
    Hostile::new(Kind::Drops),
    Hostile::new(Kind::SelectsWhoLeft),
    Hostile::new(Kind::SelectsNoEntry),
    Hostile::new(Kind::AnswersAnything),
];
/// How often each place was left and taken: odd while nobody listens there.
static TURNS: [AtomicU64; MEMBERS] = [const { AtomicU64::new(0) }; MEMBERS];

impl Hostile {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            dropped: AtomicU64::new(0),
            selected: AtomicU64::new(0),
            found_none: AtomicU64::new(0),
            found_stranger: AtomicU64::new(0),
            selected_closed: AtomicU64::new(0),
        }
    }

    fn counters(&self) -> [(&'static str, &AtomicU64); 5] {
        [
            ("program dropped", &self.dropped),
            ("program selected", &self.selected),
            ("program found none", &self.found_none),
            ("program found a stranger", &self.found_stranger),
            ("program selected a closed one", &self.selected_closed),
        ]
    }

    fn select(&self, md: &mut SkReuseportMd<'_>, entry: u32) {
        let turn = TURNS.get(entry as usize);
        let before = turn.map(|turn| turn.load(Ordering::Acquire));
        let counter = match md.select(entry) {
            Ok(())
                if before.is_some_and(|turn| turn % 2 == 1)
                    && before == turn.map(|turn| turn.load(Ordering::Acquire)) =>
            {
                &self.selected_closed
            }
            Ok(()) => &self.selected,
            Err(SelectError::OtherGroup) => &self.found_stranger,
            Err(_) => &self.found_none,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn drops(&self) -> Verdict {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Verdict::Drop
    }
}

impl Program for Hostile {
    fn attach_type(&self) -> AttachType {
        AttachType::SelectOrMigrate
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        // As random as the connection is.
        let random = mixed(u64::from(md.hash));
        match self.kind {
            Kind::Drops => return self.drops(),
            Kind::SelectsWhoLeft => {
                let entry = COME_AND_GO.start + random as usize % COME_AND_GO.len();
                self.select(md, entry as u32);
            }
            Kind::SelectsNoEntry => {
                self.select(md, (random as u32).max(STRANGER as u32 + 1));
                self.select(md, u32::MAX);
            }
            Kind::AnswersAnything => {
                for time in 0..random % 8 {
                    self.select(md, (random >> (8 * time)) as u32 & 15);
                }
                if random.is_multiple_of(5) {
                    return self.drops();
                }
            }
        }
        Verdict::Pass
    }
}

pub(super) fn run<B: Host>(&kind: &'static Kind, size: Size) -> Report {
    // Four programs in the time of one close storm.
    let connections = size.connections / 4;
    timed(format!("hostile ({kind:?})"), |report| {
        let program = &HOSTILE[kind as usize];
        program.counters().iter().for_each(|(_, counter)| counter.store(0, Ordering::Relaxed));
        TURNS.iter().for_each(|turn| turn.store(0, Ordering::Relaxed));
        let world = World::<B>::with_programs(SIZES, Config::migrating(Design::Requeue), &PROGRAMS, ENTRIES);
        let mut opener = world.clerk();
        for place in 0..=STRANGER {
            open(&mut opener, place);
        }
        // What waits when a program comes that drops is given up by who closes.
        for client in 0..u64::from(BACKLOG) {
            let _ = opener.deliver(arrival(local(80), client));
        }
        let first = world.listener(0).expect("it is open");
        world.stack.attach_reuseport_prog(first, ProgramId(kind as u32)).expect("it shares its address");
        come_and_go(&mut opener, COME_AND_GO.start);
        let loaded = opener.tally.clone();

        let mut workers: Vec<Job<'_, B>> = Vec::new();
        for first in 0..CLIENTS {
            workers.push(Box::new(move |clerk| {
                for client in (first..connections).step_by(CLIENTS as usize) {
                    arrive(clerk, client);
                }
            }));
        }
        let closer: Job<'_, B> = Box::new(|clerk| {
            for place in COME_AND_GO.cycle() {
                if clerk.world.is_done() {
                    return;
                }
                come_and_go(clerk, place);
            }
        });
        let others: Job<'_, B> = Box::new(|clerk| {
            while !clerk.world.is_done() {
                if !clerk.answer() & !clerk.poll() {
                    thread::yield_now();
                }
            }
        });
        let tally = world.run(workers, vec![closer, others], report);

        report.figure("connections", connections);
        for (name, counter) in program.counters() {
            report.figure(name, counter.load(Ordering::Relaxed));
        }
        let [dropped, selected, found_none, found_stranger, selected_closed] =
            program.counters().map(|(_, counter)| counter.load(Ordering::Relaxed));
        report.expect(selected_closed == 0, || {
            format!("{selected_closed} times a closed listener was selected")
        });
        let refused = tally[Deed::DroppedByProgram];
        let entered = tally[Deed::New] + tally[Deed::Delivered] + tally[Deed::Cookie] + tally[Deed::Believed];
        match kind {
            Kind::Drops => {
                report.expect(entered == 0, || format!("{entered} were let in by a program that drops"));
                report.expect(loaded[Deed::Aborted] > 0, || "nobody was given up at close".into());
            }
            Kind::SelectsWhoLeft => report.expect(found_none > 0, || "the threads never met".into()),
            Kind::SelectsNoEntry => {
                report.expect(selected == 0, || format!("{selected} times nobody's entry was selected"));
            }
            Kind::AnswersAnything => report.expect(found_stranger > 0, || "nobody met the stranger".into()),
        }
        let may_drop = matches!(kind, Kind::Drops | Kind::AnswersAnything);
        report.expect(may_drop == (refused > 0) && refused <= dropped, || {
            format!("the program dropped {dropped} times, and {refused} were refused")
        });
        let lost = tally[Deed::NoListener] + tally[Deed::RequestLost];
        report.expect(may_drop || lost == 0, || format!("{lost} lost, and somebody always listened"));
        report.expect(entered == 0 || tally[Deed::Accepted] > 0, || "nobody was accepted".into());
        let mut all = loaded;
        all += &tally;
        world.settle(all, report);
    })
}

fn open<B: Host>(clerk: &mut Clerk<'_, B>, place: usize) {
    let port = if place == STRANGER { 81 } else { 80 };
    let begin = Instant::now();
    let id = loop {
        // Connections still name those that were closed, until they are accepted.
        match clerk.listen_at(local(port), BACKLOG, true) {
            Ok(id) => break id,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "no slot of a listener came back: {error:?}"),
        }
        thread::yield_now();
    };
    clerk.world.set_listener(place, id);
    clerk.world.stack.map_update(place as u32, id, MapFlag::Any).expect("it listens");
}

/// A member leaves, and another one comes in its place.
fn come_and_go<B: Host>(clerk: &mut Clerk<'_, B>, place: usize) {
    let id = clerk.world.listener(place).expect("it is open");
    clerk.close(id).expect("it is open");
    TURNS[place].fetch_add(1, Ordering::AcqRel);
    (0..clerk.rng.u32(0..4)).for_each(|_| thread::yield_now());
    TURNS[place].fetch_add(1, Ordering::AcqRel);
    open(clerk, place);
}

fn arrive<B: Host>(clerk: &mut Clerk<'_, B>, client: u64) {
    let arrival = arrival(local(80), client);
    let went = if client.is_multiple_of(3) {
        clerk.deliver(arrival)
    } else {
        match clerk.syn(arrival) {
            Ok(Syn::New { .. } | Syn::Duplicate(_)) => clerk.ack(&arrival.tuple, Payload::None),
            Ok(Syn::Cookie(_)) => clerk.cookie(arrival, true),
            Err(why) => Err(why),
        }
    };
    let stranger: Option<Listener<B>> = clerk.world.listener(STRANGER);
    assert!(went.is_err() || went.ok() != stranger, "a connection went to another group's listener");
    if went == Err(Refusal::AcceptQueueFull) {
        thread::yield_now();
    }
}
