//! What a command printed, as it was printed, below a line that says which command and of what.

use crate::artifact::Artifact;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What is recorded, and by which command, which prints one JSON object a line.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The record's name.
    pub name: &'static str,
    /// The command, for a shell at the top of the repository.
    pub command: &'static str,
}

/// Everything that is recorded, in the order of how long it takes.
pub const RECORDED: [Recorded; 10] = [
    Recorded {
        name: "replay",
        command: "cargo run --quiet --release -p linux-oracle -- replay --json linux-oracle/traces/*.jsonl.gz",
    },
    Recorded {
        name: "matrix",
        command: "cargo run --quiet --release -p loom-tests -- matrix --resume --totals",
    },
    Recorded { name: "flood", command: "cargo run --quiet --release -p attack -- run --full --json" },
    Recorded {
        name: "flood-yielding",
        command: "cargo run --quiet --release -p attack -- run --full --json --yielding close-storm",
    },
    Recorded {
        name: "live",
        command: "cargo run --quiet --release -p linux-oracle -- live --ops 2000000 --seed 1000 --json",
    },
    Recorded { name: "seeded", command: "cargo run --quiet --release -p loom-tests -- seeded --json" },
    Recorded { name: "sanitize", command: "ci/sanitize.sh --json" },
    Recorded { name: "coverage", command: "ci/coverage.sh --json" },
    Recorded { name: "branches", command: "ci/coverage.sh --branches" },
    Recorded {
        name: "matrix-full",
        command: "cargo run --quiet --release -p loom-tests -- matrix --full --resume --totals",
    },
];

/// The first line of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// What was run.
    pub command: String,
    /// On which day, UTC.
    pub date: String,
    /// With which compiler.
    pub rustc: String,
    /// Of which sources: [`source_sum`].
    pub src: String,
    /// How long that took, with what had to be built.
    pub seconds: f64,
    /// The SHA-256 of the lines below.
    sum: String,
}

/// A command's output, with what it is of.
#[derive(Clone, Debug)]
pub struct Record {
    of: Recorded,
    /// Which command, when, of what.
    pub head: Head,
    output: String,
}

impl Recorded {
    /// Returns what is recorded under that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        RECORDED.into_iter().find(|recorded| recorded.name == name)
    }

    /// Returns where the record lies.
    #[must_use]
    pub fn path(self, root: &Path) -> PathBuf {
        root.join("docs/figures").join(self.name).with_extension("jsonl")
    }

    /// Runs the command, here.
    ///
    /// # Errors
    ///
    /// If it fails, or prints what is not JSON: a run that did not end well leaves no record.
    pub fn run(self) -> Result<Record, String> {
        let src = source_sum(Path::new(".")).map_err(|error| format!("src: {error}"))?;
        let begin = Instant::now();
        let output = said_by(Command::new("bash").args(["-c", self.command]))?;
        Record::new(
            self,
            &said_by(Command::new("rustc").arg("-V"))?,
            &src,
            begin.elapsed().as_secs_f64(),
            &output,
        )
    }

    /// Reads the record, if there is one.
    ///
    /// # Errors
    ///
    /// If it is not as it was written.
    pub fn read(self, root: &Path) -> Result<Option<Record>, String> {
        let path = self.path(root);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let (head, output) = text.split_once('\n').unwrap_or((&text, ""));
        let head: Head =
            serde_json::from_str(head).map_err(|error| format!("{}: {error}", path.display()))?;
        if head.sum != sum(output.as_bytes()) {
            return Err(format!("{} was altered: it is no longer what was printed", path.display()));
        }
        Ok(Some(Record { of: self, head, output: output.to_owned() }))
    }
}

impl Record {
    /// Makes a record of what was printed, today.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or nothing.
    pub fn new(of: Recorded, rustc: &str, src: &str, seconds: f64, output: &str) -> Result<Self, String> {
        let date = said_by(Command::new("date").args(["-u", "+%F"]))?;
        let head = Head {
            command: of.command.to_owned(),
            date: date.trim().to_owned(),
            rustc: rustc.trim().to_owned(),
            src: src.to_owned(),
            seconds: seconds.round(),
            sum: sum(output.as_bytes()),
        };
        let record = Self { of, head, output: output.to_owned() };
        match record.lines::<serde_json::Value>()?.len() {
            0 => Err(format!("{} printed nothing", of.command)),
            _ => Ok(record),
        }
    }

    /// Returns each line.
    ///
    /// # Errors
    ///
    /// If one is something else.
    pub fn lines<T: DeserializeOwned>(&self) -> Result<Vec<T>, String> {
        let lines = self.output.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().map_err(|error| format!("{}: {error}", self.of.name))
    }

    /// Writes the record.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, root: &Path) -> io::Result<()> {
        let text = format!("{}\n{}", serde_json::to_string(&self.head)?, self.output);
        Artifact { path: self.of.path(root), text }.write()
    }
}

/// Returns the start of the SHA-256 of everything in `src`, the files by name.
///
/// # Errors
///
/// If it cannot be read.
pub fn source_sum(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    let mut directories = vec![root.join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).as_os_str();
        all.extend_from_slice(name.as_encoded_bytes());
        all.push(0);
        all.extend(fs::read(&file)?);
    }
    Ok(sum(&all)[..16].to_owned())
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn said_by(command: &mut Command) -> Result<String, String> {
    let named = format!("{command:?}");
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{named}: {error}"))?;
    let text = String::from_utf8(output.stdout).map_err(|error| format!("{named}: {error}"))?;
    if output.status.success() { Ok(text) } else { Err(format!("{named}: {}\n{text}", output.status)) }
}
