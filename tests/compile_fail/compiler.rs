//! The compiler, by way of `cargo check`: every program is a binary of one package beside this crate.

use crate::case::{Case, Found};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What the compiler said of each program and of its correction, by name.
pub(crate) struct Said(BTreeMap<String, Vec<Found>>);

/// The programs that make the package, by the names of their binaries.
fn binaries(cases: &[Case]) -> impl Iterator<Item = (String, &str)> {
    cases.iter().flat_map(|Case { name, program, corrected, .. }| {
        [(name.clone(), program.as_str()), (format!("{name}_corrected"), corrected.as_str())]
    })
}

impl Said {
    /// Lets the compiler look at all cases at once.
    pub(crate) fn of(cases: &[Case]) -> Self {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile-fail");
        let sources = package.join("src/bin");
        let _ = fs::remove_dir_all(&sources);
        fs::create_dir_all(&sources).unwrap();
        let manifest = format!(
            "[package]\nname = \"compile-fail\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\nrskq = {{ path = {crate_dir:?} }}\n[workspace]\n"
        );
        fs::write(package.join("Cargo.toml"), manifest).unwrap();
        // The dependencies that this test was built with, which are there.
        fs::copy(crate_dir.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
        for (name, program) in binaries(cases) {
            fs::write(sources.join(name).with_extension("rs"), program).unwrap();
        }
        let check = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["check", "--quiet", "--offline", "--keep-going", "--bins", "--message-format=json"])
            .current_dir(&package)
            .env("CARGO_TARGET_DIR", package.join("target"))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .unwrap();
        let said = String::from_utf8(check.stdout).unwrap();
        let mut errors = binaries(cases).map(|(name, _)| (name, Vec::new())).collect::<BTreeMap<_, _>>();
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
        Self(errors)
    }

    /// Returns what was said of a program, and of its correction.
    pub(crate) fn of_case(&self, case: &Case) -> (&[Found], &[Found]) {
        (&self.0[&case.name], &self.0[&format!("{}_corrected", case.name)])
    }
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
