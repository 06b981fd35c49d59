//! A difference that was planted is found, becomes as short as it can be, and replays.

use super::{Random, header};
use linux_oracle::engine::LINUX;
use linux_oracle::episode::Episode;
use linux_oracle::live::run::Diverging;
use linux_oracle::live::shrink::shrink_with;
use linux_oracle::summary::{Field, differences};
use linux_oracle::trace::{EpisodeStart, Operation};
use linux_oracle::{replay, replay_with};
use rskq::Design;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Does operations on a stack as Linux is and on one with the planted difference.
fn against(design: Design, start: EpisodeStart, operations: &[Operation]) -> Option<Diverging> {
    let header = header(0);
    let (mut linux, mut other) = (Episode::new(&header, start, LINUX), Episode::new(&header, start, design));
    let mut done = Vec::new();
    for &operation in operations {
        // What makes no sense any more is no episode.
        let (shown, got) = (linux.step(operation).ok()?, other.step(operation).ok()?);
        let fields = differences(&shown, &got);
        done.push((operation, shown));
        if !fields.is_empty() {
            return Some(Diverging { start, done, fields });
        }
    }
    None
}

fn shrunk(design: Design, diverging: Diverging) -> Diverging {
    let again = |start, operations: &[Operation]| Ok::<_, Infallible>(against(design, start, operations));
    let Ok(least) = shrink_with(diverging, again);
    least
}

/// Returns the first `count` random episodes that find a difference.
fn finding(design: Design, count: usize) -> Vec<Diverging> {
    let mut random = Random::new(5, true);
    let episodes = std::iter::repeat_with(|| random.episode()).take(10_000);
    let found = episodes.filter_map(|(start, done)| {
        let operations: Vec<Operation> = done.into_iter().map(|(operation, _)| operation).collect();
        against(design, start, &operations)
    });
    found.take(count).collect()
}

#[test]
fn no_operation_of_a_shrunk_episode_can_be_left_out() {
    for design in [Design::Abort, Design::Splice] {
        let found = finding(design, 10);
        assert_eq!(found.len(), 10, "{design:?}");
        for diverging in found {
            let whole = diverging.done.len();
            let least = shrunk(design, diverging);
            let operations: Vec<Operation> = least.done.iter().map(|(operation, _)| *operation).collect();
            assert!(operations.len() <= whole);
            for left_out in 0..operations.len() {
                let mut fewer = operations.clone();
                fewer.remove(left_out);
                assert!(against(design, least.start, &fewer).is_none(), "{design:?}: {operations:#?}");
            }
        }
    }
}

/// To abort what a listener leaves behind takes a listener with a connection, another one, and the close.
#[test]
fn the_least_episode_of_a_planted_difference_is_found() {
    let least = finding(Design::Abort, 30).into_iter().map(|it| shrunk(Design::Abort, it));
    let mut lengths = BTreeMap::<usize, usize>::new();
    for it in least {
        let last = it.done.last().expect("not empty").0;
        let leaves = matches!(last, Operation::Close { .. } | Operation::Shutdown { .. });
        assert!(!leaves || it.done.len() <= 8, "{:#?}", it.done);
        *lengths.entry(it.done.len()).or_default() += 1;
    }
    assert!(lengths.first_key_value().is_some_and(|(&least, _)| least <= 4), "{lengths:?}");
}

#[test]
fn what_is_written_replays_with_the_same_difference_and_agrees_with_linux() {
    for diverging in finding(Design::Abort, 20) {
        let least = shrunk(Design::Abort, diverging);
        let trace = least.trace(&header(0));
        let summary = replay_with(trace.as_bytes(), Design::Abort).expect("readable");
        let [divergence] = &summary.divergences[..] else { panic!("{trace}") };
        assert_eq!(divergence.fields, least.fields);
        // After the header and the episode's line.
        assert_eq!(divergence.line, least.done.len() as u64 + 2);
        assert!(divergence.fields.iter().any(|it| it.field != Field::Result), "{divergence}");
        assert_eq!(replay(trace.as_bytes()).expect("readable").divergences, []);
    }
}

/// The control: where nothing differs nothing is found, however long it runs.
#[test]
fn the_same_design_never_differs() {
    let mut random = Random::new(6, true);
    for _ in 0..200 {
        let (start, done) = random.episode();
        let operations: Vec<Operation> = done.into_iter().map(|(operation, _)| operation).collect();
        assert!(against(LINUX, start, &operations).is_none());
    }
}
