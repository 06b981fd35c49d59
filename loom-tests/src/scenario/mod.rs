//! The races: each a numbered schedule and the model of the same name.
//!
//! One file for each family: connections that wait (`queue`), listeners that come back (`relisten`),
//! half-open requests (`half_open`), the stack's own timers and last places (`timers`), fast open (`fastopen`),
//! one design of the discussion (`posted`).
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

mod fastopen;
mod half_open;
mod posted;
mod queue;
mod relisten;
mod timers;

use crate::world::Connection;
use rskq::Timers;
use rskq::migrate::{Picker, Program};
use std::sync::LazyLock;

/// A listener, by the order of opening.
pub type L = u32;

/// The first listener.
pub const A: L = 0;
/// The second listener.
pub const B: L = 1;
/// The third listener.
pub const C: L = 2;
/// The fourth listener.
pub const D: L = 3;

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
    /// Delivers the connection, whose hash falls on the listener, with its handshake done.
    Deliver(Connection, L),
    /// A SYN of the connection, whose hash falls on the listener.
    Syn(Connection, L),
    /// The final ACK of the connection's handshake.
    Ack(Connection),
    /// The SYN-ACK timer of the connection goes off; the second time it gives up.
    Timer(Connection),
    /// The client resets the half-open connection.
    Reset(Connection),
    /// The final ACK of the connection arrives with data.
    AckData(Connection),
    /// The SYN-ACK timer that is due next goes off, where the stack keeps them.
    Poll,
    /// A fast-open SYN of the connection, whose hash falls on the listener.
    SynFast(Connection, L),
    /// The handshake of the fast-open connection ends.
    Done(Connection),
    /// The client resets the fast-open connection.
    ResetFast(Connection),
    /// Switches migration, where a design asks.
    Migrate(bool),
    /// Attaches a selection program, or takes it away, where the picker asks it.
    Program(Option<Program>),
}

/// A small world and what its threads do.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The race's name.
    pub name: &'static str,
    /// The race as a numbered schedule.
    pub schedule: &'static str,
    /// Which interleavings of the discussion it has, by their names there.
    pub covers: &'static [&'static str],
    /// How many listeners there are.
    pub listeners: u32,
    /// Their backlog.
    pub backlog: u32,
    /// How many fast-open connections each may have.
    pub fastopen: u32,
    /// Owner slots beyond one for each listener.
    pub spare_owners: u32,
    /// How many groups there can be beside the one that they listen in: one may be left to its closed members, or to
    /// who still looks at it, each time that a listener listens again.
    pub spare_groups: u32,
    /// Who picks targets, in the designs of the discussion.
    pub picker: Picker,
    /// How many timeouts they wait for data (`TCP_DEFER_ACCEPT`).
    pub defer_accept: u32,
    /// Who keeps the SYN-ACK timers.
    pub timers: Timers,
    /// What happens before the threads begin.
    pub before: &'static [Op],
    /// What each thread does.
    pub threads: &'static [&'static [Op]],
    /// Most preemptions in the full matrix; `None` explores all interleavings.
    pub bound: Option<u8>,
    /// Most preemptions in the small matrix, which has to be done within a minute.
    pub quick_bound: Option<u8>,
}

/// What scenarios have in common.
const BASE: Scenario = Scenario {
    name: "",
    schedule: "",
    covers: &[],
    listeners: 2,
    backlog: 8,
    fastopen: 0,
    spare_owners: 4,
    spare_groups: 1,
    picker: Picker::AsPosted,
    defer_accept: 0,
    timers: Timers::Embedder,
    before: &[],
    threads: &[],
    bound: None,
    quick_bound: None,
};

impl Scenario {
    /// Returns every operation, before and in threads.
    pub fn ops(&self) -> impl Iterator<Item = Op> {
        self.before.iter().chain(self.threads.iter().copied().flatten()).copied()
    }

    /// Tells whether some listener is never closed or shut down: then no connection may be lost.
    #[must_use]
    pub fn someone_stays(&self) -> bool {
        (0..self.listeners).any(|l| !self.ops().any(|op| [Op::Close(l), Op::Shutdown(l)].contains(&op)))
    }

    /// Returns how many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        let number = |op| match op {
            Op::Deliver(c, _) | Op::Syn(c, _) | Op::SynFast(c, _) => Some(c as usize + 1),
            _ => None,
        };
        self.ops().filter_map(number).max().unwrap_or(0)
    }

    /// Tells whether there are fast-open connections.
    #[must_use]
    pub fn has_fast_open(&self) -> bool {
        self.fastopen > 0
    }

    /// Tells whether there are half-open connections.
    #[must_use]
    pub fn has_half_open(&self) -> bool {
        self.ops().any(|op| matches!(op, Op::Syn(..)))
    }
}

/// Returns the scenario of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Scenario> {
    SCENARIOS.iter().copied().find(|s| s.name == name)
}

/// Every scenario.
pub static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    [
        queue::SCENARIOS,
        relisten::SCENARIOS,
        half_open::SCENARIOS,
        timers::SCENARIOS,
        fastopen::SCENARIOS,
        posted::SCENARIOS,
    ]
    .concat()
});

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The interleavings of the discussion: a letter each for where they were told, and how many.
    const TOLD: &[(char, u32)] = &[('P', 6), ('A', 7), ('C', 5), ('D', 3), ('E', 4), ('L', 5)];

    #[test]
    fn every_interleaving_of_the_discussion_has_its_race() {
        let told = TOLD.iter().flat_map(|&(letter, count)| (1..=count).map(move |n| format!("{letter}{n}")));
        let covered: BTreeSet<_> = SCENARIOS.iter().flat_map(|s| s.covers).map(|&c| c.to_owned()).collect();
        let missing: Vec<_> = told.filter(|name| !covered.contains(name)).collect();
        assert!(missing.is_empty(), "no race covers {missing:?}");
    }

    #[test]
    fn names_are_told_once_and_only_four_threads_have_a_bound() {
        let names: BTreeSet<_> = SCENARIOS.iter().map(|s| s.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        assert!(names.len() >= 40);
        for scenario in SCENARIOS.iter() {
            assert_eq!(scenario.bound.is_some(), scenario.threads.len() == 4, "{}", scenario.name);
        }
    }
}
