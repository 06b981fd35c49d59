//! Half-open requests whose listener leaves: dropped, adopted, or handed over.

use super::handshake::{again, assert_gone, group, one};
use super::*;
use rskq::queue::Charges;

/// A listener with an old and a young request, which is then closed or shut down, and one beside it.
fn left_behind(
    design: Design,
    how: fn(&TestStack, Listener) -> Vec<End>,
) -> (TestStack, [Listener; 2], [Request; 2]) {
    let (stack, [a, b]) = group(design);
    let requests = [1, 2].map(|client| syn(&stack, arrival(client)));
    assert_eq!(stack.synack_timer(requests[0], 9, HERE), again(1));
    let ends = how(&stack, a);
    // What is half open is reported where it moves at once.
    let expected = match design {
        Design::Handover => vec![End::HandedOver(b, 0)],
        Design::Splice => vec![End::Spliced(b)],
        _ => vec![],
    };
    assert_eq!(ends, expected);
    (stack, [a, b], requests)
}

#[test]
fn where_nothing_migrates_a_half_open_request_is_dropped_at_the_next_look() {
    for design in [Design::Abort, Design::Splice] {
        let (mut stack, [a, b], [old, _]) = left_behind(design, close);
        // The closed listener is kept by what names it.
        assert_ne!(graph(&mut stack).listeners[a.index() as usize].refs, 0);
        assert_eq!(stack.synack_timer(old, 9, HERE), Ok(SynAckTimer::Dropped));
        assert_gone(&stack, old, 1);
        assert_eq!(ack(&stack, 2), Err(Refusal::NoListener));
        assert_eq!(ack(&stack, 2), Err(Refusal::NoRequest));
        assert_eq!(graph(&mut stack).listeners[a.index() as usize].refs, 0);
        assert_eq!(charges(&mut stack, b), (0, 0));
        assert_eq!(mishaps(&stack), Snapshot::default());
        finish(stack, &[b]);
    }
}

#[test]
fn a_reset_finds_the_request_of_a_listener_that_has_left() {
    for design in DESIGNS {
        for how in [close, shutdown] {
            let (mut stack, [a, b], _) = left_behind(design, how);
            assert_eq!([1, 2].map(|client| reset(&stack, client)), [Ok(()); 2]);
            assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (0, 0)));
            assert_eq!(mishaps(&stack), Snapshot::default());
            close_shut(&stack, a);
            finish(stack, &[b]);
        }
    }
}

#[test]
fn under_requeue_who_listens_adopts_it_at_the_timer_and_at_the_ack() {
    for how in [close, shutdown] {
        let (mut stack, [a, b], [old, young]) = left_behind(Design::Requeue, how);
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((2, 1), (0, 0)));
        assert_eq!(stack.synack_timer(old, 9, HERE), again(2));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((1, 1), (1, 0)));
        assert_eq!(stack.synack_timer(young, 9, HERE), again(1));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (2, 0)));
        close_shut(&stack, a);
        // Nothing names the closed one any more.
        assert_eq!(graph(&mut stack).listeners[a.index() as usize].refs, 0);
        assert_eq!([2, 1].map(|client| ack(&stack, client)), [Ok(b); 2]);
        assert_eq!(accept_all(&stack, b), [2, 1]);
        assert_eq!(mishaps(&stack), Snapshot { TCPMigrateReqSuccess: 2, ..Snapshot::default() });
        finish(stack, &[b]);

        let (mut stack, [a, b], _) = left_behind(Design::Requeue, how);
        assert_eq!([2, 1].map(|client| ack(&stack, client)), [Ok(b); 2]);
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (0, 0)));
        assert_eq!(accept_all(&stack, b), [2, 1]);
        assert_eq!(mishaps(&stack), Snapshot { TCPMigrateReqSuccess: 2, ..Snapshot::default() });
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

#[test]
fn under_requeue_it_expires_with_its_new_listener() {
    let (mut stack, [a, b], [old, young]) = left_behind(Design::Requeue, close);
    assert_eq!(stack.synack_timer(old, 1, HERE), Ok(SynAckTimer::Expired));
    assert_eq!(stack.synack_timer(young, 0, HERE), Ok(SynAckTimer::Expired));
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (0, 0)));
    finish(stack, &[b]);
}

#[test]
fn under_requeue_each_goes_where_the_hash_of_its_connection_falls() {
    let (mut stack, [a, b, c]) = group(Design::Requeue);
    let requests =
        [(1, 1), (2, 0), (3, 1)].map(|(client, target)| syn(&stack, arrival_at((0, 3), (target, 2), client)));
    assert_eq!(close(&stack, a), []);
    // The last member has the place of who left: [C, B].
    assert_eq!(stack.synack_timer(requests[0], 9, HERE), again(1));
    assert_eq!([2, 3, 1].map(|client| ack(&stack, client)), [Ok(c), Ok(b), Ok(b)]);
    assert_eq!((charges(&mut stack, b), charges(&mut stack, c)), ((0, 0), (0, 0)));
    assert_eq!((accept_all(&stack, b), accept_all(&stack, c)), (vec![3, 1], vec![2]));
    finish(stack, &[b, c]);
}

