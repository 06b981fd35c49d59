//! Faults that each attack is shown to catch: an attack that nothing has ever failed says nothing.

use crate::attacks::{Attack, Size};
use crate::host::{Seeded, Slip};
use crate::report::Report;
use rskq::sync::Fault;
use std::panic;

/// What is wrong.
#[derive(Clone, Copy, Debug)]
pub enum Seed {
    /// One line of the crate.
    Crate(Fault),
    /// The embedder.
    Embedder(Slip),
}

/// A fault, and who has to notice it.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// What is wrong.
    pub seed: Seed,
    /// Who has to notice.
    pub attack: Attack,
    /// What has to be said of it.
    pub notices: &'static str,
}

/// Every control.
pub const CONTROLS: &[Control] = &[
    of(Attack::SynFlood, Fault::TimerNotRestarted, "gave up"),
    of(Attack::SynFlood, Fault::CookieNotBelieved, "no cookie was believed"),
    of(Attack::SynFlood, Fault::EmbryonicNotCounted, "EmbryonicRsts"),
    of(Attack::SynFlood, Fault::ChargeKept, "I3"),
    Control { seed: Seed::Embedder(Slip::ChildLost), attack: Attack::SynFlood, notices: "bytes of heap" },
    of(Attack::Exhaustion, Fault::FreshSlotLeaked, "I25"),
    of(Attack::Exhaustion, Fault::OwnerReferenceLeaked, "I25"),
    of(Attack::Exhaustion, Fault::GroupLeaked, "I25"),
    of(Attack::Stall, Fault::PushToHead, "came before"),
    of(Attack::Stall, Fault::BacklogNotCounted, "connections wait"),
    of(Attack::Stall, Fault::OverflowEndsRequest, "were reset"),
    of(Attack::Hostile, Fault::DropPasses, "were let in"),
    of(Attack::Hostile, Fault::MapEntryKept, "Busy"),
    of(Attack::CloseStorm, Fault::LateArrivalDropped, "somebody always listened"),
    of(Attack::CloseStorm, Fault::AddWithoutStateCheck, "I9"),
    of(Attack::CloseStorm, Fault::WakeForgotten, "nobody was to be woken"),
    of(Attack::CloseStorm, Fault::HeirNotWoken, "nobody was to be woken"),
    of(Attack::CloseStorm, Fault::TargetNotCharged, "I3"),
    of(Attack::CloseStorm, Fault::OwnerNotHanded, "I3"),
];

const fn of(attack: Attack, fault: Fault, notices: &'static str) -> Control {
    Control { seed: Seed::Crate(fault), attack, notices }
}

impl Control {
    /// Attacks until the fault is noticed; returns what was found then, or last.
    ///
    /// What is planted is for the whole process: one control at a time.
    #[must_use]
    pub fn planted(&self, size: Size) -> Option<Report> {
        match self.seed {
            Seed::Crate(fault) => Seeded::plant(Some(fault)),
            Seed::Embedder(slip) => Seeded::slip(Some(slip)),
        }
        // What panics then is part of a report.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        let noticed = |report: &Report| report.broken.iter().any(|broken| broken.contains(self.notices));
        let report = self.attack.run::<Seeded>(size).find(noticed);
        panic::set_hook(hook);
        Seeded::plant(None);
        Seeded::slip(None);
        report
    }
}
