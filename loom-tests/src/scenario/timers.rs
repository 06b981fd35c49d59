//! Races of the stack's own timers, of the last place in a queue, and of who comes while a group grows.

use super::{A, B, BASE, C, Op, Scenario};
use rskq::Timers;
use rskq::timer::Backoff;

/// The stack keeps the timers, which are due whenever it is polled.
const POLLED: Scenario = Scenario { timers: Timers::Stack(Backoff { timeout_init: 1, rto_max: 1 }), ..BASE };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "poll_ack",
        schedule: "
            1. T1 polls and finds a request's timer due.
            2. T2 gets the final ACK, stops the timer and takes the request off the table.
            3. T1 has a request in its hands that is not half open any more.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Poll], &[Op::Ack(0)]],
        ..POLLED
    },
    Scenario {
        name: "poll_reset",
        schedule: "
            1. T1 polls and finds a request's timer due.
            2. T2 gets a reset for it.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Poll], &[Op::Reset(0)]],
        ..POLLED
    },
    Scenario {
        name: "poll_poll",
        schedule: "
            1. T1 and T2 poll; one timer is due.
            2. One of them finds it, and starts it again.
            3. The other may find that one, or nothing.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Poll], &[Op::Poll]],
        ..POLLED
    },
    Scenario {
        name: "poll_closer",
        schedule: "
            1. T2 polls: the timer of a request of A is due.
            2. T1 closes A.
            3. The timeout counts for A, or for who has the request now.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Poll]],
        ..POLLED
    },
    Scenario {
        name: "poll_ack_of_closed",
        schedule: "
            1. A is closed, and left a request.
            2. T1 polls, T2 gets the final ACK: both look for another listener.
            3. One moves the request; the other finds it moved, or gone.",
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Poll], &[Op::Ack(0)]],
        ..POLLED
    },
    Scenario {
        name: "poll_syn_same_tuple",
        schedule: "
            1. T1 polls and finds a request's timer due.
            2. T2 gets its SYN again, which starts the timer anew.
            3. It is armed once in the end.",
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Poll], &[Op::Syn(0, A)]],
        ..POLLED
    },
    Scenario {
        name: "syn_syn_armed_once",
        schedule: "
            1. T1 and T2 get the same SYN; neither finds a request for it.
            2. T1 adds a request to the table and starts its timer.
            3. T2 finds it under the bucket's lock, and starts the timer anew.",
        threads: &[&[Op::Syn(0, A)], &[Op::Syn(0, A)]],
        ..POLLED
    },
    Scenario {
        name: "poll_poll_of_closed",
        schedule: "
            1. A is closed, and left a request whose timer is due.
            2. T1 and T2 poll: who finds it counts the timeout for B, and starts the timer again.",
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Poll], &[Op::Poll]],
        ..POLLED
    },
    Scenario {
        name: "timer_of_closed_closer_of_target",
        schedule: "
            1. T1 polls: the timer of a request of A is due, which is closed. It chooses C.
            2. T2 closes C.
            3. T1 stopped the timer, sees that C does not listen, chooses B, and starts it again.",
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Poll], &[Op::Close(C)]],
        ..POLLED
    },
    Scenario {
        name: "deferred_ack_data_poll",
        schedule: "
            1. A waits for data. T1 gets a bare ACK: the request stays half open.
            2. T2 gets the data: the connection is queued, once.
            3. T3 polls: a timeout counts, and a bare ACK that comes after it is enough.",
        defer_accept: 1,
        before: &[Op::Syn(0, A)],
        threads: &[&[Op::Ack(0)], &[Op::AckData(0)], &[Op::Poll]],
        quick_bound: Some(2),
        ..POLLED
    },
    Scenario {
        name: "ack_of_closed_closer_of_target",
        schedule: "
            1. T1 gets the final ACK of a request of A, which is closed, and chooses C.
            2. T2 closes C: C leaves the group, and then LISTEN.
            3. T1 locks C's queue, sees that C does not listen, and chooses B.",
        listeners: 3,
        before: &[Op::Syn(0, A), Op::Close(A)],
        threads: &[&[Op::Ack(0)], &[Op::Close(C)]],
        ..BASE
    },
    Scenario {
        name: "syn_syn_last_place",
        schedule: "
            1. A's SYN queue has one place left; T1 and T2 get different SYNs.
            2. One of them makes a request; the other is answered with a cookie.",
        backlog: 0,
        threads: &[&[Op::Syn(0, A)], &[Op::Syn(1, A)]],
        ..BASE
    },
    Scenario {
        name: "ack_ack_last_place",
        schedule: "
            1. A's accept queue has one place left; T1 and T2 get the final ACKs of two requests.
            2. One of them is queued; the other request stays, for its client to try again.",
        backlog: 1,
        before: &[Op::Syn(0, A), Op::Syn(1, A), Op::Deliver(2, A)],
        threads: &[&[Op::Ack(0)], &[Op::Ack(1)]],
        ..BASE
    },
    Scenario {
        name: "growth_syn",
        schedule: "
            1. C, which was shut down, listens again: the group, whose chunks hold two members, grows.
            2. T2 gets a SYN while it does, and its final ACK.",
        listeners: 3,
        before: &[Op::Shutdown(C)],
        threads: &[&[Op::ListenAgain(C)], &[Op::Syn(0, B), Op::Ack(0)]],
        ..BASE
    },
];
