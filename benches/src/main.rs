//! The command line of the benches.

use clap::{Parser, Subcommand};
use rskq_bench::gate::{Counts, gate};
use rskq_bench::linux;
use rskq_bench::outside::Failed;
use rskq_bench::probe::probes;
use rskq_bench::report::report;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the system does not allow is skipped.
const SKIPPED: u8 = 77;

#[derive(Parser)]
#[command(about = "Measures rskq beside its peers")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads what `cargo bench` measured, counts instructions, and writes `BENCHMARKS.md`, plots and JSON.
    Report,
    /// Instruction counts.
    Count,
    /// What this machine's kernel takes for a close, as lines of JSON; in a namespace whose loopback device is up. Ends
    /// with 77 where the system does not allow it.
    Linux,
    /// Holds instruction counts against those that are committed, and shows that a slower build is refused.
    Gate {
        /// Commits today's instead.
        #[arg(long)]
        renew: bool,
    },
    /// One probe, for valgrind.
    #[command(hide = true)]
    Probe {
        /// Its name.
        name: String,
        /// The control.
        #[arg(long)]
        slower: bool,
    },
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    let in_tree = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(in_tree, PathBuf::from)
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = here.join("instructions.json");
    match command {
        Command::Report => report(&target().join("criterion"), &target().join("bench"), &here.join(".."))?,
        Command::Count => {
            let counts = Counts::take(|_| true, false)?;
            counts.figures.iter().for_each(|(name, count)| println!("{count:10.1} {name}"));
        }
        Command::Linux => {
            for line in linux::measured()? {
                println!("{}", serde_json::to_string(&line)?);
            }
        }
        Command::Gate { renew: true } => {
            let counts = Counts::take(|probe| probe.gated, false)?;
            std::fs::write(committed, serde_json::to_string_pretty(&counts)? + "\n")?;
        }
        Command::Gate { renew: false } => println!("bench-gate: {}", gate(&committed)?),
        Command::Probe { name, slower } => {
            let probe =
                probes().into_iter().find(|probe| probe.name == name).ok_or("there is no such probe")?;
            probe.run(slower);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            match error.downcast_ref() {
                Some(Failed::NotAllowed(_)) => ExitCode::from(SKIPPED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
