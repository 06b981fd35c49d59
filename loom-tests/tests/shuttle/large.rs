//! Worlds that are too large for loom: more threads than it bears, and more of everything.
//!
//! At the fine grain: shuttle does not try all orders of two accesses but takes a turn at each, so that
//! every atomic and every lock can be visible whatever the number of threads. (A coarse reference count
//! has a word for each of four threads; with more than that several would look at one.)

use super::{Choice, Plan, SEED, column, run};
use loom_tests::property::Property;
use loom_tests::scenario::{self, A, B, C, D, L, Op, Scenario};
use rskq::sync::model::{Finding, Fine};

/// Random schedules of each world under each design.
const RANDOM: usize = 1_000;
/// Schedules of each depth of probabilistic concurrency testing.
const PCT: usize = 400;
const DEPTHS: [usize; 3] = [3, 4, 5];

const E: L = 4;

/// What the worlds have in common: A and B stay. All that can end up on one listener fits into its
/// backlog, so that none is refused.
fn large(name: &'static str, schedule: &'static str) -> Scenario {
    Scenario {
        name,
        schedule,
        listeners: 5,
        backlog: 16,
        ..scenario::by_name("two_closers").expect("the simplest race is there")
    }
}

/// Fifteen threads.
pub(super) fn queues() -> Scenario {
    let schedule = "
        1. T1 to T8 deliver a connection each.
        2. T9 to T12 accept, on those that stay and on one that leaves.
        3. T13 closes C, T14 shuts D down and listens again, T15 closes E.";
    Scenario {
        before: &[
            Op::Deliver(0, B),
            Op::Deliver(1, C),
            Op::Deliver(2, C),
            Op::Deliver(3, D),
            Op::Deliver(4, E),
        ],
        threads: &[
            &[Op::Deliver(5, A)],
            &[Op::Deliver(6, B)],
            &[Op::Deliver(7, C)],
            &[Op::Deliver(8, C)],
            &[Op::Deliver(9, D)],
            &[Op::Deliver(10, D)],
            &[Op::Deliver(11, E)],
            &[Op::Deliver(12, E)],
            &[Op::Accept(A), Op::Accept(A)],
            &[Op::Accept(B), Op::Accept(B)],
            &[Op::Accept(C), Op::Accept(C)],
            &[Op::Accept(D), Op::Accept(D)],
            &[Op::Close(C)],
            &[Op::Shutdown(D), Op::ListenAgain(D)],
            &[Op::Close(E)],
        ],
        ..large("large_queues", schedule)
    }
}

/// Fifteen threads.
pub(super) fn handshakes() -> Scenario {
    let schedule = "
        1. T1 and T2 get the same SYN, T3 another one and its final ACK.
        2. T4 to T10 get what ends or prolongs handshakes that began before: ACKs, resets, timers, some for
           the same request.
        3. T11 and T12 accept.
        4. T13 closes C, T14 shuts D down and listens again, T15 closes E.";
    Scenario {
        before: &[
            Op::Syn(0, C),
            Op::Syn(1, C),
            Op::Syn(2, D),
            Op::Syn(3, E),
            Op::Syn(4, E),
            Op::Deliver(5, C),
            Op::Deliver(6, D),
        ],
        threads: &[
            &[Op::Syn(7, C)],
            &[Op::Syn(7, C)],
            &[Op::Syn(8, D), Op::Ack(8)],
            &[Op::Ack(0)],
            &[Op::Ack(0), Op::Ack(2)],
            &[Op::Ack(3)],
            &[Op::Reset(1)],
            &[Op::Reset(3), Op::Reset(0)],
            &[Op::Timer(1), Op::Timer(2), Op::Timer(3)],
            &[Op::Timer(4), Op::Timer(4), Op::Timer(0)],
            &[Op::Accept(A), Op::Accept(B)],
            &[Op::Accept(C), Op::Accept(D)],
            &[Op::Close(C)],
            &[Op::Shutdown(D), Op::ListenAgain(D)],
            &[Op::Close(E)],
        ],
        ..large("large_handshakes", schedule)
    }
}

/// Fourteen threads.
pub(super) fn fast_open() -> Scenario {
    let schedule = "
        1. T1 to T3 get SYNs with data, and the end of the handshake.
        2. T4 to T8 get the end of handshakes that began before, or a reset.
        3. T9 to T11 accept, on those that stay and on one that leaves.
        4. T12 closes C, T13 shuts D down and listens again, T14 closes E.";
    Scenario {
        fastopen: 16,
        before: &[
            Op::SynFast(0, C),
            Op::SynFast(1, C),
            Op::Accept(C),
            Op::SynFast(2, D),
            Op::SynFast(3, E),
            Op::SynFast(4, A),
            Op::Accept(A),
            Op::Deliver(5, D),
        ],
        threads: &[
            &[Op::SynFast(6, C), Op::Done(6)],
            &[Op::SynFast(7, D), Op::ResetFast(7)],
            &[Op::SynFast(8, E)],
            &[Op::Done(0)],
            &[Op::ResetFast(0), Op::Done(1)],
            &[Op::ResetFast(2)],
            &[Op::Done(3)],
            &[Op::ResetFast(4)],
            &[Op::Accept(A), Op::Accept(A)],
            &[Op::Accept(B), Op::Accept(B)],
            &[Op::Accept(D), Op::Accept(C)],
            &[Op::Close(C)],
            &[Op::Shutdown(D), Op::ListenAgain(D)],
            &[Op::Close(E)],
        ],
        ..large("large_fast_open", schedule)
    }
}

/// H1 is handover's: all others take a step for each connection.
fn steps(finding: &Finding) -> bool {
    finding.property == Property::H1.name()
}

/// Linux's designs reset what they find no place for, and give up half open what nobody answers for.
fn steps_and_losses(finding: &Finding) -> bool {
    steps(finding) || finding.property == Property::I11.name()
}

fn holds(design: &str, tolerates: fn(&Finding) -> bool) {
    holds_in(&[queues(), handshakes(), fast_open()], design, tolerates);
}

fn holds_in(worlds: &[Scenario], design: &str, tolerates: fn(&Finding) -> bool) {
    for (seed, &world) in (SEED..).zip(worlds) {
        let plan = Plan { tolerates, ..Plan::new(world, column(design)) };
        run::<Fine>(plan, Choice::Random(seed), RANDOM);
        for depth in DEPTHS {
            run::<Fine>(plan, Choice::Pct(seed, depth), PCT);
        }
    }
}

#[test]
fn requeue_holds() {
    holds("requeue", steps);
}

#[test]
fn linuxs_rules_hold() {
    holds("linux", steps);
}

#[test]
fn handover_holds() {
    holds("handover", |_| false);
}

/// The baseline loses connections, which is its point, and breaks nothing else.
#[test]
fn abort_only_loses() {
    holds("abort", steps_and_losses);
}

/// Linux's single try at a target loses connections where targets close, too. Without the fast-open world: in
/// some schedules of the fine grain a reference is put there that a request does not have any more.
#[test]
fn clone_only_loses() {
    holds_in(&[queues(), handshakes()], "clone", steps_and_losses);
}
