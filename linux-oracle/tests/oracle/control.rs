//! Negative controls: what disagrees is found, in every field.

use super::RECORDED;
use linux_oracle::embedded::TRACES;
use linux_oracle::engine::SHOWN_BEFORE;
use linux_oracle::summary::{Divergence, Field};
use linux_oracle::{Summary, replay, replay_with};
use rskq::Design;
use serde_json::{Value, json};

type Alter = fn(&mut Value);

/// Alters the first fitting line and returns what is found: one divergence, there, in one field.
#[track_caller]
fn altered(which: impl Fn(&Value) -> bool, alter: impl FnOnce(&mut Value)) -> (Field, Divergence) {
    let mut text = RECORDED[0].clone();
    let index = text.find(which);
    text.alter(index, alter);
    text.lines.truncate(index + 50); // quicker, and what comes later is another test's
    let summary = replay(&*text.bytes()).expect("readable");
    let [divergence] = &summary.divergences[..] else {
        panic!("{} divergences", summary.divergences.len());
    };
    assert_eq!(divergence.line, index as u64 + 1);
    assert_eq!(divergence.text, text.lines[index]);
    let [difference] = &divergence.fields[..] else { panic!("{:?}", divergence.fields) };
    assert_ne!(difference.expected, difference.got);
    (difference.field, divergence.clone())
}

#[test]
fn a_result_that_differs_is_found() {
    let results = [
        (json!("established"), json!("dropped")),
        (json!("dropped"), json!("established")),
        (json!("refused"), json!("dropped")),
        (json!("again"), json!("invalid")),
        (json!("invalid"), json!("again")),
        (json!("ok"), json!("invalid")),
    ];
    for (was, is) in results {
        let (field, _) = altered(|line| line["result"] == was, |line| line["result"] = is);
        assert_eq!(field, Field::Result);
    }
}

#[test]
fn another_connection_accepted_is_found() {
    let (field, _) = altered(
        |line| line["result"]["child"] == "established",
        |line| line["result"]["accepted"] = json!(1),
    );
    assert_eq!(field, Field::Result);
}

#[test]
fn a_child_in_another_state_is_found() {
    for (was, is) in [("established", "reset"), ("peer_closed", "established"), ("reset", "peer_closed")] {
        let (field, _) =
            altered(|line| line["result"]["child"] == was, |line| line["result"]["child"] = is.into());
        assert_eq!(field, Field::Result);
    }
}

#[test]
fn a_counter_that_differs_is_found() {
    for name in ["ListenOverflows", "ListenDrops", "TCPMigrateReqSuccess", "TCPMigrateReqFailure"] {
        let grows = |line: &Value| line["counters"][name].is_u64();
        let more =
            |line: &mut Value| line["counters"][name] = (line["counters"][name].as_u64().unwrap() + 1).into();
        assert_eq!(altered(grows, more).0, Field::Counters);
        let not = |line: &mut Value| drop(line["counters"].as_object_mut().unwrap().remove(name));
        assert_eq!(altered(grows, not).0, Field::Counters);
        let stays = |line: &Value| line.get("counters").is_none();
        assert_eq!(altered(stays, |line| line["counters"] = json!({ name: 1 })).0, Field::Counters);
    }
}

#[test]
fn a_counter_that_the_stack_does_not_keep_is_found() {
    let (field, _) =
        altered(|line| line["op"] == "close", |line| line["counters"]["EmbryonicRsts"] = json!(1));
    assert_eq!(field, Field::Counters);
}

#[test]
fn a_listener_that_differs_is_found() {
    let first = |line: &Value| line["listeners"].as_object().and_then(|all| all.keys().next().cloned());
    let shown = |line: &mut Value| {
        let first = first(line).unwrap();
        line["listeners"][first].take()
    };
    let show = |line: &mut Value, shown| {
        let first = first(line).unwrap();
        line["listeners"][first] = shown;
    };
    let alterations: [Alter; 3] = [
        |shown| shown[0] = (shown[0].as_u64().unwrap() + 1).into(), // as if one more waited
        |shown| shown[1] = (shown[1].as_u64().unwrap() + 1).into(), // as if the backlog were larger
        |shown| *shown = json!("shut"),
    ];
    for alter in alterations {
        let listens = |line: &Value| first(line).is_some_and(|first| line["listeners"][first].is_array());
        let (field, _) = altered(listens, |line| {
            let mut altered = shown(line);
            alter(&mut altered);
            show(line, altered);
        });
        assert_eq!(field, Field::Listeners);
    }
    let shut = |line: &Value| first(line).is_some_and(|first| line["listeners"][first] == "shut");
    let (field, _) = altered(shut, |line| show(line, json!([0, 0])));
    assert_eq!(field, Field::Listeners);
    let (field, _) = altered(shut, |line| line["listeners"].as_object_mut().unwrap().clear());
    assert_eq!(field, Field::Listeners);
    let (field, _) = altered(|line| line["op"] == "close", |line| line["listeners"]["77"] = json!("shut"));
    assert_eq!(field, Field::Listeners);
}

