//! `controls`: every check can fail.

use loom_tests::faults::CONTROLS;
use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    let mut missed = 0;
    for control in CONTROLS {
        let without = control.unplanted();
        let with = control.planted();
        let caught = with.verdict(control.breaks).is_broken() && without.verdict(control.breaks).holds();
        missed += usize::from(!caught);
        println!(
            "{:8} {:62} {} (after {} interleavings of {} under {})",
            control.breaks.name(),
            control.title,
            if caught { "caught" } else { "NOT CAUGHT" },
            with.interleavings,
            control.scenario,
            control.design
        );
    }
    println!("{} of {} seeded faults caught", CONTROLS.len() - missed, CONTROLS.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
