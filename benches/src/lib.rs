//! What rskq costs, beside its peers: one module for each thing that is measured.
//!
//! Whatever is compared does the same work and is shown to, before it is timed: a contender whose answers
//! differ ends the run. Contenders take turns within a run, and a ratio is of two figures of one run.

pub mod close;
pub mod figures;
pub mod flood;
pub mod gate;
pub mod goals;
pub mod handshake;
pub mod holds;
pub mod linux;
pub mod locks;
pub mod matrix;
pub mod measure;
pub mod outside;
pub mod plot;
pub mod probe;
pub mod queue;
pub mod report;
pub mod restarts;
pub mod select;
pub mod served;
pub mod sizes;
pub mod threads;
pub mod world;

pub use measure::{Measured, Routine};

/// The connections that are queued: four words, of which the first tells them apart.
pub type Child = [u64; 4];

/// Everything that is timed, the contenders of one case one after the other.
#[must_use]
pub fn everything() -> Vec<Measured> {
    [
        queue::measured(),
        threads::measured(),
        close::measured(),
        select::measured(),
        handshake::measured(),
        flood::measured(),
        locks::measured(),
        served::measured(),
    ]
    .concat()
}
