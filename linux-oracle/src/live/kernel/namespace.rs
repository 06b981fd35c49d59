//! A network namespace of one's own, with nothing but a loopback device that is up.

use super::error::NotAllowed;
use nix::libc;
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Pid, geteuid};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};

/// The index of the loopback device in every namespace.
const LOOPBACK: u32 = 1;

/// Moves this process into a new namespace. Whoever is not root gets a user namespace around it, which
/// the kernel refuses to a process with more than one thread.
pub(super) fn enter() -> Result<(), NotAllowed> {
    let (flags, doing) = if geteuid().is_root() {
        (CloneFlags::CLONE_NEWNET, "creating a network namespace")
    } else {
        (CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET, "creating a user and network namespace")
    };
    unshare(flags).map_err(|errno| NotAllowed { doing, error: errno.into() })?;
    loopback_up().map_err(|error| NotAllowed { doing: "bringing its loopback device up", error })?;
    more_descriptors().map_err(|error| NotAllowed { doing: "raising the limit of open files", error })
}

/// Sets the flag `IFF_UP` by a message of rtnetlink and waits for the answer.
fn loopback_up() -> io::Result<()> {
    let mut netlink = Socket::new(
        Domain::from(libc::AF_NETLINK),
        Type::RAW,
        Some(socket2::Protocol::from(libc::NETLINK_ROUTE)),
    )?;
    let up = libc::IFF_UP as u32;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u32;
    // A nlmsghdr: length, type and flags, sequence, port; then an ifinfomsg: family and type, index,
    // flags, the flags to change.
    let words = [32, u32::from(libc::RTM_NEWLINK) | flags << 16, 1, 0, 0, LOOPBACK, up, up];
    let message: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_ne_bytes()).collect();
    netlink.write_all(&message)?;
    // A nlmsghdr, then the error, 0 or negative.
    let mut answer = [0; 64];
    if netlink.read(&mut answer)? < 20 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// Groups of hundreds of listeners, and clients, need more than the usual 1024.
fn more_descriptors() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// How many CPUs this process may run on.
pub(super) fn cpus() -> io::Result<u32> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).count() as u32)
}

/// Runs on `cpu` and nowhere else from now on.
pub(super) fn pin(cpu: u32) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu as usize)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &only)?)
}
