//! What every exploration has to say, so that a change of a verdict is a failure and not a footnote.
//!
//! A table for each design: a property, and the races in which it is broken. What is not in it holds.

mod clones;
mod one_by_one;
mod splices;

use crate::explore::Exploration;
use crate::property::Property;
use crate::scenario;
use clones as c;

/// The properties that a design does not have, each with the names of the races that show it.
type Table = &'static [(Property, &'static str)];

/// Returns a design's tables. The merged design without one of its fixes has what it has with all of them,
/// and more.
fn tables(design: &str) -> [Table; 2] {
    match design {
        "abort" => [one_by_one::ABORT, &[]],
        "splice" => [splices::SPLICE, &[]],
        "splice-tfo" => [splices::SPLICE_TFO, &[]],
        "in-place" => [one_by_one::IN_PLACE, &[]],
        "splice-nested" => [splices::SPLICE_NESTED, &[]],
        "relabel" => [splices::RELABEL, &[]],
        "requeue-naive" => [one_by_one::REQUEUE_NAIVE, &[]],
        "clone-5.14" => [c::CLONE, c::CLONE_5_14],
        "clone-naive-wake" => [c::CLONE, c::CLONE_NAIVE_WAKE],
        "clone-without-A2" => [c::CLONE, c::WITHOUT_A2],
        "clone-without-A3" => [c::CLONE, c::WITHOUT_A3],
        "clone-without-A4" => [c::CLONE, c::WITHOUT_A4],
        "clone-without-A5" => [c::CLONE, c::WITHOUT_A5],
        "clone-without-A6" => [c::CLONE, c::WITHOUT_A6],
        "clone-without-A7" => [c::CLONE, c::WITHOUT_A7],
        "clone-without-B6" => [c::CLONE, c::WITHOUT_B6],
        "clone" => [c::CLONE, &[]],
        "linux" => [one_by_one::LINUX, &[]],
        "requeue" => [one_by_one::REQUEUE, &[]],
        "handover" => [one_by_one::HANDOVER, &[]],
        _ => [&[], &[]],
    }
}

/// Returns the races in which a design does not have a property.
pub fn races(design: &str, property: Property) -> impl Iterator<Item = &'static str> {
    let of_property = tables(design).into_iter().flatten().filter(move |(broken, _)| *broken == property);
    of_property.flat_map(|(_, races)| races.split_whitespace())
}

/// Returns the properties that a design does not have in a scenario.
#[must_use]
pub fn broken(design: &str, scenario: &str) -> Vec<Property> {
    let in_scenario = |&property: &Property| races(design, property).any(|race| race == scenario);
    Property::ALL.into_iter().filter(in_scenario).collect()
}

/// Returns how the explorations differ from what is expected, a sentence each.
#[must_use]
pub fn differences(explorations: &[Exploration]) -> Vec<String> {
    explorations.iter().flat_map(of_one).collect()
}

fn of_one(exploration: &Exploration) -> Vec<String> {
    let (design, scenario) = (exploration.column.name, exploration.scenario.name);
    let verdicts = exploration.verdicts.iter();
    let known = verdicts.map(|(property, verdict)| (*property, verdict.is_broken(), verdict.holds()));
    known
        .filter_map(|(property, broken, holds)| {
            difference((design, scenario, exploration.bound), property, broken, holds)
        })
        .collect()
}

/// Tells whether a bound is below the one within which the tables say what is broken.
fn is_shallow(bound: Option<u8>, scenario: &str) -> bool {
    let own = scenario::by_name(scenario).and_then(|scenario| scenario.bound);
    matches!((bound, own), (Some(bound), Some(own)) if bound < own)
}

/// Returns how one verdict of an exploration, by design, scenario and bound, differs from what is expected:
/// broken or holding or neither. Within fewer preemptions than the tables are for, what is broken need not be
/// found.
#[must_use]
pub fn difference(
    (design, scenario, bound): (&str, &str, Option<u8>),
    property: Property,
    is_broken: bool,
    holds: bool,
) -> Option<String> {
    let what = match (is_broken, broken(design, scenario).contains(&property)) {
        (true, false) => "is broken, expected to hold",
        (false, true) if !is_shallow(bound, scenario) => "was not found broken",
        (false, _) if !holds => "was not explored to the end",
        _ => return None,
    };
    Some(format!("{} {what}, in {scenario} under {design}", property.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::designs::COLUMNS;
    use std::collections::BTreeSet;

    #[test]
    fn every_race_is_a_scenario_and_told_once() {
        for column in COLUMNS {
            for property in Property::ALL {
                let mut told = BTreeSet::new();
                for race in races(column.name, property) {
                    assert!(scenario::by_name(race).is_some(), "{race}, of {}", column.name);
                    assert!(told.insert(race), "{race} twice, of {} and {}", column.name, property.name());
                }
            }
        }
    }

    #[test]
    fn what_is_broken_has_to_be_found_only_within_its_bound() {
        let deep = ("splice", "two_closers_arrival_accept", Some(2));
        let shallow = ("splice", "two_closers_arrival_accept", Some(1));
        assert!(broken(deep.0, deep.1).contains(&Property::I11));
        assert!(difference(deep, Property::I11, false, true).is_some());
        assert!(difference(shallow, Property::I11, false, true).is_none());
        assert!(difference(shallow, Property::I11, false, false).is_some(), "not explored to the end");
        assert!(difference(shallow, Property::I2, true, false).is_some(), "broken, and expected to hold");
        let unbounded = ("splice", "two_closers", None);
        assert!(difference(unbounded, Property::I5, false, true).is_some());
    }

    #[test]
    fn every_design_of_the_discussion_breaks_something() {
        for column in COLUMNS.iter().filter(|column| column.name != "handover") {
            assert!(!tables(column.name)[0].is_empty(), "{} has no table", column.name);
        }
    }
}
