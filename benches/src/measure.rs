//! One thing that is measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Does what is measured so many times and returns how long it took.
pub type Routine = Box<dyn FnMut(u64) -> Duration>;

/// Checks that a contender does the work in a case, and makes what does it.
pub type Make = fn(&str) -> Routine;

/// What is measured: which item of the table, in which case, and whose.
#[derive(Clone)]
pub struct Measured {
    /// The item.
    pub item: &'static str,
    /// The case, such as a size.
    pub case: String,
    /// Whose it is.
    pub who: &'static str,
    /// Makes what does it.
    pub make: Make,
}

impl Measured {
    /// What is measured in a case.
    #[must_use]
    pub fn new(
        item: &'static str,
        case: impl ToString,
        who: &'static str,
        make: fn(&str) -> Routine,
    ) -> Self {
        Self { item, case: case.to_string(), who, make }
    }
}

/// Times `iters` calls of `f`.
pub fn timed<R>(iters: u64, mut f: impl FnMut(u64) -> R) -> Duration {
    let start = Instant::now();
    for i in 0..iters {
        black_box(f(i));
    }
    start.elapsed()
}

/// Returns the number that a case is.
///
/// # Panics
///
/// If it is none.
#[must_use]
pub fn number(case: &str) -> usize {
    case.parse().expect("the case is a number")
}
