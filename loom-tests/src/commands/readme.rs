//! `readme`: the matrix between its markers.

use super::matrix::{as_expected, state_of, tell_reused};
use super::{Outcome, deliver};
use clap::Args;
use loom_tests::artifact::Artifact;
use loom_tests::matrix::{self, Depth, Selection};
use loom_tests::readme::{self, Markers};
use std::path::PathBuf;
use std::process::ExitCode;

/// Which file.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The file with the markers.
    #[arg(long, default_value = "README.md")]
    file: PathBuf,
    /// The full matrix, in place of the small one.
    #[arg(long)]
    full: bool,
    /// Write nothing; fail if the file is not what would be written.
    #[arg(long)]
    check: bool,
    /// Take from the state file what an earlier run of this build found, and add to it.
    #[arg(long)]
    resume: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let depth = if arguments.full { Depth::Full } else { Depth::Quick };
    let selection = Selection::whole(depth);
    let mut state = if arguments.resume { Some(state_of(depth)?) } else { None };
    let run = matrix::run(&selection, state.as_mut())?;
    if let Some(state) = &state {
        tell_reused(state, &run);
    }
    let code = as_expected(&run);
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let block = readme::block(&run.reports, &selection.columns());
    let text = Markers::of_matrix().with_block(&std::fs::read_to_string(&arguments.file)?, &block)?;
    deliver(&[Artifact { path: arguments.file.clone(), text }], arguments.check)
}
