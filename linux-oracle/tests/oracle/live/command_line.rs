//! `live` and `record`: what they print and how they exit. Where the system does not allow a namespace, that
//! they say so is all there is to test.

use linux_oracle::replay;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const NOT_ALLOWED: i32 = 77;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program; `None` where the system does not allow it, which it has to say in a sentence.
fn run(arguments: &[&str]) -> Option<Ran> {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_linux-oracle")).args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let ran = Ran { code: status.code(), out: text(stdout), err: text(stderr) };
    if ran.code == Some(NOT_ALLOWED) {
        assert!(ran.err.starts_with("this system does not allow"), "{}", ran.err);
        println!("left out: {}", ran.err);
        return None;
    }
    Some(ran)
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn bad_arguments_are_2() {
    for arguments in
        [&["live", "--ops", "many"][..], &["live", "--seed", "-1"], &["live", "--sead", "1"], &["record"]]
    {
        let ran = run(arguments).expect("that needs no kernel");
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn the_figures_add_up() {
    let Some(ran) = run(&["live", "--ops", "2000", "--seed", "1", "--json", "--keep-going"]) else { return };
    let figures: Value = serde_json::from_str(&ran.out).expect("one JSON object");
    let counts = &figures["counts"];
    let operations = counts["operations"].as_u64().expect("a number");
    assert!(operations >= 2000);
    let sum = |by: &Value| -> u64 {
        by.as_object().expect("an object").values().map(|count| count.as_u64().expect("a number")).sum()
    };
    assert_eq!(sum(&counts["kinds"]), operations);
    assert_eq!(sum(&counts["results"]), operations);
    assert_eq!(ran.code, Some(i32::from(counts["divergences"] != 0)), "{}", ran.err);
    assert!(figures["header"]["kernel"].is_string());
}

#[test]
fn what_is_recorded_is_a_trace() {
    for name in ["recorded.jsonl", "recorded.jsonl.gz"] {
        let file = temporary(name);
        let path = file.to_str().expect("UTF-8");
        let Some(ran) = run(&["record", "--ops", "2000", "--seed", "9", path]) else { return };
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let summary = replay(File::open(&file).expect("it is there")).expect("a trace");
        assert!(summary.operations >= 2000);
        // gzip's first two bytes.
        let compressed = fs::read(&file).expect("readable").starts_with(&[0x1f, 0x8b]);
        assert_eq!(compressed, name.ends_with(".gz"));
    }
}

#[test]
fn what_cannot_be_written_is_2() {
    let Some(ran) = run(&["record", "--ops", "1", "/proc/no/such/place"]) else { return };
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.starts_with("cannot write"), "{}", ran.err);
}
