//! Who judges: first the crate's own tests, then, what those let live, the models and the oracle.

use crate::check::{Check, listed};
use crate::ledger::Stage;
use crate::tree::Tree;

/// The features that the crate's own tests are built with.
pub(crate) const FEATURES: &str = "alloc,designs,critical-section,lockdep";

/// The judges of a stage.
pub(crate) fn of(stage: Stage, tree: &Tree) -> Result<Vec<Check>, String> {
    match stage {
        Stage::First => first(tree),
        Stage::Second => second(tree),
    }
}

/// What is seeded in the models counts wrong, which is to show in what they check; the rest of cargo's arguments follow.
const UNCHECKED: [&str; 2] = ["--config", "profile.mutants.overflow-checks=false"];

/// The crate's tests, one check each.
fn first(tree: &Tree) -> Result<Vec<Check>, String> {
    let build = ["test", "--no-run", "--profile", "mutants", "-p", "rskq", "--features", FEATURES];
    let targets =
        ["--lib", "--test", "stack", "--test", "rules", "--test", "random", "--test", "conformance"];
    let more = ["--test", "lockdep", "--test", "threads"];
    tests(tree, "rskq", &[&build[..], &targets, &more].concat())
}

/// The pieces, the validator's models, the recorded traces, and the small matrix, one model each.
fn second(tree: &Tree) -> Result<Vec<Check>, String> {
    let build = [&UNCHECKED[..], &["test", "--no-run", "--profile", "mutants", "-p", "loom-tests"]].concat();
    let targets = ["--test", "pieces", "--test", "validator", "--test", "shuttle"];
    let mut checks = tests(tree, "loom-tests", &[&build[..], &targets].concat())?;

    let directory = tree.package("loom-tests");
    let programs = ["build", "--profile", "mutants", "-p", "loom-tests", "-p", "linux-oracle", "--bins"];
    let programs = tree.executables(&[&UNCHECKED[..], &programs].concat())?;
    let program = |name: &str| {
        let found = programs.iter().find(|(named, _)| named == name);
        found.map(|(_, path)| path.clone()).ok_or_else(|| format!("{name} was not built"))
    };
    let (models, oracle) = (program("loom-tests")?, program("linux-oracle")?);
    let matrix = tree.executables(&[&build[..], &["--test", "matrix"]].concat())?;
    for (name, path) in matrix {
        for model in listed(&name, &path, &directory)? {
            let Some((design, scenario)) = model.split_once("::") else { continue };
            let arguments = ["matrix", "--design", design, "--scenario", scenario];
            checks.push(Check::new(format!("matrix::{model}"), &models, &arguments, &directory));
        }
    }

    let directory = tree.package("linux-oracle");
    let traces = std::fs::read_dir(directory.join("traces")).map_err(|error| format!("traces: {error}"))?;
    for trace in traces {
        let name = trace.map_err(|error| error.to_string())?.file_name().to_string_lossy().into_owned();
        let path = format!("traces/{name}");
        if name.ends_with(".jsonl.gz") {
            checks.push(Check::new(path.clone(), &oracle, &["replay", &path], &directory));
        }
    }
    Ok(checks)
}

/// A check for each test of the executables that are built.
fn tests(tree: &Tree, package: &str, build: &[&str]) -> Result<Vec<Check>, String> {
    let directory = tree.package(package);
    let mut checks = Vec::new();
    for (name, path) in tree.executables(build)? {
        for test in listed(&name, &path, &directory)? {
            let named = format!("{name}::{test}");
            checks.push(Check::new(named, &path, &["--exact", &test], &directory));
        }
    }
    Ok(checks)
}
