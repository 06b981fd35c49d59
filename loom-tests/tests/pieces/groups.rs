//! The group's lock-free reader against its writers, seen through the stack.

use crate::owners::{PORT, Pot, Small, check_all_free};
use crate::wrong::{FirstForever, NoGenerations, TornIncrement, Unlocked, Unwatched, With, Wrong};
use crate::{Body, Race, expect, outcome, threads};
use loom_tests::world::HERE;
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
    let steps = if close { pot.stack.close(id, HERE) } else { pot.stack.shutdown(id, HERE) };
    for step in steps.expect("each listener is stopped once") {
        match step {
            Outcome::Aborted(connection) => {
                outcome("aborted");
                pot.gone(connection);
            }
            Outcome::Moved { .. } => outcome("moved"),
            Outcome::HandedOver { .. } => outcome("handed over"),
            Outcome::Spliced { .. } => unreachable!("no design here splices"),
        }
    }
}

fn deliver<B: Backend>(pot: &Pot<B>, change: Change) {
    match pot.deliver(0, LAST) {
        Ok(Delivered { listener, .. }) => {
            let first = listener == pot.ids[0];
            let elsewhere = matches!(change, Change::Elsewhere | Change::Moved | Change::Reuse);
            let here = pot.ids.contains(&listener);
            expect("address", here || !elsewhere, || "delivered to another address".into());
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
    /// The member leaves, and a new one at another address takes its slot.
    Moved,
    /// The first member leaves: the last one moves to its place.
    First,
    /// A closed member of a full group gives way to one that joins, in the same place.
    Evict,
    /// A member joins, for which the tree of chunks gets a level more.
    Grow,
    /// The member leaves, and the tree gets a level less; a new group takes what it gives back.
    Reuse,
}

/// Memory for a group of three or four listeners, in chunks of two, and no more: whoever else needs a
/// chunk gets one that it gave back.
const TIGHT: Small = Small { chunks: 3, ..Small::new(4, 2) };

/// Runs a reader and a writer; nothing is checked but what the reader finds.
fn select_once<B: Backend>(change: Change, design: Design) -> Arc<Pot<B>> {
    let listening = match change {
        Change::Join | Change::Elsewhere => 1,
        Change::Reuse => 3,
        _ => 2,
    };
    let pot = match change {
        Change::Evict => Pot::<B>::new(Small { max_socks: 2, ..Small::new(3, 2) }, listening, design),
        Change::Grow | Change::Reuse => Pot::<B>::new(TIGHT, listening, design),
        _ => Pot::<B>::new(Small::new(2, 2), listening, design),
    };
    if matches!(change, Change::Evict) {
        stop(&pot, 1, false);
    }
    let writer = {
        let pot = Arc::clone(&pot);
        Box::new(move || {
            match change {
                Change::Leave | Change::Replace | Change::Moved => stop(&pot, 1, true),
                // It keeps its slot, so that the other listener cannot be mistaken for it.
                Change::Elsewhere | Change::First => stop(&pot, 0, false),
                Change::Reuse => stop(&pot, 2, true),
                Change::Join | Change::Evict | Change::Grow => {}
            }
            // While the reader still holds the slot of the one that left there is none.
            let joined = |port| outcome(if pot.join(port) { "joined" } else { "no slot yet" });
            match change {
                Change::Join | Change::Replace | Change::Evict | Change::Grow => joined(PORT),
                Change::Elsewhere | Change::Moved | Change::Reuse => joined(PORT + 1),
                Change::Leave | Change::First => {}
            }
        })
    };
    let reader: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || deliver(&pot, change))
    };
    threads([writer, reader]);
    pot
}

fn select_against<B: Backend>(change: Change, design: Design) -> impl Fn() + Send + Sync {
    move || check_all_free(select_once::<B>(change, design), 1)
}

/// Most preemptions of the races below that are too large to be exhausted in every test run.
///
/// Without a bound, and as clean: leaving, 590,643 interleavings in two minutes. Group reuse
/// takes more than six.
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

/// 1. T2 delivers: it has read the place of member B, of {A, B}.
/// 2. T1 closes B: B's slot is freed.
/// 3. T1 opens C at another address: it gets B's slot, and a group of its own.
/// 4. T2 gets a reference on C, sees that it is of another group, and selects again: A.
#[test]
fn select_against_a_slot_that_moves() {
    let race = Race { bound: Some(3), ..Race::named("select_against_a_slot_that_moves") };
    race.explore(select_against::<Loom<Fine>>(Change::Moved, ABORT)).holds(&[
        "aborted",
        "joined",
        "no slot yet",
        "to another",
        "to the first",
    ]);
}

/// 1. T2 delivers: it has read that the group has two members, or one.
/// 2. T1 shuts A down, the first: B, the last, moves to A's place. Where B was goes on naming it.
/// 3. T2 reads either place, and finds B.
#[test]
fn select_against_a_member_that_moves() {
    let race = Race::named("select_against_a_member_that_moves");
    race.explore(select_against::<Loom<Fine>>(Change::First, CLONE)).holds(&["to another"]);
}

