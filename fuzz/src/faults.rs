//! Which faults the targets find, and which of them is planted.

use rskq::sync::Fault;
use std::env;
use std::fmt::Debug;
use std::sync::OnceLock;

/// Faults that one thread comes upon.
pub const OF_STACK: &[Fault] = &[
    Fault::BacklogNotCounted,
    Fault::PushToHead,
    Fault::WildcardFirst,
    Fault::UnboundEarly,
    Fault::WakeForgotten,
    Fault::OwnerNotMoved,
    Fault::OwnerReferenceLeaked,
    Fault::RequestPutTwice,
    Fault::StateNotSaid,
    Fault::ChargeKept,
    Fault::TargetNotCharged,
    Fault::TimerNotCancelled,
    Fault::TimerNotRestarted,
    Fault::TupleNotCompared,
    Fault::FastChargeKept,
    Fault::HandshakeNotEnded,
    Fault::MemberStillCounted,
    Fault::GroupStillNamed,
    Fault::GroupLeaked,
    Fault::OwnerNotHanded,
    Fault::HeirNotWoken,
    Fault::TimerKept,
    Fault::SwapsWithFirst,
    Fault::JoinsFirst,
    Fault::AlwaysInClosedSection,
    Fault::NeverInClosedSection,
    Fault::AcceptQueueOneLess,
    Fault::SynQueueOneLess,
    Fault::MigratesBySynHash,
    Fault::MigrationNotCounted,
    Fault::MigrationFailureNotCounted,
    Fault::EmbryonicNotCounted,
    Fault::GuardLookedAtOnce,
    Fault::TargetBacklogMinded,
    Fault::ProgramKept,
    Fault::CookiesKept,
    Fault::CookieNotBelieved,
    Fault::AckNotMigrated,
    Fault::IncomingCpuIgnored,
    Fault::SelectProgramMigrates,
    Fault::DropPasses,
    Fault::MapEntryKept,
    Fault::FastLimitOneMore,
    Fault::DeferIgnored,
    Fault::OverflowEndsRequest,
    Fault::OverlapIgnored,
];

/// Faults that take several threads, or show in an interleaving.
pub const OF_SCHEDULE: &[Fault] = &[
    Fault::BacklogNotCounted,
    Fault::AddWithoutStateCheck,
    Fault::LateArrivalDropped,
    Fault::WakeForgotten,
    Fault::StateNotSaid,
    Fault::ChargeKept,
    Fault::MovedUnnoticed,
    Fault::DuplicateNotRecognised,
    Fault::TimerNotCancelled,
    Fault::FastChargeKept,
    Fault::OwnerNotHanded,
    Fault::BucketUnderReuseport,
];

/// Returns the fault that `RSKQ_FAULT` names, for a control of a whole fuzzer.
///
/// # Panics
///
/// If it names none that a target is known to find.
pub fn planted() -> &'static [Fault] {
    static PLANTED: OnceLock<Vec<Fault>> = OnceLock::new();
    PLANTED.get_or_init(|| {
        let Ok(name) = env::var("RSKQ_FAULT") else { return Vec::new() };
        let known = OF_STACK.iter().chain(OF_SCHEDULE).find(|fault| format!("{fault:?}") == name);
        vec![*known.unwrap_or_else(|| panic!("no target finds {name}"))]
    })
}

/// As [`planted`], for a target with faults of its own.
///
/// # Panics
///
/// If there is none of that name.
pub fn named<T: Copy + Debug>(faults: &[T]) -> Option<T> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let name = NAME.get_or_init(|| env::var("RSKQ_FAULT").ok()).as_ref()?;
    let known = faults.iter().find(|fault| format!("{fault:?}") == *name);
    Some(*known.unwrap_or_else(|| panic!("the target finds no {name}")))
}
