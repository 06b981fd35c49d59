//! Chains of owners: who walks one, against who hands on, who compresses, and who lets go of it.
//!
//! A reset of a half-open request follows the request's owner to the listener that it is charged to. It
//! has no other part in what a closer does, and is the shortest walk that there is.

use crate::owners::{PORT, Pot, Small, arrival, check_all_free, tuple};
use crate::wrong::{TornIncrement, Unlocked, Unwatched};
use crate::{Body, Race, expect, outcome, threads};
use loom_tests::world::HERE;
use rskq::Design;
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Fine, What};
use rskq::sync::{Fault, ModelBackend};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the walker has against it, and in which world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    /// A, of {A, B}, whose owner the walk begins at, closes.
    Root,
    /// A, of {A, B, C}, has closed and handed on to C, which closes.
    Heir,
    /// A and C have closed, so that the chain has three owners. Another walker of the same chain, in
    /// another bucket.
    Walker,
    /// The same, after which a listener is opened, whose owner has the slot of C's.
    Recycler,
    /// The same chain, which the walker's request is the last to refer to. B, at its end, closes.
    End,
}

const CONNECTIONS: u32 = 2;

fn reset<B: ModelBackend>(pot: &Pot<B>, connection: u32) {
    let gone = pot.stack.reset(&tuple(connection)).is_ok();
    expect("found", gone, || format!("#{connection} is not found"));
    pot.gone(connection);
}

fn walk<B: ModelBackend>(against: Against) -> impl Fn() + Send + Sync {
    move || {
        let listeners = if against == Against::Root { 2 } else { 3 };
        // One more is opened where the walker may still have a reference on what closed.
        let room = listeners + usize::from(against == Against::Recycler);
        let memory = Small { ehash: 2, ..Small::new(room, CONNECTIONS as usize) };
        let pot = Pot::<B>::new(memory, listeners, Design::Handover);
        // Both belong to A; with one of them the other is nobody's last reference.
        let half_open = if matches!(against, Against::Walker | Against::Recycler) { CONNECTIONS } else { 1 };
        for connection in 0..half_open {
            expect("setup", pot.stack.syn(arrival(connection, 0), HERE).is_ok(), || {
                "a SYN is refused".into()
            });
        }
        let closed: &[usize] = match against {
            Against::Root => &[],
            Against::Heir => &[0],
            Against::Walker | Against::Recycler | Against::End => &[0, 2],
        };
        closed.iter().for_each(|&listener| pot.close(pot.ids[listener]));
        let walker = |connection| -> Body {
            let pot = Arc::clone(&pot);
            Box::new(move || reset(&pot, connection))
        };
        let closer = |listener: usize| -> Body {
            let pot = Arc::clone(&pot);
            Box::new(move || pot.close(pot.ids[listener]))
        };
        let other = match against {
            Against::Root => closer(0),
            Against::Heir => closer(2),
            Against::Walker => walker(1),
            Against::Recycler => {
                let pot = Arc::clone(&pot);
                Box::new(move || {
                    reset(&pot, 1);
                    expect("setup", pot.join(PORT), || "no room for a listener".into());
                })
            }
            Against::End => closer(1),
        };
        threads([walker(0), other]);
        let buckets = model::records(|records| {
            let bucket = |what| match what {
                What::Gets(tag) if tag.class == "EstablishedBucket" => Some(tag.key),
                _ => None,
            };
            records.iter().filter_map(|r| bucket(r.what)).collect::<BTreeSet<_>>().len()
        });
        expect("setup", buckets == half_open as usize, || "the walkers share a bucket".into());
        let charged = pot.charges();
        expect("charged", charged == 0, || format!("{charged} half-open requests are charged"));
        outcome("walked");
        check_all_free(pot, half_open);
    }
}

/// Most preemptions: a whole close, or two walks of three owners, at the fine grain.
///
/// Without a bound, and as clean: the release of a chain, 198,909 interleavings, in a minute.
const BOUND: u8 = 3;

