//! Asks the judges, stage after stage.

use crate::check::{Check, Learnt};
use crate::ledger::{Ledger, Line, Stage, State};
use crate::mutant::{Mutant, Verdict};
use crate::reasons::Reasons;
use crate::tree::{Out, Tree};
use crate::{Arguments, Place, judges};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Judges what was selected, and enters it.
pub(crate) fn judge_all(
    arguments: &Arguments,
    place: &Place,
    mutants: &[Mutant],
    selected: &[usize],
    reasons: &Reasons,
    ledger: &mut Ledger,
) -> Result<(), String> {
    let reasons = reasons.all();
    let mut tree = Tree::copy(&place.root, &place.below)?;
    tree.weave_what_compiles(&place.root, mutants, judges::FEATURES)?;
    for number in tree.those(Out::Unviable) {
        ledger.add(&mutants[number], Line::new(Verdict::Unviable, None, Stage::Second))?;
    }
    for stage in [Stage::First, Stage::Second] {
        // A reason says that no check can notice: those of the second stage take too long for that.
        let excused = |mutant: &Mutant| reasons.contains_key(mutant.lasting_name().as_str());
        let waiting = selected.iter().copied().filter(|&at| {
            let is_excused = stage == Stage::Second && excused(&mutants[at]);
            !is_excused && !ledger.has_passed(&mutants[at], stage)
        });
        let (alone, woven): (Vec<usize>, Vec<usize>) =
            waiting.partition(|waiting| tree.those(Out::Alone).any(|alone| alone == *waiting));
        if alone.len() + woven.len() == 0 || arguments.first_only && stage == Stage::Second {
            continue;
        }
        let checks = judges::of(stage, &tree)?;
        let checks = learn(checks, &place.below, arguments.jobs, ledger.of())?;
        let court = Court::new(&checks, mutants, ledger, stage);
        let all = woven.len() + alone.len();
        let turn = AtomicUsize::new(0);
        each(arguments.jobs, || {
            let turn = turn.fetch_add(1, Relaxed);
            let Some(&number) = woven.get(turn) else { return Ok(false) };
            let function = tree.function(number);
            let reaches = |check: &Check| function.is_some_and(|function| check.reaches.contains(&function));
            let told = court.judge(number, number, reaches)?;
            println!("{}/{all} {told}", turn + 1);
            Ok(true)
        })?;
        for (turn, &number) in (woven.len() + 1..).zip(&alone) {
            // No switch is on; every check may reach it.
            let work = || judges::of(stage, &tree).and_then(|_| court.judge(number, mutants.len(), |_| true));
            let told = match tree.with(&place.root, &mutants[number], judges::FEATURES, work)? {
                Some(told) => told,
                // Nobody else has to judge that.
                None => court.enter(number, Line::new(Verdict::Unviable, None, Stage::Second))?,
            };
            println!("{turn}/{all} {told}");
        }
    }
    Ok(())
}

/// Runs every check without a mutant that did not run so before, and sorts them, the fastest first.
fn learn(checks: Vec<Check>, scratch: &Path, jobs: usize, of: &State) -> Result<Vec<Check>, String> {
    let all = checks.len();
    let path = scratch.join(format!("learnt-{}.jsonl", of.name()));
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let known = known.lines().filter_map(|line| serde_json::from_str::<Learnt>(line).ok());
    let known: BTreeMap<String, Learnt> = known.map(|learnt| (learnt.name.clone(), learnt)).collect();
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = Mutex::new(file.map_err(|error| format!("{}: {error}", path.display()))?);
    let left = Mutex::new(checks);
    let done = Mutex::new(Vec::with_capacity(all));
    each(jobs, || {
        let Some(mut check) = left.lock().expect("no panic").pop() else { return Ok(false) };
        match known.get(&check.name) {
            Some(learnt) => check.remember(learnt),
            None => {
                let learnt = serde_json::to_string(&check.learn(scratch)?).map_err(|e| e.to_string())?;
                writeln!(file.lock().expect("no panic"), "{learnt}").map_err(|error| error.to_string())?;
            }
        }
        done.lock().expect("no panic").push(check);
        Ok(true)
    })?;
    let mut checks = done.into_inner().expect("no panic");
    checks.sort_by_key(|check| check.takes);
    let takes: f64 = checks.iter().map(|check| check.takes.as_secs_f64()).sum();
    println!("mutants: {all} checks pass without a mutant, {takes:.0} s in all");
    Ok(checks)
}

/// How long the checks of a stage that reach a mutant may take in all, without it: longer than all of them do. How many
/// of how many were asked is told of who survives.
const PATIENCE: Duration = Duration::from_secs(600);

/// The judges of a stage at work.
struct Court<'a> {
    checks: &'a [Check],
    mutants: &'a [Mutant],
    ledger: Mutex<&'a mut Ledger>,
    kills: Mutex<Kills>,
    stage: Stage,
}

impl<'a> Court<'a> {
    fn new(checks: &'a [Check], mutants: &'a [Mutant], ledger: &'a mut Ledger, stage: Stage) -> Self {
        Self { checks, mutants, ledger: Mutex::new(ledger), kills: Mutex::default(), stage }
    }

    /// Asks those that reach a mutant until one notices, enters the verdict, and tells it. The mutant is
    /// switched on by `switch`.
    fn judge(
        &self,
        number: usize,
        switch: usize,
        reaches: impl Fn(&Check) -> bool,
    ) -> Result<String, String> {
        let mutant = &self.mutants[number];
        let mut reaching: Vec<&Check> = self.checks.iter().filter(|check| reaches(check)).collect();
        let last = self.ledger.lock().expect("no panic").noticed(mutant).map(str::to_owned);
        self.kills.lock().expect("no panic").sort(&mut reaching, mutant, last.as_deref());
        let mut taken = Duration::ZERO;
        let mut asked = 0;
        for check in &reaching {
            if taken > PATIENCE {
                break;
            }
            (asked, taken) = (asked + 1, taken + check.takes);
            if let Some(noticed) = check.notices(switch)? {
                self.kills.lock().expect("no panic").add(mutant, check);
                return self.enter(number, Line::new(noticed, Some(&check.name), self.stage));
            }
        }
        let verdict = if reaching.is_empty() { Verdict::Unreached } else { Verdict::Survived };
        let line = Line::new(verdict, None, self.stage);
        self.enter(number, Line { asked: [asked, reaching.len()], ..line })
    }

    fn enter(&self, number: usize, mut line: Line) -> Result<String, String> {
        let mutant = &self.mutants[number];
        let mut ledger = self.ledger.lock().expect("no panic");
        // Who survived the first judges was reached, whatever reaches it later.
        if line.verdict == Verdict::Unreached {
            line.verdict = ledger.find(mutant).map_or(line.verdict, |earlier| earlier.verdict);
        }
        let [asked, all] = line.asked;
        let told = match &line.by {
            Some(by) => format!("{:?}: {} {by}", line.verdict, mutant.name),
            None => format!("{:?}: {} {asked}/{all}", line.verdict, mutant.name),
        };
        ledger.add(mutant, line)?;
        Ok(told)
    }
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
