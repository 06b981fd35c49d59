//! `explain`: one race under one design, in words and as pictures.

use super::Outcome;
use super::show::print_story;
use clap::Args;
use loom_tests::artifact::Artifact;
use loom_tests::explore::{Exploration, Settings, explore};
use loom_tests::faults::CONTROLS;
use loom_tests::picture;
use loom_tests::property::Property;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which race, which of its counterexamples, and where the pictures go.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The design, as in `list`.
    design: String,
    /// The scenario, as in `list`.
    scenario: String,
    /// Only this property; may be given several times.
    #[arg(long)]
    property: Vec<String>,
    /// Plant this seeded fault, by its name in the controls.
    #[arg(long)]
    fault: Option<String>,
    /// Where the pictures go.
    #[arg(long, value_name = "DIRECTORY", default_value = "target/explain")]
    out: PathBuf,
    /// Write nothing; fail if a picture there is not what would be written.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    fn explore(&self) -> Result<Exploration, String> {
        let (column, scenario) = (super::design(&self.design)?, super::scenario(&self.scenario)?);
        let named = |fault: &str| {
            let mut faults = CONTROLS.iter().map(|control| control.fault);
            let found = faults.find(|known| format!("{known:?}") == fault);
            found.ok_or_else(|| format!("no control plants {fault}"))
        };
        let faults: Vec<_> = self.fault.as_deref().map(named).transpose()?.into_iter().collect();
        let settings = Settings { bound: scenario.quick_bound, faults: &faults, ..Settings::default() };
        Ok(explore(column, scenario, settings))
    }

    fn properties(&self) -> Result<Vec<Property>, String> {
        if self.property.is_empty() {
            return Ok(Property::ALL.to_vec());
        }
        let find = |name: &String| Property::by_name(name).ok_or_else(|| format!("no property {name}"));
        self.property.iter().map(find).collect()
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let properties = arguments.properties()?;
    let exploration = arguments.explore()?;
    let pictures: Vec<Artifact> = properties
        .iter()
        .filter_map(|&property| {
            let fault = arguments.fault.as_deref();
            let text = picture::draw(&exploration, property, fault)?;
            let name = picture::file_name(&exploration, property, fault);
            Some(Artifact { path: arguments.out.join(name), text })
        })
        .collect();
    if arguments.check {
        if pictures.is_empty() {
            eprintln!("nothing is broken: there is no picture to compare");
            return Ok(ExitCode::FAILURE);
        }
        return super::deliver(&pictures, true);
    }
    tell(&exploration, &properties);
    super::deliver(&pictures, false)
}

fn tell(exploration: &Exploration, properties: &[Property]) {
    let (scenario, column) = (&exploration.scenario, &exploration.column);
    println!("{} under {}\n{}\n", scenario.name, column.title, scenario.schedule.trim_start_matches('\n'));
    for (property, verdict) in &exploration.verdicts {
        println!(
            "{:10} {} ({} interleavings)",
            property.name(),
            verdict.kind().name(),
            verdict.interleavings()
        );
    }
    println!();
    properties.iter().for_each(|&property| print_story(exploration, property));
}
