//! The lock order: the only declaration of it.

use crate::sync::{Backend, Lock};

/// A class of locks: all that share one place in the order.
pub trait LockClass: 'static {
    /// The class's name in reports.
    const NAME: &'static str;
    /// The class's place in the order; a lock is only taken while all locks held have lower ranks.
    const RANK: u8;
    /// Which of a back end's locks stands behind the class.
    type Lock<B: Backend>: Lock;
}

/// Declares lock classes, outermost first; `Class(Piece)` is a piece with models of its own.
macro_rules! lock_order {
    ($($(#[$doc:meta])* $class:ident ( $lock:ident ) ,)+) => {
        /// Every class's name, by rank.
        pub const ORDER: &[&str] = &[$(stringify!($class)),+];

        #[repr(u8)]
        enum Rank { $($class),+ }

        $(
            $(#[$doc])*
            pub struct $class;

            impl LockClass for $class {
                const NAME: &'static str = stringify!($class);
                const RANK: u8 = Rank::$class as u8;
                type Lock<B: Backend> = B::$lock;
            }
        )+
    };
}

lock_order! {
    /// One listener's process-context lock: listen, shutdown and close of one listener in turn.
    /// Key: the listener's slot. (Linux: `lock_sock()` of a listener.)
    ListenerSock(Lock),
    /// One bucket of the listening table. Key: the bucket. (Linux: `inet_listen_hashbucket.lock`.)
    ListenBucket(Lock),
    /// The one global lock of all reuseport groups. (Linux: `reuseport_lock`.)
    Reuseport(Lock),
    /// One bucket of the established table.
    EstablishedBucket(Lock),
    /// The timers of half-open requests.
    Timer(Lock),
    /// One listener's accept queue. Key: the listener's slot. (Linux: `rskq_lock`.)
    Rskq(Lock),
    /// One listener's fast-open queue. (Linux: `fastopenq.lock`.)
    FastOpen(Lock),
    /// A slab's free list. Innermost: a last reference may be dropped under any other lock.
    Slab(PieceLock),
}

static_assertions::const_assert_eq!(ORDER.len(), Slab::RANK as usize + 1);