#[test]
fn who_adopts_a_request_and_has_no_room_keeps_it() {
    for design in [Design::Requeue, Design::Handover] {
        let (mut stack, [a, b]) = group(design);
        stack.listen(b, 0).unwrap();
        syn(&stack, arrival(1));
        assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 7), b);
        close(&stack, a);
        for _ in 0..2 {
            assert_eq!(ack(&stack, 1), Err(Refusal::AcceptQueueFull));
            assert_eq!(charges(&mut stack, b), (1, 1));
        }
        assert_eq!(stack.accept(b), Ok(Some(7)));
        assert_eq!(ack(&stack, 1), Ok(b));
        assert_eq!(accept_all(&stack, b), [1]);
        finish(stack, &[b]);
    }
}

#[test]
fn where_nobody_listens_any_more_it_is_dropped_at_the_next_look() {
    for design in DESIGNS {
        let (mut stack, [a, b]) = group(design);
        let request = syn(&stack, arrival(1));
        syn(&stack, arrival(2));
        close(&stack, a);
        close(&stack, b);
        assert_eq!(stack.synack_timer(request, 9, HERE), Ok(SynAckTimer::Dropped));
        assert_eq!(ack(&stack, 2), Err(Refusal::NoListener));
        assert_eq!(ack(&stack, 2), Err(Refusal::NoRequest));
        let failed = if matches!(design, Design::Abort | Design::Splice) { 0 } else { 2 };
        assert_eq!(mishaps(&stack), Snapshot { TCPMigrateReqFailure: failed, ..Snapshot::default() });
        assert_empty(&mut stack);
    }
}

#[test]
fn who_comes_to_listen_before_the_next_look_adopts_it() {
    for design in [Design::Requeue, Design::Handover] {
        let (mut stack, a) = one(design);
        let request = syn(&stack, arrival(1));
        syn(&stack, arrival(2));
        assert_eq!(close(&stack, a), []);
        let b = stack.listen_at(addr(), 8, true).unwrap();
        assert_eq!(stack.synack_timer(request, 9, HERE), again(1));
        assert_eq!(charges(&mut stack, b), (1, 0));
        assert_eq!([1, 2].map(|client| ack(&stack, client)), [Ok(b); 2]);
        accept_all(&stack, b);
        finish(stack, &[b]);
    }
}

#[test]
fn a_listener_that_listens_again_in_time_keeps_what_it_was_left_with() {
    for design in DESIGNS {
        let (mut stack, id) = one(design);
        let request = syn(&stack, arrival(1));
        syn(&stack, arrival(2));
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(stack.listen(id, 8), Ok(()));
        assert_eq!(charges(&mut stack, id), (2, 2));
        assert_eq!(stack.synack_timer(request, 9, HERE), again(1));
        assert_eq!([2, 1].map(|client| ack(&stack, client)), [Ok(id); 2]);
        assert_eq!(accept_all(&stack, id), [2, 1]);
        assert_eq!(mishaps(&stack), Snapshot::default());
        finish(stack, &[id]);
    }
}

/// In the merged design the timer moves it: a clone takes its place, which counts on.
#[test]
fn the_timer_of_a_clone_counts_on_from_where_the_original_was() {
    let (mut stack, [a, b]) = group(CLONE);
    let request = syn(&stack, arrival(1));
    assert_eq!(stack.synack_timer(request, 9, HERE), again(1));
    assert_eq!(close(&stack, a), []);
    assert_eq!(stack.synack_timer(request, 9, HERE), again(2));
    assert_eq!(charges(&mut stack, b), (1, 0));
    let of = tuple(addr(), 1);
    assert_eq!(stack.synack_timer_of(&of, 9), again(3));
    assert_eq!(stack.synack_timer_of(&of, 3), Ok(SynAckTimer::Expired));
    assert_eq!(stack.synack_timer_of(&of, 9), Err(SockError::Stale));
    finish(stack, &[b]);
}

/// What the prototype leaves undone: the charge that it moves was taken when the handshake ended.
#[test]
fn the_prototype_moves_a_charge_that_is_not_there() {
    let (mut stack, [a, b]) = group(Design::RequeueNaive);
    assert_eq!(deliver(&stack, 1), Ok(a));
    let moved: Vec<_> = stack.shutdown(a, HERE).unwrap().collect();
    // It wakes nobody either.
    assert!(matches!(moved[..], [Outcome::Moved { to, wake: None }] if to == b));
    let graph = stack.graph_mut();
    let of = |id: Listener| graph.listeners[id.index() as usize].charges;
    assert_eq!([of(a), of(b)], [Charges { qlen: -1, young: -1 }, Charges { qlen: 1, young: 1 }]);
}
