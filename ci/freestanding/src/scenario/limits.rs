//! Everything full, and a stack without memory.

use super::handshakes::{ack, arrival, syn, tuple};
use super::{FIRST, HERE, LOCAL, OTHER, THIRD, aborts, deliver};
use crate::child::Child;
use crate::memory::{ImageStack, LISTENERS, ListenerId, MEMBERS};
use crate::sys::{expect, must};
use rskq::{BindBucket, BindError, Config, ListenError, Refusal, Resources, Slot, SockOptions};

/// What one run adds to the counters.
pub(super) const COUNTED: u32 = 4;

pub(super) fn run(stack: &ImageStack<'_>) {
    const { assert!(LISTENERS == 2 * MEMBERS) };
    let before = stack.counters();
    let [a, b] = pair(stack, LOCAL);
    let [c, d] = pair(stack, OTHER);
    let full = Err(ListenError::NoListenerSlot);
    expect(stack.listen_at(THIRD, 1, false) == full, "listen: no listener slot is left");
    close(stack, d);
    let full = Err(ListenError::NoGroupRoom);
    expect(stack.listen_at(LOCAL, 1, true) == full, "listen: the group has no room");
    expect(stack.listen_at(THIRD, 1, true) == full, "listen: no group slot is left");

    // The place of a member that was shut down is free, and not kept for it.
    aborts(must(stack.shutdown(a, HERE), "shutdown: listening"), &[]);
    let e = must(stack.listen_at(LOCAL, 1, true), "listen: in the place of the one that was shut down");
    expect(stack.listen(a, 1) == full.map(|_: ListenerId| ()), "listen_again: the group has no room");
    close(stack, e);
    must(stack.listen(a, 1), "listen_again: there is room again");

    let after = stack.counters();
    expect(after.ListenerSlabFull == before.ListenerSlabFull + 1, "counters: ListenerSlabFull");
    expect(after.GroupFull == before.GroupFull + 3, "counters: GroupFull");
    expect(after.SocksFull == before.SocksFull, "counters: SocksFull");
    [a, b, c].into_iter().for_each(|id| close(stack, id));
}

fn pair(stack: &ImageStack<'_>, addr: core::net::SocketAddr) -> [ListenerId; MEMBERS] {
    [(); MEMBERS].map(|()| must(stack.listen_at(addr, 1, true), "listen: room for each member"))
}

fn close(stack: &ImageStack<'_>, id: ListenerId) {
    aborts(must(stack.close(id, HERE), "close: nothing waits"), &[]);
}

/// A part without elements is no error; what needs one fails. Memory need not be static.
pub(super) fn without_memory() {
    let stack = ImageStack::new(nothing(), Config::default());
    expect(stack.listen_at(LOCAL, 1, true) == Err(ListenError::NoListenerSlot), "listen: no memory");
    expect(deliver(&stack, LOCAL, FIRST, 1) == Err(Refusal::NoListener), "deliver: no memory");
    expect(syn(&stack, 1) == Err(Refusal::NoListener), "syn: no memory");
    expect(ack(&stack, 1) == Err(Refusal::NoRequest), "ack: no memory");
    expect(stack.reset(&tuple(1)) == Err(Refusal::NoRequest), "reset: no memory");
    let refused = stack.syn_fastopen(arrival(LOCAL, FIRST, 1), HERE, Child::new(1));
    expect(refused.is_err_and(|r| r.why == Refusal::NoListener), "syn_fastopen: no memory");

    let (mut listeners, mut owners) = ([const { Slot::new() }; 1], [const { Slot::new() }; 1]);
    let some = Resources { listeners: (&mut listeners).into(), owners: (&mut owners).into(), ..nothing() };
    let stack = ImageStack::new(some, Config::default());
    expect(stack.listen_at(LOCAL, 1, true) == Err(ListenError::NoBuckets), "listen_at: no table of ports");
    let id = must(stack.open(SockOptions::default()), "open: the refused listener gave its slot back");
    expect(stack.bind(id, LOCAL) == Err(BindError::NoBuckets), "bind: no table of ports");
    expect(stack.listen(id, 1) == Err(ListenError::NotBound), "listen: not bound");
    close(&stack, id);

    let (mut listeners, mut owners) = ([const { Slot::new() }; 1], [const { Slot::new() }; 1]);
    let mut ports = [const { BindBucket::new() }; 1];
    let some = Resources {
        listeners: (&mut listeners).into(),
        owners: (&mut owners).into(),
        ports: (&mut ports).into(),
        ..nothing()
    };
    let stack = ImageStack::new(some, Config::default());
    for _ in 0..2 {
        let refused = stack.listen_at(LOCAL, 1, true);
        expect(refused == Err(ListenError::NoGroupRoom), "listen: no buckets and no groups");
    }
    let counters = stack.counters();
    expect(
        counters.GroupFull == 2 && counters.ListenerSlabFull == 0,
        "a refused listener gives its slot back",
    );
}

fn nothing<'s>() -> Resources<'s, Child, crate::memory::Backend> {
    Resources {
        listeners: (&mut []).into(),
        requests: (&mut []).into(),
        owners: (&mut []).into(),
        groups: (&mut []).into(),
        socks: (&mut []).into(),
        ports: (&mut []).into(),
        buckets: (&mut []).into(),
        ehash: (&mut []).into(),
    }
}
