//! Connections that are accepted before their handshake has ended.

use super::handshakes::{arrival, tuple};
use super::{FIRST, HERE, LOCAL, aborts, accept, delivered};
use crate::child::Child;
use crate::memory::{Backend, ImageStack};
use crate::sys::{expect, must};
use rskq::{HandshakeEnd, Refusal, RequestId, SockError};

/// What one run adds to the counters: each connection beyond the limit.
pub(super) const COUNTED: u32 = 2;

fn syn(stack: &ImageStack<'_>, number: u32) -> Result<RequestId<Child, Backend>, Refusal> {
    let opened = stack.syn_fastopen(arrival(LOCAL, FIRST, number), HERE, Child::new(number));
    let (handshake, result) = match opened {
        Ok(opened) => (Some(opened.handshake), Ok(opened.delivered)),
        Err(refused) => (None, Err(refused)),
    };
    delivered(result, number)?;
    handshake.ok_or(Refusal::NoRequest)
}

pub(super) fn run(stack: &ImageStack<'_>) {
    let a = must(stack.listen_at(LOCAL, 4, false), "listen: a free address");
    expect(syn(stack, 1) == Err(Refusal::FastOpenLimit), "syn_fastopen: off at first");
    must(stack.set_fastopen(a, 1), "set_fastopen: listening");
    let first = must(syn(stack, 1), "syn_fastopen: the first");
    expect(syn(stack, 2) == Err(Refusal::FastOpenLimit), "syn_fastopen: the limit");
    expect(accept(stack, a) == Some(1), "accept: before the handshake has ended");
    expect(stack.evict_reset(a) == Ok(false), "evict_reset: none was reset");
    expect(stack.fastopen_remove(first, HandshakeEnd::Reset, HERE) == Ok(()), "fastopen_remove: reset");
    expect(
        stack.fastopen_remove(first, HandshakeEnd::Done, HERE) == Err(SockError::Stale),
        "fastopen_remove: once",
    );
    expect(syn(stack, 2) == Err(Refusal::FastOpenLimit), "syn_fastopen: a reset one counts");
    expect(stack.evict_reset(a) == Ok(true), "evict_reset: the one that was reset");

    let second = must(syn(stack, 2), "syn_fastopen: the second");
    expect(stack.reset(&tuple(2)) == Err(Refusal::NoRequest), "reset: a fast-open one is not half open");
    aborts(must(stack.close(a, HERE), "close: one waits"), &[2]);
    expect(
        stack.fastopen_remove(second, HandshakeEnd::Done, HERE) == Ok(()),
        "fastopen_remove: of who closed",
    );
    expect(stack.set_fastopen(a, 1) == Err(SockError::Stale), "set_fastopen: stale");
    expect(stack.evict_reset(a) == Err(SockError::Stale), "evict_reset: stale");
}
