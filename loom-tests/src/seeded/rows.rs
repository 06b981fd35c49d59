//! The table of seeded bugs.
//!
//! A to E are bugs that Linux shipped and fixed, F what the reviews of its patches found, L what has to be
//! asked of every design; other stacks' go by their names. Those called a rule are of nobody: they keep the
//! oracle and the tests honest, and with them every fault of the crate has its row.

use super::decision::Decision;
use crate::property::Property;
use rskq::sync::Fault;

/// Where a bug comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Linux shipped it, and fixed it.
    Shipped,
    /// The review of a patch of Linux found it.
    Review,
    /// What a design can get wrong that migrates connections.
    Design,
    /// Another stack has it, or had.
    Stack,
    /// What a Linux kernel shows would be otherwise, or a property would not hold.
    Rule,
}

/// What stands for a bug here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// A fault that can be planted.
    Switch(Fault),
    /// A design of the discussion, which has it, by the property that it breaks there.
    Column(&'static str, Property),
    /// Nothing: there is no place for it.
    Excluded(Decision),
}

/// A bug.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name where it was collected.
    pub id: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// What it is, in a few words.
    pub name: &'static str,
    /// What stands for it.
    pub stands: Stands,
    /// What that is: what is broken, or why it cannot be.
    pub sentence: &'static str,
}

macro_rules! rows {
    ($($source:ident { $($id:literal $name:literal $stands:ident($($of:tt)+) $sentence:literal)+ })+) => {
        &[$($(Row {
            id: $id,
            source: Source::$source,
            name: $name,
            stands: rows!(@$stands $($of)+),
            sentence: $sentence,
        },)+)+]
    };
    (@switch $fault:ident) => { Stands::Switch(Fault::$fault) };
    (@column $design:literal $property:ident) => { Stands::Column($design, Property::$property) };
    (@excluded $decision:ident) => { Stands::Excluded(Decision::$decision) };
}

