//! Back ends for model checkers, and the record of the run that they share.
//!
//! A model's lock is the model's own mutex, wrapped so that it knows its name: who waits for whom
//! is recorded before the model can block, and a cycle is reported by the thread that would close
//! it, as a [`Deadlock`] value, while every thread is still intact. Without that, loom finds the
//! deadlock itself one step later, when no thread is active, and aborts the process if a destructor
//! touches it.
//!
//! The record lives in a thread local of the standard library: both checkers run all threads of a
//! model on one OS thread. Who runs now is therefore kept by hand: every operation on a model's
//! object reads the current thread before and restores it after, since the model may have run
//! others between.

mod grain;
mod objects;
mod run;
mod waits;

#[cfg(feature = "loom")]
pub mod loom;
#[cfg(feature = "shuttle")]
pub mod shuttle;

pub use grain::{Coarse, CoarseCount, Fine, Grain, PlainAtomic, PlainLock};
pub use objects::{Engine, ModelAtomic, ModelCanary, ModelLock};
pub use run::{
    Finding, MAIN, Record, Waiting, What, begin, enter, finding, now, observe, op, records, take, waiting,
};
pub(crate) use waits::is_free;
pub use waits::{Deadlock, Waiter};
