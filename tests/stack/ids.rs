//! Ids of sockets that are gone, that never were, and that do not listen.

use super::*;

/// Asserts that every call refuses `id` as stale.
fn assert_stale(stack: &TestStack, id: Listener) {
    assert_eq!(stack.accept(id), Err(SockError::Stale));
    assert_eq!(stack.queue_len(id), Err(SockError::Stale));
    assert_eq!(stack.listen(id, 1), Err(ListenError::Stale));
    assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::Stale));
    assert_eq!(stack.close(id, HERE).map(drop), Err(SockError::Stale));
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
    let stack = stack(CLONE);
    let old = stack.listen_at(addr(), 1, true).unwrap();
    assert_eq!(close(&stack, old), []);
    let new = stack.listen_at(addr(), 1, true).unwrap();
    assert_eq!(old.index(), new.index());
    assert_eq!(deliver(&stack, 7), Ok(new));
    assert_stale(&stack, old);
    assert_eq!(stack.queue_len(new), Ok((1, 1)));
    finish(stack, &[new]);
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
