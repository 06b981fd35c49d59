//! What the tokens of the lock order are for: programs that must not compile, each with the error that it
//! must give and a corrected program that must compile. See `case.rs` for how they are written.
#![cfg(feature = "spin")]

mod case;
mod compiler;
mod orders;

use case::{Case, Said};
use rskq::lockdep::order::ORDER;
use std::sync::OnceLock;

/// The cases that are written by hand, by the names of their files.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("cases/", $name, ".rs")))),+]
    };
}

const FILES: [(&str, &str); 10] = files![
    "another_thread",
    "copied",
    "fields",
    "forged",
    "kept",
    "moved",
    "outer_token",
    "pass",
    "skipped",
    "root",
];

/// Wrong in one way each, and how it is found out. They compile or not like other cases.
const CONTROLS: [(&str, &str, &str); 6] = [
    ("nothing_refused", "fn f() -> u32 { 1 } //~ E0308 mismatched types", "not among []"),
    ("not_marked", "fn f() -> u32 { true }\n//~ instead: fn f() -> u32 { 1 }", "not expected: error[E0308]"),
    (
        "another_code",
        "fn f() -> u32 { true } //~ E0277 mismatched types\n//~ instead:",
        "E0277 mismatched types: not among",
    ),
    (
        "another_sentence",
        "fn f() -> u32 { true } //~ E0308 lock order violation\n//~ instead:",
        "E0308 lock order violation: not among",
    ),
    ("another_line", "fn f() -> u32 { true }\n// //~ E0308 mismatched types", "not among []"),
    (
        "not_corrected",
        "fn f() -> u32 { true } //~ E0308 mismatched types",
        "corrected, it does not compile: error[E0308]",
    ),
];

fn control(name: &str, program: &str) -> Case {
    Case::marked(&format!("control_{name}"), program)
}

/// Every case, and what the compiler said of it.
fn all() -> &'static (Vec<Case>, Said) {
    static ALL: OnceLock<(Vec<Case>, Said)> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut cases = vec![orders::reversed(), orders::same_class()];
        cases.extend(FILES.map(|(name, program)| Case::marked(name, program)));
        cases.extend(CONTROLS.map(|(name, program, _)| control(name, program)));
        let said = Said::of(&cases);
        (cases, said)
    })
}

fn verdict(name: &str) -> Result<(), String> {
    let (cases, said) = all();
    let case = cases.iter().find(|case| case.name == name).expect("every case has a name");
    let (program, corrected) = said.of_case(case);
    case.verdict(program, corrected)
}

fn holds(name: &str, errors: usize) {
    let case = all().0.iter().find(|case| case.name == name).unwrap();
    assert_eq!(case.expected.len(), errors, "{name}: so many errors are marked");
    verdict(name).unwrap_or_else(|differs| panic!("{differs}"));
}

#[test]
fn every_pair_the_wrong_way_round_is_refused_and_the_right_way_round_is_not() {
    holds("reversed", ORDER.len() * (ORDER.len() - 1) / 2);
}

#[test]
fn two_locks_of_one_class_are_not_nested_but_taken_together() {
    holds("same_class", ORDER.len());
}

#[test]
fn a_level_that_was_skipped_is_out_of_reach() {
    holds("skipped", 3);
}

#[test]
fn the_outer_token_is_out_of_reach_while_a_guard_lives() {
    holds("outer_token", 4);
}

#[test]
fn a_token_is_not_kept_beyond_its_scope() {
    holds("kept", 4);
}

#[test]
fn a_token_stays_in_its_context() {
    holds("another_thread", 4);
}

#[test]
fn a_token_is_not_forged() {
    holds("forged", 4);
    holds("root", 1);
    holds("fields", 1);
}

#[test]
fn a_token_is_not_copied() {
    holds("copied", 1);
    holds("moved", 3);
}

#[test]
fn what_the_order_allows_compiles() {
    holds("pass", 0);
}

#[test]
fn the_message_names_both_locks_and_the_order() {
    let (cases, said) = all();
    let case = cases.iter().find(|case| case.name == "reversed").unwrap();
    let neighbours = "`ListenBucket` may not be taken while `Reuseport` is held";
    let error = said.of_case(case).0.iter().find(|found| found.sentence.ends_with(neighbours)).unwrap();
    for part in [
        "this token says that `Reuseport` is held, and `ListenBucket` does not come after it".to_owned(),
        // The attribute cannot quote the table.
        format!("the order, outermost first: {}", ORDER.join(", ")),
        "take `ListenBucket` before `Reuseport`, or release `Reuseport`".to_owned(),
        "two locks of one class are taken together, in one call: `Mutex::lock_pair`".to_owned(),
    ] {
        assert!(error.rendered.contains(&part), "{part}: not in\n{}", error.rendered);
    }
}

#[test]
fn a_case_that_is_wrong_is_found_out() {
    for (name, program, how) in CONTROLS {
        let name = control(name, program).name;
        let differs = verdict(&name).expect_err(&name);
        assert!(differs.contains(how), "{name}: {differs}");
    }
}
