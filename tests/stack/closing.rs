//! The steps of a close, taken, not taken, and taken by turns.

use super::*;

/// A socket with connections 0 .. `waiting`, alone at its address.
fn one_with(design: Design, waiting: u32) -> (TestStack, Listener) {
    let stack = stack(design);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    for child in 0..waiting {
        assert_eq!(deliver(&stack, child), Ok(id));
    }
    (stack, id)
}

#[test]
fn steps_that_are_not_taken_can_be_taken_later() {
    let (stack, id) = one_with(Design::Abort, 4);
    drop(stack.close(id, HERE).unwrap());
    assert_eq!(stack.close(id, HERE).unwrap().next().map(end), Some(End::Aborted(0)));
    assert_eq!(close(&stack, id), [End::Aborted(1), End::Aborted(2), End::Aborted(3)]);
    assert_eq!(stack.close(id, HERE).map(drop), Err(SockError::Stale));
    finish(stack, &[]);
}

#[test]
fn a_shutdown_goes_on_where_it_was_left() {
    let (stack, id) = one_with(Design::Abort, 3);
    assert_eq!(stack.shutdown(id, HERE).unwrap().next().map(end), Some(End::Aborted(0)));
    assert_eq!(shutdown(&stack, id), [End::Aborted(1), End::Aborted(2)]);
    assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::NotListening));
    assert_eq!(close(&stack, id), []);
    finish(stack, &[]);
}

#[test]
fn a_migration_goes_on_where_it_was_left() {
    let stack = stack(CLONE);
    let a = stack.listen_at(addr(), 8, true).unwrap();
    let b = stack.listen_at(addr(), 8, true).unwrap();
    for child in 0..3 {
        assert_eq!(deliver(&stack, child), Ok(a));
    }
    assert_eq!(stack.close(a, HERE).unwrap().next().map(end), Some(End::Moved(b)));
    assert_eq!(close(&stack, a), [End::Moved(b), End::Moved(b)]);
    assert_eq!(accept_all(&stack, b), [0, 1, 2]);
    finish(stack, &[b]);
}

#[test]
fn a_socket_that_stops_neither_accepts_nor_listens() {
    let (stack, id) = one_with(Design::Abort, 2);
    let steps = stack.shutdown(id, HERE).unwrap();
    assert_eq!(stack.accept(id), Err(SockError::NotListening));
    assert_eq!(stack.queue_len(id), Err(SockError::NotListening));
    assert_eq!(stack.listen(id, 1), Err(ListenError::Stopping));
    assert_eq!(deliver(&stack, 9), Err(Refusal::NoListener));
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Aborted(0), End::Aborted(1)]);
    assert_eq!(stack.listen(id, 1), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn a_socket_that_is_being_closed_is_stale_but_for_close() {
    let (stack, id) = one_with(Design::Abort, 2);
    let steps = stack.close(id, HERE).unwrap();
    assert_eq!(stack.accept(id), Err(SockError::Stale));
    assert_eq!(stack.queue_len(id), Err(SockError::Stale));
    assert_eq!(stack.listen(id, 1), Err(ListenError::Stale));
    assert_eq!(stack.shutdown(id, HERE).map(drop), Err(SockError::Stale));
    assert_eq!(stack.close(id, HERE).unwrap().next().map(end), Some(End::Aborted(0)));
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Aborted(1)]);
    finish(stack, &[]);
}

#[test]
fn a_close_takes_over_from_a_shutdown_that_still_has_steps() {
    let (stack, id) = one_with(Design::Abort, 3);
    let mut shutdown = stack.shutdown(id, HERE).unwrap();
    assert_eq!(shutdown.next().map(end), Some(End::Aborted(0)));
    let mut close = stack.close(id, HERE).unwrap();
    assert_eq!(close.next().map(end), Some(End::Aborted(1)));
    // Whoever takes the last step closes.
    assert_eq!(shutdown.by_ref().map(end).collect::<Vec<_>>(), [End::Aborted(2)]);
    assert_eq!(stack.close(id, HERE).map(drop), Err(SockError::Stale));
    assert!(close.next().is_none());
    drop((shutdown, close));
    finish(stack, &[]);
}

#[test]
fn two_who_take_the_steps_share_the_connections() {
    for design in [Design::Abort, CLONE] {
        let (stack, id) = one_with(design, 4);
        let (mut one, mut other) = (stack.close(id, HERE).unwrap(), stack.close(id, HERE).unwrap());
        for child in [0, 2] {
            assert_eq!(one.next().map(end), Some(End::Aborted(child)));
            assert_eq!(other.next().map(end), Some(End::Aborted(child + 1)));
        }
        assert!(one.next().is_none() && other.next().is_none());
        // After the last step there is nothing more, however often one asks.
        assert!(one.next().is_none() && other.next().is_none());
        drop((one, other));
        finish(stack, &[]);
    }
}

#[test]
fn steps_left_over_from_a_shutdown_take_nothing_from_who_listens_again() {
    let (stack, id) = one_with(Design::Abort, 2);
    let mut left_over = stack.shutdown(id, HERE).unwrap();
    assert_eq!(shutdown(&stack, id), [End::Aborted(0), End::Aborted(1)]);
    assert_eq!(stack.listen(id, 8), Ok(()));
    assert_eq!(deliver(&stack, 7), Ok(id));
    assert!(left_over.next().is_none());
    assert_eq!(accept_all(&stack, id), [7]);
    drop(left_over);
    finish(stack, &[id]);
}

#[test]
fn steps_left_over_from_a_shutdown_do_not_finish_the_next_one() {
    let (stack, id) = one_with(Design::Abort, 1);
    let mut left_over = stack.shutdown(id, HERE).unwrap();
    assert_eq!(shutdown(&stack, id), [End::Aborted(0)]);
    assert_eq!(stack.listen(id, 8), Ok(()));
    assert_eq!(deliver(&stack, 7), Ok(id));
    let next = stack.shutdown(id, HERE).unwrap();
    assert!(left_over.next().is_none());
    assert_eq!(stack.listen(id, 8), Err(ListenError::Stopping));
    assert_eq!(next.map(end).collect::<Vec<_>>(), [End::Aborted(7)]);
    assert_eq!(stack.listen(id, 8), Ok(()));
    drop(left_over);
    finish(stack, &[id]);
}

#[test]
fn what_arrives_between_steps_goes_to_who_listens() {
    for design in DESIGNS {
        let stack = stack(design);
        let a = stack.listen_at(addr(), 8, true).unwrap();
        let b = stack.listen_at(addr(), 8, true).unwrap();
        assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
        let mut steps = stack.close(a, HERE).unwrap();
        assert!(steps.next().is_some());
        assert_eq!(deliver(&stack, 3), Ok(b));
        steps.map(end).for_each(drop);
        assert!(accept_all(&stack, b).contains(&3));
        finish(stack, &[b]);
    }
}

#[test]
fn a_slot_is_not_reused_while_steps_remain() {
    let (mut stack, id) = one_with(Design::Abort, 1);
    {
        let mut steps = stack.close(id, HERE).unwrap();
        assert_eq!(steps.by_ref().map(end).collect::<Vec<_>>(), [End::Aborted(0)]);
        let next = stack.listen_at(addr(), 1, true).unwrap();
        assert_ne!(next.index(), id.index());
        assert_eq!(deliver(&stack, 5), Ok(next));
        assert!(steps.next().is_none());
        assert_eq!(close(&stack, next), [End::Aborted(5)]);
    }
    assert_empty(&mut stack);
}
