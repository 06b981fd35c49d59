//! An exploration in a process of its own.
//!
//! The checker maps and unmaps a stack for each thread of each execution, and threads of one process wait for
//! each other there: two explorations in one process take nearly as long as one after the other. The long ones
//! of the full matrix get a process each.

use super::report::Report;
use std::io::{Error, Result};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The command that explores a model in another process of this program.
///
/// # Errors
///
/// If the program does not know where it is.
pub fn command(
    design: &str,
    scenario: &str,
    bound: Option<u8>,
    max_time: Option<Duration>,
) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["model", design, scenario]);
    if let Some(bound) = bound {
        command.args(["--bound", &bound.to_string()]);
    }
    if let Some(left) = max_time {
        // Up to the next second, so that there is time for one execution.
        command.args(["--max-time", &(left.as_secs() + 1).to_string()]);
    }
    Ok(command)
}

/// Explores a model in another process of this program, by its command `model`.
pub(super) fn explore(
    design: &str,
    scenario: &str,
    bound: Option<u8>,
    max_time: Option<Duration>,
) -> Result<Report> {
    let mut command = command(design, scenario, bound, max_time)?;
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        let failed = format!("{design}::{scenario}: its process ended with {}", output.status);
        return Err(Error::other(failed));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
