//! Seeds: the races of `loom-tests`, under each design, with a few schedules.

use super::Input;
use super::program::{CONNECTIONS, DESIGNS, LISTENERS, MOST, Program, THREADS};
use loom_tests::scenario::{SCENARIOS, Scenario};
use rskq::Timers;

/// Schedules: one after the other, each in turns, and between.
const SCHEDULES: [&[u8]; 4] =
    [&[], &[0; 24], &[1, 2, 0, 1, 2, 0, 1, 2, 0], &[0x41, 0x22, 0x10, 0x31, 0x52, 0x20]];

/// Returns every seed, the same each time.
#[must_use]
pub fn all() -> Vec<Vec<u8>> {
    let fit = SCENARIOS.iter().filter(|scenario| fits(scenario));
    let programs = fit.flat_map(|scenario| DESIGNS.map(|design| program(scenario, design)));
    let inputs = programs.flat_map(|program| {
        SCHEDULES.map(|choices| Input { program: program.clone(), choices: choices.to_vec() })
    });
    inputs.map(|input| input.bytes()).collect()
}

fn fits(scenario: &Scenario) -> bool {
    let longest = scenario.threads.iter().chain([&scenario.before]).map(|ops| ops.len()).max();
    scenario.listeners as usize <= LISTENERS
        && scenario.connections() <= CONNECTIONS
        && scenario.threads.len() <= THREADS
        && longest <= Some(MOST)
}

fn program(scenario: &Scenario, design: &'static str) -> Program {
    Program {
        design,
        someone_stays: scenario.someone_stays(),
        polled: scenario.timers != Timers::Embedder,
        defer_accept: scenario.defer_accept,
        fastopen: scenario.fastopen.max(1),
        before: scenario.before.to_vec(),
        threads: scenario.threads.iter().map(|ops| ops.to_vec()).collect(),
    }
}
