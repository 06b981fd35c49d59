//! shuttle: random schedules of large worlds, sequentially consistent, each one replayable.

use super::grain::{Coarse, Grain};
use super::objects::model_backend;
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

/// The shuttle back end; `G` says whether counts and slabs are visible step by step.
pub struct Shuttle<G = Coarse>(PhantomData<fn() -> G>);

/// shuttle's objects.
pub struct ShuttleEngine;

// shuttle has no race detector: data races are loom's part.
model_backend!(Shuttle, ShuttleEngine, shuttle, ());
