//! Races with listeners that are shut down and listen again.

use super::{A, B, BASE, Op, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "shutdown_listen_again_arrival",
        schedule: "
            1. T2 delivers: its hash selects A.
            2. T1 shuts A down, drains it, and listens on it again.
            3. T2 adds to A: the A it found, or the A that came back.",
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Deliver(1, A)]],
        ..BASE
    },
    Scenario {
        name: "ring",
        schedule: "
            1. T1 shuts A down: what it has goes to B. A listens again.
            2. T2 shuts B down: what it has goes to A, if A listens by then. B listens again.
            3. Nobody's owner leads to itself.",
        before: &[Op::Deliver(0, A), Op::Deliver(1, B)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Shutdown(B), Op::ListenAgain(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "target_listens_again",
        schedule: "
            1. T1 closes A: its heir is B.
            2. T2 shuts B down and listens again: B has another owner by then.
            3. T1 adds to B, or to what B was.",
        before: &[Op::Deliver(0, A), Op::Deliver(1, B)],
        threads: &[&[Op::Close(A)], &[Op::Shutdown(B), Op::ListenAgain(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "shutdown_listen_again_accept",
        schedule: "
            1. T1 shuts A down and listens again.
            2. T2 accepts on A: before, between or after.",
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Accept(A)]],
        ..BASE
    },
    Scenario {
        name: "owners_exhausted",
        schedule: "
            1. T1 shuts A down, and no owner is free for when it listens again: its queue moves one by one.
            2. T2 delivers to A.",
        spare_owners: 0,
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Deliver(1, A)]],
        ..BASE
    },
    Scenario {
        name: "owners_exhausted_half_open",
        schedule: "
            1. T1 shuts A down, and no owner is free: its half-open request stays A's.
            2. T2 gets the final ACK: the request is adopted, or A listens again.",
        spare_owners: 0,
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Ack(0)]],
        ..BASE
    },
];
