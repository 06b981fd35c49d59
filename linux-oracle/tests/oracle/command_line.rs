//! The program: what it prints and how it exits.

use super::RECORDED;
use linux_oracle::embedded::TRACES;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name)
}

fn temporary(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("writable");
    path
}

fn run(options: &[&str], files: &[PathBuf]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linux-oracle"));
    let Output { status, stdout, stderr } =
        command.arg("replay").args(options).args(files).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A recorded trace with one line altered, and that line's number.
fn diverging() -> (Vec<u8>, usize) {
    let mut text = RECORDED[0].clone();
    let index = text.find(|line| line["op"] == "accept" && line["result"] == "again");
    text.alter(index, |line| line["result"] = json!("invalid"));
    (text.bytes(), index + 1)
}

#[test]
fn agreement_is_0() {
    let files = TRACES.map(|trace| recorded(trace.name));
    let (code, out, err) = run(&[], &files);
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.contains("seed7.jsonl.gz: 20040 of 20040 operations, 0 divergences, 334 episodes"), "{out}");
    assert!(out.contains("2 of 2 files: 40080 of 40080 operations, 0 divergences, "), "{out}");
    assert!(out.ends_with(" operations/s\n"), "{out}");
}

#[test]
fn divergence_is_1_and_says_where_and_what() {
    let (bytes, line) = diverging();
    let file = temporary("diverging.jsonl", &bytes);
    let (code, out, _) = run(&[], &[file.clone(), recorded(TRACES[1].name)]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.starts_with(&format!("{}:{line}: ", file.display())), "{out}");
    assert!(out.contains("\n  result: expected \"invalid\", got \"again\"\n"), "{out}");
    assert!(out.contains("seed11.jsonl.gz: 20040 of 20040 operations, 0 divergences"), "{out}");
}

#[test]
fn what_is_no_trace_is_2_and_the_other_files_are_replayed() {
    let cut = temporary("cut.jsonl.gz", &TRACES[0].bytes[..70_000]);
    let (diverging, _) = diverging();
    let diverging = temporary("diverging-too.jsonl", &diverging);
    let missing = recorded("missing.jsonl.gz");
    let (code, out, err) = run(&[], &[cut.clone(), missing.clone(), diverging]);
    assert_eq!(code, Some(2), "{out}{err}");
    let errors: Vec<_> = err.lines().collect();
    assert_eq!(errors.len(), 2, "{err}");
    assert!(errors[0].starts_with(&format!("{}:", cut.display())), "{err}");
    assert!(errors[1].starts_with(&format!("{}:1: cannot be read: ", missing.display())), "{err}");
    assert!(out.contains("1 divergences"), "{out}");
    assert!(out.contains("1 of 3 files: "), "{out}");
}

#[test]
fn json_is_an_object_a_file() {
    let (bytes, line) = diverging();
    let files = [
        recorded(TRACES[0].name),
        temporary("diverging.json-test.jsonl", &bytes),
        temporary("no-trace.jsonl", b"{}"),
    ];
    let (code, out, _) = run(&["--json"], &files);
    assert_eq!(code, Some(2));
    let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [good, diverging, bad] = &objects[..] else { panic!("{out}") };
    assert_eq!(good["operations"], 20_040);
    assert_eq!(good["replayed"], 20_040);
    assert_eq!(good["divergences"], json!([]));
    assert!(good["seconds"].is_f64());
    assert_eq!(diverging["divergences"][0]["line"], line);
    let fields = json!([{"field": "result", "expected": "invalid", "got": "again"}]);
    assert_eq!(diverging["divergences"][0]["fields"], fields);
    assert_eq!(bad["line"], 1);
    assert!(bad["error"].is_string());
    for (object, file) in objects.iter().zip(&files) {
        assert_eq!(object["file"], file.display().to_string());
    }
}

#[test]
fn no_file_is_2() {
    assert_eq!(run(&[], &[]).0, Some(2));
}
