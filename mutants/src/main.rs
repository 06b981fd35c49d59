//! Mutation testing of `rskq`. cargo-mutants says what may be altered; here one build has every alteration, a
//! variable chooses one, and only checks that reach it run: see `weave` and `check`.

mod check;
mod judges;
mod ledger;
mod mutant;
mod tree;
mod weave;

use check::Check;
use clap::Parser;
use ledger::{Ledger, Line, Reasons, Stage, report};
use mutant::{Mutant, Verdict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tree::Tree;

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
    let mut ledger = Ledger::open(&place.below.join("ledger.jsonl"), &place.root)?;
    let mut selected: Vec<usize> = (0..mutants.len())
        .filter(|&at| {
            arguments.room.is_empty() || arguments.room.iter().any(|room| room == mutants[at].room())
        })
        .filter(|at| arguments.shard.is_none_or(|(k, n)| at % n == k - 1))
        .collect();
    selected.sort_by_key(|&at| mutants[at].turn());
    if !arguments.report {
        judge_all(arguments, &place, &mutants, &selected, &mut ledger)?;
    }
    let reasons = Reasons::read(&place.root.join("mutants/survivors.toml"))?;
    let report = report(&mutants, &ledger, &reasons);
    print!("{}", report.table);
    let (unjudged, wrong): (Vec<_>, Vec<_>) =
        report.wrong.iter().partition(|line| line.starts_with("not judged"));
    wrong.iter().for_each(|line| println!("{line}"));
    if !unjudged.is_empty() {
        println!("mutants: {} of {} were not judged; this is no pass", unjudged.len(), mutants.len());
    }
    Ok(ExitCode::from(if !wrong.is_empty() {
        1
    } else if !unjudged.is_empty() {
        3
    } else {
        0
    }))
}

fn judge_all(
    arguments: &Arguments,
    place: &Place,
    mutants: &[Mutant],
    selected: &[usize],
    ledger: &mut Ledger,
) -> Result<(), String> {
    let mut tree = Tree::copy(&place.root, &place.below)?;
    let known = tree.weave_what_compiles(&place.root, mutants, judges::FEATURES)?;
    for (&number, &verdict) in &known {
        ledger.add(&mutants[number], Line::new(verdict, None, Stage::Second))?;
    }
    for stage in [Stage::First, Stage::Second] {
        let waiting: Vec<usize> =
            selected.iter().copied().filter(|&at| !ledger.has_passed(&mutants[at], stage)).collect();
        if waiting.is_empty() || arguments.first_only && stage == Stage::Second {
            continue;
        }
        let checks = match stage {
            Stage::First => judges::first(&tree)?,
            Stage::Second => judges::second(&tree)?,
        };
        let checks = learn(checks, &place.below, arguments.jobs)?;
        judge(arguments.jobs, &checks, &waiting, mutants, &tree, ledger, stage)?;
    }
    Ok(())
}

/// Runs every check without a mutant, and sorts them, the fastest first.
fn learn(checks: Vec<Check>, scratch: &Path, jobs: usize) -> Result<Vec<Check>, String> {
    let all = checks.len();
    let left = Mutex::new(checks);
    let learnt = Mutex::new(Vec::with_capacity(all));
    each(jobs, || {
        let Some(mut check) = left.lock().expect("no panic").pop() else { return Ok(false) };
        check.learn(scratch)?;
        learnt.lock().expect("no panic").push(check);
        Ok(true)
    })?;
    let mut checks = learnt.into_inner().expect("no panic");
    checks.sort_by_key(|check| check.takes);
    let takes: f64 = checks.iter().map(|check| check.takes.as_secs_f64()).sum();
    println!("mutants: {all} checks pass without a mutant, {takes:.0} s in all");
    Ok(checks)
}

/// Judges those that wait by the checks that reach them.
fn judge(
    jobs: usize,
    checks: &[Check],
    waiting: &[usize],
    mutants: &[Mutant],
    tree: &Tree,
    ledger: &mut Ledger,
    stage: Stage,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let ledger = Mutex::new(ledger);
    let kills = Mutex::new(Kills::default());
    each(jobs, || {
        let turn = next.fetch_add(1, Relaxed);
        let Some(&number) = waiting.get(turn) else { return Ok(false) };
        let function = tree.function(number);
        let mutant = &mutants[number];
        let mut reaching: Vec<&Check> = checks
            .iter()
            .filter(|check| function.is_some_and(|function| check.reaches.contains(&function)))
            .collect();
        let last = ledger.lock().expect("no panic").noticed(mutant).map(str::to_owned);
        kills.lock().expect("no panic").sort(&mut reaching, mutant, last.as_deref());
        let mut verdict = Verdict::Unreached;
        let mut by = None;
        for check in reaching {
            verdict = Verdict::Survived;
            if let Some(noticed) = check.notices(number)? {
                (verdict, by) = (noticed, Some(check.name.as_str()));
                kills.lock().expect("no panic").add(mutant, check);
                break;
            }
        }
        println!(
            "{}/{} {verdict:?}: {} {}",
            turn + 1,
            waiting.len(),
            mutant.name,
            by.unwrap_or_default()
        );
        let mut ledger = ledger.lock().expect("no panic");
        // Who survived the first judges was reached, whatever reaches it later.
        if verdict == Verdict::Unreached {
            verdict = ledger.find(mutant).map_or(verdict, |line| line.verdict);
        }
        ledger.add(mutant, Line::new(verdict, by, stage))?;
        Ok(true)
    })
}

/// How many mutants of a file each check has noticed.
#[derive(Default)]
struct Kills(BTreeMap<(String, String), u32>);

impl Kills {
    fn add(&mut self, mutant: &Mutant, check: &Check) {
        *self.0.entry((mutant.file.clone(), check.name.clone())).or_default() += 1;
    }

    /// Puts who noticed the mutant last first, then who notices most of its file in the least time.
    fn sort(&self, checks: &mut [&Check], mutant: &Mutant, last: Option<&str>) {
        let effort = |check: &&Check| {
            let kills = self.0.get(&(mutant.file.clone(), check.name.clone())).copied().unwrap_or(0);
            if last == Some(check.name.as_str()) { Duration::ZERO } else { check.takes / (kills + 1) }
        };
        checks.sort_by_cached_key(effort);
    }
}

/// Does `work` on some threads until it says that there is no more, or fails.
fn each(jobs: usize, work: impl Fn() -> Result<bool, String> + Sync) -> Result<(), String> {
    thread::scope(|scope| {
        let worker = || {
            scope.spawn(|| {
                while work()? {}
                Ok(())
            })
        };
        let workers: Vec<_> = (0..jobs).map(|_| worker()).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })
}
