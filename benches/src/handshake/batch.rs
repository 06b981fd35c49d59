//! Several connections that wait, accepted one by one and in one call.

use crate::Child;
use crate::measure::{Measured, Routine, number};
use crate::world::{ListenerId, Size, Stack, arrival, local, stack};
use rskq::{Design, Here};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How many are accepted in one call.
pub const MANY: usize = 32;

/// A listener on which [`MANY`] can wait.
pub struct Batch {
    stack: Stack,
    listener: ListenerId,
    next: u64,
}

impl Default for Batch {
    fn default() -> Self {
        let stack = stack(Design::Handover, Size { listeners: 1, requests: MANY });
        let listener = stack.listen_at(local(), u32::MAX, false).expect("there is room");
        Self { stack, listener, next: 0 }
    }
}

impl Batch {
    /// Delivers so many connections.
    pub fn fill(&mut self) {
        for _ in 0..MANY {
            let child = [self.next; 4];
            assert!(self.stack.deliver(arrival(self.next), Here::default(), child).is_ok(), "there is room");
            self.next += 1;
        }
    }

    /// Accepts them one by one; returns how many there were.
    #[inline(never)]
    pub fn one_by_one(&mut self) -> usize {
        let accept = || self.stack.accept(self.listener).expect("it listens");
        std::iter::from_fn(accept).map(black_box::<Child>).count()
    }

    /// Accepts them in one call; returns how many there were.
    #[inline(never)]
    pub fn in_one_call(&mut self) -> usize {
        let accepted = self.stack.accept_many::<MANY>(self.listener).expect("it listens");
        accepted.map(black_box::<Child>).count()
    }
}

fn routine(case: &str, accept: fn(&mut Batch) -> usize) -> Routine {
    assert_eq!(number(case), MANY);
    let mut batch = Batch::default();
    Box::new(move |iters| {
        let mut taken = Duration::ZERO;
        for _ in 0..iters {
            batch.fill();
            let start = Instant::now();
            assert_eq!(accept(&mut batch), MANY);
            taken += start.elapsed();
        }
        taken
    })
}

pub(super) fn measured() -> [Measured; 2] {
    let item = "5 accept of many that wait";
    [
        Measured::new(item, MANY, "accept_many", |case| routine(case, Batch::in_one_call)),
        Measured::new(item, MANY, "accept", |case| routine(case, Batch::one_by_one)),
    ]
}
