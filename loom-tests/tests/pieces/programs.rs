//! A group's program and its map against who changes them while a connection is on its way.

use crate::owners::{PORT, Pot, Small, check_all_free};
use crate::{Body, Race, expect, outcome, threads};
use loom_tests::world::HERE;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault};
use rskq::{AttachType, Delivered, Design, MapFlag, Outcome, Program, ProgramId, SkReuseportMd, Verdict};
use std::sync::Arc;

/// Selects entry 0, if it can.
struct Selects;

impl Program for Selects {
    fn attach_type(&self) -> AttachType {
        AttachType::SelectOrMigrate
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        outcome(if md.select(0).is_ok() { "selected" } else { "not in the map" });
        Verdict::Pass
    }
}

/// Is for new connections, and passes.
struct ForNewOnes;

impl Program for ForNewOnes {
    fn attach_type(&self) -> AttachType {
        AttachType::Select
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        expect("occasion", !md.occasion.migrates(), || "a program for new ones is asked to migrate".into());
        outcome("passed");
        Verdict::Pass
    }
}

const SELECTS: ProgramId = ProgramId(0);
const FOR_NEW_ONES: ProgramId = ProgramId(1);

/// Listeners, and memory for programs and a map with one entry.
fn bare<B: Backend>(listeners: usize) -> Arc<Pot<B>> {
    let memory = Small { programs: (&[&Selects, &ForNewOnes], 1), ..Small::new(listeners, 2) };
    Pot::<B>::new(memory, listeners, Design::Linux)
}

/// Attaches the program that selects, and puts a listener in the map.
fn enter<B: Backend>(pot: &Pot<B>, listener: usize) {
    let is_set = pot.stack.attach_reuseport_prog(pot.ids[0], SELECTS).is_ok()
        && pot.stack.map_update(0, pot.ids[listener], MapFlag::NoExist).is_ok();
    expect("setup", is_set, || "the program or the map is refused".into());
}

/// Closes a listener, and notes what became of what it held.
fn close<B: Backend>(pot: &Pot<B>, listener: usize) {
    for step in pot.stack.close(pot.ids[listener], HERE).expect("each listener is closed once") {
        match step {
            Outcome::Aborted(connection) => {
                expect("lost", false, || "a connection is aborted, and a member listens".into());
                pot.gone(connection);
            }
            _ => outcome("moved"),
        }
    }
}

/// Delivers a connection whose hash falls on the first member.
fn deliver<B: Backend>(pot: &Pot<B>) {
    match pot.deliver(0, 0) {
        Ok(Delivered { listener, .. }) => {
            let known = pot.ids.contains(&listener);
            expect("entered", known, || "who was never in the map is selected from it".into());
            outcome(if listener == pot.ids[0] { "to the first" } else { "to another" });
        }
        Err(refused) => {
            expect("refused", false, || format!("{:?}", refused.why));
            pot.gone(refused.child);
        }
    }
}

/// Who changes what, beside a connection that is on its way.
#[derive(Clone, Copy)]
enum Change {
    /// The program is replaced by one that passes.
    Replace,
    /// The program is taken away.
    Detach,
    /// The entry is emptied.
    Delete,
    /// The member in the entry leaves, and a new one takes its slot.
    Reuse,
}

fn select_against<B: Backend>(change: Change) {
    let pot = bare::<B>(2);
    enter(&pot, 1);
    let writer = {
        let pot = Arc::clone(&pot);
        Box::new(move || {
            let done = match change {
                Change::Replace => pot.stack.attach_reuseport_prog(pot.ids[1], FOR_NEW_ONES).is_ok(),
                Change::Detach => pot.stack.detach_reuseport_prog(pot.ids[1]).is_ok(),
                Change::Delete => pot.stack.map_delete(0).is_ok(),
                Change::Reuse => {
                    close(&pot, 1);
                    outcome(if pot.join(PORT) { "joined" } else { "no slot yet" });
                    true
                }
            };
            expect("change", done, || "the change is refused".into());
        })
    };
    let reader: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || deliver(&pot))
    };
    threads([writer, reader]);
    check_all_free(pot, 1);
}

