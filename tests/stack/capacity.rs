//! Every part of the memory full, or missing, in turn.

use super::*;

fn other(port: u16) -> SocketAddr {
    SocketAddr::new(addr().ip(), port)
}

fn count(stack: &TestStack, name: &str) -> u32 {
    let (mut named, mut others) = (0, 0);
    for (counter, value) in mishaps(stack).iter() {
        if counter == name { named = value } else { others += value }
    }
    assert_eq!(others, 0, "{:?}", stack.counters());
    named
}

#[test]
fn too_many_sockets_are_refused_and_counted() {
    let few = [Sizes { listeners: 2, ..ENOUGH }, Sizes { owners: 2, ..ENOUGH }];
    for sizes in few {
        let stack = stack_of(sizes, CLONE);
        let a = stack.listen_at(addr(), 1, true).unwrap();
        let b = stack.listen_at(other(81), 1, true).unwrap();
        for refused in 1..4 {
            assert_eq!(stack.listen_at(addr(), 1, true), Err(ListenError::NoListenerSlot));
            assert_eq!(count(&stack, "ListenerSlabFull"), refused);
        }
        assert_eq!(close(&stack, a), []);
        let c = stack.listen_at(addr(), 1, true).unwrap();
        finish(stack, &[b, c]);
    }
}

#[test]
fn a_closed_listener_that_connections_name_takes_a_slot_until_they_are_accepted() {
    let stack = stack_of(Sizes { listeners: 2, ..ENOUGH }, Design::Splice);
    let a = stack.listen_at(addr(), 1, true).unwrap();
    let b = stack.listen_at(addr(), 1, true).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Spliced(b)]);
    assert_eq!(stack.listen_at(addr(), 1, true), Err(ListenError::NoListenerSlot));
    assert_eq!(accept_all(&stack, b), [1]);
    let c = stack.listen_at(addr(), 1, true).unwrap();
    finish(stack, &[b, c]);
}

#[test]
fn too_many_addresses_are_refused_and_counted() {
    let stack = stack_of(Sizes { groups: 2, ..ENOUGH }, CLONE);
    let a = stack.listen_at(addr(), 1, true).unwrap();
    let b = stack.listen_at(other(81), 1, true).unwrap();
    for refused in 1..=ENOUGH.listeners as u32 {
        assert_eq!(stack.listen_at(other(82), 1, true), Err(ListenError::NoGroupRoom));
        assert_eq!(count(&stack, "GroupFull"), refused);
    }
    // The refused address is not held.
    assert_eq!(close(&stack, a), []);
    let c = stack.listen_at(other(82), 1, false).unwrap();
    finish(stack, &[b, c]);
}

#[test]
fn a_group_full_of_listening_members_refuses_and_counts() {
    let stack = stack_of(Sizes { groups: 2, max_socks: 2, ..ENOUGH }, CLONE);
    let a = stack.listen_at(addr(), 1, true).unwrap();
    let b = stack.listen_at(addr(), 1, true).unwrap();
    for refused in 1..=ENOUGH.listeners as u32 {
        assert_eq!(stack.listen_at(addr(), 1, true), Err(ListenError::NoGroupRoom));
        assert_eq!(count(&stack, "GroupFull"), refused);
    }
    // A shut member makes room: it is evicted from the group, not from its address.
    assert_eq!(shutdown(&stack, a), []);
    let c = stack.listen_at(addr(), 1, true).unwrap();
    assert_eq!(stack.listen(a, 1), Err(ListenError::NoGroupRoom));
    assert_eq!(stack.accept(a), Err(SockError::NotListening));
    assert_eq!(close(&stack, b), []);
    assert_eq!(stack.listen(a, 1), Ok(()));
    finish(stack, &[a, c]);
}

#[test]
fn too_few_chunks_for_one_more_group_are_counted_by_themselves() {
    let stack = stack_of(Sizes { chunks: 1, ..ENOUGH }, CLONE);
    let a = stack.listen_at(addr(), 1, true).unwrap();
    for refused in 1..=ENOUGH.listeners as u32 {
        assert_eq!(stack.listen_at(other(81), 1, true), Err(ListenError::NoGroupRoom));
        assert_eq!(count(&stack, "SocksFull"), refused);
    }
    // A group that only has closed members has no chunk.
    assert_eq!(shutdown(&stack, a), []);
    let b = stack.listen_at(other(81), 1, true).unwrap();
    assert_eq!(stack.listen(a, 1), Err(ListenError::NoGroupRoom));
    assert_eq!(close(&stack, b), []);
    assert_eq!(stack.listen(a, 1), Ok(()));
    finish(stack, &[a]);
}

