//! The life of a socket before and after it listens: open, bind, listen, shutdown, close.

use super::*;

const SHARES: SockOptions = SockOptions { reuseport: true, v6only: false };
const ALONE: SockOptions = SockOptions { reuseport: false, v6only: false };

#[test]
fn a_socket_is_opened_then_bound_and_then_it_listens() {
    for design in DESIGNS {
        let stack = stack(design);
        let id = stack.open(ALONE).unwrap();
        for bound in [false, true] {
            if bound {
                assert_eq!(stack.bind(id, addr()), Ok(()));
            }
            assert_eq!(stack.accept(id), Err(SockError::NotListening));
            assert_eq!(stack.queue_len(id), Err(SockError::NotListening));
            assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::NotListening));
            assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
        }
        assert_eq!(stack.listen(id, 3), Ok(()));
        assert_eq!(stack.queue_len(id), Ok((0, 3)));
        assert_eq!(deliver(&stack, 1), Ok(id));
        finish(stack, &[id]);
    }
}

#[test]
fn a_socket_that_is_not_bound_does_not_listen() {
    let stack = stack(Design::Handover);
    let id = stack.open(SHARES).unwrap();
    assert_eq!(stack.listen(id, 1), Err(ListenError::NotBound));
    assert_eq!(stack.bind(id, addr()), Ok(()));
    assert_eq!(stack.listen(id, 1), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn a_socket_is_bound_once() {
    let stack = stack(Design::Abort);
    let id = stack.open(SHARES).unwrap();
    assert_eq!(stack.bind(id, addr()), Ok(()));
    for _ in ["bound", "listening", "shut down"] {
        for other in [addr(), at("127.0.0.2:80")] {
            assert_eq!(stack.bind(id, other), Err(BindError::Invalid));
            assert_eq!(stack.bind_any(id, other, [81]), Err(BindError::Invalid));
        }
        match stack.queue_len(id) {
            Ok(_) => assert_eq!(shutdown(&stack, id), []),
            Err(_) => assert_eq!(stack.listen(id, 1), Ok(())),
        }
    }
    assert_eq!(deliver(&stack, 1), Ok(id));
    finish(stack, &[id]);
}

#[test]
fn there_are_addresses_that_nobody_is_bound_to() {
    let stack = stack(Design::Abort);
    let v6only = SockOptions { v6only: true, ..SHARES };
    for (options, nowhere) in [
        (SHARES, at("127.0.0.1:0")),
        (SHARES, at("[::]:0")),
        (SHARES, at("[fe80::1]:80")),
        (v6only, at("[::ffff:127.0.0.1]:80")),
        (v6only, at("[::ffff:0.0.0.0]:80")),
    ] {
        let id = stack.open(options).unwrap();
        assert_eq!(stack.bind(id, nowhere), Err(BindError::Invalid), "{nowhere}");
        assert_eq!(stack.listen(id, 1), Err(ListenError::NotBound));
        if !options.v6only {
            assert_eq!(stack.listen_at(nowhere, 1, true), Err(ListenError::Invalid));
        }
        // It is as it was, and can be bound elsewhere.
        assert_eq!(stack.bind(id, at("[::1]:80")), Ok(()));
        assert_eq!(close(&stack, id), []);
    }
    finish(stack, &[]);
}

#[test]
fn a_socket_that_does_not_receive_ipv6_anyway_may_be_told_not_to_receive_ipv4() {
    let stack = stack(Design::Abort);
    let id = stack.open(SockOptions { v6only: true, reuseport: false }).unwrap();
    assert_eq!(stack.bind(id, addr()), Ok(()));
    assert_eq!(stack.listen(id, 1), Ok(()));
    assert_eq!(deliver(&stack, 1), Ok(id));
    finish(stack, &[id]);
}

#[test]
fn a_bound_socket_holds_its_address_and_is_not_found() {
    let stack = stack(Design::Handover);
    let id = stack.open(ALONE).unwrap();
    assert_eq!(stack.bind(id, addr()), Ok(()));
    for reuseport in [true, false] {
        assert_eq!(stack.listen_at(addr(), 1, reuseport), Err(ListenError::AddrInUse));
        let other = stack.open(SockOptions { reuseport, v6only: false }).unwrap();
        assert_eq!(stack.bind(other, addr()), Err(BindError::AddrInUse));
        assert_eq!(close(&stack, other), []);
    }
    assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
    assert_eq!(close(&stack, id), []);
    let next = stack.listen_at(addr(), 1, false).unwrap();
    finish(stack, &[next]);
}

#[test]
fn a_socket_closes_in_every_state_and_is_stale_then() {
    for design in DESIGNS {
        let mut stack = stack(design);
        for steps in 0..4 {
            let id = stack.open(SHARES).unwrap();
            let listens = steps < 2 || stack.bind(id, addr()).is_ok() && stack.listen(id, 1).is_ok();
            assert!(listens && (steps != 1 || stack.bind(id, addr()).is_ok()));
            if steps == 3 {
                assert_eq!(shutdown(&stack, id), []);
            }
            close(&stack, id);
            assert_eq!(stack.bind(id, addr()), Err(BindError::Stale));
            assert_eq!(stack.bind_any(id, addr(), [80]), Err(BindError::Stale));
            assert_eq!(stack.listen(id, 1), Err(ListenError::Stale));
            assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::Stale));
            assert_eq!(stack.close(id, HERE).map(drop), Err(SockError::Stale));
            assert_empty(&mut stack);
        }
    }
}