/// Every row.
pub const ROWS: &[Row] = rows! {
    Shipped {
        "A1" "target not woken" column("clone-5.14" I10) "The merged design, which woke nobody."
        "A1" "target not woken" switch(MigrantNotWoken)
            "A closer moves a connection, and its target sleeps on."
        "A1" "woken through the clone" column("clone-naive-wake" I10)
            "Whom to wake is looked up in a request that an accept may have freed."
        "A2" "fast-open charge" column("clone-without-A2" I4)
            "The clone is another listener's, the charge is not."
        "A2" "fast-open charge" switch(FastChargeNotMoved)
            "A fast-open connection migrates, and its target is not charged with it."
        "A3" "timer_pending()" column("clone-without-A3" I15)
            "A handler that runs arms a timer that was cancelled."
        "A3" "timer_pending()" switch(TimerNotCancelled) "A final ACK leaves the request's timer running."
        "A4" "clone put twice" column("clone-without-A4" I6I7)
            "The handler puts the clone again, and not the original."
        "A5" "dropped from the target" column("clone-without-A5" I3) "The handler takes the target's charge."
        "A5" "dropped from the target" switch(ExpiryUnchargesTarget)
            "A request expires while it moves, and is taken from its target's charge as well."
        "A6" "clone freed, timer armed" column("clone-without-A6" I15)
            "A clone that came late is freed while its timer runs."
        "A7" "unhashed request found" column("clone-without-A7" I24)
            "A look-up returns a clone that is not in the table."
        "A7" "unhashed request found" switch(UnhashedTimedOut)
            "A timer takes a request for half open that has left the table."
        "A8" "counted pointer copied" excluded(Moves)
            "No request is copied, so that nothing in it is counted twice."
        "A9" "token names the original" excluded(Moves)
            "Who names a request by its id names it wherever it goes."
        "A10" "field left out of a copy" excluded(Moves) "There is no copy whose fields could be left out."
        "A11" "switch sampled twice" switch(GuardLookedAtOnce)
            "Whether to migrate is asked when a listener stops, and not again at each choice."
        "A12" "sleep in the close loop" excluded(Returned)
            "The loop is the caller's, and no lock is held between two steps."
        "A13" "destructor of a half-made child" excluded(Returned)
            "A child is handed back, and not ended inside."
        "A14" "write into a group's old copy" excluded(Tree)
            "A group grows where it is: there is no old copy."
        "A15" "SO_INCOMING_CPU ignored" switch(IncomingCpuIgnored)
            "A selection does not look for who is for this CPU."
        "A15" "its counter" switch(CpuCountKept) "A member leaves that is for some CPU, and stays counted."
        "A16" "warning of a copy" excluded(Moves) "Nothing is copied."
        "B1" "handshake ended twice" switch(HandshakeEndedTwice)
            "A fast-open handshake that has ended can be ended again."
        "B2" "fastopen_rsk kept" switch(HandshakeNotEnded)
            "The handshake is over, and the request says that it is not."
        "B3" "duplicate SYN" switch(DuplicateNotRecognised) "Two CPUs get one SYN, and each makes a request."
        "B4" "leak on a new exit" switch(RefusedKept)
            "A connection that no queue took leaves a reference behind."
        "B5" "armed too early or too late" switch(ArmedLate)
            "A new request's timer is started when somebody else may have taken the request already."
        "B6" "gap in a replacement" column("clone-without-B6" I13)
            "The old entry leaves before the new one is there."
        "B7" "the gap's first fix" excluded(BucketLock)
            "Who looks a tuple up holds the lock under which its entry changes."
        "B8" "gap before TIME_WAIT" excluded(Scope) "What follows an accepted connection is not kept here."
        "B9" "reference on a reused slot" switch(GenerationNotChecked)
            "A stale id names what is in its slot now."
        "B10" "half-open request outlives its namespace" excluded(Memory)
            "Whatever names the stack borrows it."
        "B11" "the same, first fix" excluded(Memory) "Nothing has to be purged before the memory goes."
        "B12" "loser does not look again" switch(LoserDropped)
            "A final ACK finds its request moved, and is forgotten."
        "B13" "loser writes to what is shared" switch(LoserCounts)
            "A timer counts at a listener that has left, and again where the request goes."
        "B14" "helper leaks a reference" switch(LookupLeaks)
            "A reset keeps a reference on the request that it looked up."
        "B15" "early bail-out" switch(BailoutLeaks)
            "The second of two allocations fails, and the first is kept."
        "B16" "field without a first value" switch(TimeoutsNotCleared)
            "A new request begins with its slot's old timeouts."
        "B17" "field of a cookie's request" switch(AckedNotCleared)
            "A new request begins with its slot's old ACK."
        "B18" "options freed under readers" excluded(Scope) "Requests have no options."
        "B19" "request read as a socket" excluded(Types) "A slab has one type, and so has an id."
        "B20" "handshake's end without the lock" switch(HandshakeUnlocked)
            "Two who end a handshake both see that it goes on."
        "B21" "context of a counter" excluded(Types) "Counters are atomics in every context."
        "B22" "ACK of an accepted child" switch(AcceptedHandshakeIgnored)
            "The handshake of a connection that was accepted early does not end."
        "B23" "shutdown of a child" excluded(Scope) "What an accepted connection does is its owner's."
        "B24" "error told before the state" excluded(Returned)
            "What an operation found is told when it returns."
        "B25" "write into the shared listener" excluded(Types) "A SYN has a listener by shared reference."
        "B26" "published before it is whole" switch(RootBeforeChild)
            "A new root is shown before the old one is below it."
        "B27" "reset within the window" excluded(Scope) "Whether a reset is genuine is the caller's to say."
        "B28" "scratch of a CPU" excluded(Arguments) "There is no state of a CPU: it comes in as an argument."
        "C1" "lock initialised again" excluded(Types)
            "A lock is placed through an exclusive reference, before it is shared."
        "C2" "backlog of 0" switch(AcceptQueueOneLess) "A backlog of N holds N, and one of 0 nothing."
        "C3" "backlog read while written" excluded(Types) "It is an atomic, and each decision reads it once."
        "C4" "listener closes between two tests" switch(AddWithoutStateCheck)
            "An addition does not look at the state."
        "C5" "option read while written" excluded(Types) "Options are atomics."
        "C6" "wake-up callback replaced" excluded(Returned)
            "A wake-up is a value, and whom it calls the caller knows."
        "C7" "callbacks inside the close" excluded(Returned) "Nothing of a child's runs inside."
        "C8" "worker of an unaccepted child" excluded(Returned)
            "A child is the caller's again once it was given up."
        "C9" "state before leaving the table" switch(ClosedBeforeLeaving)
            "Who looks again finds the closed one again."
        "C10" "accept against close" switch(RequestPutTwice) "An accept lets go of its request twice."
        "C11" "closed by a stranger" excluded(Types) "Who closes a socket has its id."
        "C12" "loser reads what the winner took" switch(MovedUnnoticed)
            "A final ACK takes a request that has moved for what it found."
        "C13" "slab that is not type-stable" excluded(TypeStable)
            "No reader comes upon anything but a request."
        "C13" "revived by a reader" switch(IncFromZero) "A reader takes a reference on what has none."
        "C14" "hook of a closing listener" excluded(Returned) "A listener has no hooks."
        "C15" "state tested before the lock" switch(StateLookedAtBeforeLock)
            "An addition tests the state first, and then takes the lock."
        "C16" "accept against the handshake" switch(AcceptNotSaid)
            "A connection that was accepted early does not say so, and its handshake ends as if it waited."
        "C17" "state shared with children" excluded(Scope) "A child has nothing of its listener's."
        "C18" "queue's counter" switch(PopNotCounted) "What leaves the queue stays counted."
        "C19" "charge of a completed handshake" switch(ChargeKept) "A handshake is done, and stays charged."
        "D1" "unpublished too late" switch(MemberStillCounted) "A member that left is still found."
        "D2" "foreign user data" excluded(Types) "What a listener knows of a map is a field of its own."
        "D3" "option on another family" excluded(Scope) "There are no other sockets."
        "D4" "group not under the bucket's lock" switch(GroupNotLookedFor)
            "Two begin a group each, at one address."
        "D5" "program replaced while it is asked" switch(ProgramLoadedTwice)
            "The program that answers is not the one that was found to be asked."
        "D6" "leak on an error exit" switch(RefusedSelectionLeaked)
            "A listener that a program may not select keeps a reference."
        "D7" "place that is not filled in" switch(MemberNotChecked)
            "What a place names is taken for a member."
        "D8" "growth forgets" switch(OldRootForgotten) "A group that grows loses what was in it."
        "D9" "connected member selected" excluded(Scope) "Only listeners are members."
        "D10" "the same, scored" excluded(Scope) "Only listeners are members."
        "D11" "selected and out of the group" switch(MemberNotChecked)
            "What was found may be another group's."
        "D12" "key of a mapped address" switch(FamiliesApart) "IPv4 looks for a wildcard where IPv6's is not."
        "D13" "old group leaked" switch(OldGroupKept) "Who joins a group is still counted in another."
        "D14" "member without a group" switch(GroupNotNamed) "A member does not know its group."
        "D15" "cookie of another member" switch(CookieNotBelieved) "A valid cookie is refused."
        "D16" "wildcard first" switch(WildcardFirst) "A wildcard is found before the address itself."
        "E1" "two children of one request" switch(MovedUnnoticed) "Two ACKs both take the request."
        "E2" "timer against unlinking" switch(UnhashedTimedOut) "A timer deals with what left the table."
        "E3" "SYN at a listener that goes" switch(SynAtClosed)
            "A SYN does not look at the state under the lock."
        "E3" "addition at a listener that goes" switch(StateLookedAtBeforeLock)
            "An addition tests the state too early."
        "E4" "queue without a lock" excluded(Types) "The list is inside the lock."
        "E5" "timer without a listener" excluded(TypeStable)
            "A request's owner is counted, and so is its listener."
    }
    Review {
        "F RFC" "always the first slot" switch(MigratesByZero) "Every connection migrates by the same hash."
        "F v1" "tail of the reset list" column("splice-tfo" I1) "The list's tail is not its last request."
        "F v1" "two locks of a class" column("splice" I22) "The two queues' locks are taken in no order."
        "F v1" "two locks and no guard" switch(SpliceUnguarded) "And what made that harmless is taken away."
        "F v1" "rsk_listener is stale" column("splice" I5) "What was spliced names who closed."
        "F v1" "rsk_listener is stale" switch(OwnerNotMoved) "What was moved names who closed."
        "F v1" "reference on a dead listener" column("in-place" I6I7)
            "A target is held that nobody holds any more."
        "F v2" "in-place rewrite" column("splice-nested" I3) "Two rewrite one request, and both count."
        "F v2" "added between splice and CLOSE" column("splice" I11) "What comes late is reset."
        "F v2" "condition turned round" switch(SelectProgramMigrates)
            "A program for new connections is asked about migrations."
        "F Dec" "qlen of what is not half open" column("requeue-naive" I3)
            "A queued request moves a charge that it has not."
        "F v3" "clone's count not set" excluded(Types)
            "A fresh object becomes a reference in one place, which sets it."
        "F v3" "hashdance and the new listener" switch(AckUnchargesTarget)
            "The target that takes the ACK loses a charge that is the old listener's."
        "F v3" "field of another protocol" excluded(Scope) "There is one kind of request."
        "F v3" "program through a shut socket" switch(ProgramOfGroupLeft)
            "A program that is attached to a socket that was shut down is asked by those that listen."
        "F v3" "closed section after growth" switch(ClosedNeighbourForgotten)
            "The closed section does not know its newest member."
    }
    Design {
        "L1" "charge of the listener that left" switch(LeftChargeKept)
            "A request is given up, and stays charged where nobody listens."
        "L2" "fast-open charges and a second life" switch(FastChargesForgotten)
            "A listener that listens again begins with nothing, and pays back all the same."
        "L3" "timer of what was given up" switch(GivenUpStillArmed)
            "A request is reset, and its timer runs on."
        "L4" "list of a closed listener" switch(ResetListedAtClosed)
            "A reset connection is added to a list that nobody looks at again."
        "L5" "one try" switch(LateArrivalDropped) "The chosen target has closed, and no other is chosen."
        "L7" "shut and still selectable" switch(MapEntryKept) "A listener that stopped stays in the map."
        "H2" "who is handed over" switch(OwnerNotHanded) "A queue moves as a whole, and its owner does not."
        "H4" "heir not woken" switch(HeirNotWoken) "A queue moves as a whole, and its heir sleeps on."
    }
    Stack {
        "ax-net unlisten" "the first entry goes" switch(FirstLeaves)
            "One member stops, and another one leaves."
        "ax-net accept" "the first entry is found" switch(FirstSelected) "All connections go to one member."
        "ax-net table" "live listener not in the table" switch(GroupUnhashedEarly)
            "A member stops, and nobody is found."
        "ax-net peer" "the client before" switch(KeyKept)
            "A request has the tuple of the one before in its slot."
        "axnet 2025-07" "no look for a duplicate" switch(SynAlwaysNew) "Each SYN makes a request."
        "smoltcp" "several sockets, one SYN" switch(DuplicateNotRecognised) "One SYN makes two requests."
        "smoltcp overflow" "reset when full" switch(OverflowEndsRequest) "A full queue ends the connection."
        "gVisor #11535" "half-open for ever" switch(NeverExpires)
            "A request that nobody answers is never given up."
        "gVisor cookies" "nonce of one listener" switch(CookieNotBelieved)
            "A cookie is good at one member only."
        "lwIP" "ACK after the listener" switch(AckNotMigrated)
            "The final ACK of a listener that left finds nobody."
        "Asterinas listen(0)" "nothing fits" switch(SynQueueOneLess) "A backlog of 0 refuses every SYN."
        "Asterinas accept" "last in, first out" switch(PushToHead) "The newest connection is accepted first."
        "DragonOS backlog" "8 at most" switch(BacklogClamped) "A larger backlog than 8 is one of 8."
        "DragonOS underflow" "backlog of 0" switch(BacklogUnderflows) "A backlog of 0 has no limit."
        "Hermit close" "removed without a word" switch(AbortedUntold) "A connection goes, and nobody is told."
        "Theseus" "locks in both orders" switch(BucketUnderReuseport)
            "An outer lock is taken under an inner one."
    }
    Rule {
        "I1" "state of what is queued" switch(StateNotSaid) "A queued request does not say so."
        "I2" "backlog counts" switch(BacklogNotCounted) "An addition is not counted."
        "I3" "charge goes along" switch(TargetNotCharged)
            "Who takes a half-open request is not charged with it."
        "I4" "charge goes" switch(FastChargeKept) "A fast-open handshake ends and stays charged."
        "I7" "references balance" switch(OwnerReferenceLeaked) "A freed request keeps its owner."
        "I10" "every gain wakes" switch(WakeForgotten) "A delivery wakes nobody."
        "I15" "timers of the posted protocol" switch(TimerKept)
            "Who takes a request off the table leaves its timer."
        "I15" "timers go on" switch(TimerNotRestarted) "A timer goes off once."
        "I17" "members agree" switch(GroupStillNamed) "Who left goes on naming the group."
        "I18" "groups go" switch(GroupLeaked) "The last member leaves the group in use."
        "I24" "found is what was sought" switch(TupleNotCompared) "A look-up takes whatever it finds."
        "rule" "who takes a place" switch(SwapsWithFirst)
            "The first member takes the place of one that leaves."
        "rule" "where one joins" switch(JoinsFirst) "Who joins is put first."
        "rule" "closed section" switch(AlwaysInClosedSection)
            "Who stops stays in its group with migration off."
        "rule" "closed section" switch(NeverInClosedSection) "Who stops never stays in its group."
        "rule" "hash of a migration" switch(MigratesBySynHash) "A connection migrates by the hash of its SYN."
        "rule" "counter" switch(MigrationNotCounted) "A migration is not counted."
        "rule" "counter" switch(MigrationFailureNotCounted) "A migration that fails is not counted."
        "rule" "counter" switch(EmbryonicNotCounted) "A reset of a half-open request is not counted."
        "rule" "a target's backlog" switch(TargetBacklogMinded) "A full target refuses what migrates."
        "rule" "fresh group" switch(ProgramKept) "It has the program of the one before."
        "rule" "fresh group" switch(CookiesKept) "It remembers the cookies of the one before."
        "rule" "refusal of a program" switch(DropPasses) "A program cannot refuse."
        "rule" "map" switch(MapNotChecked) "What was read from the map is not looked at again."
        "rule" "fast-open limit" switch(FastLimitOneMore) "One more than the limit is let in."
        "rule" "TCP_DEFER_ACCEPT" switch(DeferIgnored) "A bare ACK is enough."
        "rule" "bind conflict" switch(OverlapIgnored) "A wildcard takes an address of the other family."
        "rule" "picked port" switch(PickedPortKept)
            "A socket that was shut down keeps a port that was picked."
        "rule" "slab" switch(NoRoom) "An allocation finds no room, though there is some."
        "rule" "slab" switch(FreshSlotLeaked) "What could not be completed keeps its slot."
        "rule" "owners" switch(SlotNotOwner) "A slot that another has by now is taken for who was there."
        "rule" "address until the last step" switch(UnboundEarly)
            "A closed socket's address is free before its last step."
    }
};

