//! The group's lock-free reader against its writers, seen through the stack.

use crate::owners::{PORT, Pot, Small, check_all_free};
use crate::wrong::{NoGenerations, TornIncrement, Unlocked, Unwatched, With, Wrong};
use crate::{Body, Race, expect, outcome, threads};
use rskq::migrate::CloneFixes;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault};
use rskq::{Delivered, Design, Outcome};
use std::sync::Arc;

const ABORT: Design = Design::Abort;
const CLONE: Design = Design::Clone(CloneFixes::AS_FIXED);

/// Hashes to the last of any number of members.
const LAST: u32 = u32::MAX;

/// Closes a listener, or shuts it down, and notes what became of what it held.
fn stop<B: Backend>(pot: &Pot<B>, listener: usize, close: bool) {
    let id = pot.ids[listener];
    let steps = if close { pot.stack.close(id) } else { pot.stack.shutdown(id) };
    for step in steps.expect("each listener is stopped once") {
        match step {
            Outcome::Aborted(connection) => {
                outcome("aborted");
                pot.gone(connection);
            }
            Outcome::Moved { .. } => outcome("moved"),
            Outcome::Spliced { .. } => unreachable!("no design here splices"),
        }
    }
}

fn deliver<B: Backend>(pot: &Pot<B>, change: Change) {
    match pot.deliver(0, LAST) {
        Ok(Delivered { listener, .. }) => {
            let first = listener == pot.ids[0];
            let elsewhere = matches!(change, Change::Elsewhere);
            expect("address", first || !elsewhere, || "delivered to another address".into());
            outcome(if first { "to the first" } else { "to another" });
        }
        Err(refused) => {
            match change {
                Change::Elsewhere => outcome("refused"),
                _ => expect("refused", false, || format!("{:?}", refused.why)),
            }
            pot.gone(refused.child);
        }
    }
}

/// What a writer of the group does.
#[derive(Clone, Copy)]
enum Change {
    /// The member that the hash falls on leaves.
    Leave,
    /// A member joins, which the hash falls on from then on.
    Join,
    /// The member leaves, and a new one takes its slot and its place.
    Replace,
    /// The only member stops, and the group's slot goes to a listener at another address.
    Elsewhere,
}

fn select_against<B: Backend>(change: Change, design: Design) -> impl Fn() + Send + Sync {
    move || {
        let listening = if matches!(change, Change::Join | Change::Elsewhere) { 1 } else { 2 };
        let pot = Pot::<B>::new(Small { listeners: 2, requests: 2 }, listening, design);
        let writer = {
            let pot = Arc::clone(&pot);
            Box::new(move || {
                match change {
                    Change::Leave | Change::Replace => stop(&pot, 1, true),
                    // It keeps its slot, so that the other listener cannot be mistaken for it.
                    Change::Elsewhere => stop(&pot, 0, false),
                    Change::Join => {}
                }
                // While the reader still holds the slot of the one that left there is none.
                let joined = |port| outcome(if pot.join(port) { "joined" } else { "no slot yet" });
                match change {
                    Change::Join | Change::Replace => joined(PORT),
                    Change::Elsewhere => joined(PORT + 1),
                    Change::Leave => {}
                }
            })
        };
        let reader: Body = {
            let pot = Arc::clone(&pot);
            Box::new(move || deliver(&pot, change))
        };
        threads([writer, reader]);
        check_all_free(pot, 1);
    }
}

/// Most preemptions of the races below that are too large to be exhausted in every test run.
///
/// Without a bound, and as clean: leaving 398,745 interleavings, leaving and moving 389,142, group
/// reuse 814,440, in one to two minutes each; replacement takes longer than that.
const BOUND: u8 = 5;

fn bounded(name: &'static str) -> Race {
    Race { bound: Some(BOUND), ..Race::named(name) }
}

