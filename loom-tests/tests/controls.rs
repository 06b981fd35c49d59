//! Every check can fail: each property has a fault that breaks it and a model that notices.

use loom_tests::designs::COLUMNS;
use loom_tests::expected::races;
use loom_tests::faults::CONTROLS;
use loom_tests::property::Property;

#[test]
fn every_seeded_fault_is_caught_by_the_property_it_breaks_and_by_nothing_without_it() {
    for control in CONTROLS {
        let (with, without) = (control.planted(), control.unplanted());
        assert!(with.verdict(control.breaks).is_broken(), "{control:?} was not caught");
        assert!(without.verdict(control.breaks).holds(), "{control:?} is caught without being there");
    }
}

#[test]
fn every_property_has_a_fault() {
    for property in Property::ALL {
        // What notices I14 is tested in `observer`. Of what a design breaks by what it is, the design is
        // the control: the matrix fails if it is not found.
        let planted = CONTROLS.iter().any(|c| c.breaks == property) || property == Property::I14;
        let by_design = COLUMNS.iter().any(|c| c.in_matrix && races(c.name, property).next().is_some());
        assert!(planted || by_design, "{} has never failed", property.name());
    }
}

#[test]
fn a_run_that_is_cut_short_never_reads_as_a_pass() {
    use loom_tests::explore::{Settings, explore};
    use loom_tests::{designs, scenario};
    let column = designs::by_name("clone").unwrap();
    let scenario = scenario::by_name("closer_two_arrivals").unwrap();
    let settings = Settings { max_time: Some(std::time::Duration::from_millis(50)), ..Settings::default() };
    let exploration = explore(column, scenario, settings);
    for (property, verdict) in &exploration.verdicts {
        assert!(!verdict.holds(), "{} reads as a pass: {verdict:?}", property.name());
    }
    assert!(!loom_tests::expected::differences(&[exploration]).is_empty());
}

#[test]
fn a_deadlock_is_a_value_with_both_sites_and_leaves_the_process_whole() {
    use loom_tests::verdict::Verdict;
    let control = CONTROLS.iter().find(|c| c.breaks == Property::Deadlock).unwrap();
    let exploration = control.planted();
    let Verdict::Deadlock { cycle, interleaving, .. } = exploration.verdict(Property::Deadlock) else {
        panic!("no deadlock: {:?}", exploration.verdict(Property::Deadlock));
    };
    assert_eq!(cycle.cycle.len(), 2);
    for waiter in &cycle.cycle {
        assert_ne!(waiter.holds.key, waiter.wants.key);
        assert!(
            waiter.taken_at.file().ends_with("splice.rs") && waiter.asked_at.file().ends_with("splice.rs")
        );
    }
    assert!(!interleaving.records.is_empty());
    assert!(
        exploration.verdicts.iter().all(|(_, verdict)| !verdict.holds()),
        "the exploration was cut short"
    );
    assert!(control.unplanted().verdict(Property::Deadlock).holds());
}
