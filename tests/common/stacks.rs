//! Stacks of the back end that is tested, and what may be left over of one.

use super::TestBackend;
use rskq::inspect::Graph;
use rskq::request::{Link, RequestState};
use rskq::*;
use std::net::{Ipv4Addr, SocketAddr};

pub(crate) type TestStack = Stack<'static, u32, TestBackend>;
pub(crate) type Listener = ListenerId<u32, TestBackend>;
pub(crate) type Request = RequestId<u32, TestBackend>;

/// How much memory a stack gets.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) listeners: usize,
    pub(crate) requests: usize,
    pub(crate) owners: usize,
    pub(crate) groups: usize,
    /// Most members of a group.
    pub(crate) max_socks: u32,
    /// What `socks[]` of all groups are made of: each has 64 words.
    pub(crate) chunks: usize,
    /// Of the table of ports, and of the listening table.
    pub(crate) buckets: usize,
    pub(crate) ehash: usize,
}

/// The connection of client number `client` to `local`.
pub(crate) fn tuple(local: SocketAddr, client: u32) -> Tuple {
    Tuple { local, remote: (Ipv4Addr::from_bits(0x0a00_0000 + client), 40_000).into() }
}

pub(crate) fn stack_of(sizes: Sizes, design: Design) -> TestStack {
    let resources = Resources {
        listeners: Storage::boxed(sizes.listeners),
        requests: Storage::boxed(sizes.requests),
        owners: Storage::boxed(sizes.owners),
        groups: Storage::boxed(sizes.groups),
        socks: Storage::boxed(sizes.chunks * Member::<TestBackend>::count_for(1)),
        ports: Storage::boxed(sizes.buckets),
        buckets: Storage::boxed(sizes.buckets),
        ehash: Storage::boxed(sizes.ehash),
    };
    Stack::new(resources, Config { max_socks: sizes.max_socks, ..Config::migrating(design) })
}

/// How often a request may time out, by the rule: where more than half of the backlog, or of 8 if that is more,
/// is in use, each doubling of the young ones that still is not more than all costs a retry, but none below two.
pub(crate) fn retries_left(retries: u32, qlen: i32, young: i32, backlog: u32) -> u32 {
    if qlen as u32 * 2 <= backlog.max(8) {
        return retries;
    }
    if young == 0 {
        return retries.min(2);
    }
    let (mut left, mut doubled) = (retries, 2 * young);
    while left > 2 && doubled <= qlen {
        left -= 1;
        doubled *= 2;
    }
    left
}

/// Looks at a stack, and asserts that everything in it is counted and placed as it should be.
pub(crate) fn graph(stack: &mut TestStack) -> Graph<u32> {
    let graph = stack.graph_mut();
    assert_eq!(graph.violations(), []);
    graph
}

/// Asserts that nothing is in use and nothing waits.
pub(crate) fn assert_empty(stack: &mut TestStack) {
    let graph = graph(stack);
    assert_eq!(graph.leftovers(), []);
    let Graph { listeners, requests, owners, groups, map, .. } = graph;
    for (slot, listener) in listeners.iter().enumerate() {
        let queue = listener.queue.as_ref().expect("nobody holds a lock");
        assert!(
            listener.refs == 0
                && !listener.listening
                && listener.owner.is_none()
                && listener.group.is_none()
                && listener.charges.is_none()
                && queue.backlog == 0
                && queue.requests.is_empty(),
            "listener {slot} is left over: {listener:?}"
        );
    }
    for (slot, request) in requests.iter().enumerate() {
        let free = request.refs == 0 && request.state == RequestState::Free && request.owner.is_none();
        assert!(free, "request {slot} is left over: {request:?}");
    }
    assert!(map.iter().all(Option::is_none), "a listener is left over in the map: {map:?}");
    for (slot, owner) in owners.iter().enumerate() {
        assert!(owner.refs == 0 && owner.link == Link::Vacant, "owner {slot} is left over: {owner:?}");
    }
    for (slot, group) in groups.iter().enumerate() {
        let free = group.refs == 0 && group.num_socks == 0 && group.num_closed_socks == 0;
        assert!(free, "group {slot} is left over: {group:?}");
    }
}
