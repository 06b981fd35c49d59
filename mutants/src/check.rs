//! The checks that judge: what each reaches, how long it takes, and whether it notices.

use crate::mutant::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A test that runs alone in a process.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) directory: PathBuf,
    /// The functions that run, each by the number of its first mutant.
    pub(crate) reaches: BTreeSet<usize>,
    pub(crate) takes: Duration,
}

/// What is learnt of a check, to be kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Learnt {
    pub(crate) name: String,
    reaches: BTreeSet<usize>,
    takes: Duration,
}

/// How a run ended.
enum End {
    Passed,
    Failed,
    TimedOut,
}

impl Check {
    pub(crate) fn new(name: String, program: &Path, arguments: &[&str], directory: &Path) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (program, directory) = (program.to_owned(), directory.to_owned());
        Self { name, program, arguments, directory, reaches: BTreeSet::new(), takes: Duration::ZERO }
    }

    /// Takes over what was learnt of it before.
    pub(crate) fn remember(&mut self, learnt: &Learnt) {
        self.reaches.clone_from(&learnt.reaches);
        self.takes = learnt.takes;
    }

    /// Runs without a mutant, and learns what it reaches.
    pub(crate) fn learn(&mut self, scratch: &Path) -> Result<Learnt, String> {
        let reached = scratch.join(format!("reached-{:?}", std::thread::current().id()));
        let _ = fs::remove_file(&reached);
        let started = Instant::now();
        let end = self.run(&format!("reached:{}", reached.display()), Duration::from_secs(300))?;
        self.takes = started.elapsed();
        if !matches!(end, End::Passed) {
            return Err(format!("{} fails without a mutant", self.name));
        }
        // Nothing is written where nothing was reached.
        let told = fs::read_to_string(&reached).unwrap_or_default();
        self.reaches = told.lines().filter_map(|line| line.parse().ok()).collect();
        Ok(Learnt { name: self.name.clone(), reaches: self.reaches.clone(), takes: self.takes })
    }

    /// Tells whether it notices a mutant, and how. Time is out after ten times, and five seconds more than,
    /// what it takes without one: that is no accident.
    pub(crate) fn notices(&self, mutant: usize) -> Result<Option<Verdict>, String> {
        Ok(match self.run(&mutant.to_string(), Duration::from_secs(5) + 10 * self.takes)? {
            End::Passed => None,
            End::Failed => Some(Verdict::Caught),
            End::TimedOut => Some(Verdict::TimedOut),
        })
    }

    /// Runs for at most `limit` of the processor's time, and much longer of others' while it waits.
    fn run(&self, mutant: &str, limit: Duration) -> Result<End, String> {
        const MEMORY_KIB: u64 = 12 << 20;
        let limited =
            format!("ulimit -t {} && ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\"", limit.as_secs());
        let mut child = Command::new("sh")
            .args(["-c", &limited])
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env("MUTANT", mutant)
            .env("CARGO_MANIFEST_DIR", &self.directory)
            .env_remove("RUST_BACKTRACE")
            // That it fails is enough; the least example that fails is not looked for.
            .env("PROPTEST_MAX_SHRINK_TIME", "1")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
            // Whoever judges again judges by the same examples.
            .env("PROPTEST_RNG_SEED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.name))?;
        let end = wait(&mut child, 6 * limit + Duration::from_secs(30));
        end.map_err(|error| format!("{}: {error}", self.name))
    }
}

fn wait(child: &mut Child, limit: Duration) -> std::io::Result<End> {
    /// What a process gets that has used up its time (`SIGXCPU`), or then its life (`SIGKILL`).
    const OUT_OF_TIME: [i32; 2] = [24, 9];
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match status.signal() {
                _ if status.success() => End::Passed,
                Some(signal) if OUT_OF_TIME.contains(&signal) => End::TimedOut,
                _ => End::Failed,
            });
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(End::TimedOut);
        }
        sleep(Duration::from_millis(2));
    }
}

/// The tests of an executable that `--list`s them.
pub(crate) fn listed(name: &str, program: &Path, directory: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(program)
        .args(["--list", "--format", "terse"])
        .current_dir(directory)
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(lines.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}
