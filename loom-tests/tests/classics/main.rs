//! The classic cases of lock order, and their correct relatives, before all three checkers.
//!
//! One table, [`cases::CASES`], says of each case what each checker must say. The same scripts are run
//! under the run-time validator, explored by the model checker, and translated into programs that compile
//! or do not. What came out stands in `docs/classics.md`.

mod cases;
#[path = "../../../tests/compile_fail/compiler.rs"]
mod compiler;
mod model;
mod page;
mod run_time;
mod tokens;

use cases::{CASES, Case, Model, Tokens, Verdict};
use std::sync::OnceLock;

/// What the checkers say of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    tokens: Tokens,
    run_time: Verdict,
    model: Model,
}

/// A case with what was said of it.
type Row = (Case, Said);

impl Case {
    fn expected(&self) -> Said {
        let &Self { tokens, run_time, model, .. } = self;
        Said { tokens, run_time, model }
    }
}

/// The same table with wrong expectations, for each column and both ways.
const CONTROLS: [Case; 2] = [
    cases::wrong("control: AB-AB, said to be wrong", &[cases::AB, cases::AB], Model::Deadlock),
    cases::correct("control: AB-BA, said to be right", &[cases::AB, cases::BA]),
];

/// Asks all checkers, once, of every case and of the controls after them.
fn asked() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let cases = [CASES, &CONTROLS].concat();
        let tokens = tokens::verdicts(&cases);
        let said = |(case, tokens): (Case, Tokens)| {
            (case, Said { tokens, run_time: run_time::verdict(&case), model: model::verdict(case) })
        };
        cases.into_iter().zip(tokens).map(said).collect()
    })
}

/// What was said of every case.
fn rows() -> &'static [Row] {
    &asked()[..CASES.len()]
}

/// In which columns another verdict was expected.
fn differences(rows: &[Row]) -> Vec<(&'static str, &'static str)> {
    let of = |(case, said): &Row| {
        let expected = case.expected();
        let columns = [
            ("tokens", said.tokens == expected.tokens),
            ("run time", said.run_time == expected.run_time),
            ("model", said.model == expected.model),
        ];
        let name = case.name;
        columns.into_iter().filter(|&(_, as_expected)| !as_expected).map(move |(column, _)| (name, column))
    };
    rows.iter().flat_map(of).collect()
}

#[test]
fn each_checker_says_of_each_case_what_it_must() {
    println!("{}", page::table(rows()));
    assert_eq!(differences(rows()), []);
}

/// AB-AB is not reported and AB-BA is not passed by any checker, whatever the table says.
#[test]
fn a_case_that_is_wrong_in_the_table_is_found_out() {
    let controls = &asked()[CASES.len()..];
    let every = |case: &Case| ["tokens", "run time", "model"].map(|column| (case.name, column));
    assert_eq!(differences(controls), CONTROLS.each_ref().map(every).concat());
}

/// No expectation of the table can be another one: the columns are compared, case by case.
#[test]
fn each_expectation_counts() {
    for &(case, said) in rows() {
        let tokens = if case.tokens == Tokens::Silent { Tokens::Report } else { Tokens::Silent };
        let run_time = if case.run_time == Verdict::Silent { Verdict::Report } else { Verdict::Silent };
        let model = if case.model == Model::Silent { Model::Order } else { Model::Silent };
        let flipped = [
            ("tokens", Case { tokens, ..case }),
            ("run time", Case { run_time, ..case }),
            ("model", Case { model, ..case }),
        ];
        for (column, case) in flipped {
            assert_eq!(differences(&[(case, said)]), [(case.name, column)]);
        }
    }
}

/// That tokens are blind to interrupts is no figure of speech: what is wrong only for them is the same
/// program as something right.
#[test]
fn what_tokens_are_blind_to_reads_like_what_is_right() {
    let blind = || CASES.iter().filter(|case| case.tokens == Tokens::Blind);
    let of = |verdict| blind().filter(move |case| case.run_time == verdict);
    assert!(of(Verdict::Report).count() > 0);
    for wrong in of(Verdict::Report) {
        let text = tokens::Program::of(wrong).text;
        let twin = of(Verdict::Silent).find(|right| tokens::Program::of(right).text == text);
        println!("{}: {}", wrong.name, twin.expect(wrong.name).name);
    }
}

/// The scripts themselves are no nonsense: each releases what it takes, and none twice.
#[test]
fn each_script_releases_what_it_takes() {
    for case in CASES {
        for script in case.scripts() {
            let mut held = Vec::new();
            for step in script {
                step.takes().into_iter().for_each(|lock| held.push(lock));
                if let Some(lock) = step.releases() {
                    let place = held.iter().position(|&other| other == lock);
                    held.remove(place.unwrap_or_else(|| panic!("{}: {lock:?} is not held", case.name)));
                }
            }
            assert!(held.is_empty(), "{}: {held:?} is still held", case.name);
        }
    }
}
