//! Socket options that no library has.

use nix::libc;
use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd};
use std::{io, ptr};

/// `getsockopt(TCP_INFO)`, up to what is looked at. Its layout is fixed: the kernel only ever appends.
#[derive(Clone, Copy, Debug)]
pub(super) struct TcpInfo {
    /// One of `TCP_ESTABLISHED` and the others.
    pub(super) state: u8,
    /// Segments that are not acknowledged; of a listener, the length of its accept queue.
    pub(super) unacked: u32,
    /// Of a listener, its backlog.
    pub(super) sacked: u32,
}

pub(super) const TCP_SYN_SENT: u8 = 2;
pub(super) const TCP_SYN_RECV: u8 = 3;
pub(super) const TCP_CLOSE: u8 = 7;
pub(super) const TCP_CLOSE_WAIT: u8 = 8;
pub(super) const TCP_LISTEN: u8 = 10;

/// Sets an option whose value is an `int`.
pub(super) fn set(socket: impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as it is borrowed, and the kernel reads as many bytes
    // as it is told, which are those of `value`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            ptr::from_ref(&value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(super) fn tcp_info(socket: impl AsFd) -> io::Result<TcpInfo> {
    let mut words = [0_u32; 8];
    let mut size = size_of_val(&words) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as it is borrowed, and the kernel writes at most
    // `size` bytes, which are those of `words`; any bytes make up a word.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            words.as_mut_ptr().cast(),
            &mut size,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let [state, ..] = words[0].to_ne_bytes();
    Ok(TcpInfo { state, unacked: words[6], sacked: words[7] })
}
