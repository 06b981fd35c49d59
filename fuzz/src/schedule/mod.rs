//! Two or three threads on a stack in a model, and a schedule: so that what is new in an interleaving guides the
//! search for the next.
//!
//! Worlds, observer and properties are those of `loom-tests`. What a program may contain is in [`program`], how
//! bytes become one in [`bytes`], how they choose who runs in [`choices`].

mod bytes;
mod choices;
mod program;
pub mod seeds;

pub use program::Program;

use crate::crash;
use choices::Choices;
use loom_tests::observer;
use loom_tests::property::Property;
use loom_tests::schedule::{config, execute};
use loom_tests::world::World;
use rskq::sync::Fault;
use rskq::sync::model::{self, Finding, Fine};
use rskq::sync::shuttle::Shuttle;
use shuttle::Runner;
use std::fmt;
use std::sync::{Arc, Mutex};

/// A program, and who runs when.
#[derive(Clone)]
pub struct Input {
    /// What the threads do.
    pub program: Program,
    /// Whom to go on with, and for how long: see [`Choices`].
    pub choices: Vec<u8>,
}

/// A test for `fuzz/tests/regressions.rs`.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, choices } = self;
        writeln!(f, "#[test]\nfn found_by_fuzzing() {{\n    let program = {program:?};")?;
        write!(f, "    Input {{ program, choices: vec!{choices:?} }}.run(&[]);\n}}")
    }
}

impl Input {
    /// Runs the schedule with `faults` planted; whatever does not hold is a panic, before which the test is
    /// printed that panics in the same way.
    ///
    /// # Panics
    ///
    /// See above.
    pub fn run(&self, faults: &'static [Fault]) {
        crash::tell(self, || {
            let findings = self.findings(faults);
            assert!(findings.is_empty(), "{}", findings.join("; "));
        });
    }

    /// Runs the schedule, and returns what did not hold.
    fn findings(&self, faults: &'static [Fault]) -> Vec<String> {
        let found = Arc::new(Mutex::new(Vec::new()));
        let (finds, program) = (Arc::clone(&found), self.program.clone());
        let ran = Runner::new(Choices::new(self.choices.clone()), config()).run(move || {
            model::begin(faults);
            let scenario = program.scenario();
            let world = World::<Shuttle<Fine>>::staged(scenario, program.column().design, observer::step);
            world.run_all(&program.before);
            execute(&world, program.threads.iter().cloned());
            let failed = model::take(|_, findings| {
                let failed = findings.iter().filter(|finding| !program.tolerates(finding));
                failed.map(|finding| format!("{}: {}", finding.property, finding.text)).collect()
            });
            *finds.lock().expect("nobody panics with it") = failed;
        });
        assert_eq!(ran, 1, "one schedule");
        std::mem::take(&mut *found.lock().expect("nobody panics with it"))
    }
}

impl Program {
    /// Tells whether a finding is what the design is known for.
    fn tolerates(&self, finding: &Finding) -> bool {
        let by_design: &[Property] = match self.design {
            "handover" => &[],
            "requeue" => &[Property::H1],
            // Who finds no place is reset.
            _ => &[Property::H1, Property::I11],
        };
        by_design.iter().any(|property| property.name() == finding.property)
    }
}