#[test]
fn a_reset_that_differs_is_found() {
    let some = |line: &Value| line["reset"].as_array().is_some_and(|reset| reset.len() > 1);
    let alterations: [fn(&mut Vec<Value>); 3] =
        [|reset| drop(reset.pop()), |reset| reset.push(json!(65_535)), |reset| reset.reverse()];
    for alter in alterations {
        assert_eq!(altered(some, |line| alter(line["reset"].as_array_mut().unwrap())).0, Field::Reset);
    }
    let (field, _) = altered(some, |line| drop(line.as_object_mut().unwrap().remove("reset")));
    assert_eq!(field, Field::Reset);
    let none = |line: &Value| line["op"] == "connect" && line.get("reset").is_none();
    assert_eq!(altered(none, |line| line["reset"] = json!([line["conn"]])).0, Field::Reset);
}

/// Wherever in its episode, in every episode, in every field.
#[test]
fn one_altered_operation_in_every_episode_is_found_in_every_episode() {
    let alterations: [(Field, Alter); 4] = [
        (Field::Result, |line| line["result"] = json!("bad_fd")),
        (Field::Counters, |line| line["counters"]["SyncookiesSent"] = json!(9)),
        (Field::Listeners, |line| line["listeners"]["4294967295"] = json!([0, 0])),
        (Field::Reset, |line| line["reset"] = json!([1, 2])),
    ];
    let places: [fn(&[usize]) -> usize; 3] =
        [|of| of[0], |of| of[of.len() / 2], |of| *of.last().expect("not empty")];
    for text in &*RECORDED {
        for place in places {
            let lines: Vec<usize> =
                text.episodes.iter().filter(|of| !of.is_empty()).map(|of| place(of)).collect();
            for (field, alter) in alterations {
                let mut text = text.clone();
                lines.iter().for_each(|&index| text.alter(index, alter));
                let Summary { divergences, .. } = replay(&*text.bytes()).expect("readable");
                let found: Vec<_> = divergences.iter().map(|d| d.line as usize - 1).collect();
                assert_eq!(found, lines);
                assert!(divergences.iter().all(|d| d.fields.iter().map(|f| f.field).eq([field])));
            }
        }
    }
}

#[test]
fn after_a_divergence_the_next_episode_goes_on_and_nothing_is_uncounted() {
    let mut text = RECORDED[0].clone();
    let whole = replay(&*text.bytes()).expect("readable");
    let of = text.episodes.iter().find(|of| of.len() > SHOWN_BEFORE + 2).expect("long enough").clone();
    text.alter(of[SHOWN_BEFORE + 1], |line| line["reset"] = json!([1]));
    let summary = replay(&*text.bytes()).expect("readable");
    let skipped = (of.len() - SHOWN_BEFORE - 2) as u64;
    assert_eq!(summary.replayed, whole.replayed - skipped);
    assert_eq!(summary.operations, whole.operations);
    let lines: Vec<_> = summary.divergences[0].before.iter().map(|(line, _)| *line as usize - 1).collect();
    assert_eq!(lines, of[1..=SHOWN_BEFORE]);
}

#[test]
fn another_design_is_found() {
    for trace in TRACES {
        for design in [Design::Abort, Design::Splice] {
            let Summary { divergences, .. } = replay_with(trace.bytes, design).expect("readable");
            // Designs differ in what leaving LISTEN does to connections, waiting or half open.
            assert!(divergences.len() > 10, "{design:?}");
            for divergence in divergences {
                let line: Value = serde_json::from_str(&divergence.text).expect("JSON");
                let shows = ["close", "shutdown", "data", "data_then_reset", "reset", "fin"];
                assert!(shows.iter().any(|op| line["op"] == *op), "{design:?}: {divergence}");
            }
        }
    }
}