#[test]
fn ids_that_were_never_given_out_are_bound_to_nothing() {
    let stack = stack(Design::Abort);
    for id in [Listener::from_parts(0, 0), Listener::from_parts(u32::MAX, 7)] {
        assert_eq!(stack.bind(id, addr()), Err(BindError::Stale));
        assert_eq!(stack.bind_any(id, addr(), [80]), Err(BindError::Stale));
    }
    finish(stack, &[]);
}

#[test]
fn sockets_that_do_not_listen_take_listener_slots_and_no_group() {
    let stack = stack_of(Sizes { listeners: 2, groups: 0, ..ENOUGH }, Design::Abort);
    let ids = [stack.open(ALONE).unwrap(), stack.open(ALONE).unwrap()];
    assert_eq!(stack.open(ALONE), Err(ListenError::NoListenerSlot));
    assert_eq!(stack.counters().ListenerSlabFull, 1);
    assert_eq!(stack.bind(ids[0], addr()), Ok(()));
    assert_eq!(stack.listen(ids[0], 1), Err(ListenError::NoGroupRoom));
    // It is bound still.
    assert_eq!(stack.bind(ids[1], addr()), Err(BindError::AddrInUse));
    finish(stack, &ids);
}

#[test]
fn without_a_table_of_ports_nobody_is_bound() {
    let stack = stack_of(Sizes { buckets: 0, ..ENOUGH }, Design::Abort);
    let id = stack.open(SHARES).unwrap();
    assert_eq!(stack.bind(id, addr()), Err(BindError::NoBuckets));
    assert_eq!(stack.bind_any(id, addr(), [80, 81]), Err(BindError::NoBuckets));
    assert_eq!(stack.listen(id, 1), Err(ListenError::NotBound));
    assert_eq!(stack.listen_at(addr(), 1, true), Err(ListenError::NoBuckets));
    finish(stack, &[id]);
}

#[test]
fn where_listening_fails_nothing_is_left_of_the_socket() {
    let mut stack = stack_of(Sizes { groups: 1, ..ENOUGH }, Design::Abort);
    let first = stack.listen_at(addr(), 1, true).unwrap();
    for _ in 0..2 * ENOUGH.listeners {
        assert_eq!(stack.listen_at(at("127.0.0.1:81"), 1, false), Err(ListenError::NoGroupRoom));
        assert_eq!(stack.listen_at(addr(), 1, false), Err(ListenError::AddrInUse));
    }
    assert_eq!(close(&stack, first), []);
    assert_empty(&mut stack);
    let next = stack.listen_at(at("127.0.0.1:81"), 1, false).unwrap();
    finish(stack, &[next]);
}

/// Rule 9, the second half.
#[test]
fn who_does_not_share_is_not_bound_to_the_port_of_a_shut_listener() {
    for design in DESIGNS {
        let stack = stack(design);
        let shut = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(shutdown(&stack, shut), []);
        for text in ["127.0.0.1:80", "0.0.0.0:80", "[::]:80", "[::ffff:127.0.0.1]:80"] {
            let other = stack.open(ALONE).unwrap();
            assert_eq!(stack.bind(other, at(text)), Err(BindError::AddrInUse), "{text}");
            assert_eq!(close(&stack, other), []);
        }
        let other = stack.listen_at(addr(), 1, true).unwrap();
        finish(stack, &[shut, other]);
    }
}