impl Row {
    /// Returns what stands for the bug in a word.
    #[must_use]
    pub fn stand_in(&self) -> String {
        match self.stands {
            Stands::Switch(fault) => fault.name().to_owned(),
            Stands::Column(design, property) => format!("design {design}, {}", property.name()),
            Stands::Excluded(_) => "excluded".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::designs;

    #[test]
    fn every_fault_has_its_row_and_every_design_is_one() {
        let has_row = |fault: Fault| ROWS.iter().any(|row| row.stands == Stands::Switch(fault));
        let without = Fault::ALL.iter().filter(|&&fault| !has_row(fault)).collect::<Vec<_>>();
        assert!(without.is_empty(), "{without:?}");
        for row in ROWS {
            if let Stands::Column(design, _) = row.stands {
                assert!(designs::by_name(design).is_some_and(|column| !column.is_ours()), "{row:?}");
            }
        }
    }

    /// Every row of the collection: how many of each letter.
    #[test]
    fn every_bug_of_the_collection_has_its_row() {
        for (letter, count) in [('A', 16), ('B', 28), ('C', 19), ('D', 16), ('E', 5)] {
            for number in 1..=count {
                let id = format!("{letter}{number}");
                assert!(ROWS.iter().any(|row| row.id == id), "{id}");
            }
        }
        assert!(ROWS.iter().filter(|row| row.source == Source::Review).count() >= 14);
    }
}
