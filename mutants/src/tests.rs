//! The gate fails where it has to: judges that are taken away, reasons that are not written.

use super::*;
use crate::summary::Summary;
use std::path::PathBuf;

const MUTANTS: &str = r#"[
    {"file": "src/f.rs", "name": "src/f.rs:1:9: replace f with 0", "replacement": "0",
        "span": {"start": {"line": 1, "column": 9}, "end": {"line": 1, "column": 10}}},
    {"file": "src/f.rs", "name": "src/f.rs:1:9: replace f with 1", "replacement": "1",
        "span": {"start": {"line": 1, "column": 9}, "end": {"line": 1, "column": 10}}}
]"#;

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mutants-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("there is room");
    path
}

/// A check that fails for one mutant, and passes for every other, and without one.
fn notices(mutant: usize) -> Check {
    let script = format!("test \"$MUTANT\" != {mutant}");
    Check::new(format!("notices-{mutant}"), Path::new("/bin/sh"), &["-c", &script], Path::new("/"))
}

/// What comes of two mutants before some judges, and its exit code.
fn gate(name: &str, checks: &[Check], reasons: &str) -> (Summary, u8) {
    let mutants: Vec<Mutant> = serde_json::from_str(MUTANTS).expect("as cargo-mutants writes it");
    let scratch = scratch(name);
    let mut ledger = Ledger::open(&scratch.join("ledger"), State::default()).expect("it is new");
    for stage in [Stage::First, Stage::Second] {
        for number in 0..mutants.len() {
            if !ledger.has_passed(&mutants[number], stage) {
                let court = Court::new(checks, &mutants, &mut ledger, stage);
                court.judge(number, number, |_| true).expect("a shell is there");
            }
        }
    }
    let summary = Summary::new(&mutants, &ledger, &Reasons::parse(reasons).expect("they are written"));
    std::fs::remove_dir_all(scratch).expect("it is there");
    let code = summary.code();
    (summary, code)
}

const REASON: &str = "[[reason]]
why = 'nobody can tell this from the original'
mutants = ['src/f.rs: replace f with 1']";

#[test]
fn all_that_is_noticed_passes() {
    let (summary, code) = gate("all", &[notices(0), notices(1)], "");
    assert_eq!((summary.wrong.as_slice(), code), (&[][..], 0));
}

#[test]
fn without_its_judge_a_mutant_survives_and_the_gate_fails() {
    let (summary, code) = gate("without", &[notices(0)], "");
    assert_eq!(summary.wrong, ["Survived without a reason: src/f.rs:1:9: replace f with 1"]);
    assert_eq!(code, 1);
    let (summary, code) = gate("none", &[], "");
    assert!(summary.wrong.iter().all(|line| line.starts_with("Unreached without a reason")));
    assert_eq!((summary.wrong.len(), code), (2, 1));
}

#[test]
fn a_reason_lets_one_live_and_is_wrong_where_it_does_not() {
    assert_eq!(gate("reason", &[notices(0)], REASON).1, 0);
    let (summary, code) = gate("gone", &[notices(0), notices(1)], REASON);
    assert_eq!(summary.wrong, ["has a reason, but does not survive: src/f.rs: replace f with 1"]);
    assert_eq!(code, 1);
    assert!(Reasons::parse("[[reason]]\nwhy = 'no'\nmutants = []").is_err());
}

#[test]
fn what_nobody_has_judged_is_no_pass() {
    let mutants: Vec<Mutant> = serde_json::from_str(MUTANTS).expect("as cargo-mutants writes it");
    let scratch = scratch("unjudged");
    let ledger = Ledger::open(&scratch.join("ledger"), State::default()).expect("it is new");
    let summary = Summary::new(&mutants, &ledger, &Reasons::default());
    std::fs::remove_dir_all(scratch).expect("it is there");
    assert_eq!((summary.not_judged(), summary.code()), (2, 3));
}

#[test]
fn a_check_that_does_not_end_is_told_from_one_that_fails() {
    let endless = Check::new(
        "endless".to_owned(),
        Path::new("/bin/sh"),
        &["-c", "while :; do :; done"],
        Path::new("/"),
    );
    assert_eq!(endless.notices(0).expect("a shell is there"), Some(Verdict::TimedOut));
    assert_eq!(notices(0).notices(0).expect("a shell is there"), Some(Verdict::Caught));
    assert_eq!(notices(0).notices(1).expect("a shell is there"), None);
}
