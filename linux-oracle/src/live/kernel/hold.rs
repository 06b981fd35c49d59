//! A classic filter that drops bare ACKs, so that handshakes stay half-open. It needs no privilege.

use nix::libc;
use socket2::{SockFilter, Socket};
use std::io;

const FIN_SYN_RST: u32 = 0x07;
const PASS: u32 = u32::MAX;
const DROP: u32 = 0;

/// Drops bare ACKs at `listener` from now on, or no longer.
pub(super) fn hold(listener: &Socket, on: bool) -> io::Result<()> {
    if on { listener.attach_filter(&filter()) } else { listener.detach_filter() }
}

/// What the kernel filters begins with the TCP header. Data and the flags of [`FIN_SYN_RST`] pass.
fn filter() -> [SockFilter; 10] {
    let statement = |code: u32, k| SockFilter::new(code as u16, 0, 0, k);
    let jump = |code: u32, k, yes, no| SockFilter::new((libc::BPF_JMP | code) as u16, yes, no, k);
    let byte = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
    [
        // The data offset is the upper half of byte 12, in words.
        statement(byte, 12),
        statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0xf0),
        statement(libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K, 2),
        statement(libc::BPF_MISC | libc::BPF_TAX, 0),
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_LEN, 0),
        jump(libc::BPF_JEQ | libc::BPF_X, 0, 0, 2),
        statement(byte, 13),
        jump(libc::BPF_JSET | libc::BPF_K, FIN_SYN_RST, 0, 1),
        statement(libc::BPF_RET | libc::BPF_K, PASS),
        statement(libc::BPF_RET | libc::BPF_K, DROP),
    ]
}
