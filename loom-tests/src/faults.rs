//! Seeded faults: for each property one that breaks it, with the model that is shown to catch it.
//!
//! A fault lives in the crate's source but only a model back end can switch it on. A check that has
//! never failed says nothing; each of these has to. (No fault in the crate can duplicate a
//! connection, which is moved and cannot be copied; what notices I14 has a test of its own.)

use crate::designs::{self, Column};
use crate::explore::{Exploration, Settings, explore};
use crate::property::Property;
use crate::scenario::{self, Scenario};
use rskq::sync::Fault;

/// A fault, where to plant it, and what has to notice.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The fault.
    pub fault: Fault,
    /// In a few words, what is wrong with it.
    pub title: &'static str,
    /// The property that has to break.
    pub breaks: Property,
    /// The design to plant it in, which has the property without it.
    pub design: &'static str,
    /// The scenario that has to notice.
    pub scenario: &'static str,
}

/// Every fault.
pub const CONTROLS: &[Control] = &[
    Control {
        fault: Fault::BacklogNotCounted,
        title: "an addition does not count",
        breaks: Property::I2,
        design: "clone",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::OwnerNotMoved,
        title: "a clone keeps the old owner",
        breaks: Property::I5,
        design: "clone",
        scenario: "closer_accept_on_target",
    },
    Control {
        fault: Fault::OwnerReferenceLeaked,
        title: "a freed request keeps its reference on its owner",
        breaks: Property::I6I7,
        design: "abort",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::RequestPutTwice,
        title: "accept puts the request twice",
        breaks: Property::I6I7,
        design: "abort",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::AddWithoutStateCheck,
        title: "an addition does not look at the state",
        breaks: Property::I9,
        design: "clone",
        scenario: "last_member_arrival",
    },
    Control {
        fault: Fault::WakeForgotten,
        title: "a delivery wakes nobody",
        breaks: Property::I10,
        design: "clone",
        scenario: "closer_late_arrival",
    },
    Control {
        fault: Fault::LateArrivalDropped,
        title: "a refused arrival is not resolved again",
        breaks: Property::I11,
        design: "clone",
        scenario: "closer_late_arrival",
    },
    Control {
        fault: Fault::LateArrivalDropped,
        title: "a refused migrant is not resolved again",
        breaks: Property::I11,
        design: "requeue",
        scenario: "closer_closer_of_target",
    },
    Control {
        fault: Fault::PushToHead,
        title: "an addition goes to the head",
        breaks: Property::I12,
        design: "clone",
        scenario: "closer_accept_on_target",
    },
    Control {
        fault: Fault::StateNotSaid,
        title: "an addition does not say that the request is queued",
        breaks: Property::I1,
        design: "requeue",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::ChargeKept,
        title: "a completed handshake stays charged",
        breaks: Property::I3,
        design: "handover",
        scenario: "ack_timer",
    },
    Control {
        fault: Fault::ChargeKept,
        title: "a completed handshake stays charged",
        breaks: Property::I25,
        design: "requeue",
        scenario: "ack_timer",
    },
    Control {
        fault: Fault::FastChargeKept,
        title: "the end of a fast-open handshake leaves its charge",
        breaks: Property::I4,
        design: "handover",
        scenario: "fast_accept_done",
    },
    Control {
        fault: Fault::OwnerNotHanded,
        title: "a queue moves and its owner does not",
        breaks: Property::I5,
        design: "handover",
        scenario: "closer_accept_on_target",
    },
    Control {
        fault: Fault::HandshakeNotEnded,
        title: "the end of a fast-open handshake does not say so",
        breaks: Property::I8,
        design: "handover",
        scenario: "fast_accept_reset",
    },
    Control {
        fault: Fault::HeirNotWoken,
        title: "an heir is not woken",
        breaks: Property::I10,
        design: "handover",
        scenario: "closer_accept_on_target",
    },
    Control {
        fault: Fault::DuplicateNotRecognised,
        title: "a SYN does not look again under the lock",
        breaks: Property::I13,
        design: "handover",
        scenario: "syn_syn_same_tuple",
    },
    Control {
        fault: Fault::MemberStillCounted,
        title: "a member that leaves stays counted",
        breaks: Property::I16,
        design: "abort",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::GroupStillNamed,
        title: "a member that leaves goes on naming its group",
        breaks: Property::I17,
        design: "abort",
        scenario: "closer_closer_of_target",
    },
    Control {
        fault: Fault::GroupLeaked,
        title: "the last member leaves its group in use",
        breaks: Property::I18,
        design: "abort",
        scenario: "last_member_arrival",
    },
    Control {
        fault: Fault::TupleNotCompared,
        title: "a lookup takes whatever is in the bucket",
        breaks: Property::I24,
        design: "requeue",
        scenario: "ack_ack_of_two",
    },
    Control {
        fault: Fault::BucketUnderReuseport,
        title: "the bucket is locked under reuseport_lock",
        breaks: Property::I22,
        design: "abort",
        scenario: "closer_accept",
    },
    Control {
        fault: Fault::TimerKept,
        title: "a request that leaves the table keeps its timer",
        breaks: Property::I15,
        design: "clone",
        scenario: "ack_ack",
    },
    Control {
        fault: Fault::LateArrivalDropped,
        title: "a closer chooses a target once",
        breaks: Property::I11,
        design: "linux",
        scenario: "closer_closer_of_target",
    },
    Control {
        fault: Fault::LateArrivalDropped,
        title: "a final ACK chooses a target once",
        breaks: Property::I11,
        design: "linux",
        scenario: "ack_of_closed_closer_of_target",
    },
    Control {
        fault: Fault::ChargeKept,
        title: "a handshake that a target completes stays charged",
        breaks: Property::I3,
        design: "linux",
        scenario: "ack_ack_of_closed",
    },
    Control {
        fault: Fault::TargetNotCharged,
        title: "a target is not charged with what moves to it",
        breaks: Property::I3,
        design: "linux",
        scenario: "timer_reset_of_closed",
    },
    Control {
        fault: Fault::MovedUnnoticed,
        title: "a final ACK takes what has moved for what it found",
        breaks: Property::I3,
        design: "linux",
        scenario: "timer_ack_of_closed",
    },
    Control {
        fault: Fault::TimerNotCancelled,
        title: "a completed handshake leaves its timer armed",
        breaks: Property::I15,
        design: "linux",
        scenario: "poll_ack",
    },
    Control {
        fault: Fault::TimerNotRestarted,
        title: "a timer that went off is not armed again",
        breaks: Property::I15,
        design: "linux",
        scenario: "poll_poll",
    },
    Control {
        fault: Fault::SpliceUnguarded,
        title: "splice without the bucket lock and before leaving socks[]",
        breaks: Property::Deadlock,
        design: "splice",
        scenario: "two_closers",
    },
];

impl Control {
    fn place(&self) -> (Column, Scenario) {
        let column = designs::by_name(self.design).expect("a control names a design");
        (column, scenario::by_name(self.scenario).expect("a control names a scenario"))
    }

    /// Explores with the fault.
    #[must_use]
    pub fn planted(&self) -> Exploration {
        let (column, scenario) = self.place();
        explore(column, scenario, Settings { faults: &[self.fault], ..Settings::default() })
    }

    /// Explores the same without the fault.
    #[must_use]
    pub fn unplanted(&self) -> Exploration {
        let (column, scenario) = self.place();
        explore(column, scenario, Settings::default())
    }
}
