//! Statistics, under Linux's names where Linux counts the same thing.

use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Counters of one stack. They wrap at 2^32 and are written without locks.
        #[allow(non_snake_case)] // Linux's names
        pub struct Counters<B: Backend> { $($(#[$doc])* pub(crate) $name: B::Stat,)+ }

        /// What the counters showed at one moment, each by itself.
        #[allow(non_snake_case)] // Linux's names
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Snapshot { $($(#[$doc])* pub $name: u32,)+ }

        impl<B: Backend> Counters<B> {
            pub(crate) fn new() -> Self {
                let mut counters = Self { $($name: B::Stat::ZERO,)+ };
                $(counters.$name.place(0);)+
                counters
            }

            /// Reads every counter. No lock.
            #[must_use]
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }

        impl Snapshot {
            /// Returns each counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }
    };
}

counters! {
    /// Connections that a full accept queue turned away. (Linux: `ListenOverflows`.)
    ListenOverflows,
    /// Connections that a listener dropped, for whatever reason. (Linux: `ListenDrops`.)
    ListenDrops,
    /// Connections that a handshake ended with. (Linux: `PassiveOpens`.)
    PassiveOpens,
    /// Half-open requests that were reset. (Linux: `EmbryonicRsts`.)
    EmbryonicRsts,
    /// Times a SYN-ACK timer went off. (Linux: `TCPTimeouts`.)
    TCPTimeouts,
    /// Bare ACKs that were dropped because their listener waits for data. (Linux: `TCPDeferAcceptDrop`.)
    TCPDeferAcceptDrop,
    /// SYNs that found the SYN queue full and were dropped. (Linux: `TCPReqQFullDrop`.)
    TCPReqQFullDrop,
    /// SYNs that found the SYN queue full, or cookies always on. (Linux: `TCPReqQFullDoCookies`.)
    TCPReqQFullDoCookies,
    /// Cookies that were due. (Linux: `SyncookiesSent`.)
    SyncookiesSent,
    /// Genuine cookies. (Linux: `SyncookiesRecv`.)
    SyncookiesRecv,
    /// Others. (Linux: `SyncookiesFailed`.)
    SyncookiesFailed,
    /// Fast-open connections. (Linux: `TCPFastOpenPassive`.)
    TCPFastOpenPassive,
    /// Fast-open connections beyond their listener's limit. (Linux: `TCPFastOpenListenOverflow`.)
    TCPFastOpenListenOverflow,
    /// Requests that migrated to another listener. (Linux: `TCPMigrateReqSuccess`.)
    TCPMigrateReqSuccess,
    /// Requests that should have migrated and did not. (Linux: `TCPMigrateReqFailure`.)
    TCPMigrateReqFailure,
    /// Times that were more than a second earlier than one told before.
    ClockBackwards,
    /// Connections turned away because every request slot was in use, or there is no established table.
    RequestSlabFull,
    /// Listeners refused because every listener or owner slot was in use.
    ListenerSlabFull,
    /// Listeners refused because every group slot was in use, or the group was full.
    GroupFull,
    /// Listeners refused because `socks` had no room for the group to grow.
    SocksFull,
}

/// Counts one.
pub(crate) fn count<T: AtomicU32>(counter: &T) {
    count_many(counter, 1);
}

/// Counts `n`.
pub(crate) fn count_many<T: AtomicU32>(counter: &T, n: u32) {
    counter.fetch_add(n, Ordering::Relaxed);
}
