//! The crate's own lock order: the only declaration of it.

use super::declare::{Innermost, LockClass};
use crate::lock_order;

lock_order! {
    /// One listener's process-context lock: listen, shutdown and close of one listener in turn.
    /// Key: the listener's slot. (Linux: `lock_sock()` of a listener.)
    ListenerSock(Lock, Canary),
    /// One bucket of the table of ports. Key: the bucket. (Linux: `inet_bind_hashbucket.lock`.)
    BindBucket(Lock, Canary),
    /// One bucket of the listening table. Key: the bucket. (Linux: `inet_listen_hashbucket.lock`.)
    ListenBucket(Lock, Canary),
    /// The one global lock of all reuseport groups. (Linux: `reuseport_lock`.)
    Reuseport(Lock, Canary),
    /// One bucket of the established table.
    EstablishedBucket(Lock, Canary),
    /// The timers of half-open requests.
    Timer(Lock, Canary),
    /// One listener's accept queue. Key: the listener's slot. (Linux: `rskq_lock`.)
    Rskq(Lock, Canary),
    /// One listener's fast-open queue. (Linux: `fastopenq.lock`.)
    FastOpen(Lock, Canary),
    /// A slab's free list. Innermost: a last reference may be dropped under any other lock.
    Slab(PieceLock, PieceCanary),
}

impl Innermost for Slab {}

static_assertions::const_assert_eq!(ORDER.len(), Slab::RANK as usize + 1);