fn bounded(name: &'static str) -> Race {
    Race { bound: Some(BOUND), ..Race::named(name) }
}

/// 1. T1 resets a request of A: it loads the link of A's owner, which leads to A.
/// 2. T2 closes A: A's owner is handed to B's, with A's charges.
/// 3. T1 takes a reference on A, or none; locks A's queue, sees that the owner leads elsewhere, and walks
///    again, to B; or it was first, and takes the charge from A.
#[test]
fn walk_against_a_root_that_hands_on() {
    let race = bounded("walk_against_a_root_that_hands_on");
    race.explore(walk::<Loom<Fine>>(Against::Root)).holds(&["handed over", "walked"]);
}

/// 1. A has closed: its owner leads to C's, and C's to C.
/// 2. T1 resets a request of A: it walks to C.
/// 3. T2 closes C, which hands on to B.
/// 4. T1 finds C, or B; whatever it walked over has a reference of the link before it, or is walked again.
#[test]
fn walk_against_an_heir_that_hands_on() {
    let race = bounded("walk_against_an_heir_that_hands_on");
    race.explore(walk::<Loom<Fine>>(Against::Heir)).holds(&["handed over", "walked"]);
}

/// 1. A and C have closed: A's owner leads to C's, C's to B's, B's to B.
/// 2. T1 resets one request of A: it walks to B, and makes A's owner lead to B's at once.
/// 3. T2 resets another and has come as far as C's owner, which nothing refers to any more: it loads a link
///    again, or has its reference.
#[test]
fn walk_against_compression() {
    let race = bounded("walk_against_compression");
    race.explore(walk::<Loom<Fine>>(Against::Walker)).holds(&["handed over", "walked"]);
}

/// 1. A and C have closed: A's owner leads to C's, C's to B's, B's to B.
/// 2. T1 resets one request of A, and has loaded the link of A's owner, which leads to C's.
/// 3. T2 resets another: A's owner leads to B's at once, and C's is free.
/// 4. T2 opens D, whose owner gets the slot that C's had, and leads to D.
/// 5. T1 takes a reference on what is in that slot: the link it came by does not lead there any more.
#[test]
fn walk_against_an_owner_whose_slot_has_another() {
    let race = bounded("walk_against_an_owner_whose_slot_has_another");
    race.explore(walk::<Loom<Fine>>(Against::Recycler)).holds(&["handed over", "walked"]);
}

/// 1. A and C have closed, and T1's request is the last that refers to A's owner.
/// 2. T1 resets it: with the request goes A's owner, with that C's, and a reference of B's.
/// 3. T2 closes B, the last: it asks whether its owner is referred to by others, and lets go of it.
/// 4. Whoever is last frees B's owner; every owner is free in the end.
#[test]
fn release_of_a_chain_against_its_end_that_closes() {
    let race = bounded("release_of_a_chain_against_its_end_that_closes");
    race.explore(walk::<Loom<Fine>>(Against::End)).holds(&["handed over", "walked"]);
}

/// The same with an increment that revives what is gone, without locks, and with a queue that moves without
/// its owner.
#[test]
fn walk_controls() {
    use Against::{Heir, Recycler, Root, Walker};
    let race = |name, faults| Race { name, faults, bound: Some(3) };
    let torn = race("control: compression, torn increment", &[]);
    torn.explore(walk::<Unwatched<TornIncrement>>(Walker)).notices("free");
    let again = race("control: slot has another", &[Fault::SlotNotOwner]);
    again.explore(walk::<Loom<Fine>>(Recycler)).notices("charged");
    race("control: root, no locks", &[]).races(walk::<Unlocked>(Root));
    for (name, against) in [("control: root not handed", Root), ("control: heir not handed", Heir)] {
        race(name, &[Fault::OwnerNotHanded]).explore(walk::<Loom<Fine>>(against)).notices("free");
    }
}