/// 1. T2 delivers: it has read which program the group has.
/// 2. T1 replaces that program, or takes it away.
/// 3. T2 asks the program that it read: for the last time. Who reads later asks the other one, or none.
#[test]
fn select_against_another_program() {
    let race = Race::named("select_against_another_program");
    let replaced = race.explore(|| select_against::<Loom<Fine>>(Change::Replace));
    replaced.holds(&["passed", "selected", "to another", "to the first"]);
    let race = Race::named("select_against_no_program");
    let detached = race.explore(|| select_against::<Loom<Fine>>(Change::Detach));
    detached.holds(&["selected", "to another", "to the first"]);
}

/// 1. T2 delivers: its program has read that B is in the entry.
/// 2. T1 empties the entry; B goes on listening.
/// 3. T2 gets B, or learns that nobody is in the entry, and goes by hash: to A.
#[test]
fn select_against_an_entry_that_is_emptied() {
    let race = Race::named("select_against_an_entry_that_is_emptied");
    let seen = race.explore(|| select_against::<Loom<Fine>>(Change::Delete));
    seen.holds(&["not in the map", "selected", "to another", "to the first"]);
}

/// 1. T2 delivers: its program has read that B is in the entry.
/// 2. T1 closes B: it leaves the map and the group, then LISTEN; its slot is freed.
/// 3. T1 opens C, which joins the group in B's slot, and was never in the map.
/// 4. T2 gets a reference on C, sees that it is not in the entry, and goes by hash: to A.
#[test]
fn select_against_a_slot_of_the_map_that_moves() {
    let race = Race { bound: Some(4), ..Race::named("select_against_a_slot_of_the_map_that_moves") };
    let seen = race.explore(|| select_against::<Loom<Fine>>(Change::Reuse));
    seen.holds(&[
        "joined",
        "moved",
        "no slot yet",
        "not in the map",
        "selected",
        "to another",
        "to the first",
    ]);
}

/// A connection waits at A, of {A, B, C}; A closes beside a replacement of the program, which selects B.
/// The hash falls on C, who moves to A's place.
fn migrate_against_another_program<B: Backend>() {
    let pot = bare::<B>(3);
    expect("setup", pot.deliver(0, 0).is_ok(), || "the connection is refused".into());
    enter(&pot, 1);
    let writer = {
        let pot = Arc::clone(&pot);
        Box::new(move || {
            let done = pot.stack.attach_reuseport_prog(pot.ids[1], FOR_NEW_ONES).is_ok();
            expect("change", done, || "the program is refused".into());
        })
    };
    let closer: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || close(&pot, 0))
    };
    threads([writer, closer]);
    outcome(if pot.accept(1) { "to whom it selects" } else { "to the hash's" });
    check_all_free(pot, 1);
}

/// 1. T2 closes A, whose connection migrates: it has read which program the group has.
/// 2. T1 replaces it by one that is for new connections only.
/// 3. T2 asks the one that it read: the connection goes to B. If it reads later it asks none: to C.
#[test]
fn migrate_against_a_program_for_new_ones() {
    let race = Race::named("migrate_against_a_program_for_new_ones");
    let seen = race.explore(migrate_against_another_program::<Loom<Fine>>);
    seen.holds(&["moved", "selected", "to the hash's", "to whom it selects"]);
}

/// The races with a reader that asks what it has not looked at, and one that believes what it read of the map.
#[test]
fn program_controls() {
    let race = |name, faults| Race { name, faults, bound: Some(2) };
    let twice = race("control: program loaded twice", &[Fault::ProgramLoadedTwice]);
    twice.explore(migrate_against_another_program::<Loom<Fine>>).notices("occasion");
    let believed = Race { bound: Some(3), ..race("control: map not checked", &[Fault::MapNotChecked]) };
    believed.explore(|| select_against::<Loom<Fine>>(Change::Reuse)).notices("entered");
}
