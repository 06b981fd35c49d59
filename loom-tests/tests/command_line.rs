//! The command line, run as a person runs it: interrupted runs, limits, pictures.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Races of the smallest design, not deeply: many enough to be interrupted, done in seconds.
const SMALL: [&str; 7] = ["matrix", "--design", "abort", "--only", "closer", "--bound", "1"];

fn models() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loom-tests"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    models().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.matches('\n').count())
}

#[test]
fn a_killed_run_resumes_where_it_was_and_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.jsonl");
    let resumed = [&SMALL[..], &["--resume", "--state", state.to_str().unwrap()]].concat();
    let mut killed = models().args(&resumed).spawn().unwrap();
    while lines(&state) < 2 && killed.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // It may have been faster than we are; then everything is read back.
    let _ = killed.kill();
    killed.wait().unwrap();
    let before = lines(&state);
    assert!(before >= 2, "nothing was kept of the killed run");

    let (second, whole) = (run(&resumed), run(&SMALL));
    assert_eq!(second.status, whole.status, "{}", stderr(&second));
    let models = lines(&state);
    let read_back = format!("{before} of {models} models were explored before and are read back");
    assert!(stderr(&second).contains(&read_back), "{}", stderr(&second));
    assert_eq!(stdout(&second), stdout(&whole));

    // Nothing is explored twice: no model is told as done.
    let third = run(&resumed);
    assert!(!stderr(&third).contains("interleavings,"), "{}", stderr(&third));
    assert_eq!(lines(&state), models);
}

#[test]
fn an_interrupted_run_says_what_is_missing_and_keeps_what_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.jsonl");
    // Far more than is done by the time the first model is.
    let long = ["matrix", "--design", "clone", "--design", "requeue", "--only", "closer", "--bound", "2"];
    let run = models().args(long).args(["--resume", "--state"]).arg(&state).spawn().unwrap();
    while lines(&state) == 0 {
        std::thread::yield_now();
    }
    let signalled = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told = stderr(&output);
    assert!(told.contains("models are missing") && told.contains("missing: requeue::"), "{told}");
}

#[test]
fn what_another_build_left_is_not_reused() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.jsonl");
    let one =
        ["matrix", "--only", "abort::last_member_arrival", "--resume", "--state", state.to_str().unwrap()];
    run(&one);
    let text = fs::read_to_string(&state).unwrap();
    let fingerprint = text.split('"').nth(3).unwrap();
    fs::write(&state, text.replace(fingerprint, "of another build")).unwrap();
    let again = run(&one);
    assert!(stderr(&again).contains("1 models of another build are not reused"), "{}", stderr(&again));
    assert!(stderr(&again).contains("0 of 1 models were explored before"), "{}", stderr(&again));
}

#[test]
fn a_run_without_time_names_every_model_as_missing_and_is_no_pass() {
    let output = run(&[&SMALL[..], &["--max-time", "0"]].concat());
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("missing: abort::closer_accept was not begun"), "{}", stderr(&output));
    let table = stdout(&output);
    assert!(table.contains("┆ ?? ") && !table.contains("┆ ok "), "{table}");
}

#[test]
fn a_selection_of_nothing_is_an_error() {
    let output = run(&["matrix", "--only", "no such model"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_stream_that_is_no_terminal_gets_a_line_a_model() {
    let output = run(&["matrix", "--bound", "1", "--only", "abort::closer_accept"]);
    let told = stderr(&output);
    assert!(told.contains("] abort::closer_accept: ") && told.contains("[2/"), "{told}");
    assert!(!told.contains('\u{1b}'), "no control sequences: {told}");
}

#[test]
fn a_picture_is_written_and_one_that_was_altered_is_stale() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let explain = ["explain", "splice", "closer_late_arrival", "--property", "I11", "--out", out];
    let check = [&explain[..], &["--check"]].concat();
    assert!(!run(&check).status.success(), "a picture that is not there is current");
    let written = run(&explain);
    let path = stdout(&written).lines().last().unwrap().to_owned();
    assert!(path.ends_with("splice-closer_late_arrival-I11.svg"), "{path}");
    assert!(run(&check).status.success());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("deliver", "delivers")).unwrap();
    assert!(!run(&check).status.success(), "an altered picture is current");
}

#[test]
fn there_is_no_picture_of_what_holds() {
    let output = run(&["explain", "requeue", "closer_accept", "--property", "I12", "--check"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("nothing is broken"), "{}", stderr(&output));
}
