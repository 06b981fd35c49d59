//! Half-open requests: SYN, SYN-ACK timer, final ACK, reset, and what a close makes of them.

use super::{FIRST, HERE, LOCAL, aborts, accept, delivered};
use crate::child::Child;
use crate::memory::{Backend, ImageStack, ListenerId};
use crate::sys::{expect, must};
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use rskq::{Arrival, Hashes, Refusal, RequestId, SockError, Syn, SynAckTimer, Tuple};

/// What one run adds to the counters: a full accept queue is an overflow and a drop, a full slab a
/// refusal and a drop.
pub(super) const COUNTED: u32 = 4;

/// What arrives from client `number`.
pub(super) fn arrival(local: SocketAddr, hash: u32, number: u32) -> Arrival {
    let remote = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from_bits(0x0a00_0000 + number), 40_000));
    Arrival { tuple: Tuple { local, remote }, hashes: Hashes { syn_hash: hash, sk_hash: hash } }
}

pub(super) fn tuple(number: u32) -> Tuple {
    arrival(LOCAL, FIRST, number).tuple
}

/// Whether the request is new, and its name.
type Known = (bool, RequestId<Child, Backend>);

pub(super) fn syn(stack: &ImageStack<'_>, number: u32) -> Result<Known, Refusal> {
    stack.syn(arrival(LOCAL, FIRST, number), HERE).map(|syn| match syn {
        Syn::New { request, .. } => (true, request),
        Syn::Duplicate(id) => (false, id),
        Syn::Cookie(_) => unreachable!("the SYN queue has room"),
    })
}

pub(super) fn ack(stack: &ImageStack<'_>, number: u32) -> Result<ListenerId, Refusal> {
    delivered(stack.ack(&tuple(number), rskq::Payload::None, HERE, Child::new(number)), number)
}

pub(super) fn run(stack: &ImageStack<'_>) {
    expect(syn(stack, 1) == Err(Refusal::NoListener), "syn: nobody listens");
    let a = must(stack.listen_at(LOCAL, 8, false), "listen: a free address");
    let (new, first) = must(syn(stack, 1), "syn: the first");
    expect(new && syn(stack, 1) == Ok((false, first)), "syn: the same tuple again");
    expect(ack(stack, 2) == Err(Refusal::NoRequest), "ack: an unknown tuple");
    expect(stack.queue_len(a) == Ok((0, 8)), "queue_len: half open is not waiting");
    let again = Ok(SynAckTimer::Retransmit { timeouts: 1 });
    expect(stack.synack_timer(first, 2, HERE) == again, "synack_timer: sent again");
    expect(ack(stack, 1) == Ok(a), "ack: the request's listener");
    expect(stack.synack_timer(first, 2, HERE) == Err(SockError::Stale), "synack_timer: established");

    let (_, second) = must(syn(stack, 2), "syn: the second");
    expect(stack.listen(a, 0) == Ok(()), "listen: a smaller backlog");
    expect(ack(stack, 2) == Err(Refusal::AcceptQueueFull), "ack: the accept queue is full");
    expect(accept(stack, a) == Some(1) && ack(stack, 2) == Ok(a), "ack: again, once there is room");
    expect(accept(stack, a) == Some(2), "accept: the second");
    expect(stack.synack_timer(second, 2, HERE) == Err(SockError::Stale), "synack_timer: accepted");

    expect(stack.listen(a, 8) == Ok(()), "listen: a larger backlog");
    let (_, third) = must(syn(stack, 3), "syn: the third");
    expect(stack.synack_timer(third, 0, HERE) == Ok(SynAckTimer::Expired), "synack_timer: often enough");
    expect(stack.reset(&tuple(3)) == Err(Refusal::NoRequest), "reset: expired");
    must(syn(stack, 3), "syn: after it expired");
    expect(stack.reset(&tuple(3)) == Ok(()), "reset: a half-open request");

    for number in 4..8 {
        expect(syn(stack, number).is_ok_and(|(new, _)| new), "syn: a slot for each");
    }
    expect(syn(stack, 8) == Err(Refusal::NoRequestSlot), "syn: no slot is left");
    let (_, dropped) = must(syn(stack, 4), "syn: known, so that it needs none");
    aborts(must(stack.close(a, HERE), "close: nothing waits"), &[]);
    expect(stack.synack_timer(dropped, 9, HERE) == Ok(SynAckTimer::Dropped), "synack_timer: nobody listens");
    for number in 5..8 {
        expect(ack(stack, number) == Err(Refusal::NoListener), "ack: nobody listens");
        expect(ack(stack, number) == Err(Refusal::NoRequest), "ack: given up");
    }
}
