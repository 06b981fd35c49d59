//! The namespace's sysctls.

use std::collections::BTreeMap;
use std::{fs, io};

/// `net.ipv4.tcp_migrate_req`.
pub(super) const MIGRATE_REQ: &str = "ipv4/tcp_migrate_req";
/// `net.ipv4.tcp_syncookies`.
pub(super) const SYNCOOKIES: &str = "ipv4/tcp_syncookies";
/// `net.ipv4.tcp_abort_on_overflow`.
pub(super) const ABORT_ON_OVERFLOW: &str = "ipv4/tcp_abort_on_overflow";
/// `net.core.somaxconn`.
pub(super) const SOMAXCONN: &str = "core/somaxconn";
/// `net.ipv4.tcp_synack_retries`.
pub(super) const SYNACK_RETRIES: &str = "ipv4/tcp_synack_retries";
/// `net.ipv4.tcp_fastopen`.
pub(super) const FASTOPEN: &str = "ipv4/tcp_fastopen";
/// `net.ipv4.tcp_max_syn_backlog`.
pub(super) const MAX_SYN_BACKLOG: &str = "ipv4/tcp_max_syn_backlog";

/// Remembers what was set, so that setting it again costs nothing.
#[derive(Default)]
pub(super) struct Sysctls(BTreeMap<&'static str, u32>);

impl Sysctls {
    pub(super) fn set(&mut self, name: &'static str, value: u32) -> io::Result<()> {
        if self.0.get(name) != Some(&value) {
            fs::write(format!("/proc/sys/net/{name}"), value.to_string())?;
            self.0.insert(name, value);
        }
        Ok(())
    }
}
