//! What the tests from outside share.
#![allow(dead_code)] // each of them uses a part of it

pub(crate) mod calls;
pub(crate) mod linux;
pub(crate) mod programs;
mod stacks;
#[cfg(feature = "lockdep")]
pub(crate) mod validated;

pub(crate) use stacks::*;

/// What ships; with feature `seeded`, the same with the fault that the environment names.
#[cfg(not(feature = "seeded"))]
type Plain = rskq::DefaultBackend;
#[cfg(feature = "seeded")]
type Plain = rskq::sync::seeded::Seeded<rskq::DefaultBackend>;

/// With feature `lockdep`, every lock is validated.
#[cfg(not(feature = "lockdep"))]
pub(crate) type TestBackend = Plain;
#[cfg(feature = "lockdep")]
pub(crate) type TestBackend = rskq::lockdep::Checked<Plain, validated::Program>;

/// Where and when nothing depends on either.
pub(crate) const HERE: rskq::Here = rskq::Here { cpu: 0, now: 0 };
