//! A network namespace of one's own.

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

/// Moves this process, which has one thread, into a new network namespace whose loopback device is up. Whoever
/// is not root gets a user namespace around it, and is root there.
pub(super) fn enter() -> Result<(), String> {
    let (user, group) = (geteuid(), getegid());
    let flags = if user.is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    unshare(flags | CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("this system does not allow a network namespace: {error}"))?;
    if !user.is_root() {
        // Who is not root there has no rights once it runs another program.
        write("/proc/self/setgroups", "deny")?;
        write("/proc/self/uid_map", &format!("0 {user} 1"))?;
        write("/proc/self/gid_map", &format!("0 {group} 1"))?;
    }
    up("lo", None)?;
    // Clients come and go faster than ports get out of TIME-WAIT.
    set("net/ipv4/tcp_max_tw_buckets", "64")?;
    set("net/ipv4/ip_local_port_range", "1024 65535")
}

/// Brings a device up, with an address if one is given.
pub(super) fn up(device: &str, addr: Option<Ipv4Addr>) -> Result<(), String> {
    if let Some(addr) = addr {
        ip(&["addr", "add", &format!("{addr}/24"), "dev", device])?;
    }
    ip(&["link", "set", device, "up"])
}

/// Sets a switch of the namespace's.
pub(super) fn set(sysctl: &str, value: &str) -> Result<(), String> {
    write(&format!("/proc/sys/{sysctl}"), value)
}

fn write(file: &str, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("this system does not allow {file} to be written: {error}"))
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("ip").args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("ip {} ended with {status}", arguments.join(" "))),
        Err(error) => Err(format!("ip, of iproute2, cannot be run: {error}")),
    }
}
