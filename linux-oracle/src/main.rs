//! `linux-oracle`: compares `rskq` with a Linux kernel, recorded or live.

mod commands;

use clap::{Parser, Subcommand};
use linux_oracle::error::Malformed;
use linux_oracle::{Summary, Totals, TraceError, replay};
use rayon::prelude::*;
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Does what a trace says on a stack, and compares everything that the kernel showed.
    ///
    /// Exit code: 0 no divergence, 1 a divergence, 2 a trace that cannot be replayed.
    Replay {
        /// One JSON object a file on standard output, and nothing else there.
        #[arg(long)]
        json: bool,
        /// Traces: JSON Lines, compressed by gzip or not.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Does random operations on this system's kernel, in a network namespace of its own, and on a stack,
    /// and compares everything after each.
    ///
    /// Exit code: 0 no divergence, 1 a divergence, 2 an error, 77 where the system does not allow it.
    Live(commands::LiveArguments),
    /// Does random operations on this system's kernel, and writes what it shows as a trace.
    ///
    /// Exit code: as of live.
    Record(commands::RecordArguments),
}

fn main() -> ExitCode {
    let (json, files) = match Arguments::parse().command {
        Command::Replay { json, files } => (json, files),
        Command::Live(arguments) => return commands::live(&arguments),
        Command::Record(arguments) => return commands::record(&arguments),
    };
    match replay_files(&files, json, &mut io::stdout().lock()) {
        Ok(verdict) => ExitCode::from(verdict as u8),
        Err(error) => {
            // Whoever read standard output has gone; standard error may be there still.
            let _ = writeln!(io::stderr(), "cannot write the report: {error}");
            ExitCode::from(Verdict::Unreadable as u8)
        }
    }
}

/// The exit code; of several files, the highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Agrees = 0,
    Diverges = 1,
    Unreadable = 2,
}

fn replay_files(files: &[PathBuf], json: bool, out: &mut impl Write) -> io::Result<Verdict> {
    let mut verdict = Verdict::Agrees;
    let mut all = Vec::new();
    let begin = Instant::now();
    let replayed: Vec<_> = files.par_iter().map(|file| timed(|| replay_file(file))).collect();
    let took_all = begin.elapsed();
    for (file, (replayed, took)) in files.iter().zip(replayed) {
        verdict = verdict.max(match &replayed {
            Ok(summary) if summary.divergences.is_empty() => Verdict::Agrees,
            Ok(_) => Verdict::Diverges,
            Err(_) => Verdict::Unreadable,
        });
        match (&replayed, json) {
            (Ok(summary), false) => report(out, file, summary, took)?,
            (Ok(summary), true) => report_json(out, file, summary, took)?,
            (Err(error), json) => {
                writeln!(io::stderr(), "{}:{error}", file.display())?;
                if json {
                    let object = json!({ "file": file.display().to_string(), "line": error.line,
                        "error": error.why.to_string() });
                    writeln!(out, "{object}")?;
                }
            }
        }
        all.extend(replayed.ok().map(|summary| summary.totals()));
    }
    if !json && files.len() > 1 {
        let (read, totals) = (all.len(), all.into_iter().sum::<Totals>());
        let rate = totals.replayed as f64 / took_all.as_secs_f64();
        writeln!(out, "{read} of {} files: {totals}, {rate:.0} operations/s", files.len())?;
    }
    Ok(verdict)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    (work(), begin.elapsed())
}

fn replay_file(file: &Path) -> Result<Summary, TraceError> {
    replay(File::open(file).map_err(|error| TraceError { line: 1, why: Malformed::Read(error) })?)
}

fn report(out: &mut impl Write, file: &Path, summary: &Summary, took: Duration) -> io::Result<()> {
    let file = file.display();
    for divergence in &summary.divergences {
        writeln!(out, "{file}:{}: {divergence}", divergence.line)?;
    }
    let Summary { episodes, .. } = summary;
    let totals = summary.totals();
    writeln!(out, "{file}: {totals}, {episodes} episodes, {:.3} s", took.as_secs_f64())
}

fn report_json(out: &mut impl Write, file: &Path, summary: &Summary, took: Duration) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Report<'a> {
        file: String,
        seconds: f64,
        #[serde(flatten)]
        summary: &'a Summary,
    }
    let report = Report { file: file.display().to_string(), seconds: took.as_secs_f64(), summary };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}
