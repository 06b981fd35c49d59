//! The commands, one file each.

pub(crate) mod controls;
pub(crate) mod explain;
pub(crate) mod figures;
pub(crate) mod list;
pub(crate) mod matrix;
pub(crate) mod model;
pub(crate) mod order;
pub(crate) mod readme;
pub(crate) mod seeded;
pub(crate) mod show;
pub(crate) mod speed;

use loom_tests::artifact::Artifact;
use loom_tests::designs::{self, Column};
use loom_tests::scenario::{self, Scenario};
use std::error::Error;
use std::process::ExitCode;

/// What a command ends with; an error is one of usage or of files.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;

fn design(name: &str) -> Result<Column, String> {
    designs::by_name(name).ok_or_else(|| format!("there is no design {name}; see `list`"))
}

fn scenario(name: &str) -> Result<Scenario, String> {
    scenario::by_name(name).ok_or_else(|| format!("there is no scenario {name}; see `list`"))
}

/// Writes the files and says so; or, to check them, says which are not as they would be written.
fn deliver(artifacts: &[Artifact], check: bool) -> Outcome {
    if !check {
        for artifact in artifacts {
            artifact.write()?;
            println!("{}", artifact.path.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let stale: Vec<_> = artifacts.iter().filter(|artifact| !artifact.is_current()).collect();
    for artifact in &stale {
        eprintln!("{} is stale", artifact.path.display());
    }
    Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
