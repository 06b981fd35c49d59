//! What is kept of an exploration: enough for the matrix, for JSON and for the state file.

use crate::designs::Column;
use crate::expected;
use crate::explore::Exploration;
use crate::property::Property;
use crate::scenario::Scenario;
use crate::verdict::Kind;
use serde::{Deserialize, Serialize};

/// The verdicts of one scenario under one design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The design's name.
    pub design: String,
    /// The scenario's name.
    pub scenario: String,
    /// The bound on preemptions, if there was one.
    pub preemption_bound: Option<u8>,
    /// How many interleavings were explored.
    pub interleavings: u64,
    /// How long that took.
    pub seconds: f64,
    /// The verdict on each property, in the order of [`Property::ALL`].
    pub verdicts: Vec<Said>,
}

/// The verdict on one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The property's name.
    pub property: String,
    /// The verdict.
    pub verdict: Kind,
    /// How many interleavings were explored.
    pub interleavings: u64,
    /// In how many of them the property does not hold.
    pub broken: u64,
    /// What was seen where it does not hold.
    pub text: Option<String>,
}

impl Report {
    /// Says of a model that there was no time for it.
    pub(super) fn not_begun(column: Column, scenario: &Scenario, preemption_bound: Option<u8>) -> Self {
        let said = |property: Property| Said {
            property: property.name().to_owned(),
            verdict: Kind::TimedOut,
            interleavings: 0,
            broken: 0,
            text: None,
        };
        Self {
            design: column.name.to_owned(),
            scenario: scenario.name.to_owned(),
            preemption_bound,
            interleavings: 0,
            seconds: 0.0,
            verdicts: Property::ALL.iter().copied().map(said).collect(),
        }
    }

    /// Returns a model's name, as the tests have it.
    #[must_use]
    pub fn model(&self) -> String {
        model(&self.design, &self.scenario)
    }

    /// Returns the verdict on a property.
    #[must_use]
    pub fn verdict(&self, property: Property) -> Option<&Said> {
        self.verdicts.iter().find(|said| said.property == property.name())
    }

    /// Tells whether the exploration came to an end of its own.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.verdicts.iter().all(|said| said.verdict != Kind::TimedOut)
    }

    /// Says what is missing, if the exploration did not come to an end of its own.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let model = self.model();
        let why = match self.interleavings {
            0 => format!("{model} was not begun"),
            count => format!("{model} was stopped after {count} interleavings"),
        };
        (!self.is_finished()).then_some(why)
    }

    /// Tells whether there is a verdict on each property of today.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        Property::ALL.iter().copied().all(|property| self.verdict(property).is_some())
    }

    /// Returns how the verdicts differ from what is expected; what was stopped is told as missing.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let model = (&*self.design, &*self.scenario, self.preemption_bound);
        let difference = |said: &Said| {
            let property = Property::by_name(&said.property)?;
            let (broken, holds) = (said.verdict.is_broken(), said.verdict.holds());
            (said.verdict != Kind::TimedOut).then(|| expected::difference(model, property, broken, holds))?
        };
        self.verdicts.iter().filter_map(difference).collect()
    }

    /// Returns the verdicts as lines of JSON.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.verdicts.iter().map(|said| Line {
            design: &self.design,
            scenario: &self.scenario,
            said,
            preemption_bound: self.preemption_bound,
            seconds: self.seconds,
            relies_on: ["reference counts", "slab free lists"],
        })
    }
}

/// Returns the name of the model of a scenario under a design.
#[must_use]
pub fn model(design: &str, scenario: &str) -> String {
    format!("{design}::{scenario}")
}

impl From<&Exploration> for Report {
    fn from(exploration: &Exploration) -> Self {
        let said = |(property, verdict): &(Property, crate::verdict::Verdict)| Said {
            property: property.name().to_owned(),
            verdict: verdict.kind(),
            interleavings: verdict.interleavings(),
            broken: verdict.broken(),
            text: verdict.interleaving().map(|interleaving| interleaving.text.clone()),
        };
        Self {
            design: exploration.column.name.to_owned(),
            scenario: exploration.scenario.name.to_owned(),
            preemption_bound: exploration.bound,
            interleavings: exploration.interleavings,
            seconds: (exploration.elapsed.as_secs_f64() * 1e3).round() / 1e3,
            verdicts: exploration.verdicts.iter().map(said).collect(),
        }
    }
}

/// One verdict as a line of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    design: &'a str,
    scenario: &'a str,
    #[serde(flatten)]
    said: &'a Said,
    preemption_bound: Option<u8>,
    seconds: f64,
    /// The pieces that ran as single steps, each proved by models of its own.
    relies_on: [&'static str; 2],
}
