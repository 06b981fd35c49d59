//! Ids of sockets that are gone, that never were, and that do not listen.

use super::*;
use rskq::group::{AttachError, MapError, MapFlag, ProgramId};

/// Asserts that every call refuses `id` as stale.
fn assert_stale(stack: &TestStack, id: Listener) {
    assert_eq!(stack.accept(id), Err(SockError::Stale));
    assert_eq!(stack.accept_many::<2>(id).map(Iterator::count), Err(SockError::Stale));
    assert_eq!(stack.queue_len(id), Err(SockError::Stale));
    assert_eq!(stack.listen(id, 1), Err(ListenError::Stale));
    assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::Stale));
    assert_eq!(stack.close(id, HERE).map(drop), Err(SockError::Stale));
    assert_eq!(stack.bind(id, at("127.0.0.1:99")), Err(BindError::Stale));
    assert_eq!(stack.bind_any(id, addr(), [99]), Err(BindError::Stale));
    assert_eq!(stack.set_defer_accept(id, 1), Err(SockError::Stale));
    assert_eq!(stack.set_fastopen(id, 1), Err(SockError::Stale));
    assert_eq!(stack.fastopen_len(id), Err(SockError::Stale));
    assert_eq!(stack.evict_reset(id), Err(SockError::Stale));
    assert_eq!(stack.set_incoming_cpu(id, Some(1)), Err(SockError::Stale));
    assert_eq!(stack.attach_reuseport_prog(id, ProgramId(0)), Err(AttachError::Stale));
    assert_eq!(stack.detach_reuseport_prog(id), Err(AttachError::Stale));
    assert_eq!(stack.map_update(0, id, MapFlag::Any), Err(MapError::Stale));
}

#[test]
fn a_closed_sockets_id_is_stale_for_every_call() {
    for design in DESIGNS {
        let stack = stack(design);
        let id = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(close(&stack, id), []);
        assert_stale(&stack, id);
        finish(stack, &[]);
    }
}

#[test]
fn a_stale_id_does_not_name_who_has_the_slot_now() {
    for design in DESIGNS {
        let stack = stack(design);
        let old = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(close(&stack, old), []);
        let new = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(old.index(), new.index());
        assert_eq!(deliver(&stack, 7), Ok(new));
        assert_stale(&stack, old);
        assert_eq!(stack.queue_len(new), Ok((1, 1)));
        finish(stack, &[new]);
    }
}

#[test]
fn a_closed_socket_is_stale_while_connections_still_name_it() {
    let mut stack = stack(Design::Splice);
    let a = stack.listen_at(addr(), 4, true).unwrap();
    let b = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Spliced(b)]);
    assert_ne!(stack.graph_mut().listeners[a.index() as usize].refs, 0);
    assert_stale(&stack, a);
    finish(stack, &[b]);
}

#[test]
fn ids_that_were_never_given_out_are_stale() {
    let stack = stack(CLONE);
    let id = stack.listen_at(addr(), 1, true).unwrap();
    for (index, generation) in [
        (id.index(), id.generation() + 1),
        (id.index() + 1, 0),
        (ENOUGH.listeners as u32, 0),
        (u32::MAX, u32::MAX),
    ] {
        assert_stale(&stack, Listener::from_parts(index, generation));
    }
    assert_eq!(Listener::from_parts(id.index(), id.generation()), id);
    finish(stack, &[id]);
}

#[test]
fn an_id_of_another_stack_is_stale_where_its_slot_is_not_in_use() {
    let (one, other) = (stack(CLONE), stack(CLONE));
    let a = one.listen_at(addr(), 1, true).unwrap();
    assert_stale(&other, a);
    finish(one, &[a]);
    finish(other, &[]);
}

#[test]
fn a_socket_that_was_shut_down_does_not_listen() {
    for design in DESIGNS {
        let stack = stack(design);
        let id = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(stack.accept(id), Err(SockError::NotListening));
        assert_eq!(stack.queue_len(id), Err(SockError::NotListening));
        assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::NotListening));
        assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
        assert_eq!(stack.listen(id, 1), Ok(()));
        finish(stack, &[id]);
    }
}

