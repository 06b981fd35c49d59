//! The classic cases of lock order, and their correct relatives, before all three checkers.
//!
//! One table, [`cases::CASES`], says of each case what each checker must say. The run-time validator
//! and the model checker run the same scripts here. The compile-time tokens cannot run a script: their
//! column is proven by programs that must compile and programs that must not.

mod cases;
mod model;
mod run_time;

use cases::{CASES, Case, Model, Verdict};

/// What both checkers that run here say of a case.
fn verdicts(case: &'static Case) -> (Verdict, Model) {
    (run_time::verdict(case), model::verdict(case))
}

#[test]
fn each_checker_says_of_each_case_what_it_must() {
    println!("{:48} {:8} {:8} {:8}", "case", "tokens", "run time", "model");
    let mut wrong = Vec::new();
    for case in CASES {
        let (run_time, model) = verdicts(case);
        let tokens = format!("{:?}", case.tokens);
        println!("{:48} {tokens:8} {:8} {:8}", case.name, format!("{run_time:?}"), format!("{model:?}"));
        if (run_time, model) != (case.run_time, case.model) {
            wrong.push(case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The scripts themselves are no nonsense: each releases what it takes, and none twice.
#[test]
fn each_script_releases_what_it_takes() {
    for case in CASES {
        for script in case.threads.iter().copied().chain(case.handler) {
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