/// 1. T2 delivers: it reads `num_socks` and the place of member B.
/// 2. T1 closes B: B leaves `socks[]`, then LISTEN; its queue is drained, its slot is freed.
/// 3. T2 gets a reference on B, or none; B no longer listens, or takes the connection before it is
///    drained. A connection that B refuses goes to A; none is lost or there twice.
#[test]
fn select_against_leaving() {
    let race = bounded("select_against_leaving");
    race.explore(select_against::<Loom<Fine>>(Change::Leave, ABORT)).holds(&[
        "aborted",
        "to another",
        "to the first",
    ]);
}

/// The same where what B was given moves on to A.
#[test]
fn select_against_leaving_and_moving() {
    let race = bounded("select_against_leaving_and_moving");
    race.explore(select_against::<Loom<Fine>>(Change::Leave, CLONE)).holds(&[
        "moved",
        "to another",
        "to the first",
    ]);
}

/// 1. T1 opens B, which joins A: B's place is filled in, then `num_socks` counts it.
/// 2. T2 delivers: it reads one number or the other, and never a place that is not filled in.
#[test]
fn select_against_joining() {
    let race = Race::named("select_against_joining");
    race.explore(select_against::<Loom<Fine>>(Change::Join, ABORT)).holds(&[
        "joined",
        "to another",
        "to the first",
    ]);
}

/// 1. T2 delivers: it has read the place of member B.
/// 2. T1 closes B: B's slot is freed.
/// 3. T1 opens C, which gets B's slot and B's place.
/// 4. T2 gets a reference on C, complete, or on B, or none.
#[test]
fn select_against_replacement() {
    let race = bounded("select_against_replacement");
    race.explore(select_against::<Loom<Fine>>(Change::Replace, ABORT)).holds(&[
        "aborted",
        "joined",
        "no slot yet",
        "to another",
        "to the first",
    ]);
}

/// 1. T2 delivers: it has looked up the group of A, the only member at its address.
/// 2. T1 shuts A down: the group goes with its last member, its slot is freed.
/// 3. T1 opens B at another address, in a group of its own that gets the slot.
/// 4. T2 finds B in the group's place, and that it is another group: nobody listens for T2 any more.
#[test]
fn select_against_group_reuse() {
    let race = bounded("select_against_group_reuse");
    race.explore(select_against::<Loom<Fine>>(Change::Elsewhere, ABORT)).holds(&[
        "aborted",
        "joined",
        "refused",
        "to the first",
    ]);
}

/// The same races with a reader that revives what is gone, an accept queue that takes what nobody
/// will drain, a refusal that is not resolved again, ids without generations, and no locks.
///
/// Two or three preemptions are enough for these to be noticed; that bound is no part of any claim.
#[test]
fn select_controls() {
    use Change::{Elsewhere, Join, Leave, Replace};
    let race = |name, faults| Race { name, faults, bound: Some(2) };
    let torn = race("control: leaving, torn increment", &[]);
    torn.explore(select_against::<Unwatched<TornIncrement>>(Leave, ABORT)).notices("free");
    race("control: joining, no locks", &[]).races(select_against::<Unlocked>(Join, ABORT));

    let reused = Race { bound: Some(3), ..race("control: group reuse, no generations", &[]) };
    let seen = reused.explore(select_against::<With<Wrong<NoGenerations>>>(Elsewhere, ABORT));
    seen.notices("address");

    const STATE: &[Fault] = &[Fault::AddWithoutStateCheck];
    const DROPPED: &[Fault] = &[Fault::LateArrivalDropped];
    for (name, faults, change, design, kind) in [
        ("control: leaving, no look at the state", STATE, Leave, ABORT, "lost"),
        ("control: leaving, late arrival dropped", DROPPED, Leave, ABORT, "refused"),
        ("control: leaving and moving, no look at the state", STATE, Leave, CLONE, "lost"),
        ("control: replacement, no look at the state", STATE, Replace, ABORT, "lost"),
    ] {
        race(name, faults).explore(select_against::<Loom<Fine>>(change, design)).notices(kind);
    }
}
