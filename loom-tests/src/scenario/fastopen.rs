//! Races for fast-open connections, which may be accepted before their handshake has ended.

use super::{A, B, BASE, C, Op, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "fast_syn_closer",
        schedule: "
            1. T2 gets a SYN with data whose hash falls on A.
            2. T1 closes A: the connection is in A's queue by then, or goes to B.",
        fastopen: 4,
        threads: &[&[Op::Close(A)], &[Op::SynFast(0, A)]],
        ..BASE
    },
    Scenario {
        name: "fast_limit",
        schedule: "
            1. A may have one fast-open connection.
            2. T1 and T2 get a SYN with data for A: one is admitted.",
        fastopen: 1,
        listeners: 1,
        threads: &[&[Op::SynFast(0, A)], &[Op::SynFast(1, A)]],
        ..BASE
    },
    Scenario {
        name: "fast_accept_done",
        schedule: "
            1. T1 accepts a fast-open connection.
            2. T2 ends its handshake: it was accepted by then, or was not.",
        fastopen: 4,
        before: &[Op::SynFast(0, A)],
        threads: &[&[Op::Accept(A)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_accept_reset",
        schedule: "
            1. T1 accepts a fast-open connection.
            2. T2 resets it: it was accepted and goes on counting, or was not and does not.",
        fastopen: 4,
        before: &[Op::SynFast(0, A)],
        threads: &[&[Op::Accept(A)], &[Op::ResetFast(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_closer_done",
        schedule: "
            1. T1 closes A: a fast-open connection and its charge move.
            2. T2 ends its handshake, and takes the charge from whoever has it.",
        covers: &["A3", "C2", "D2", "E2"],
        fastopen: 4,
        before: &[Op::SynFast(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_accepted_closer_done",
        schedule: "
            1. A fast-open connection was accepted from A before its handshake ended.
            2. T1 closes A: the charge moves.
            3. T2 ends the handshake.",
        covers: &["E4"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Accept(A)],
        threads: &[&[Op::Close(A)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_accepted_closer_reset",
        schedule: "
            1. A fast-open connection was accepted from A before its handshake ended.
            2. T2 resets it: A listens, and the connection goes to A's reset list.
            3. T1 closes A: the list moves, or is emptied, and keeps nobody.",
        covers: &["L4"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Accept(A)],
        threads: &[&[Op::Close(A)], &[Op::ResetFast(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_migrant_accept_done",
        schedule: "
            1. A fast-open connection migrated from A to B.
            2. T1 accepts it from B.
            3. T2 ends its handshake.",
        covers: &["A3", "E2"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Shutdown(A)],
        threads: &[&[Op::Accept(B)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_migrant_accept_reset",
        schedule: "
            1. A fast-open connection migrated from A to B.
            2. T1 accepts it from B.
            3. T2 resets it.",
        covers: &["A3", "E2"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Shutdown(A)],
        threads: &[&[Op::Accept(B)], &[Op::ResetFast(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_closer_reset_lists",
        schedule: "
            1. A has a reset connection in its list, B has none.
            2. T1 closes A: the list moves to B.
            3. T2 resets one that was accepted from B: it goes to the end of B's list.",
        covers: &["E1"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Accept(A), Op::ResetFast(0), Op::SynFast(1, B), Op::Accept(B)],
        threads: &[&[Op::Close(A)], &[Op::ResetFast(1)]],
        ..BASE
    },
    Scenario {
        name: "fast_shutdown_listen_again_done",
        schedule: "
            1. A fast-open connection was accepted from A before its handshake ended.
            2. T1 shuts A down and listens again.
            3. T2 ends the handshake: nobody's count goes below zero.",
        covers: &["L2"],
        fastopen: 4,
        before: &[Op::SynFast(0, A), Op::Accept(A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_closer_done_accept",
        schedule: "
            1. T1 closes A: a fast-open connection moves to B.
            2. T2 ends its handshake.
            3. T3 accepts on B.",
        covers: &["A3", "C1", "E2", "E3"],
        fastopen: 4,
        before: &[Op::SynFast(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Done(0)], &[Op::Accept(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "fast_last_member_done",
        schedule: "
            1. T1 closes A, the only member: its fast-open connection is given up.
            2. T2 ends the handshake at the same time.",
        fastopen: 4,
        listeners: 1,
        before: &[Op::SynFast(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_closer_then_target_done",
        schedule: "
            1. T1 shuts C down: a fast-open connection moves to B. Then it shuts B down: it moves on to A.
            2. T2 ends its handshake, wherever it is.",
        covers: &["C4", "E3"],
        listeners: 3,
        fastopen: 4,
        before: &[Op::SynFast(0, C)],
        threads: &[&[Op::Shutdown(C), Op::Shutdown(B)], &[Op::Done(0)]],
        ..BASE
    },
    Scenario {
        name: "fast_two_closers_done_accept",
        schedule: "
            1. T1 shuts C down: a fast-open connection moves to B.
            2. T2 shuts B down: it moves on to A, or B closes while it is on its way.
            3. T3 ends its handshake.
            4. T4 accepts on A.",
        covers: &["C4", "E3"],
        listeners: 3,
        fastopen: 4,
        before: &[Op::SynFast(0, C)],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)], &[Op::Done(0)], &[Op::Accept(A)]],
        bound: Some(2),
        quick_bound: Some(1),
        ..BASE
    },
];
