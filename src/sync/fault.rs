//! What a checker can break.

/// Declares the faults: what each breaks, and its name.
macro_rules! faults {
    ($($(#[$doc:meta])+ $fault:ident,)+) => {
        /// A fault that a checker can plant, to show that another one catches it.
        ///
        /// Each variant breaks one line of the crate, only under the back end of a checker; the place it
        /// breaks asks [`Backend::planted`](super::Backend::planted). Those that are called a rule break one
        /// that a Linux kernel shows, for the oracle to find.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Fault { $($(#[$doc])+ $fault,)+ }

        impl Fault {
            /// The environment variable that names the fault to tests with feature `seeded`.
            pub const VARIABLE: &'static str = "RSKQ_PLANTED";

            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$fault),+];

            /// Returns the fault's name, as it is written here.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$fault => stringify!($fault),)+ }
            }

            /// Returns the fault of that name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fault| fault.name() == name)
            }
        }
    };
}

faults! {
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
    /// Who walks a chain of owners takes whoever has the slot that a link led to for the owner that was there.
    SlotNotOwner,
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
    /// Accept queue: what is taken out stays counted in `sk_ack_backlog`.
    PopNotCounted,
    /// Accept queue: an addition looks at the state before it has the lock, and not under it.
    StateLookedAtBeforeLock,
    /// Accept queue: that a request was accepted is not said.
    AcceptNotSaid,
    /// Backlog: one less than the backlog fits, and with a backlog of 0 there is no limit.
    BacklogUnderflows,
    /// Backlog: it is 8 at most, whatever was asked for.
    BacklogClamped,
    /// Close: a connection that is given up is not handed back.
    AbortedUntold,
    /// Close: the state becomes CLOSE before the listener has left its group and the table.
    ClosedBeforeLeaving,
    /// Migration: who gains a connection from a closer that moves them one by one is not woken.
    MigrantNotWoken,
    /// Migration: a connection migrates by hash 0, whatever its own.
    MigratesByZero,
    /// Half open: a request that is given up stays charged to a listener that has left.
    LeftChargeKept,
    /// Half open: a request that is given up goes off the table with its timer running.
    GivenUpStillArmed,
    /// Half open: a look-up keeps a reference on what it found.
    LookupLeaks,
    /// Half open: a target that takes a final ACK is relieved of a charge that is another's.
    AckUnchargesTarget,
    /// Half open: a target at which a request expires is relieved of a charge that is another's.
    ExpiryUnchargesTarget,
    /// Half open: a timer does not look whether its request still is in the table.
    UnhashedTimedOut,
    /// Half open: a timer counts a timeout at a listener that has left, and again at the next.
    LoserCounts,
    /// Half open: a final ACK that finds its request moved is dropped instead of looking again.
    LoserDropped,
    /// Half open: no request is ever given up for want of an answer.
    NeverExpires,
    /// Half open: the timer of a new request is started when its bucket is not locked any more.
    ArmedLate,
    /// Half open: a SYN makes a request whether or not its tuple has one.
    SynAlwaysNew,
    /// Half open: a SYN does not look, under the lock, whether the listener still listens.
    SynAtClosed,
    /// Request: the key is that of the request which was in this slot before.
    KeyKept,
    /// Request: a new request has timed out as often as the one which was in this slot before.
    TimeoutsNotCleared,
    /// Request: a new request has had its final ACK if the one which was in this slot before had.
    AckedNotCleared,
    /// Request: one that no queue took is kept by a reference that nobody holds.
    RefusedKept,
    /// Fast open: a connection that migrates is not charged to its target.
    FastChargeNotMoved,
    /// Fast open: a listener that listens again forgets what it is charged with.
    FastChargesForgotten,
    /// Fast open: the end of a handshake does not look whether it had ended.
    HandshakeEndedTwice,
    /// Fast open: the end of a handshake does not keep the lock of its tuple's bucket.
    HandshakeUnlocked,
    /// Fast open: the handshake of a connection that was accepted does not end.
    AcceptedHandshakeIgnored,
    /// Fast open: a reset connection goes to the list of a listener that has left.
    ResetListedAtClosed,
    /// Group: a tree that grows loses what was in it.
    OldRootForgotten,
    /// Group: who leaves stays counted among those that are for some CPU.
    CpuCountKept,
    /// Group: the first member leaves in place of the one that stops.
    FirstLeaves,
    /// Group: the first member is selected, whatever the hash.
    FirstSelected,
    /// Group: who joins does not name it.
    GroupNotNamed,
    /// Group: who joins one does not leave the one before.
    OldGroupKept,
    /// Group: who leaves the closed section leaves its name with the one that stopped before it.
    ClosedNeighbourForgotten,
    /// Table: who begins to listen does not look whether a group listens there.
    GroupNotLookedFor,
    /// Table: a group leaves it with any of its members, and not with the last.
    GroupUnhashedEarly,
    /// Table: the wildcards of both families are in different buckets.
    FamiliesApart,
    /// Program: one that is attached to a socket in a closed section goes to those that listen.
    ProgramOfGroupLeft,
    /// Map: a listener of another group, which a program may not select, keeps a reference.
    RefusedSelectionLeaked,
    /// Slab: an id names whatever is in its slot now.
    GenerationNotChecked,
    /// Slab: a reference is taken on what has none.
    IncFromZero,
    /// Slab: a socket that does not come about for want of an owner keeps its slot.
    BailoutLeaks,
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

#[cfg(all(test, feature = "spin"))]
mod tests {
    use super::super::Backend;
    use super::Fault;
    use crate::DefaultBackend;

    /// That this is known when the crate is compiled is what `ci/seeded.sh` shows.
    #[test]
    fn no_fault_is_planted_in_what_ships() {
        for &fault in Fault::ALL {
            assert!(!DefaultBackend::planted(fault));
            assert_eq!(Fault::by_name(fault.name()), Some(fault));
        }
        assert_eq!(Fault::by_name("NoSuchFault"), None);
    }
}
