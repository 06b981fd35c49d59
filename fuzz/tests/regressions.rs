//! What targets have found, as they printed it. What `stack` finds under a design that is for use is in
//! `tests/random/regressions.rs`.

use arbitrary::{Arbitrary, Unstructured};
use loom_tests::scenario::Op;
use rskq_fuzz::schedule::{Input, Program};
use rskq_fuzz::stack;

/// What a planted fault was found with, by which who moves a request does not look whether somebody else did.
#[test]
fn found_by_fuzzing() {
    let program = Program {
        design: "linux",
        someone_stays: false,
        polled: true,
        defer_accept: 0,
        fastopen: 1,
        before: vec![Op::Syn(0, 0), Op::Close(0)],
        threads: vec![vec![Op::Accept(0)], vec![Op::Ack(0)], vec![Op::Poll]],
    };
    Input { program, choices: vec![0, 2, 2, 1, 0, 4, 0, 1, 0, 0, 183, 1, 2, 0, 1, 2, 0, 1, 2, 33, 0, 0, 0] }
        .run(&[]);
}

/// A text without what the formatter decides.
fn words(text: &str) -> String {
    text.split([' ', '\n']).collect::<String>().replace(",]", "]")
}

/// What is printed compiles: it is in the tests.
#[test]
fn what_is_printed_is_a_test() {
    let stack =
        stack::Input::arbitrary(&mut Unstructured::new(include_bytes!("../seeds/stack/cookies-kept")));
    let schedule =
        Input::arbitrary(&mut Unstructured::new(include_bytes!("../seeds/schedule/moved-unnoticed")));
    let printed = [
        (format!("{:?}", stack.unwrap()), include_str!("../../tests/random/regressions.rs")),
        (format!("{:?}", schedule.unwrap()), include_str!("regressions.rs")),
    ];
    for (test, tests) in printed {
        assert!(words(tests).contains(&words(&test)), "this is not a test: {test}");
    }
}
