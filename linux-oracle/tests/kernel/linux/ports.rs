//! What the kernel picks, and what an operation that contradicts those before gets.

use super::{Test, kernel};
use linux_oracle::error::Malformed;
use linux_oracle::live::kernel::StepError;
use linux_oracle::trace::{Connect, EpisodeStart, Open, Operation, Shown, Word};

pub(crate) const TESTS: [Test; 2] = [
    ("a_picked_port_is_told", a_picked_port_is_told),
    ("what_contradicts_is_refused", what_contradicts_is_refused),
];

/// Rule 9: who bound port 0 gets another port when it listens again.
fn a_picked_port_is_told() {
    let mut kernel = kernel();
    kernel.episode(EpisodeStart { migrate_req: true }).expect("it begins");
    let mut open = Operation::Open(Open { port: Some(0), ..Open::new(1, 4) });
    kernel.step(&mut open).expect("done");
    let Operation::Open(Open { picked: Some(first), .. }) = open else { panic!("{open:?}") };
    let mut backlog = Operation::Listen { listener: 1, backlog: 5, picked: None };
    kernel.step(&mut backlog).expect("done");
    assert_eq!(backlog, Operation::Listen { listener: 1, backlog: 5, picked: None });
    kernel.step(&mut Operation::Shutdown { listener: 1 }).expect("done");
    let mut again = Operation::Listen { listener: 1, backlog: 4, picked: None };
    kernel.step(&mut again).expect("done");
    let Operation::Listen { picked: Some(second), .. } = again else { panic!("{again:?}") };
    assert_ne!(first, second);
    for (port, word) in [(first, Word::Refused), (second, Word::Established)] {
        let mut connect = Operation::Connect(Connect { port: Some(port), ..Connect::new(20_001) });
        assert_eq!(kernel.step(&mut connect).expect("done").result, Shown::Word(word));
    }
}

fn what_contradicts_is_refused() {
    let mut kernel = kernel();
    kernel.episode(EpisodeStart { migrate_req: true }).expect("it begins");
    let mut step = |mut operation| kernel.step(&mut operation);
    let open = Operation::Open(Open::new(1, 4));
    let connect = Operation::Connect(Connect::new(20_001));
    step(open).expect("done");
    step(connect).expect("done");
    assert!(matches!(step(open), Err(StepError::Malformed(Malformed::ListenerOpen(1)))));
    assert!(matches!(step(connect), Err(StepError::Malformed(Malformed::ClientConnected(20_001)))));
    for operation in [Operation::Close { listener: 2 }, Operation::Map { index: 0, listener: Some(2) }] {
        assert!(matches!(step(operation), Err(StepError::Malformed(Malformed::NoListener(2)))));
    }
    for operation in [Operation::Data { conn: 9 }, Operation::Fin { conn: 9 }, Operation::Reset { conn: 9 }] {
        assert!(matches!(step(operation), Err(StepError::Malformed(Malformed::NoClient(9)))));
    }
}
