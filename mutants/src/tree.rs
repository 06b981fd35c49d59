//! The copy of the workspace that is built, with every mutant in it.

use crate::mutant::Mutant;
use crate::weave::{NIGHTLY, Place, SWITCH, weave};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The file that says what the crate is.
const ROOT: &str = "src/lib.rs";

/// What is copied.
const COPIED: [&str; 8] =
    ["Cargo.toml", "Cargo.lock", "README.md", "src", "tests", "benches", "loom-tests", "linux-oracle"];

/// Optimised a little, and what is built once wholly, since checks run far longer than the build; with every
/// assertion.
const PROFILE: &str = "
[profile.mutants]
inherits = 'dev'
opt-level = 1
debug = false

[profile.mutants.package.'*']
opt-level = 3
";

/// The copy.
pub(crate) struct Tree {
    root: PathBuf,
    build: PathBuf,
    /// Where each mutant's text is in the files of the copy.
    places: BTreeMap<String, Vec<Place>>,
    /// The mutants that are not in it.
    out: BTreeMap<usize, Out>,
}

/// Why a mutant is not in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// It does not compile.
    Unviable,
    /// It cannot be switched at run time: see `weave`.
    Alone,
}

impl Tree {
    /// Copies the workspace `from`, without its members that are not built here.
    pub(crate) fn copy(from: &Path, below: &Path) -> Result<Self, String> {
        let (root, build) = (below.join("tree"), below.join("build"));
        fs::create_dir_all(&root).map_err(|error| error.to_string())?;
        // Times are kept, so that only what has changed is built.
        let mut copy = Command::new("cp");
        copy.args(["-r", "--update", "--preserve=timestamps"]);
        copy.args(COPIED.iter().map(|name| from.join(name))).arg(&root);
        done(&mut copy)?;
        let manifest = fs::read_to_string(from.join("Cargo.toml")).map_err(|error| error.to_string())?;
        let members = "members = [\"loom-tests\", \"linux-oracle\"]";
        let manifest: Vec<&str> = manifest
            .lines()
            .map(|line| if line.starts_with("members = ") { members } else { line })
            .collect();
        write(&root.join("Cargo.toml"), &format!("{}\n{PROFILE}", manifest.join("\n")))?;
        Ok(Self { root, build, places: BTreeMap::new(), out: BTreeMap::new() })
    }

    /// Weaves all mutants into the copy but those that are out.
    fn weave(&mut self, from: &Path, mutants: &[Mutant]) -> Result<(), String> {
        let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in mutants.iter().enumerate() {
            let of_file = by_file.entry(&mutant.file).or_default();
            if !self.out.contains_key(&number) {
                of_file.push((number, mutant));
            }
        }
        by_file.entry(ROOT).or_default();
        for (file, mutants) in by_file {
            let woven = weave(&read(from, file)?, &mutants)?;
            self.out.extend(woven.alone.into_iter().map(|number| (number, Out::Alone)));
            self.places.insert(file.to_owned(), woven.places);
            self.write(file, &woven.text)?;
        }
        Ok(())
    }

    /// Writes a file of the crate.
    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.root.join(file);
        if file == ROOT { write(&path, &format!("{NIGHTLY}{text}{SWITCH}")) } else { write(&path, text) }
    }

    /// Weaves, and takes out what does not compile until the rest does.
    pub(crate) fn weave_what_compiles(
        &mut self,
        from: &Path,
        mutants: &[Mutant],
        features: &str,
    ) -> Result<(), String> {
        loop {
            self.weave(from, mutants)?;
            let Err(messages) = self.check(features)? else { return Ok(()) };
            let before = self.out.len();
            for error in messages.iter().filter(|m| m["message"]["level"] == "error") {
                let blamed: Vec<usize> = self.blamed(&error["message"]).collect();
                self.out.extend(blamed.into_iter().map(|number| (number, Out::Unviable)));
            }
            println!("mutants: {} do not compile", self.those(Out::Unviable).count());
            if self.out.len() == before {
                return Err(told(&messages));
            }
        }
    }

    /// Tells whether the crate compiles, or what the compiler says.
    fn check(&self, features: &str) -> Result<Result<(), Vec<Value>>, String> {
        let (built, messages) =
            self.cargo(&["check", "--profile", "mutants", "--lib", "-p", "rskq", "--features", features])?;
        Ok(if built { Ok(()) } else { Err(messages) })
    }

    /// The mutants that are not in the copy for some reason.
    pub(crate) fn those(&self, out: Out) -> impl Iterator<Item = usize> {
        self.out.iter().filter(move |&(_, why)| *why == out).map(|(&number, _)| number)
    }

    /// Does `work` while the copy of a mutant's file has this mutant and no other, unless that does not compile.
    pub(crate) fn with<T>(
        &self,
        from: &Path,
        mutant: &Mutant,
        features: &str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let path = self.root.join(&mutant.file);
        let woven = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", mutant.file))?;
        self.write(&mutant.file, &mutant.altered(&read(from, &mutant.file)?))?;
        let done = match self.check(features)? {
            Ok(()) => Some(work()?),
            Err(_) => None,
        };
        write(&path, &woven)?;
        Ok(done)
    }

    /// The mutants that a compiler's message is about.
    fn blamed<'a>(&'a self, message: &'a Value) -> impl Iterator<Item = usize> + 'a {
        let spans = message["spans"].as_array().into_iter().flatten();
        spans.filter(|span| span["is_primary"] == true).filter_map(|span| {
            let at = usize::try_from(span["byte_start"].as_u64()?).ok()?;
            let places = self.places.get(span["file_name"].as_str()?)?;
            places.iter().find(|place| place.text.contains(&at)).map(|place| place.number)
        })
    }

    /// The function of a mutant, by the number of its first mutant.
    pub(crate) fn function(&self, number: usize) -> Option<usize> {
        self.places.values().flatten().find(|place| place.number == number).map(|place| place.function)
    }

    /// Builds, and returns the executables by name.
    pub(crate) fn executables(&self, arguments: &[&str]) -> Result<Vec<(String, PathBuf)>, String> {
        let (built, messages) = self.cargo(arguments)?;
        if !built {
            return Err(told(&messages));
        }
        let executable = |message: &Value| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(message["executable"].as_str()?)))
        };
        Ok(messages.iter().filter_map(executable).collect())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<(bool, Vec<Value>), String> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--message-format", "json"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("RUSTC_BOOTSTRAP", "rskq")
            // Of no mutant is it asked that it is tidy.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{"));
        Ok((output.status.success(), lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()))
    }

    /// The directory of a package of the copy.
    pub(crate) fn package(&self, name: &str) -> PathBuf {
        if name == "rskq" { self.root.clone() } else { self.root.join(name) }
    }
}

/// What a compiler says, for a person.
fn told(messages: &[Value]) -> String {
    let rendered = messages.iter().filter_map(|message| message["message"]["rendered"].as_str());
    format!("the copy does not build:\n{}", rendered.collect::<String>())
}

fn done(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}

fn read(from: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(from.join(file)).map_err(|error| format!("{file}: {error}"))
}

/// Writes a file unless it says so already, since what is written is built again.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
