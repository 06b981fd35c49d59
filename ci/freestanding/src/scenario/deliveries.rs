//! Deliver and accept: order, backlog, and each refusal.

use super::handshakes::arrival;
use super::{FIRST, HERE, LAST, LOCAL, OTHER, aborts, accept, deliver};
use crate::memory::{ImageStack, REQUESTS};
use crate::sys::{expect, must};
use rskq::Refusal;

/// What one run adds to the counters: each refusal by a listener is one and a drop.
pub(super) const COUNTED: u32 = 4;

/// The number of the child that is accepted first; wrong in the negative control.
const OLDEST: u32 = if cfg!(feature = "control-behaviour") { 2 } else { 1 };

pub(super) fn run(stack: &ImageStack<'_>) {
    expect(deliver(stack, LOCAL, FIRST, 1) == Err(Refusal::NoListener), "deliver: nobody listens");
    expect(
        stack.lookup(arrival(LOCAL, FIRST, 1), HERE) == Err(Refusal::NoListener),
        "lookup: nobody listens",
    );
    let a = must(stack.listen_at(LOCAL, 1, false), "listen: a free address");
    expect(stack.lookup(arrival(LOCAL, FIRST, 1), HERE) == Ok(a), "lookup: who listens");
    expect(deliver(stack, OTHER, FIRST, 1) == Err(Refusal::NoListener), "deliver: nobody listens there");

    let before = stack.counters();
    expect(accept(stack, a).is_none(), "accept: nothing waits");
    for number in 1..=2 {
        expect(deliver(stack, LOCAL, LAST, number) == Ok(a), "deliver: a backlog of N holds N + 1");
    }
    expect(stack.queue_len(a) == Ok((2, 1)), "queue_len: what waits");
    expect(deliver(stack, LOCAL, FIRST, 3) == Err(Refusal::AcceptQueueFull), "deliver: backlog exhausted");
    expect(accept(stack, a) == Some(OLDEST), "accept: oldest first");
    expect(accept(stack, a) == Some(2), "accept: then the next");
    expect(accept(stack, a).is_none(), "accept: nothing waits any more");

    must(stack.listen(a, u32::MAX), "listen_again: a larger backlog");
    for number in 0..REQUESTS as u32 {
        expect(deliver(stack, LOCAL, FIRST, number) == Ok(a), "deliver: a slot for each");
    }
    expect(deliver(stack, LOCAL, FIRST, 9) == Err(Refusal::NoRequestSlot), "deliver: no slot is left");
    let after = stack.counters();
    expect(after.ListenOverflows == before.ListenOverflows + 1, "counters: ListenOverflows");
    expect(after.RequestSlabFull == before.RequestSlabFull + 1, "counters: RequestSlabFull");
    expect(after.ListenDrops == before.ListenDrops + 2, "counters: ListenDrops");

    aborts(must(stack.close(a, HERE), "close: with a full queue"), &[0, 1, 2, 3]);
    expect(deliver(stack, LOCAL, FIRST, 1) == Err(Refusal::NoListener), "deliver: closed");
}