#[test]
fn a_shut_socket_closes_without_steps() {
    for design in DESIGNS {
        let mut stack = stack(design);
        let id = stack.listen_at(addr(), 1, true).unwrap();
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(close(&stack, id), []);
        assert_stale(&stack, id);
        assert_empty(&mut stack);
    }
}

#[test]
fn listening_again_while_listening_changes_the_backlog() {
    let stack = stack(CLONE);
    let id = stack.listen_at(addr(), 0, true).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(id));
    assert_eq!(deliver(&stack, 2), Err(Refusal::AcceptQueueFull));
    assert_eq!(stack.listen(id, 1), Ok(()));
    assert_eq!(deliver(&stack, 3), Ok(id));
    // A smaller backlog turns nobody out.
    assert_eq!(stack.listen(id, 0), Ok(()));
    assert_eq!(stack.queue_len(id), Ok((2, 0)));
    assert_eq!(accept_all(&stack, id), [1, 3]);
    finish(stack, &[id]);
}

/// Asserts that every call refuses the id of a request that is neither half open nor was opened fast.
fn assert_no_request(stack: &TestStack, id: Request) {
    assert_eq!(stack.rsk_listener(id), None);
    assert_eq!(stack.synack_timer(id, 0, HERE), Err(SockError::Stale));
    for end in [HandshakeEnd::Done, HandshakeEnd::Reset] {
        assert_eq!(stack.fastopen_remove(id, end, HERE), Err(SockError::Stale));
    }
}

#[test]
fn a_requests_id_is_stale_once_it_is_not_half_open() {
    let (stack, other) = (stack(Design::Linux), stack(Design::Linux));
    let id = stack.listen_at(addr(), 4, true).unwrap();
    let request = syn(&stack, arrival(1));
    assert_eq!(stack.rsk_listener(request), Some(id));
    assert_no_request(&other, request);
    for (index, generation) in [
        (request.index(), request.generation() + 1),
        (request.index() + 1, 0),
        (ENOUGH.requests as u32, 0),
        (u32::MAX, u32::MAX),
    ] {
        assert_no_request(&stack, Request::from_parts(index, generation));
    }
    assert_eq!(ack(&stack, 1), Ok(id));
    assert_no_request(&stack, request); // it waits
    assert_eq!(accept_all(&stack, id), [1]);
    assert_no_request(&stack, request); // it has gone
    assert_ne!(syn(&stack, arrival(1)), request);
    assert_no_request(&stack, request); // its slot is another's
    assert_eq!(reset(&stack, 1), Ok(()));
    finish(stack, &[id]);
    finish(other, &[]);
}

/// What comes in an order that no connection has.
#[test]
fn events_out_of_order_find_nothing_and_change_nothing() {
    for design in DESIGNS {
        let mut stack = stack(design);
        let id = stack.listen_at(addr(), 4, true).unwrap();
        let request = syn(&stack, arrival(1));
        let elsewhere = Arrival { tuple: tuple(at("127.0.0.1:81"), 1), ..arrival(1) };
        for _ in 0..2 {
            assert_eq!(ack(&stack, 2), Err(Refusal::NoRequest)); // before its SYN
            assert_eq!(reset(&stack, 2), Err(Refusal::NoRequest));
            assert_eq!(stack.reset(&elsewhere.tuple), Err(Refusal::NoRequest));
            assert_eq!(stack.syn(elsewhere, HERE).map(drop), Err(Refusal::NoListener));
            assert_eq!(stack.cookie_ack(elsewhere, HERE).map(drop), Err(Refusal::NoListener));
            assert_eq!(stack.cookie_ack(arrival(2), HERE).map(drop), Err(Refusal::NoCookieSent));
            assert_eq!(stack.fastopen_remove(request, HandshakeEnd::Done, HERE), Err(SockError::Stale));
            assert_eq!(charges(&mut stack, id), (1, 1));
        }
        assert_eq!(stack.counters(), Snapshot::default());
        assert_eq!(ack(&stack, 1), Ok(id));
        assert_eq!(stack.synack_timer(request, 5, HERE), Err(SockError::Stale));
        assert_eq!(accept_all(&stack, id), [1]);
        finish(stack, &[id]);
    }
}
