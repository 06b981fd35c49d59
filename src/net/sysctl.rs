//! The switches of a stack, under Linux's names.

use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

/// When a SYN is answered with a cookie. (Linux: `net.ipv4.tcp_syncookies`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Syncookies {
    /// Never: what a full SYN queue does not take is dropped. (0)
    Never,
    /// Where the SYN queue is full. (1)
    WhenFull,
    /// Always. (2)
    Always,
}

/// The switches of a stack. They may be changed at any time, and hold for decisions from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// Whether connections of a listener that closes migrate where no program decides. It is looked at
    /// twice: when the listener stops listening, and at each choice of a target.
    pub tcp_migrate_req: bool,
    /// When a SYN is answered with a cookie.
    pub tcp_syncookies: Syncookies,
    /// How many half-open requests a listener has at most where cookies are off; the last quarter is
    /// kept for clients that are known, which to this stack none is.
    pub tcp_max_syn_backlog: u32,
    /// Largest backlog: `listen` with a larger one gets this one.
    pub somaxconn: u32,
    /// How often a SYN-ACK is sent again before its request is given up.
    pub tcp_synack_retries: u32,
    /// Whether a final ACK that finds the accept queue full ends the connection with a reset; otherwise
    /// the ACK is dropped and the request stays.
    pub tcp_abort_on_overflow: bool,
}

impl Sysctl {
    /// Linux's values, on a machine with much memory.
    pub const LINUX: Self = Self {
        tcp_migrate_req: false,
        tcp_syncookies: Syncookies::WhenFull,
        tcp_max_syn_backlog: 4096,
        somaxconn: 4096,
        tcp_synack_retries: 5,
        tcp_abort_on_overflow: false,
    };
}

impl Default for Sysctl {
    fn default() -> Self {
        Self::LINUX
    }
}

/// The switches where every thread reads them.
pub(crate) struct Sysctls<B: Backend> {
    tcp_migrate_req: B::AtomicU32,
    tcp_syncookies: B::Stat,
    tcp_max_syn_backlog: B::Stat,
    somaxconn: B::Stat,
    tcp_synack_retries: B::Stat,
    tcp_abort_on_overflow: B::Stat,
}

impl<B: Backend> Sysctls<B> {
    pub(super) fn new(values: Sysctl) -> Self {
        let mut sysctls = Self {
            tcp_migrate_req: B::AtomicU32::ZERO,
            tcp_syncookies: B::Stat::ZERO,
            tcp_max_syn_backlog: B::Stat::ZERO,
            somaxconn: B::Stat::ZERO,
            tcp_synack_retries: B::Stat::ZERO,
            tcp_abort_on_overflow: B::Stat::ZERO,
        };
        let Sysctl { tcp_migrate_req, tcp_syncookies, tcp_max_syn_backlog, .. } = values;
        sysctls.tcp_migrate_req.place(u32::from(tcp_migrate_req));
        sysctls.tcp_syncookies.place(tcp_syncookies as u32);
        sysctls.tcp_max_syn_backlog.place(tcp_max_syn_backlog);
        sysctls.somaxconn.place(values.somaxconn);
        sysctls.tcp_synack_retries.place(values.tcp_synack_retries);
        sysctls.tcp_abort_on_overflow.place(u32::from(values.tcp_abort_on_overflow));
        sysctls
    }

    pub(crate) fn set(&self, values: Sysctl) {
        // By pattern: a new switch is either stored here or does not compile.
        let Sysctl {
            tcp_migrate_req,
            tcp_syncookies,
            tcp_max_syn_backlog,
            somaxconn,
            tcp_synack_retries,
            tcp_abort_on_overflow,
        } = values;
        self.set_tcp_migrate_req(tcp_migrate_req);
        self.tcp_syncookies.store(tcp_syncookies as u32, Ordering::Relaxed);
        self.tcp_max_syn_backlog.store(tcp_max_syn_backlog, Ordering::Relaxed);
        self.somaxconn.store(somaxconn, Ordering::Relaxed);
        self.tcp_synack_retries.store(tcp_synack_retries, Ordering::Relaxed);
        self.tcp_abort_on_overflow.store(u32::from(tcp_abort_on_overflow), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Sysctl {
        Sysctl {
            tcp_migrate_req: self.tcp_migrate_req(),
            tcp_syncookies: self.tcp_syncookies(),
            tcp_max_syn_backlog: self.tcp_max_syn_backlog(),
            somaxconn: self.somaxconn(),
            tcp_synack_retries: self.tcp_synack_retries(),
            tcp_abort_on_overflow: self.tcp_abort_on_overflow(),
        }
    }

    pub(crate) fn set_tcp_migrate_req(&self, on: bool) {
        self.tcp_migrate_req.store(u32::from(on), Ordering::Relaxed);
    }

    pub(crate) fn tcp_migrate_req(&self) -> bool {
        self.tcp_migrate_req.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn tcp_syncookies(&self) -> Syncookies {
        match self.tcp_syncookies.load(Ordering::Relaxed) {
            0 => Syncookies::Never,
            1 => Syncookies::WhenFull,
            _ => Syncookies::Always,
        }
    }

    pub(crate) fn tcp_max_syn_backlog(&self) -> u32 {
        self.tcp_max_syn_backlog.load(Ordering::Relaxed)
    }

    pub(crate) fn somaxconn(&self) -> u32 {
        self.somaxconn.load(Ordering::Relaxed)
    }

    pub(crate) fn tcp_synack_retries(&self) -> u32 {
        self.tcp_synack_retries.load(Ordering::Relaxed)
    }

    pub(crate) fn tcp_abort_on_overflow(&self) -> bool {
        self.tcp_abort_on_overflow.load(Ordering::Relaxed) != 0
    }
}
