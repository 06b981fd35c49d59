//! The checkers' programs: built with feature `seeded`, in a profile of their own, so that no release is.

use linux_oracle::embedded::{SECOND, TRACES};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The tests that are built, in the order in which they are asked: those first that take no time.
pub const TESTS: &[&str] = &["conformance", "rules", "rskq", "stack", "random", "threads"];

/// The models of the pieces, of which a search asks those that a hint names.
pub const PIECES: &str = "pieces";

/// The replay of recorded traces.
const REPLAY: &str = "linux-oracle";

const BUILD: &[&str] = &[
    "test",
    "--no-run",
    "--message-format=json",
    "--profile=seeded",
    "--package=rskq",
    "--package=linux-oracle",
    "--package=loom-tests",
    "--features=rskq/alloc,rskq/designs,rskq/lockdep,linux-oracle/seeded,loom-tests/seeded",
    "--lib",
    // Brings the program of its package.
    "--test=oracle",
    "--test=conformance",
    "--test=rules",
    "--test=stack",
    "--test=random",
    "--test=threads",
    "--test=pieces",
];

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Tools {
    programs: BTreeMap<String, PathBuf>,
}

/// What cargo says of a program that it built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Tools {
    /// Builds them.
    ///
    /// # Errors
    ///
    /// If cargo cannot be started, or fails, or builds something else.
    pub fn build() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).args(BUILD);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(Error::other("the checkers do not build"));
        }
        let lines = output.stdout.split(|&byte| byte == b'\n');
        let artifacts = lines.filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
        let programs = artifacts.filter_map(|built| Some((built.target.name, built.executable?))).collect();
        let tools = Self { programs };
        let needed = TESTS.iter().chain([&PIECES, &REPLAY]);
        match needed.copied().find(|name| !tools.programs.contains_key(*name)) {
            None => Ok(tools),
            Some(name) => Err(Error::other(format!("cargo built no {name}"))),
        }
    }

    /// The tests of that name, in a directory where a test that fails leaves nothing behind.
    #[must_use]
    pub fn test(&self, name: &str) -> Command {
        let mut command = Command::new(&self.programs[name]);
        command.current_dir(std::env::temp_dir());
        command
    }

    /// The replay of every recorded trace; of each a line of JSON, in their order.
    #[must_use]
    pub fn replay(&self) -> Command {
        let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../linux-oracle/traces");
        let mut command = Command::new(&self.programs[REPLAY]);
        command
            .args(["replay", "--json"])
            .args([SECOND].iter().chain(&TRACES).map(|trace| traces.join(trace.name)));
        command
    }
}
