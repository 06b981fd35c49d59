//! Counters.

use crate::rskq_stack;
use rskq::counters::Snapshot;

/// What a stack counted, each by itself; they wrap at 2^32.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_counters {
    /// Connections that a full accept queue turned away. (Linux: `ListenOverflows`.)
    pub listen_overflows: u32,
    /// Connections that a listener dropped, for whatever reason. (Linux: `ListenDrops`.)
    pub listen_drops: u32,
    /// Connections that a handshake ended with. (Linux: `PassiveOpens`.)
    pub passive_opens: u32,
    /// Half-open requests that were reset. (Linux: `EmbryonicRsts`.)
    pub embryonic_rsts: u32,
    /// Times a SYN-ACK timer went off. (Linux: `TCPTimeouts`.)
    pub tcp_timeouts: u32,
    /// Bare ACKs that were dropped because their listener waits for data. (Linux: `TCPDeferAcceptDrop`.)
    pub tcp_defer_accept_drop: u32,
    /// SYNs that found the SYN queue full and were dropped. (Linux: `TCPReqQFullDrop`.)
    pub tcp_req_q_full_drop: u32,
    /// SYNs that found the SYN queue full, or cookies always on. (Linux: `TCPReqQFullDoCookies`.)
    pub tcp_req_q_full_do_cookies: u32,
    /// Cookies that were due. (Linux: `SyncookiesSent`.)
    pub syncookies_sent: u32,
    /// Genuine cookies. (Linux: `SyncookiesRecv`.)
    pub syncookies_recv: u32,
    /// Others. (Linux: `SyncookiesFailed`.)
    pub syncookies_failed: u32,
    /// Fast-open connections. (Linux: `TCPFastOpenPassive`.)
    pub tcp_fast_open_passive: u32,
    /// Fast-open connections beyond their listener's limit. (Linux: `TCPFastOpenListenOverflow`.)
    pub tcp_fast_open_listen_overflow: u32,
    /// Requests that migrated to another listener. (Linux: `TCPMigrateReqSuccess`.)
    pub tcp_migrate_req_success: u32,
    /// Requests that should have migrated and did not. (Linux: `TCPMigrateReqFailure`.)
    pub tcp_migrate_req_failure: u32,
    /// Times that were more than a second earlier than one told before.
    pub clock_backwards: u32,
    /// Connections turned away because every request slot was in use.
    pub request_slab_full: u32,
    /// Listeners refused because every listener or owner slot was in use.
    pub listener_slab_full: u32,
    /// Listeners refused because every group slot was in use, or the group was full.
    pub group_full: u32,
    /// Listeners refused because `socks` had no room for the group to grow.
    pub socks_full: u32,
}

impl From<Snapshot> for rskq_counters {
    fn from(counters: Snapshot) -> Self {
        let Snapshot {
            ListenOverflows: listen_overflows,
            ListenDrops: listen_drops,
            PassiveOpens: passive_opens,
            EmbryonicRsts: embryonic_rsts,
            TCPTimeouts: tcp_timeouts,
            TCPDeferAcceptDrop: tcp_defer_accept_drop,
            TCPReqQFullDrop: tcp_req_q_full_drop,
            TCPReqQFullDoCookies: tcp_req_q_full_do_cookies,
            SyncookiesSent: syncookies_sent,
            SyncookiesRecv: syncookies_recv,
            SyncookiesFailed: syncookies_failed,
            TCPFastOpenPassive: tcp_fast_open_passive,
            TCPFastOpenListenOverflow: tcp_fast_open_listen_overflow,
            TCPMigrateReqSuccess: tcp_migrate_req_success,
            TCPMigrateReqFailure: tcp_migrate_req_failure,
            ClockBackwards: clock_backwards,
            RequestSlabFull: request_slab_full,
            ListenerSlabFull: listener_slab_full,
            GroupFull: group_full,
            SocksFull: socks_full,
        } = counters;
        Self {
            listen_overflows,
            listen_drops,
            passive_opens,
            embryonic_rsts,
            tcp_timeouts,
            tcp_defer_accept_drop,
            tcp_req_q_full_drop,
            tcp_req_q_full_do_cookies,
            syncookies_sent,
            syncookies_recv,
            syncookies_failed,
            tcp_fast_open_passive,
            tcp_fast_open_listen_overflow,
            tcp_migrate_req_success,
            tcp_migrate_req_failure,
            clock_backwards,
            request_slab_full,
            listener_slab_full,
            group_full,
            socks_full,
        }
    }
}

/// Reads every counter. No lock.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_read_counters(stack: &rskq_stack) -> rskq_counters {
    stack.0.counters().into()
}
