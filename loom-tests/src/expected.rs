//! What every exploration has to say, so that a change of a verdict is a failure and not a footnote.

use crate::explore::Exploration;
use crate::property::Property::{self, I5, I10, I11, I12, I22};

/// Returns the properties that a design does not have in a scenario.
#[must_use]
pub fn broken(design: &str, scenario: &str) -> Vec<Property> {
    let mut broken = match design {
        "abort" => vec![],
        "splice" => splice(scenario),
        "clone-5.14" if scenario != "last_member_arrival" => vec![I10],
        "clone-naive-wake" if naive_wake_misses(scenario) => vec![I10],
        _ => vec![],
    };
    if loses(design, scenario) {
        broken.push(I11);
    }
    broken
}

/// Where a connection is lost although a member listens throughout.
fn loses(design: &str, scenario: &str) -> bool {
    match design {
        // Whatever waits on a listener that closes; in the others nobody stays.
        "abort" => !["two_closers", "last_member_arrival"].contains(&scenario),
        // What arrives between the splice and CLOSE.
        "splice" => matches!(
            scenario,
            "closer_late_arrival"
                | "shutdown_listen_again_arrival"
                | "closer_late_arrival_accept_on_target"
                | "two_closers_arrival"
        ),
        "requeue" => false,
        // One try: the target closes between the choice and the addition. Late arrivals are kept.
        _ => matches!(
            scenario,
            "closer_closer_of_target" | "two_closers_arrival" | "two_closers_accept_on_target"
        ),
    }
}

fn splice(scenario: &str) -> Vec<Property> {
    match scenario {
        // Nobody to splice onto.
        "last_member_arrival" => vec![],
        // No natives to overtake, and one closer, whose id is the lower one.
        "closer_accept" => vec![I5, I10],
        "closer_late_arrival"
        | "closer_accept_on_target"
        | "shutdown_listen_again_arrival"
        | "closer_late_arrival_accept_on_target" => vec![I5, I10, I12],
        "two_closers_accept_on_target" => vec![I5, I10, I22],
        _ => vec![I5, I10, I12, I22],
    }
}

/// Where an accept, or a close of the target, can free the request before the wake-up looks at it.
fn naive_wake_misses(scenario: &str) -> bool {
    !matches!(
        scenario,
        "closer_late_arrival"
            | "closer_accept_on_target"
            | "shutdown_listen_again_arrival"
            | "last_member_arrival"
    )
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
        .filter_map(|(property, broken, holds)| difference(design, scenario, property, broken, holds))
        .collect()
}

/// Returns how one verdict, broken or holding or neither, differs from what is expected.
#[must_use]
pub fn difference(
    design: &str,
    scenario: &str,
    property: Property,
    is_broken: bool,
    holds: bool,
) -> Option<String> {
    let what = match (is_broken, broken(design, scenario).contains(&property)) {
        (true, false) => "is broken, expected to hold",
        (false, true) => "was not found broken",
        (false, false) if !holds => "was not explored to the end",
        _ => return None,
    };
    Some(format!("{} {what}, in {scenario} under {design}", property.name()))
}
