//! What a checker can break.

/// A fault that a model can plant, to show that a check catches it.
///
/// Each variant breaks one line of the crate, only under the back end of a checker; the place it breaks
/// asks [`Backend::planted`](super::Backend::planted). Those that are called a rule break one that a Linux
/// kernel shows, for the oracle to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Accept queue: an addition does not count in `sk_ack_backlog`.
    BacklogNotCounted,
    /// Accept queue: an addition goes to the head.
    PushToHead,
    /// Accept queue: an addition does not look whether the listener still listens.
    AddWithoutStateCheck,
    /// A request that a listener refused, since it had left, is dropped instead of being resolved again.
    LateArrivalDropped,
    /// Table: a wildcard is looked at before the address itself.
    WildcardFirst,
    /// Stack: a socket that is closed leaves its address when it leaves LISTEN, and not with its last step.
    UnboundEarly,
    /// Stack: a delivery returns without its wake-up.
    WakeForgotten,
    /// Migration: the moved request keeps the owner of the listener that closed.
    OwnerNotMoved,
    /// Request: a freed request keeps its reference on its owner.
    OwnerReferenceLeaked,
    /// Request: a queued request is let go of twice.
    RequestPutTwice,
    /// Accept queue: an addition does not say that the request is queued.
    StateNotSaid,
    /// Half open: a completed handshake stays charged.
    ChargeKept,
    /// Half open: a target is not charged with the request that moves to it.
    TargetNotCharged,
    /// Half open: who moves a request does not look whether somebody else moved it meanwhile.
    MovedUnnoticed,
    /// Half open: a completed handshake leaves its timer, which the stack keeps, running.
    TimerNotCancelled,
    /// Half open: a timer that the stack keeps is not started again once it went off.
    TimerNotRestarted,
    /// Half open: a SYN does not look, under the lock, whether its tuple has a request by now.
    DuplicateNotRecognised,
    /// Half open: a lookup takes whatever request is in the bucket.
    TupleNotCompared,
    /// Fast open: the end of a handshake leaves the charge.
    FastChargeKept,
    /// Fast open: the end of a handshake does not say so.
    HandshakeNotEnded,
    /// Slab: an allocation finds no room, though there is some.
    NoRoom,
    /// Slab: a slot that was taken for what could not be completed is not given back.
    FreshSlotLeaked,
    /// Group: a member that leaves stays counted.
    MemberStillCounted,
    /// Group: a member that leaves goes on naming its group.
    GroupStillNamed,
    /// Group: a tree that grows shows its new root before the old one is below it.
    RootBeforeChild,
    /// Group: a reader does not look whether it found a member of its group.
    MemberNotChecked,
    /// Who selects from the map does not look again whether the listener is in that entry.
    MapNotChecked,
    /// The program that is asked is not the one that was found to be asked on this occasion.
    ProgramLoadedTwice,
    /// Group: the last member leaves the group in use.
    GroupLeaked,
    /// Handover: the closer's owner is not handed to the heir's.
    OwnerNotHanded,
    /// Handover: the heir is not woken.
    HeirNotWoken,
    /// Half open, in the merged design: a request that leaves the table keeps its timer.
    TimerKept,
    /// Stack: the listening bucket is locked while the global reuseport lock is held.
    BucketUnderReuseport,
    /// Splice: the target is chosen before the closer has left `socks[]`, and the two queues are
    /// locked without the bucket lock: what protects the v1 patch is taken away.
    SpliceUnguarded,
    /// Rule: a member that leaves has the first one put in its place, and the last one put first.
    SwapsWithFirst,
    /// Rule: a member that joins is put first.
    JoinsFirst,
    /// Rule: a listener that stops stays in the closed section whatever the guard says.
    AlwaysInClosedSection,
    /// Rule: a listener that stops never stays in the closed section.
    NeverInClosedSection,
    /// Rule: an accept queue holds no more than its backlog.
    AcceptQueueOneLess,
    /// Rule: a SYN queue holds no more than its listener's backlog.
    SynQueueOneLess,
    /// Rule: a connection migrates by the hash of its SYN.
    MigratesBySynHash,
    /// Rule: a migration is not counted.
    MigrationNotCounted,
    /// Rule: a migration that fails is not counted.
    MigrationFailureNotCounted,
    /// Rule: the guard is looked at when a listener stops, and not again.
    GuardLookedAtOnce,
    /// Rule: a queue takes a migrating connection only if it has room.
    TargetBacklogMinded,
    /// Rule: the fresh group of the only listener has the program of the one before.
    ProgramKept,
    /// Rule: the fresh group of the only listener remembers the cookies of the one before.
    CookiesKept,
    /// Rule: no cookie is believed.
    CookieNotBelieved,
    /// Rule: the final ACK of a listener that has left finds nobody else.
    AckNotMigrated,
    /// Rule: nobody is for the connections of a CPU.
    IncomingCpuIgnored,
    /// Rule: a program for new connections is asked about migrations, too.
    SelectProgramMigrates,
    /// Rule: a program cannot refuse.
    DropPasses,
    /// Rule: a reset of a half-open request is not counted.
    EmbryonicNotCounted,
    /// Rule: a listener that stops stays in the map.
    MapEntryKept,
    /// Rule: one more fast-open connection than the limit is let in.
    FastLimitOneMore,
    /// Rule: a bare ACK is enough for a listener that waits for data.
    DeferIgnored,
    /// Rule: a final ACK that finds the accept queue full ends the connection.
    OverflowEndsRequest,
    /// Rule: a wildcard takes an address that a socket of the other family is bound to.
    OverlapIgnored,
    /// Rule: a socket whose port was picked keeps it when it is shut down.
    PickedPortKept,
}
