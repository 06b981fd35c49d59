//! Races that are there for one design of the discussion each: what its reviewers found, or would have.

use super::{A, B, BASE, C, Op, Scenario};
use rskq::migrate::{Picker, Program};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "timer_close_of_target",
        schedule: "
            1. A is closed and has a half-open request; its target is C.
            2. T1's timer finds C in socks[].
            3. T2 closes C, and nobody names it any more.
            4. T1 takes a reference on C, or finds that there is none to take.",
        covers: &["P1"],
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Timer(0)], &[Op::Close(C)]],
        ..BASE
    },
    Scenario {
        name: "expiring_timer_ack_of_closed",
        schedule: "
            1. A is closed and has a half-open request whose timer went off before.
            2. T1's timer goes off for the last time.
            3. T2 gets the final ACK.",
        covers: &["P5"],
        before: &[Op::Syn(0, A), Op::Timer(0), Op::Close(A)],
        threads: &[&[Op::Timer(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "lookup_slot_reused",
        schedule: "
            1. A is closed and has a half-open request. T1 gets the final ACK and finds the request.
            2. T2 gets the final ACK, too: the connection waits on C, and the request is gone.
            3. T2 shuts C down: the connection moves on to B, perhaps with a request in the same slot.
            4. T1 takes a reference on what is in the slot.",
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Ack(0)], &[Op::Ack(0), Op::Shutdown(C)]],
        ..BASE
    },
    Scenario {
        name: "fast_migrant_of_closed_accept_done",
        schedule: "
            1. A fast-open connection migrated from A to B, and A is closed.
            2. T1 accepts it from B.
            3. T2 ends its handshake, and looks its listener up.",
        covers: &["E3"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Close(A)],
        threads: &[&[Op::Accept(B)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "program_replaced_closer",
        schedule: "
            1. A program selects B. T1 closes A.
            2. T2 replaces the program: the new one selects C.
            3. T1 runs the one or the other.",
        listeners: 3,
        picker: Picker::Program,
        before: &[Op::Program(Some(Program::Select(B))), Op::Deliver(0, A), Op::Deliver(1, A)],
        threads: &[&[Op::Close(A)], &[Op::Program(Some(Program::Select(C)))]],
        ..BASE
    },
    Scenario {
        name: "program_selects_closed",
        schedule: "
            1. A program selects B. T1 closes A.
            2. T2 shuts B down.
            3. T1 runs the program: what it selects listens, or does not any more.",
        listeners: 3,
        picker: Picker::Program,
        before: &[Op::Program(Some(Program::Select(B))), Op::Deliver(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Shutdown(B)]],
        ..BASE
    },
];
