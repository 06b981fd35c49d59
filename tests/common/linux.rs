//! Stacks that keep Linux's rules, and programs for their groups.

use super::calls::{ENOUGH, ack, addr, delivered};
use super::{HERE, Listener, Request, Sizes, TestStack, graph, stack_of};
use rskq::counters::Snapshot;
use rskq::group::{AttachType, Program, SkReuseportMd, Verdict};
use rskq::*;

/// Nothing was counted.
pub(crate) const NOTHING: Snapshot = Snapshot {
    ListenOverflows: 0,
    ListenDrops: 0,
    PassiveOpens: 0,
    EmbryonicRsts: 0,
    TCPTimeouts: 0,
    TCPDeferAcceptDrop: 0,
    TCPReqQFullDrop: 0,
    TCPReqQFullDoCookies: 0,
    SyncookiesSent: 0,
    SyncookiesRecv: 0,
    SyncookiesFailed: 0,
    TCPFastOpenPassive: 0,
    TCPFastOpenListenOverflow: 0,
    TCPMigrateReqSuccess: 0,
    TCPMigrateReqFailure: 0,
    ClockBackwards: 0,
    RequestSlabFull: 0,
    ListenerSlabFull: 0,
    GroupFull: 0,
    SocksFull: 0,
};

/// A group of `N` whose connections migrate, with a backlog of `backlog` each.
pub(crate) fn group_of<const N: usize>(sizes: Sizes, backlog: u32) -> (TestStack, [Listener; N]) {
    let stack = stack_of(sizes, Design::Linux);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), backlog, true).unwrap());
    (stack, listeners)
}

/// The same with memory enough.
pub(crate) fn group<const N: usize>(backlog: u32) -> (TestStack, [Listener; N]) {
    group_of(ENOUGH, backlog)
}

/// A handshake of client number `client`, whose connection has the same number.
pub(crate) fn connect(stack: &TestStack, arrival: Arrival, client: u32) -> Result<Listener, Refusal> {
    match stack.syn(arrival, HERE)? {
        Syn::New { .. } => ack(stack, client),
        _ => panic!("client {client} has a request, or gets a cookie"),
    }
}

/// Opens client number `client` fast, whose connection has the same number.
pub(crate) fn open_fast(
    stack: &TestStack,
    arrival: Arrival,
    client: u32,
) -> Result<(Listener, Request), Refusal> {
    match stack.syn_fastopen(arrival, HERE, client) {
        Ok(FastOpened { delivered: went, handshake }) => Ok((delivered(Ok(went), client)?, handshake)),
        Err(refused) => Err(delivered(Err(refused), client).unwrap_err()),
    }
}

/// How many fast-open connections count for `listener`, and how many of them were reset.
pub(crate) fn fastopenq(stack: &mut TestStack, listener: Listener) -> (i32, usize) {
    let graph = graph(stack);
    let queue = graph.listeners[listener.index() as usize].fastopenq.as_ref().unwrap();
    (queue.qlen, queue.reset.len())
}

/// Which sockets listen in the group of `listener`, in order, and which do not, newest first; by slot.
pub(crate) fn sections(stack: &mut TestStack, listener: Listener) -> (Vec<u32>, Vec<u32>) {
    let graph = graph(stack);
    let group = graph.listeners[listener.index() as usize].group.expect("it is in a group");
    let group = &graph.groups[group as usize];
    (group.listening.clone(), group.closed.clone())
}

/// The slot of the group that `listener` is in.
pub(crate) fn group_slot(stack: &mut TestStack, listener: Listener) -> Option<u32> {
    graph(stack).listeners[listener.index() as usize].group
}

pub(crate) fn slots<const N: usize>(listeners: [Listener; N]) -> Vec<u32> {
    listeners.map(Listener::index).to_vec()
}

/// Asserts that nothing else was counted.
#[track_caller]
pub(crate) fn counted(stack: &TestStack, expected: Snapshot) {
    assert_eq!(stack.counters(), expected);
}

struct Asked<F> {
    attach_type: AttachType,
    run: F,
}

impl<F: Fn(&mut SkReuseportMd<'_>) -> Verdict + Sync> Program for Asked<F> {
    fn attach_type(&self) -> AttachType {
        self.attach_type
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        (self.run)(md)
    }
}

/// A program that lives as long as the test program.
pub(crate) fn program(
    attach_type: AttachType,
    run: impl Fn(&mut SkReuseportMd<'_>) -> Verdict + Sync + 'static,
) -> &'static dyn Program {
    Box::leak(Box::new(Asked { attach_type, run }))
}

/// Hands over `programs`, and a map with so many entries.
pub(crate) fn with_programs<const N: usize>(
    stack: TestStack,
    programs: [&'static dyn Program; N],
    entries: usize,
) -> TestStack {
    stack.with_programs(programs.to_vec().leak(), Storage::boxed(entries))
}
