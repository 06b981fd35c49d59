//! `order`: the lock-order graph.

use super::{Outcome, deliver};
use clap::Args;
use loom_tests::order::Graph;
use std::path::PathBuf;

/// Where the graph goes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Where the drawing and the Mermaid file go.
    #[arg(long, value_name = "DIRECTORY", default_value = "docs")]
    out: PathBuf,
    /// Write nothing; fail if what is there is not what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    deliver(&Graph::observed().artifacts(&arguments.out), arguments.check)
}
