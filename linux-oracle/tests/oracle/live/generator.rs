//! What the generator makes.

use super::{Done, Random};
use linux_oracle::trace::{Line, Operation, Shown};
use std::collections::BTreeMap;

const OPERATIONS: usize = 100_000;

/// Returns an operation's name in a trace.
fn kind(operation: &Operation) -> String {
    serde_json::to_value(operation).expect("JSON")["op"].as_str().expect("a name").to_owned()
}

fn some(seed: u64, programs: bool, at_least: usize) -> Vec<Done> {
    let mut random = Random::new(seed, programs);
    let mut made = 0;
    let episodes = std::iter::from_fn(|| {
        (made < at_least).then(|| {
            let (_, done) = random.episode();
            made += done.len();
            done
        })
    });
    episodes.collect()
}

/// Every operation makes sense where it stands, no room runs out, and every kind occurs often.
#[test]
fn operations_make_sense_and_every_kind_occurs() {
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut results = BTreeMap::<String, usize>::new();
    for done in some(1, true, OPERATIONS) {
        for (operation, shown) in done {
            *kinds.entry(kind(&operation)).or_default() += 1;
            let result = match &shown.result {
                Shown::Failed { error } => panic!("{operation:?}: {error}"),
                Shown::Accepted { child, .. } => format!("accepted {child:?}"),
                Shown::Word(word) => format!("{word:?}"),
            };
            *results.entry(result).or_default() += 1;
        }
    }
    println!("{kinds:?}\n{results:?}");
    let all = [
        "open",
        "listen",
        "shutdown",
        "close",
        "accept",
        "connect",
        "hold",
        "data",
        "data_then_reset",
        "reset",
        "fin",
        "migrate_req",
        "syncookies",
        "abort_on_overflow",
        "incoming_cpu",
        "cpu",
        "fastopen",
        "defer_accept",
        "program",
        "detach",
        "map",
    ];
    for kind in all {
        assert!(kinds.get(kind).is_some_and(|&count| count >= 100), "{kind}: {kinds:?}");
    }
    // Each takes a second of a kernel's time.
    let timers = kinds.remove("timer").expect("one at least");
    assert!(timers <= OPERATIONS / 10_000, "{timers} timers");
    assert_eq!(kinds.len(), all.len(), "{kinds:?}");
    let words = [
        "Ok",
        "Established",
        "Dropped",
        "Refused",
        "Again",
        "Invalid",
        "Reset",
        "OverflowOrEstablished",
        "AddrInUse",
        "NotFound",
        "Busy",
        "NotConnected",
        "accepted Established",
        "accepted PeerClosed",
        "accepted Reset",
        "accepted SynRecv",
    ];
    for word in words {
        assert!(results.get(word).is_some_and(|&count| count >= 10), "{word}: {results:?}");
    }
}

#[test]
fn without_programs_there_are_none() {
    for (operation, _) in some(2, false, 10_000).into_iter().flatten() {
        let program =
            matches!(operation, Operation::Program { .. } | Operation::Detach { .. } | Operation::Map { .. });
        assert!(!program, "{operation:?}");
    }
}

#[test]
fn a_seed_makes_the_same_and_another_does_not() {
    let lines = |seed| -> Vec<String> {
        let done = some(seed, true, 5_000).into_iter().flatten();
        done.map(|(operation, shown)| Line::Operation(operation, shown).to_string()).collect()
    };
    let first = lines(3);
    assert_eq!(first, lines(3));
    assert_ne!(first, lines(4));
}
