//! The races: each a numbered schedule and the model of the same name.
//!
//! Listeners share one address in one group; A is the first that was opened. A connection's hash
//! falls on the listener it is delivered to while all of them listen, and the same hash chooses
//! where it migrates, as for listeners that are bound to a specific address. So when A of {A, B}
//! closes, its connections go to B; when C of {A, B, C} closes, to B; when A of {A, B, C} closes,
//! to C, which took its place.
//!
//! A listener that is closed and one that is shut down leave LISTEN in the same steps; a close has a
//! last one more, in which the socket goes. Where two listeners leave, they are shut down: the last
//! steps of two closes have nothing to do with each other, but their locks do, and an exploration
//! would mostly consist of that.

/// A listener, by the order of opening.
pub type L = u32;

/// The first listener.
pub const A: L = 0;
/// The second listener.
pub const B: L = 1;
/// The third listener.
pub const C: L = 2;

/// One operation of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Closes the listener and takes every step.
    Close(L),
    /// Shuts the listener down and takes every step.
    Shutdown(L),
    /// Listens again on a listener that was shut down.
    ListenAgain(L),
    /// Accepts once, without waiting.
    Accept(L),
    /// Delivers the next connection, whose hash falls on the listener.
    Deliver(L),
}

/// A small world and what its threads do.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The race's name.
    pub name: &'static str,
    /// The race as a numbered schedule.
    pub schedule: &'static str,
    /// How many listeners there are.
    pub listeners: u32,
    /// Where connections wait before the threads begin, oldest first.
    pub waiting: &'static [L],
    /// What each thread does.
    pub threads: &'static [&'static [Op]],
    /// Most preemptions in the full matrix; `None` explores all interleavings.
    pub bound: Option<u8>,
    /// Most preemptions in the small matrix, which has to be done within a minute.
    pub quick_bound: Option<u8>,
}

impl Scenario {
    /// Tells whether some listener is never closed or shut down: then no connection may be lost.
    #[must_use]
    pub fn someone_stays(&self) -> bool {
        let stops = |l: L| {
            self.threads.iter().any(|ops| ops.iter().any(|op| [Op::Close(l), Op::Shutdown(l)].contains(op)))
        };
        (0..self.listeners).any(|l| !stops(l))
    }

    /// Returns how many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        let delivered = self.threads.iter().copied().flatten().filter(|op| matches!(op, Op::Deliver(_)));
        self.waiting.len() + delivered.count()
    }
}

/// Returns the scenario of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Scenario> {
    SCENARIOS.iter().copied().find(|s| s.name == name)
}

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "two_closers",
        schedule: "
            1. T1 shuts A down: its target is B.
            2. T2 shuts B down: its target is A.
            3. Each locks its own accept queue and wants the other's.",
        listeners: 2,
        waiting: &[A, B],
        threads: &[&[Op::Shutdown(A)], &[Op::Shutdown(B)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "closer_accept",
        schedule: "
            1. T1 closes A: A is still in LISTEN, its queue is being moved.
            2. T2 accepts on A: it gets the connection, or finds the queue empty, or A closed.
            3. T1 goes on: the connection is in one place.",
        listeners: 2,
        waiting: &[A, A],
        threads: &[&[Op::Close(A)], &[Op::Accept(A)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "closer_late_arrival",
        schedule: "
            1. T2 delivers a connection: its hash selects A, which listens.
            2. T1 closes A and moves A's queue; A's state is still LISTEN.
            3. T2 locks A's queue, sees LISTEN, appends.
            4. T1 stores CLOSE and deals with what is left in the queue.",
        listeners: 2,
        waiting: &[A],
        threads: &[&[Op::Close(A)], &[Op::Deliver(A)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "closer_accept_on_target",
        schedule: "
            1. T1 closes A: its connections go to B, where one waits already.
            2. T2 accepts on B: the one that waited longest.
            3. T2 accepts on B again, while T1 still moves.",
        listeners: 2,
        waiting: &[A, A, B],
        threads: &[&[Op::Close(A)], &[Op::Accept(B), Op::Accept(B)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "closer_closer_of_target",
        schedule: "
            1. T1 shuts C down: its target is B.
            2. T2 shuts B down: its target is A, which stays.
            3. T1 adds to B, which has left LISTEN.",
        listeners: 3,
        waiting: &[C, B],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "shutdown_listen_again_arrival",
        schedule: "
            1. T2 delivers: its hash selects A.
            2. T1 shuts A down, drains it, and listens on it again.
            3. T2 adds to A: the A it found, or the A that came back.",
        listeners: 2,
        waiting: &[A],
        threads: &[&[Op::Shutdown(A), Op::ListenAgain(A)], &[Op::Deliver(A)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "last_member_arrival",
        schedule: "
            1. T1 closes A, the only member: nobody is left to take its connections.
            2. T2 delivers: A, or nobody.",
        listeners: 1,
        waiting: &[A],
        threads: &[&[Op::Close(A)], &[Op::Deliver(A)]],
        bound: None,
        quick_bound: None,
    },
    Scenario {
        name: "closer_late_arrival_accept_on_target",
        schedule: "
            1. T1 shuts A down: its connection goes to B.
            2. T2 delivers to A, which closes meanwhile.
            3. T3 accepts on B.",
        listeners: 2,
        waiting: &[A],
        threads: &[&[Op::Shutdown(A)], &[Op::Deliver(A)], &[Op::Accept(B)]],
        bound: None,
        quick_bound: Some(2),
    },
    Scenario {
        name: "two_closers_arrival",
        schedule: "
            1. T1 shuts C down: its target is B.
            2. T2 shuts B down: its target is A, which stays.
            3. T3 delivers to B.",
        listeners: 3,
        waiting: &[C],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)], &[Op::Deliver(B)]],
        bound: Some(4),
        quick_bound: Some(2),
    },
    Scenario {
        name: "two_closers_accept_on_target",
        schedule: "
            1. T1 shuts C down: its target is B.
            2. T2 shuts B down: its target is A, which stays.
            3. T3 accepts on B, before or after B's queue is moved on.",
        listeners: 3,
        waiting: &[C],
        threads: &[&[Op::Shutdown(C)], &[Op::Shutdown(B)], &[Op::Accept(B)]],
        bound: Some(5),
        quick_bound: Some(2),
    },
];
