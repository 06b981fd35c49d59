//! Mutation testing of `rskq`. cargo-mutants says what may be altered; here one build has every alteration, a
//! variable chooses one, and only checks that reach it run: see `weave` and `check`.

mod check;
mod judges;
mod judging;
mod ledger;
mod mutant;
mod reasons;
mod summary;
mod tree;
mod weave;

use clap::Parser;
use judging::judge_all;
use ledger::{Ledger, State};
use reasons::Reasons;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use summary::Summary;

/// Judges mutants. Interrupt it and run it again: it goes on. Fails if one survives that has no reason, or one
/// that has a reason does not survive (1), or if some were not judged (3).
#[derive(Parser)]
struct Arguments {
    /// Only mutants of this room; may be given several times.
    #[arg(long)]
    room: Vec<String>,
    /// Only every N-th mutant, from the K-th.
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<(usize, usize)>,
    /// So many at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Without the models and the oracle, which judge what the crate's own tests let live.
    #[arg(long)]
    first_only: bool,
    /// Judge nothing; tell what is known.
    #[arg(long)]
    report: bool,
    /// Write what is known of all mutants.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

fn shard(text: &str) -> Result<(usize, usize), String> {
    let (k, n) = text.split_once('/').ok_or("not of the form K/N")?;
    match (k.parse(), n.parse()) {
        (Ok(k), Ok(n)) if 0 < k && k <= n => Ok((k, n)),
        _ => Err("K is one of 1 to N".to_owned()),
    }
}

/// Where everything is.
struct Place {
    root: PathBuf,
    below: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().map_err(|e| e.to_string())?;
    let place = Place { below: root.join("target/mutants"), root };
    std::fs::create_dir_all(&place.below).map_err(|error| error.to_string())?;
    let mutants = mutant::all(&place.root)?;
    let mut ledger = Ledger::open(&place.below.join("ledger.jsonl"), State::read(&place.root)?)?;
    let mut selected: Vec<usize> = (0..mutants.len())
        .filter(|&at| {
            arguments.room.is_empty() || arguments.room.iter().any(|room| room == mutants[at].room())
        })
        .filter(|at| arguments.shard.is_none_or(|(k, n)| at % n == k - 1))
        .collect();
    selected.sort_by_key(|&at| mutants[at].turn());
    let reasons = Reasons::read(&place.root.join("mutants/survivors.toml"))?;
    if !arguments.report {
        judge_all(arguments, &place, &mutants, &selected, &reasons, &mut ledger)?;
    }
    let summary = Summary::new(&mutants, &ledger, &reasons);
    print!("{summary}");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?;
        std::fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if summary.not_judged() > 0 {
        println!("mutants: {} of {} were not judged; this is no pass", summary.not_judged(), mutants.len());
    }
    Ok(ExitCode::from(summary.code()))
}