#[test]
fn to_listen_again_alone_needs_a_group_slot_beside_the_one_that_is_left() {
    let stack = stack_of(Sizes { groups: 2, ..ENOUGH }, CLONE);
    let a = stack.listen_at(addr(), 1, true).unwrap();
    let b = stack.listen_at(other(81), 1, true).unwrap();
    assert_eq!(shutdown(&stack, a), []);
    assert_eq!(stack.listen(a, 1), Err(ListenError::NoGroupRoom));
    assert_eq!(count(&stack, "GroupFull"), 1);
    assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
    assert_eq!(close(&stack, b), []);
    assert_eq!(stack.listen(a, 1), Ok(()));
    assert_eq!(deliver(&stack, 1), Ok(a));
    finish(stack, &[a]);
}

#[test]
fn too_many_connections_are_refused_and_counted() {
    let stack = stack_of(Sizes { requests: 2, ..ENOUGH }, Design::Abort);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(id), Ok(id)));
    for refused in 1..4 {
        assert_eq!(deliver(&stack, 3), Err(Refusal::NoRequestSlot));
        let expected = Snapshot { RequestSlabFull: refused, ListenDrops: refused, ..Snapshot::default() };
        assert_eq!(mishaps(&stack), expected);
    }
    assert_eq!(stack.accept(id), Ok(Some(1)));
    assert_eq!(deliver(&stack, 4), Ok(id));
    assert_eq!(accept_all(&stack, id), [2, 4]);
    finish(stack, &[id]);
}

#[test]
fn a_full_queue_leaks_no_request() {
    let stack = stack_of(Sizes { requests: 2, ..ENOUGH }, Design::Abort);
    let id = stack.listen_at(addr(), 0, true).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(id));
    for refused in 1..=4 {
        assert_eq!(deliver(&stack, 2), Err(Refusal::AcceptQueueFull));
        let expected = Snapshot { ListenOverflows: refused, ListenDrops: refused, ..Snapshot::default() };
        assert_eq!(mishaps(&stack), expected);
    }
    finish(stack, &[id]);
}

#[test]
fn clone_without_a_spare_request_aborts_as_linux_does_without_memory() {
    let stack = stack_of(Sizes { requests: 2, ..ENOUGH }, CLONE);
    let a = stack.listen_at(addr(), 8, true).unwrap();
    let b = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    // The first is lost for want of a slot, and its own is the second's.
    assert_eq!(close(&stack, a), [End::Aborted(1), End::Moved(b)]);
    let expected = Snapshot { TCPMigrateReqFailure: 1, TCPMigrateReqSuccess: 1, ..Snapshot::default() };
    assert_eq!(mishaps(&stack), expected);
    finish(stack, &[b]);
}

#[test]
fn a_part_without_elements_fails_what_needs_one() {
    let no_room = Err(ListenError::NoGroupRoom);
    let no_slot = Err(ListenError::NoListenerSlot);
    for (sizes, expected) in [
        (Sizes { listeners: 0, ..ENOUGH }, no_slot),
        (Sizes { owners: 0, ..ENOUGH }, no_slot),
        (Sizes { groups: 0, ..ENOUGH }, no_room),
        (Sizes { max_socks: 0, ..ENOUGH }, no_room),
        (Sizes { chunks: 0, ..ENOUGH }, no_room),
        (Sizes { buckets: 0, ..ENOUGH }, Err(ListenError::NoBuckets)),
    ] {
        let stack = stack_of(sizes, CLONE);
        for _ in 0..3 {
            assert_eq!(stack.listen_at(addr(), 1, true), expected);
            assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
        }
        finish(stack, &[]);
    }
}

#[test]
fn without_requests_nothing_is_delivered() {
    let stack = stack_of(Sizes { requests: 0, ..ENOUGH }, CLONE);
    let id = stack.listen_at(addr(), 1, true).unwrap();
    assert_eq!(deliver(&stack, 1), Err(Refusal::NoRequestSlot));
    finish(stack, &[id]);
}
