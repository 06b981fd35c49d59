//! What threads did and what came of it, counted, and how it has to agree with a stack's counters.

use rskq::Refusal;
use rskq::counters::Snapshot;
use std::ops::{AddAssign, Index, IndexMut};

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What was done, or what came of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Deed { $($(#[$doc])* $name,)+ }

        const DEEDS: &[Deed] = &[$(Deed::$name,)+];
    };
}

deeds! {
    /// A SYN made a half-open request, or found one, or was answered with a cookie.
    New, Duplicate, Cookie,
    /// A final ACK, a cookie, an established connection, a SYN with data reached an accept queue.
    Completed, Believed, Delivered, OpenedFast,
    /// The handshake of a fast-open connection ended.
    FastEnded,
    /// A half-open request was reset.
    Reset,
    /// Refusals.
    NoListener, NoRequest, AcceptQueueFull, AbortedOnOverflow, SynQueueFull, NoRequestSlot, Deferred,
    NoCookieSent, DroppedByProgram, FastOpenLimit, Unknown,
    /// A final ACK found that nobody listens any more, and its request was given up.
    RequestLost,
    /// An ACK bore a cookie that was genuine, or one that was not.
    Genuine, Rejected,
    /// SYN-ACK timers.
    Retransmitted, Waited, Expired, Dropped,
    /// Connections that left the stack.
    Accepted, Aborted, GivenBack,
    /// Steps of a closing listener that moved one connection, or all.
    Moved, HandedOver,
    /// A listener gained a connection, and nobody was to be woken.
    NotWoken,
    /// Listeners that were opened, shut down, closed, refused.
    Listened, Shut, Closed, NoListenerSlot, NoGroupRoom, ListenRefused,
}

/// Connections, of which each has another number: how many, and a sum that tells two sets apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Several {
    pub(crate) count: u64,
    sum: u64,
}

impl Several {
    pub(crate) fn add(&mut self, number: u64) {
        *self += Several { count: 1, sum: mixed(number) };
    }
}

impl AddAssign for Several {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// A number that looks random. (The finaliser of splitmix64.)
pub(crate) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Everything that was done.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    deeds: [u64; DEEDS.len()],
    /// Connections that were made, and those that ended.
    pub(crate) born: Several,
    pub(crate) ended: Several,
}

impl Default for Tally {
    fn default() -> Self {
        Self { deeds: [0; DEEDS.len()], born: Several::default(), ended: Several::default() }
    }
}

impl Index<Deed> for Tally {
    type Output = u64;
    fn index(&self, deed: Deed) -> &u64 {
        &self.deeds[deed as usize]
    }
}

impl IndexMut<Deed> for Tally {
    fn index_mut(&mut self, deed: Deed) -> &mut u64 {
        &mut self.deeds[deed as usize]
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.deeds.iter_mut().zip(other.deeds).for_each(|(mine, theirs)| *mine += theirs);
        self.born += other.born;
        self.ended += other.ended;
    }
}

impl Tally {
    /// Returns what was done at all, with how often.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Deed, u64)> {
        DEEDS.iter().map(|&deed| (deed, self[deed])).filter(|(_, times)| *times != 0)
    }

    fn sum(&self, deeds: &[Deed]) -> u64 {
        deeds.iter().map(|&deed| self[deed]).sum()
    }

    /// Returns what does not agree: each counter of the stack with what was seen from outside, the half-open
    /// requests that were made with those that ended, the connections that went in with those that came out.
    pub(crate) fn disagreements(&self, counters: &Snapshot) -> Vec<String> {
        use Deed::*;
        let mut broken = Vec::new();
        for (name, counted) in counters.iter() {
            let (least, most) = self.expected(name);
            // Counters wrap.
            let above = counted.wrapping_sub(least as u32);
            if u64::from(above) > most.saturating_sub(least) {
                broken.push(format!("{name} is {counted}, and was seen {least} times, at most {most}"));
            }
        }
        let ends = [Completed, RequestLost, Expired, Dropped, Reset, AbortedOnOverflow];
        if self[New] != self.sum(&ends) {
            broken.push(format!("{} half-open requests were made, {} ended", self[New], self.sum(&ends)));
        }
        if self.born != self.ended {
            broken.push(format!(
                "connections that went in and that came out: {:?}, {:?}",
                self.born, self.ended
            ));
        }
        if counters.GroupFull + counters.SocksFull != self[NoGroupRoom] as u32 {
            broken.push(format!("{} listeners were refused for want of a group's room", self[NoGroupRoom]));
        }
        if self[NotWoken] != 0 {
            broken.push(format!(
                "{} times a listener gained connections, and nobody was to be woken",
                self[NotWoken]
            ));
        }
        if self[Unknown] != 0 {
            broken.push(format!("{} refusals that are not known here", self[Unknown]));
        }
        broken
    }

    /// Returns the least and the most that a counter can show. What is not said here is never counted.
    fn expected(&self, counter: &str) -> (u64, u64) {
        use Deed::*;
        let exactly: &[Deed] = match counter {
            "ListenOverflows" => &[AcceptQueueFull, AbortedOnOverflow],
            "ListenDrops" => &[AcceptQueueFull, AbortedOnOverflow, SynQueueFull, NoRequestSlot],
            "PassiveOpens" => &[Completed, Believed, OpenedFast],
            "EmbryonicRsts" => &[Reset, AbortedOnOverflow],
            "TCPTimeouts" => &[Retransmitted, Waited, Expired],
            "TCPDeferAcceptDrop" => &[Deferred],
            "TCPReqQFullDrop" => &[SynQueueFull],
            "SyncookiesSent" => &[Cookie],
            "SyncookiesRecv" => &[Genuine],
            "SyncookiesFailed" => &[Rejected],
            "TCPFastOpenPassive" => &[OpenedFast],
            "RequestSlabFull" => &[NoRequestSlot],
            "ListenerSlabFull" => &[NoListenerSlot],
            // Counted before it is seen that the accept queue is full, too.
            "TCPReqQFullDoCookies" => return (self[Cookie], self[Cookie] + self[AcceptQueueFull]),
            "TCPFastOpenListenOverflow" => return (0, self[FastOpenLimit]),
            "GroupFull" | "SocksFull" => return (0, self[NoGroupRoom]),
            // Half-open requests that migrate tell nobody, and time is read before it is told.
            "TCPMigrateReqSuccess" => return (self[Moved], MANY),
            "TCPMigrateReqFailure" | "ClockBackwards" => return (0, MANY),
            _ => &[],
        };
        (self.sum(exactly), self.sum(exactly))
    }
}

/// No limit: as much as a counter can show.
const MANY: u64 = u32::MAX as u64;

/// What a refusal counts as.
pub(crate) fn refusal(why: Refusal) -> Deed {
    match why {
        Refusal::NoListener => Deed::NoListener,
        Refusal::NoRequest => Deed::NoRequest,
        Refusal::AcceptQueueFull => Deed::AcceptQueueFull,
        Refusal::AbortedOnOverflow => Deed::AbortedOnOverflow,
        Refusal::SynQueueFull => Deed::SynQueueFull,
        Refusal::NoRequestSlot => Deed::NoRequestSlot,
        Refusal::Deferred => Deed::Deferred,
        Refusal::NoCookieSent => Deed::NoCookieSent,
        Refusal::DroppedByProgram => Deed::DroppedByProgram,
        Refusal::FastOpenLimit => Deed::FastOpenLimit,
        _ => Deed::Unknown,
    }
}
