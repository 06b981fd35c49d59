//! The compiler, by way of `cargo check`: every program is a binary of one package beside this crate.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// An error that the compiler gave.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) line: usize,
    pub(crate) code: String,
    pub(crate) sentence: String,
    /// All that was said, notes included.
    pub(crate) rendered: String,
}

/// Lets the compiler look at programs, all at once, as the binaries of a package of that name which uses
/// the crate in `crate_dir`. Returns what it said of each, by its name.
pub(crate) fn check(
    package: &str,
    crate_dir: &Path,
    programs: &[(String, &str)],
) -> BTreeMap<String, Vec<Found>> {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = beside.join(package);
    let crate_dir = crate_dir.canonicalize().unwrap();
    let sources = directory.join("src/bin");
    let _ = fs::remove_dir_all(&sources);
    fs::create_dir_all(&sources).unwrap();
    let manifest = format!(
        "[package]\nname = {package:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nrskq = {{ path = {crate_dir:?} }}\n[workspace]\n"
    );
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    // The dependencies that this test was built with, which are there.
    fs::copy(crate_dir.join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    for (name, program) in programs {
        fs::write(sources.join(name).with_extension("rs"), program).unwrap();
    }
    let check = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["check", "--quiet", "--offline", "--keep-going", "--bins", "--message-format=json"])
        .current_dir(&directory)
        // One for all packages, which share the crate and what it depends on.
        .env("CARGO_TARGET_DIR", beside.join("compile-fail-target"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    let mut errors = programs.iter().map(|(name, _)| (name.clone(), Vec::new())).collect::<BTreeMap<_, _>>();
    let mut checked = 0;
    for message in said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = message["target"]["name"].as_str().unwrap_or_default();
        match (message["reason"].as_str(), errors.get_mut(name)) {
            (Some("compiler-message"), Some(errors)) => errors.extend(found(&message["message"])),
            (Some("compiler-artifact"), Some(_)) => checked += 1,
            _ => {}
        }
    }
    // A program of which the compiler says nothing at all was not looked at.
    let refused = errors.values().filter(|errors| !errors.is_empty()).count();
    let stderr = String::from_utf8_lossy(&check.stderr);
    assert_eq!(checked + refused, errors.len(), "cargo check: {stderr}");
    errors
}

/// Reads an error, if the message is one about a line.
fn found(message: &Value) -> Option<Found> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_primary = |span: &&Value| span["is_primary"] == true;
    let line = message["spans"].as_array()?.iter().find(is_primary)?["line_start"].as_u64()?;
    if message["level"] != "error" {
        return None;
    }
    Some(Found {
        line: line as usize,
        code: text(&message["code"]["code"]),
        // Where another type has the same name the compiler says which is meant.
        sentence: text(&message["message"]).replace("rskq::lockdep::order::", ""),
        rendered: text(&message["rendered"]),
    })
}
