//! The attacks, by name.

mod exhaustion;
mod flood;
mod hostile;
mod stall;
mod storm;

use crate::{Host, Report};
use rskq::Design;
use std::time::Duration;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Attack {
    /// SYNs of spoofed clients, as fast as they can be made, beside clients that connect.
    SynFlood,
    /// Every allocation fails in turn, and every part of the memory is too small by everything in turn.
    Exhaustion,
    /// Acceptors that stop accepting and come back.
    Stall,
    /// Selection programs that drop, select who has left, select nobody's entry, or answer anything.
    Hostile,
    /// Listeners that are opened and closed all the time while connections arrive.
    CloseStorm,
}

/// How much of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// For how long clients are attacked where that is what says when to end, each time.
    pub time: Duration,
    /// How many connections arrive where that is, each time.
    pub connections: u64,
}

impl Size {
    /// For a test of everything.
    pub const SMALL: Self = Self { time: Duration::from_millis(300), connections: 30_000 };
    /// For a verdict.
    pub const FULL: Self = Self { time: Duration::from_secs(15), connections: 10_000_000 };
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SynFlood, Self::Exhaustion, Self::Stall, Self::Hostile, Self::CloseStorm];

    /// Attacks a stack in every way that this attack has, one after the other, and says of each what it found.
    pub fn run<B: Host>(self, size: Size) -> impl Iterator<Item = Report> {
        self.kinds::<B>().into_iter().map(move |kind| kind(size))
    }

    fn kinds<B: Host>(self) -> Vec<Box<dyn Fn(Size) -> Report>> {
        fn boxed(kind: impl Fn(Size) -> Report + 'static) -> Box<dyn Fn(Size) -> Report> {
            Box::new(kind)
        }
        const OURS: [Design; 4] = [Design::Requeue, Design::Handover, Design::Abort, Design::Linux];
        match self {
            Self::SynFlood => {
                flood::KINDS.iter().map(|kind| boxed(move |size| flood::run::<B>(kind, size))).collect()
            }
            Self::Exhaustion => OURS.map(|design| boxed(move |_| exhaustion::run::<B>(design))).into(),
            Self::Stall => {
                [false, true].map(|aborts| boxed(move |size| stall::run::<B>(aborts, size))).into()
            }
            Self::Hostile => {
                hostile::KINDS.iter().map(|kind| boxed(move |size| hostile::run::<B>(kind, size))).collect()
            }
            Self::CloseStorm => OURS.map(|design| boxed(move |size| storm::run::<B>(design, size))).into(),
        }
    }
}