/// 1. The group of {A, B} is full, and B is closed.
/// 2. T1 opens C: B gives way, no longer belongs to the group, and C gets its place.
/// 3. T2 delivers: to A, or, once C is counted, to C, never to B.
#[test]
fn select_against_eviction() {
    let race = bounded("select_against_eviction");
    race.explore(select_against::<Loom<Fine>>(Change::Evict, CLONE)).holds(&[
        "joined",
        "to another",
        "to the first",
    ]);
}

/// 1. T2 delivers: it has read that {A, B} are two, or that {A, B, C} are three.
/// 2. T1 opens C: a chunk above that of A and B becomes the root, one for C comes below it, C is counted.
/// 3. T2 goes from whichever root it finds to B or C. Nobody left, so that it need not look again.
#[test]
fn select_against_growth() {
    let race = Race::named("select_against_growth");
    race.explore(select_against::<Loom<Fine>>(Change::Grow, ABORT)).holds(&["joined", "to another"]);
}

/// 1. T2 delivers: it has read that {A, B, C} are three, or the root, or the chunk of C.
/// 2. T1 closes C: the chunk of A and B becomes the root; the one above it, and that of C, are free.
/// 3. T1 opens D at another address: a group of its own that gets the chunk of C, and D in its place.
/// 4. T2 finds D, sees that it is of another group, and selects again: B.
#[test]
fn select_against_a_chunk_that_moves() {
    let race = Race { bound: Some(3), ..Race::named("select_against_a_chunk_that_moves") };
    race.explore(select_against::<Loom<Fine>>(Change::Reuse, ABORT)).holds(&[
        "aborted",
        "joined",
        "to another",
    ]);
}

/// Runs a reader that has one try, as Linux has, beside a writer that joins.
fn pick_while_growing<B: Backend>() {
    let pot = Pot::<B>::new(TIGHT, 3, CLONE);
    expect("setup", pot.deliver(0, 0).is_ok(), || "the first connection is refused".into());
    let writer = {
        let pot = Arc::clone(&pot);
        Box::new(move || outcome(if pot.join(PORT) { "joined" } else { "no slot" }))
    };
    let closer: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || {
            for step in pot.stack.close(pot.ids[0], HERE).expect("it is closed once") {
                match step {
                    Outcome::Aborted(connection) => {
                        expect("one try", false, || "nobody is found, and two listen".into());
                        pot.gone(connection);
                    }
                    _ => outcome("moved"),
                }
            }
        })
    };
    threads([writer, closer]);
    check_all_free(pot, 1);
}

/// 1. A connection waits on A, of {A, B, C}. T2 closes A: the tree has one level; T2 looks for a target, once.
/// 2. T1 opens D: the tree has two levels again, of the chunks that were given back.
/// 3. Whatever T2 sees of that, it finds a member.
#[test]
fn pick_against_growth() {
    let race = Race { bound: Some(3), ..Race::named("pick_against_growth") };
    race.explore(pick_while_growing::<Loom<Fine>>).holds(&["joined", "moved"]);
}

/// The races with growth, with a root that is seen before what is below it, and with a reader that takes
/// whomever it finds in a chunk.
#[test]
fn growth_controls() {
    let race = |name, faults| Race { name, faults, bound: Some(2) };
    let early = race("control: root before child", &[Fault::RootBeforeChild]);
    early.explore(pick_while_growing::<Loom<Fine>>).notices("one try");
    let taken = race("control: chunk moves, member not checked", &[Fault::MemberNotChecked]);
    taken.explore(select_against::<Loom<Fine>>(Change::Reuse, ABORT)).notices("address");
}

/// The races of selection with a reader that revives what is gone, an accept queue that takes what nobody
/// will drain, a refusal that is not resolved again, ids without generations, and no locks.
///
/// Two or three preemptions are enough for these to be noticed; that bound is no part of any claim.
#[test]
fn select_controls() {
    use Change::{Elsewhere, Join, Leave, Moved, Replace};
    let race = |name, faults| Race { name, faults, bound: Some(2) };
    let torn = race("control: leaving, torn increment", &[]);
    torn.explore(select_against::<Unwatched<TornIncrement>>(Leave, ABORT)).notices("free");
    race("control: joining, no locks", &[]).races(select_against::<Unlocked>(Join, ABORT));

    let reused = Race { bound: Some(3), ..race("control: group reuse, no generations", &[]) };
    let seen = reused.explore(select_against::<With<Wrong<NoGenerations>>>(Elsewhere, ABORT));
    seen.notices("address");

    // A listener that goes on naming the group that its slot's last one was in; it would leave that one, too.
    let named = Race { bound: Some(3), ..race("control: slot moves, group stays named", &[]) };
    named.explore(|| drop(select_once::<FirstForever>(Moved, ABORT))).notices("address");

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
