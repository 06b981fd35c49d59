//! What the tests from outside share.
#![allow(dead_code)] // each of them uses a part of it

pub(crate) mod calls;
pub(crate) mod linux;
pub(crate) mod programs;
mod stacks;
#[cfg(feature = "lockdep")]
pub(crate) mod validated;

pub(crate) use stacks::*;

/// What ships; with feature `lockdep`, the same with every lock validated.
#[cfg(not(feature = "lockdep"))]
pub(crate) type TestBackend = rskq::DefaultBackend;
#[cfg(feature = "lockdep")]
pub(crate) type TestBackend = rskq::lockdep::Checked<rskq::DefaultBackend, validated::Program>;

/// Where and when nothing depends on either.
pub(crate) const HERE: rskq::Here = rskq::Here { cpu: 0, now: 0 };
