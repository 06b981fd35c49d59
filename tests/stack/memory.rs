//! The memory that an embedder lends.

use super::*;
use rskq::group::Member;
use rskq::hash::{BindBucket, Bucket, EhashBucket};
use std::sync::Arc;

/// What the stacks here carry: it is seen to be dropped.
type Child = Arc<()>;

/// As many as two groups take.
const SOCKS: usize = 2 * Member::<DefaultBackend>::count_for(2);

/// Every part of a stack's memory, without an allocator.
struct Memory {
    listeners: [Slot<rskq::listener::Listener<Child, DefaultBackend>, DefaultBackend>; 2],
    requests: [Slot<rskq::request::RequestSock<Child, DefaultBackend>, DefaultBackend>; 6],
    owners: [Slot<rskq::request::Owner<DefaultBackend>, DefaultBackend>; 2],
    groups: [Slot<rskq::group::SockReuseport<DefaultBackend>, DefaultBackend>; 2],
    socks: [Member<DefaultBackend>; SOCKS],
}

type Buckets = (
    [BindBucket<Child, DefaultBackend>; 2],
    [Bucket<DefaultBackend>; 2],
    [EhashBucket<Child, DefaultBackend>; 2],
);

fn no_buckets() -> Buckets {
    ([const { BindBucket::new() }; 2], [const { Bucket::new() }; 2], [const { EhashBucket::new() }; 2])
}

impl Memory {
    const fn new() -> Self {
        Self {
            listeners: [const { Slot::new() }; 2],
            requests: [const { Slot::new() }; 6],
            owners: [const { Slot::new() }; 2],
            groups: [const { Slot::new() }; 2],
            socks: [const { Member::new() }; SOCKS],
        }
    }

    fn lend<'s>(&'s mut self, buckets: &'s mut Buckets) -> Stack<'s, Child, DefaultBackend> {
        let Self { listeners, requests, owners, groups, socks } = self;
        let resources = Resources {
            listeners: listeners.into(),
            requests: requests.into(),
            owners: owners.into(),
            groups: groups.into(),
            socks: socks.into(),
            ports: (&mut buckets.0).into(),
            buckets: (&mut buckets.1).into(),
            ehash: (&mut buckets.2).into(),
        };
        Stack::new(resources, Config::migrating(CLONE))
    }
}

/// Uses every part of a stack's memory, and leaves it used: a closed group, a shut socket, one that
/// listens, connections that wait, one that is half open and one that was opened fast and reset.
fn use_and_leave(stack: &Stack<'_, Child, DefaultBackend>, child: &Child) {
    let a = stack.listen_at(addr(), 4, true).unwrap();
    let b = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!(stack.listen_at(addr(), 4, true), Err(ListenError::NoListenerSlot));
    assert_eq!(stack.shutdown(a, HERE).unwrap().count(), 0);
    let arrival = Arrival { tuple: tuple(addr(), 0), hashes: Hashes::default() };
    for _ in 0..4 {
        let delivered = stack.deliver(arrival, HERE, child.clone()).map_err(|refused| refused.why).unwrap();
        assert_eq!(delivered.listener, b);
    }
    assert!(stack.accept(b).unwrap().is_some());
    assert!(matches!(stack.syn(arrival, HERE), Ok(Syn::New { .. })));
    stack.set_fastopen(b, 1).unwrap();
    let opened = stack.syn_fastopen(arrival, HERE, child.clone()).map_err(|refused| refused.why).unwrap();
    assert_eq!(stack.queue_len(b), Ok((4, 4)));
    (0..4).for_each(|_| assert!(stack.accept(b).unwrap().is_some()));
    stack.fastopen_remove(opened.handshake, HandshakeEnd::Reset, HERE).unwrap();
    for _ in 0..3 {
        assert!(stack.deliver(arrival, HERE, child.clone()).is_ok());
    }
    assert_eq!(stack.queue_len(b), Ok((3, 4)));
}

