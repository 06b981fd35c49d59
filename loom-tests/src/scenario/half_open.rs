//! Races for connections whose handshake has not ended.

use super::{A, B, BASE, C, Op, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "syn_syn_same_tuple",
        schedule: "
            1. T1 and T2 get the same SYN; neither finds a request for it.
            2. T1 adds a request to the table.
            3. T2 finds it under the bucket's lock: a duplicate.",
        threads: &[&[Op::Syn(0, A)], &[Op::Syn(0, A)]],
        ..BASE
    },
    Scenario {
        name: "syn_closer",
        schedule: "
            1. T2 gets a SYN whose hash falls on A.
            2. T1 closes A.
            3. T2 charges A, or finds nobody at home and charges B.",
        threads: &[&[Op::Close(A)], &[Op::Syn(0, A)]],
        ..BASE
    },
    Scenario {
        name: "syn_closer_of_half_open",
        schedule: "
            1. A has a half-open request, and T2 gets a SYN whose hash falls on A.
            2. T1 closes A: what A is charged with moves.
            3. T2 charges A before that, or B.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Syn(1, A)]],
        ..BASE
    },
    Scenario {
        name: "ack_closer",
        schedule: "
            1. T2 gets the final ACK of a request of A.
            2. T1 closes A.
            3. T2 adds to A's queue before A's closer looks at it, or to B's.",
        covers: &["P4"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_ack",
        schedule: "
            1. T1 and T2 get the final ACK of one request.
            2. One takes it off the table; the other finds no request.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Ack(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_timer",
        schedule: "
            1. T1's timer goes off for a request while T2 gets its final ACK.
            2. Either the timeout counts first, or there is no request any more.",
        covers: &["P5"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Timer(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_reset",
        schedule: "
            1. T1 gets a reset and T2 the final ACK of one request.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Reset(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "timer_closer",
        schedule: "
            1. T2's timer goes off for a request of A.
            2. T1 closes A.
            3. T2 counts the timeout for A, or for whoever the request is charged to now.",
        covers: &["P1", "P5"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Timer(0)]],
        ..BASE
    },
    Scenario {
        name: "reset_closer",
        schedule: "
            1. T2 gets a reset for a request of A.
            2. T1 closes A: the charge moves.
            3. T2 takes the charge from whoever has it.",
        covers: &["L1"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Reset(0)]],
        ..BASE
    },
    Scenario {
        name: "timer_ack_of_closed",
        schedule: "
            1. A is closed and has a half-open request.
            2. T1's timer goes off; it selects B.
            3. T2 gets the final ACK, and selects B, too.
            4. One of them moves the request and its charge; the other finds it moved, or gone.",
        covers: &["P2", "P3", "P5", "L3"],
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Timer(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_ack_of_closed",
        schedule: "
            1. A is closed and has a half-open request.
            2. T1 and T2 get its final ACK; both select B.",
        covers: &["P3", "P6"],
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Ack(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "timer_reset_of_closed",
        schedule: "
            1. A is closed and has a half-open request.
            2. T1's timer moves it to B.
            3. T2's reset takes the charge from whoever has it.",
        covers: &["L1", "P4"],
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Timer(0)], &[Op::Reset(0)]],
        ..BASE
    },
    Scenario {
        name: "timer_closer_of_target",
        schedule: "
            1. A is closed and has a half-open request; its target is B or C.
            2. T1's timer selects one.
            3. T2 shuts that one down.
            4. T1 finds nobody at home and selects the other.",
        covers: &["P1", "L5"],
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Timer(0)], &[Op::Shutdown(C)]],
        ..BASE
    },
    Scenario {
        name: "ack_closer_of_target",
        schedule: "
            1. A is closed and has a half-open request; its target is B or C.
            2. T1's ACK selects one.
            3. T2 shuts that one down.
            4. T1 finds nobody at home and selects the other.",
        covers: &["P1", "L5"],
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Ack(0)], &[Op::Shutdown(C)]],
        ..BASE
    },
    Scenario {
        name: "two_closers_half_open",
        schedule: "
            1. T1 shuts C down: what it is charged with goes to B.
            2. T2 shuts B down: what it is charged with goes to A.",
        listeners: 3,
        before: &[Op::Syn(0, C), Op::Syn(1, B)],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)]],
        ..BASE
    },
    Scenario {
        name: "last_member_ack",
        schedule: "
            1. T1 closes A, the only member.
            2. T2 gets the final ACK of a request of A.",
        listeners: 1,
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "last_member_timer",
        schedule: "
            1. T1 closes A, the only member.
            2. T2's timer goes off for a request of A, twice.",
        listeners: 1,
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Timer(0), Op::Timer(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_full_queue_accept",
        schedule: "
            1. A's queue is full.
            2. T1 gets the final ACK of a request of A.
            3. T2 accepts, before or after that.",
        backlog: 0,
        before: &[Op::Syn(1, A), Op::Deliver(0, A)],
        threads: &[&[Op::Ack(1)], &[Op::Accept(A)]],
        ..BASE
    },
    Scenario {
        name: "syn_ack_accept",
        schedule: "
            1. T1 gets a SYN and its final ACK.
            2. T2 accepts, before, between or after.",
        threads: &[&[Op::Syn(0, A), Op::Ack(0)], &[Op::Accept(A)]],
        ..BASE
    },
    Scenario {
        name: "syn_ack_closer",
        schedule: "
            1. T1 gets a SYN and its final ACK.
            2. T2 closes A, before, between or after.",
        covers: &["P4"],
        threads: &[&[Op::Syn(0, A), Op::Ack(0)], &[Op::Close(A)]],
        ..BASE
    },
    Scenario {
        name: "timer_twice_ack",
        schedule: "
            1. T1's timer goes off twice: the second time it gives up.
            2. T2 gets the final ACK.",
        covers: &["L3"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Timer(0), Op::Timer(0)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "ack_timer_closer",
        schedule: "
            1. T1 closes A.
            2. T2 gets the final ACK and T3's timer goes off for the same request.",
        covers: &["P2", "P4", "L3"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Ack(0)], &[Op::Timer(0)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "reset_timer_closer",
        schedule: "
            1. T1 closes A.
            2. T2 gets a reset and T3's timer goes off for the same request.",
        covers: &["L1"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Reset(0)], &[Op::Timer(0)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "ack_closer_accept_on_target",
        schedule: "
            1. T1 closes A.
            2. T2 gets the final ACK of a request of A.
            3. T3 accepts on B.",
        covers: &["L3"],
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Ack(0)], &[Op::Accept(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "shutdown_listen_again_ack",
        schedule: "
            1. T1 shuts A down and listens again.
            2. T2 gets the final ACK of a request of A: by then A's, B's, or A's again.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Ack(0)]],
        ..BASE
    },
    Scenario {
        name: "shutdown_listen_again_timer",
        schedule: "
            1. T1 shuts A down and listens again.
            2. T2's timer goes off for a request that A had before.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Timer(0)]],
        ..BASE
    },
    Scenario {
        name: "two_closers_ack_timer",
        schedule: "
            1. T1 shuts C down: what it is charged with goes to B.
            2. T2 shuts B down: what it is charged with goes to A.
            3. T3 gets the final ACK, and T4's timer goes off, for a request of C.",
        covers: &["P1", "P2", "P4"],
        listeners: 3,
        before: &[Op::Syn(0, C)],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)], &[Op::Ack(0)], &[Op::Timer(0)]],
        bound: Some(2),
        quick_bound: Some(1),
        ..BASE
    },
    Scenario {
        name: "ack_ack_of_two",
        schedule: "
            1. A has two half-open requests in one bucket.
            2. T1 and T2 get their final ACKs: each finds its own.",
        before: &[Op::Syn(0, A), Op::Syn(1, A)],
        threads: &[&[Op::Ack(0)], &[Op::Ack(1)]],
        ..BASE
    },
];
