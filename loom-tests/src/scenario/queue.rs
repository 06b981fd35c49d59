//! Races for connections that wait to be accepted.

use super::{A, B, BASE, C, Op, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "two_closers",
        schedule: "
            1. T1 shuts A down: its target is B.
            2. T2 shuts B down: its target is A.
            3. Each locks its own accept queue and wants the other's.",
        covers: &["A4"],
        before: &[Op::Deliver(0, A), Op::Deliver(1, B)],
        threads: &[&[Op::Shutdown(A)], &[Op::Shutdown(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "closer_accept",
        schedule: "
            1. T1 closes A: A is still in LISTEN, its queue is being moved.
            2. T2 accepts on A: it gets the connection, or finds the queue empty, or A closed.
            3. T1 goes on: the connection is in one place.",
        covers: &["A5"],
        before: &[Op::Deliver(0, A), Op::Deliver(1, A)],
        threads: &[&[Op::Close(A)], &[Op::Accept(A)]],
        ..BASE
    },
    Scenario {
        name: "closer_late_arrival",
        schedule: "
            1. T2 delivers a connection: its hash selects A, which listens.
            2. T1 closes A and moves A's queue; A's state is still LISTEN.
            3. T2 locks A's queue, sees LISTEN, appends.
            4. T1 stores CLOSE and deals with what is left in the queue.",
        covers: &["A1", "C5"],
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Deliver(1, A)]],
        ..BASE
    },
    Scenario {
        name: "closer_accept_on_target",
        schedule: "
            1. T1 closes A: its connections go to B, where one waits already.
            2. T2 accepts on B: the one that waited longest.
            3. T2 accepts on B again, while T1 still moves.",
        covers: &["A2", "A7", "D1", "D3"],
        before: &[Op::Deliver(0, A), Op::Deliver(1, A), Op::Deliver(2, B)],
        threads: &[&[Op::Close(A)], &[Op::Accept(B), Op::Accept(B)]],
        ..BASE
    },
    Scenario {
        name: "closer_closer_of_target",
        schedule: "
            1. T1 shuts C down: its target is B.
            2. T2 shuts B down: its target is A, which stays.
            3. T1 adds to B, which has left LISTEN.",
        covers: &["L5", "C4", "A6"],
        listeners: 3,
        before: &[Op::Deliver(0, C), Op::Deliver(1, B)],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)]],
        ..BASE
    },
    Scenario {
        name: "last_member_arrival",
        schedule: "
            1. T1 closes A, the only member: nobody is left to take its connections.
            2. T2 delivers: A, or nobody.",
        listeners: 1,
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Deliver(1, A)]],
        ..BASE
    },
    Scenario {
        name: "closer_late_arrival_accept_on_target",
        schedule: "
            1. T1 shuts A down: its connection goes to B.
            2. T2 delivers to A, which closes meanwhile.
            3. T3 accepts on B.",
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Deliver(1, A)], &[Op::Accept(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "heir_closes_in_transit",
        schedule: "
            1. T1 closes A; its heir is C, which took its place. A's queue is in no queue.
            2. T2 closes C, whose heir is B: what C has goes to B.
            3. T1 finds that A's owner leads to B, and adds to B's queue.",
        covers: &["C3", "C4", "L5"],
        listeners: 3,
        before: &[Op::Deliver(0, A), Op::Deliver(1, C)],
        threads: &[&[Op::Close(A)], &[Op::Close(C)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "last_heir_closes_in_transit",
        schedule: "
            1. T1 shuts A down; its heir is B. A's queue is in no queue.
            2. T2 shuts B down, which has no heir: the chain ends at B.
            3. T1 appends to B's queue, which nobody looks at again, and takes its steps.",
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Shutdown(B)]],
        ..BASE
    },
    Scenario {
        name: "closer_two_arrivals",
        schedule: "
            1. T1 shuts A down.
            2. T2 and T3 deliver to A.",
        covers: &["A1", "C5"],
        threads: &[&[Op::Shutdown(A)], &[Op::Deliver(0, A)], &[Op::Deliver(1, A)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "closer_full_target",
        schedule: "
            1. B's queue is full.
            2. T1 closes A: two connections go to B, which holds more than its backlog then.
            3. T2 accepts on B.",
        backlog: 1,
        before: &[Op::Deliver(0, A), Op::Deliver(1, A), Op::Deliver(2, B)],
        threads: &[&[Op::Close(A)], &[Op::Accept(B)]],
        ..BASE
    },
    Scenario {
        name: "closer_accept_accept_on_target",
        schedule: "
            1. T1 shuts A down: two connections go to B.
            2. T2 and T3 accept on B.",
        covers: &["A2", "D3"],
        before: &[Op::Deliver(0, A), Op::Deliver(1, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Accept(B)], &[Op::Accept(B)]],
        quick_bound: Some(2),
        ..BASE
    },
    Scenario {
        name: "closer_switched_off",
        schedule: "
            1. T1 closes A, and asks whether connections migrate.
            2. T2 switches migration off.
            3. T1 chooses a target for each, and asks again.",
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Migrate(false)]],
        ..BASE
    },
    Scenario {
        name: "closer_switched_on",
        schedule: "
            1. Migration is off. T1 closes A, and asks whether connections migrate.
            2. T2 switches it on.
            3. T1 goes on.",
        before: &[Op::Migrate(false), Op::Deliver(0, A)],
        threads: &[&[Op::Close(A)], &[Op::Migrate(true)]],
        ..BASE
    },
    Scenario {
        name: "closer_arrival_two_acceptors",
        schedule: "
            1. T1 shuts A down.
            2. T2 delivers to A.
            3. T3 accepts on A, T4 on B.",
        covers: &["A1", "A2"],
        bound: Some(3),
        quick_bound: Some(1),
        before: &[Op::Deliver(0, A)],
        threads: &[&[Op::Shutdown(A)], &[Op::Deliver(1, A)], &[Op::Accept(A)], &[Op::Accept(B)]],
        ..BASE
    },
    Scenario {
        name: "two_closers_arrival_accept",
        schedule: "
            1. T1 shuts C down: its target is B.
            2. T2 shuts B down: its target is A, which stays.
            3. T3 delivers to B.
            4. T4 accepts on A.",
        covers: &["A1", "L5"],
        listeners: 3,
        before: &[Op::Deliver(0, C)],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)], &[Op::Deliver(1, B)], &[Op::Accept(A)]],
        bound: Some(2),
        quick_bound: Some(1),
        ..BASE
    },
];