#[test]
fn memory_that_a_stack_left_in_use_serves_the_next_stack() {
    let child = Child::default();
    let (mut memory, mut buckets) = (Memory::new(), no_buckets());
    use_and_leave(&memory.lend(&mut buckets), &child);
    // The children of the first stack go when their places are wanted again.
    let stack = memory.lend(&mut buckets);
    assert_eq!(Arc::strong_count(&child), 1);
    use_and_leave(&stack, &child);
}

#[test]
fn buckets_may_outlive_the_sockets_that_were_in_them() {
    let child = Child::default();
    let mut buckets = no_buckets();
    for _ in 0..3 {
        let mut memory = Box::new(Memory::new());
        use_and_leave(&memory.lend(&mut buckets), &child);
    }
}

#[test]
fn sockets_may_outlive_the_buckets_and_requests_that_they_were_used_with() {
    let child = Child::default();
    let mut memory = Memory::new();
    for _ in 0..3 {
        let mut buckets = Box::new(no_buckets());
        use_and_leave(&memory.lend(&mut buckets), &child);
        memory.requests = [const { Slot::new() }; 6];
    }
    assert_eq!(Arc::strong_count(&child), 1);
}

#[test]
fn waiting_children_are_dropped_with_the_memory() {
    let child = Child::default();
    {
        let (mut memory, mut buckets) = (Memory::new(), no_buckets());
        use_and_leave(&memory.lend(&mut buckets), &child);
        assert_eq!(Arc::strong_count(&child), 4);
    }
    assert_eq!(Arc::strong_count(&child), 1);
}

/// What is linked is linked by address, which moving a stack must not take away: Miri sees whether it does.
#[test]
fn a_stack_may_be_moved_while_connections_wait() {
    let child = Child::default();
    let (mut memory, mut buckets) = (Memory::new(), no_buckets());
    let lent = memory.lend(&mut buckets);
    let owned = Stack::new(
        Resources {
            listeners: Storage::boxed(2),
            requests: Storage::boxed(6),
            owners: Storage::boxed(2),
            groups: Storage::boxed(2),
            socks: Storage::boxed(SOCKS),
            ports: Storage::boxed(2),
            buckets: Storage::boxed(2),
            ehash: Storage::boxed(2),
        },
        Config::migrating(CLONE),
    );
    for stack in [lent, owned] {
        use_and_leave(&stack, &child);
        let mut moved = Box::new(stack);
        let graph = moved.graph_mut();
        let waiting = graph.listeners.iter().filter_map(|listener| listener.queue.as_ref());
        assert_eq!(waiting.map(|queue| queue.requests.len()).sum::<usize>(), 3);
    }
}

#[test]
fn boxed_memory_is_for_as_many_as_is_said() {
    let stack = Stack::<u32, DefaultBackend>::new(Resources::boxed(3, 4), Config::with(Design::Abort));
    let shared: SocketAddr = "10.0.0.1:80".parse().unwrap();
    let listen = |addr| stack.listen_at(addr, 8, true).unwrap();
    let listeners = [(); 3].map(|()| listen(shared));
    for client in 0..4 {
        let arrival =
            Arrival { tuple: tuple(shared, client), hashes: Hashes { syn_hash: client << 30, sk_hash: 0 } };
        assert!(matches!(stack.syn(arrival, HERE), Ok(Syn::New { .. })));
    }
    assert_eq!(stack.close(listeners[0], HERE).unwrap().count(), 0);
    assert_eq!(stack.close(listeners[1], HERE).unwrap().count(), 0);
    assert_eq!(stack.close(listeners[2], HERE).unwrap().count(), 0);
    // What is half open still names them, and three others have their place, each at an address of its own.
    for port in 81..84 {
        listen(SocketAddr::new(shared.ip(), port));
    }
    assert_eq!(stack.counters().ListenerSlabFull, 0);
}
