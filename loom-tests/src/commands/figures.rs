//! `record` and `verification`: figures of long runs, and the document that tells them.

use super::{Outcome, deliver};
use clap::Args;
use loom_tests::artifact::Artifact;
use loom_tests::figures::{self, RECORDED, Recorded, source_sum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What to run.
#[derive(Args)]
pub(crate) struct RecordArguments {
    /// Only these; all, if none is named.
    names: Vec<String>,
}

/// Which files.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The document, with the markers.
    #[arg(long, default_value = "VERIFICATION.md")]
    file: PathBuf,
    /// Where the records lie, in `docs/figures`, and the other tables.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Write nothing; fail if the document is not what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn record(arguments: &RecordArguments) -> Outcome {
    let named = |name: &String| Recorded::by_name(name).ok_or_else(|| format!("there is no record {name}"));
    let selected = match &arguments.names[..] {
        [] => RECORDED.to_vec(),
        names => names.iter().map(named).collect::<Result<_, _>>()?,
    };
    let root = Path::new(".");
    for recorded in &selected {
        match recorded.read(root) {
            Ok(Some(last)) => {
                println!("{}: took {} s on {}", recorded.name, last.head.seconds, last.head.date)
            }
            Ok(None) | Err(_) => println!("{}: nobody knows how long it takes", recorded.name),
        }
    }
    let mut all = true;
    for recorded in &selected {
        println!("{}", recorded.command);
        let begin = Instant::now();
        match recorded.run() {
            Ok(record) => {
                record.write(root)?;
                println!("{}: recorded, {:.0} s", recorded.name, begin.elapsed().as_secs_f64());
            }
            Err(error) => {
                all = false;
                eprintln!("{}: NOT recorded: {error}", recorded.name);
            }
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let now = source_sum(Path::new("."))?;
    for recorded in RECORDED {
        if let Some(record) = recorded.read(&arguments.root)?
            && record.head.src != now
        {
            eprintln!("{}: of another src than today's, {}", recorded.name, record.head.date);
        }
    }
    let text = figures::document(&std::fs::read_to_string(&arguments.file)?, &arguments.root)?;
    deliver(&[Artifact { path: arguments.file.clone(), text }], arguments.check)
}