#[test]
fn the_first_free_port_is_found_which_is_one_that_nobody_is_bound_to() {
    let stack = stack(Design::Abort);
    let taken = [stack.listen_at(addr(), 1, true).unwrap(), stack.listen_at(at("[::]:81"), 1, true).unwrap()];
    let found: [_; 2] = std::array::from_fn(|_| stack.open(SHARES).unwrap());
    // Who asks for a port may share it; who looks for one does not, even if all share. Port 0 is none.
    assert_eq!(stack.bind_any(found[0], addr(), [80, 81]), Err(BindError::AddrInUse));
    assert_eq!(stack.bind_any(found[0], addr(), []), Err(BindError::AddrInUse));
    assert_eq!(stack.bind_any(found[0], addr(), [80, 81, 82, 83]), Ok(at("127.0.0.1:82")));
    assert_eq!(stack.bind_any(found[1], addr(), 80..90), Ok(at("127.0.0.1:83")));
    // But others may share the one that was found.
    let third = stack.listen_at(at("127.0.0.1:82"), 1, true).unwrap();
    assert_eq!(stack.listen(found[0], 1), Ok(()));
    assert_eq!(deliver_to(&stack, at("127.0.0.1:82"), Hashes::default(), 1), Ok(third));
    finish(stack, &[taken[0], taken[1], found[0], found[1], third]);
}

#[test]
fn port_0_is_not_found() {
    let stack = stack(Design::Abort);
    let id = stack.open(ALONE).unwrap();
    assert_eq!(stack.bind_any(id, addr(), [0]), Err(BindError::Invalid));
    assert_eq!(stack.listen(id, 1), Err(ListenError::NotBound));
    finish(stack, &[id]);
}

#[test]
fn no_lock_is_held_while_the_next_port_is_asked_for() {
    let stack = stack(Design::Abort);
    let [id, other] = std::array::from_fn(|_| stack.open(ALONE).unwrap());
    let taken = stack.listen_at(at("127.0.0.1:1"), 1, false).unwrap();
    let ports = (1..4).inspect(|&port| {
        if port == 2 {
            assert_eq!(stack.bind(other, at("127.0.0.1:2")), Ok(()));
        }
        if port == 3 {
            assert_eq!(stack.bind(id, at("127.0.0.1:9")), Ok(()));
        }
    });
    // Somebody else bound the socket meanwhile.
    assert_eq!(stack.bind_any(id, addr(), ports), Err(BindError::Invalid));
    finish(stack, &[id, other, taken]);
}

/// Rule 9, and M8: who found its port comes back at another one, in another group.
#[test]
fn a_found_port_ends_with_listening_and_whoever_listens_again_is_elsewhere() {
    for design in DESIGNS {
        let mut stack = stack(design);
        let first = stack.open(SHARES).unwrap();
        let there = stack.bind_any(first, addr(), 2000..2010).unwrap();
        assert_eq!(stack.listen(first, 8), Ok(()));
        let second = stack.listen_at(there, 8, true).unwrap();
        assert_eq!(deliver_to(&stack, there, Hashes::default(), 1), Ok(first));
        let ends = shutdown(&stack, first);
        assert_eq!(stack.listen(first, 8), Err(ListenError::NotBound));
        // The second one is bound there, so that it is not free.
        let elsewhere = stack.bind_any(first, addr(), 2000..2010).unwrap();
        assert_eq!((there.port(), elsewhere.port()), (2000, 2001));
        assert_eq!(stack.listen(first, 8), Ok(()));
        let groups = stack.graph_mut().listeners;
        assert_ne!(groups[first.index() as usize].group, groups[second.index() as usize].group);
        // What the second one holds does not find the first.
        let moved = accept_all(&stack, second);
        assert_eq!(moved, if ends == [End::Aborted(1)] { vec![] } else { vec![1] });
        assert_eq!(deliver_to(&stack, there, Hashes::default(), 2), Ok(second));
        assert_eq!(close(&stack, second), [End::Aborted(2)]);
        finish(stack, &[first]);
    }
}

#[test]
fn a_found_port_is_free_when_its_listener_leaves_listen_and_one_that_was_asked_for_is_not() {
    let stack = stack(Design::Abort);
    for found in [true, false] {
        for close in [true, false] {
            let id = stack.open(ALONE).unwrap();
            let bound = if found {
                stack.bind_any(id, addr(), [80])
            } else {
                stack.bind(id, addr()).map(|()| addr())
            };
            assert_eq!((bound, stack.listen(id, 1)), (Ok(addr()), Ok(())));
            assert_eq!(deliver(&stack, 1), Ok(id));
            let steps = if close { stack.close(id, HERE) } else { stack.shutdown(id, HERE) };
            let next = stack.listen_at(addr(), 1, false);
            assert_eq!(next.is_ok(), found);
            // Between states it is neither bound nor made to listen.
            let (bind, listen) = match close {
                true => (BindError::Stale, ListenError::Stale),
                false => (BindError::Stopping, ListenError::Stopping),
            };
            assert_eq!((stack.bind(id, addr()), stack.listen(id, 1)), (Err(bind), Err(listen)));
            let ends: Vec<_> = steps.unwrap().map(end).collect();
            assert_eq!(ends, [End::Aborted(1)]);
            close_shut(&stack, id);
            next.into_iter().for_each(|next| close_shut(&stack, next));
        }
    }
    finish(stack, &[]);
}
