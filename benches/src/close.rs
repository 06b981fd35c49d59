//! Item 3: close of a listener that holds N connections.
//!
//! Before each handover more memory is read than caches hold, so that what N connections leave there of
//! themselves does not count: a handover of one finds the caches as cold as one of many.

use crate::measure::{Make, Measured, Routine, number};
use crate::world::{Size, Stack, arrival, local, stack};
use rskq::{Arrival, Design, Hashes, Here, Outcome};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Listeners of the group, the one that closes included.
pub(crate) const MEMBERS: usize = 4;

/// Bytes that are read before a handover, one of each cache line.
const COLD: usize = 64 << 20;

/// A group, and so many connections that wait at its first member.
pub struct Closes {
    stack: Stack,
    design: Design,
    waiting: usize,
    cold: Vec<u64>,
}

/// What became of the connections of a listener that closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Became {
    moved: usize,
    handed: usize,
    aborted: usize,
}

impl Closes {
    /// A group of which no member has anything.
    #[must_use]
    pub fn new(design: Design, waiting: usize) -> Self {
        // A clone takes a slot while the request that it is made of has one.
        let stack = stack(design, Size { listeners: MEMBERS + 1, requests: waiting + 1 });
        (0..MEMBERS).for_each(|_| Self::listen(&stack));
        Self { stack, design, waiting, cold: vec![0; COLD / size_of::<u64>()] }
    }

    fn listen(stack: &Stack) {
        stack.listen_at(local(), u32::MAX, true).expect("there is room");
    }

    /// A connection that falls on the first member, and when it migrates on any.
    fn first(number: u64) -> Arrival {
        let Arrival { tuple, hashes } = arrival(number);
        Arrival { tuple, hashes: Hashes { syn_hash: 0, ..hashes } }
    }

    /// Fills the first member's queue and returns its name.
    fn fill(&self) -> crate::world::ListenerId {
        for number in 0..self.waiting as u64 {
            let delivered = self.stack.deliver(Self::first(number), Here::default(), [number; 4]);
            let delivered = delivered.map_err(|refused| refused.why).expect("there is room");
            black_box(delivered.wake);
        }
        self.stack.lookup(Self::first(0), Here::default()).expect("somebody listens")
    }

    /// Closes a listener, all steps taken.
    #[inline(never)]
    fn close(&self, id: crate::world::ListenerId) -> Became {
        let mut became = Became::default();
        for outcome in self.stack.close(id, Here::default()).expect("it is open") {
            match outcome {
                Outcome::Moved { .. } => became.moved += 1,
                Outcome::HandedOver { connections, .. } => became.handed += connections as usize,
                Outcome::Aborted(child) => {
                    black_box(child);
                    became.aborted += 1;
                }
                Outcome::Spliced { .. } => {}
            }
        }
        became
    }

    /// Accepts everything, and opens a listener in the place of the one that closed.
    pub fn renew(&self) -> (usize, u64) {
        let (mut accepted, mut sum) = (0, 0);
        for number in 0..MEMBERS as u64 - 1 {
            let hashes = Hashes { syn_hash: ((number << 32) / (MEMBERS as u64 - 1)) as u32 + 1, sk_hash: 0 };
            let at = Arrival { hashes, ..arrival(0) };
            let listener = self.stack.lookup(at, Here::default()).expect("somebody listens");
            while let Some(child) = self.stack.accept(listener).expect("it listens") {
                accepted += 1;
                sum += child[0];
            }
        }
        Self::listen(&self.stack);
        (accepted, sum)
    }

    /// Closes a listener that holds what it should, and shows that nothing is lost.
    ///
    /// # Errors
    ///
    /// What became of the connections, if it is not what the design says.
    pub fn check(&self) -> Result<(), String> {
        let became = self.close(self.fill());
        let (accepted, sum) = self.renew();
        let n = self.waiting;
        let (should, left) = match self.design {
            Design::Abort => (Became { aborted: n, ..Became::default() }, 0),
            Design::Handover => (Became { handed: n, ..Became::default() }, n),
            _ => (Became { moved: n, ..Became::default() }, n),
        };
        let whole = left == 0 || sum == (n * n.saturating_sub(1) / 2) as u64;
        if became == should && accepted == left && whole {
            Ok(())
        } else {
            Err(format!("of {n}: {became:?}, and {accepted} accepted, {sum}"))
        }
    }

    /// Prepares a close and returns it.
    pub fn prepared(&self) -> impl FnOnce() + '_ {
        let id = self.fill();
        if self.design == Design::Handover {
            black_box(self.cold.iter().step_by(8).sum::<u64>());
        }
        move || {
            black_box(self.close(id));
        }
    }

    fn time(&self, iters: u64) -> Duration {
        let one = |_| {
            let close = self.prepared();
            let start = Instant::now();
            close();
            let took = start.elapsed();
            self.renew();
            took
        };
        (0..iters).map(one).sum()
    }
}

fn make(design: Design, case: &str) -> Routine {
    let closes = Closes::new(design, number(case));
    closes.check().unwrap_or_else(|error| panic!("{design:?}: {error}"));
    Box::new(move |iters| closes.time(iters))
}

/// What is done by the merged design, in the build that has it.
#[cfg(feature = "designs")]
pub const CLONE: Option<Design> = Some(Design::Clone(rskq::migrate::CloneFixes::AS_FIXED));
/// Only a build with feature `designs` has it.
#[cfg(not(feature = "designs"))]
pub const CLONE: Option<Design> = None;

/// How many connections a listener holds.
pub const WAITING: [u64; 5] = [1, 16, 256, 4096, 65536];

pub(crate) fn measured() -> Vec<Measured> {
    let item = if CLONE.is_some() { "3 close, beside clone" } else { "3 close" };
    let mut contenders: Vec<(_, Make)> = vec![
        ("handover", |case| make(Design::Handover, case)),
        ("requeue", |case| make(Design::Requeue, case)),
        ("abort", |case| make(Design::Abort, case)),
    ];
    if CLONE.is_some() {
        contenders.push(("clone", |case| make(CLONE.expect("this build has it"), case)));
    }
    let case = |n: u64| contenders.iter().map(move |&(who, make)| Measured::new(item, n, who, make));
    WAITING.into_iter().flat_map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_design_does_is_what_it_says() {
        for design in [Design::Abort, Design::Requeue, Design::Handover].into_iter().chain(CLONE) {
            for waiting in [0, 1, 100] {
                assert_eq!(Closes::new(design, waiting).check(), Ok(()), "{design:?}");
            }
        }
    }

    #[test]
    fn what_another_design_does_is_noticed() {
        let closes = Closes { design: Design::Requeue, ..Closes::new(Design::Abort, 3) };
        let error = "of 3: Became { moved: 0, handed: 0, aborted: 3 }, and 0 accepted, 0";
        assert_eq!(closes.check(), Err(error.into()));
    }
}
