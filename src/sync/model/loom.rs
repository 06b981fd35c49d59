//! loom: every interleaving, with the release and acquire orderings of the C11 model.

use super::grain::{Coarse, Grain};
use super::objects::{Detector, model_backend};
use core::marker::PhantomData;
use core::sync::atomic::Ordering;

/// The loom back end; `G` says whether counts and slabs are visible step by step.
pub struct Loom<G = Coarse>(PhantomData<fn() -> G>);

/// loom's objects.
pub struct LoomEngine;

/// loom's detector of data races. It holds no data: it only sees accesses begin and end.
pub struct RaceDetector(loom::cell::UnsafeCell<()>);

// SAFETY: the content is `()`, and an execution runs on one OS thread; concurrent access between a
// model's threads is what loom is to find, not what memory safety hangs on.
unsafe impl Sync for RaceDetector {}

model_backend!(Loom, LoomEngine, loom, RaceDetector);

impl Detector for RaceDetector {
    fn new() -> Self {
        RaceDetector(loom::cell::UnsafeCell::new(()))
    }
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with(|_| f())
    }
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with_mut(|_| f())
    }
}
