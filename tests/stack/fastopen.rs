//! Connections that may be accepted before their handshake has ended.

use super::*;
use crate::common::linux::{fastopenq, open_fast};

/// A group of `N` that opens up to `limit` connections fast, each.
fn group<const N: usize>(design: Design, limit: u32) -> (TestStack, [Listener; N]) {
    let stack = stack(design);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), 8, true).unwrap());
    listeners.iter().for_each(|&id| assert_eq!(stack.set_fastopen(id, limit), Ok(())));
    (stack, listeners)
}

fn open(stack: &TestStack, client: u32) -> Result<(Listener, Request), Refusal> {
    open_fast(stack, arrival(client), client)
}

/// Opens one that must be opened, and returns its handshake.
fn opened(stack: &TestStack, listener: Listener, client: u32) -> Request {
    let (went, handshake) = open(stack, client).unwrap();
    assert_eq!(went, listener);
    handshake
}

fn done(stack: &TestStack, handshake: Request) {
    assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
}

fn reset_by_client(stack: &TestStack, handshake: Request) {
    assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Reset, HERE), Ok(()));
}

#[test]
fn it_is_off_until_it_is_switched_on_and_off_again() {
    let (mut stack, [id]) = group(Design::Abort, 0);
    for limit in [0, 1, 0, 1] {
        assert_eq!(stack.set_fastopen(id, limit), Ok(()));
        if limit == 0 {
            assert_eq!(open(&stack, 1), Err(Refusal::FastOpenLimit));
        } else {
            done(&stack, opened(&stack, id, 1));
            assert_eq!(accept_all(&stack, id), [1]);
        }
    }
    assert_eq!(fastopenq(&mut stack, id), (0, 0));
    // Whoever is turned away is answered as if it had asked in the ordinary way: that is no drop.
    assert_eq!(mishaps(&stack), Snapshot::default());
    finish(stack, &[id]);
}

#[test]
fn it_is_off_for_a_new_socket_in_a_used_slot() {
    let (stack, [old]) = group(Design::Abort, 4);
    assert_eq!(close(&stack, old), []);
    let new = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(new.index(), old.index());
    assert_eq!(open(&stack, 1), Err(Refusal::FastOpenLimit));
    // It stays on for a socket that listens again.
    assert_eq!(stack.set_fastopen(new, 1), Ok(()));
    assert_eq!(shutdown(&stack, new), []);
    assert_eq!(stack.listen(new, 8), Ok(()));
    done(&stack, opened(&stack, new, 1));
    finish(stack, &[new]);
}

#[test]
fn it_may_be_set_wherever_the_socket_is_open() {
    let (stack, [a, b]) = group(Design::Abort, 1);
    assert_eq!(shutdown(&stack, a), []);
    assert_eq!(stack.set_fastopen(a, 1), Ok(()));
    assert_eq!(stack.evict_reset(a), Err(SockError::NotListening));
    assert_eq!(close(&stack, a), []);
    for stale in [a, Listener::from_parts(u32::MAX, 0)] {
        assert_eq!(stack.set_fastopen(stale, 1), Err(SockError::Stale));
        assert_eq!(stack.evict_reset(stale), Err(SockError::Stale));
    }
    finish(stack, &[b]);
}

#[test]
fn a_fast_connection_waits_in_line_and_is_accepted_before_its_handshake_ends() {
    for design in DESIGNS {
        let (mut stack, [id]) = group(design, 4);
        assert_eq!(deliver(&stack, 1), Ok(id));
        let handshake = opened(&stack, id, 2);
        assert_eq!(deliver(&stack, 3), Ok(id));
        assert_eq!((stack.queue_len(id), fastopenq(&mut stack, id)), (Ok((3, 8)), (1, 0)));
        assert_eq!(accept_all(&stack, id), [1, 2, 3]);
        // It counts until the handshake has ended, and its slot is its own.
        assert_eq!(fastopenq(&mut stack, id), (1, 0));
        assert_eq!(graph(&mut stack).requests[handshake.index() as usize].refs, 1);
        done(&stack, handshake);
        assert_eq!(fastopenq(&mut stack, id), (0, 0));
        finish(stack, &[id]);
    }
}

#[test]
fn a_handshake_may_end_before_its_connection_is_accepted() {
    for end in [HandshakeEnd::Done, HandshakeEnd::Reset] {
        let (mut stack, [id]) = group(Design::Abort, 1);
        let handshake = opened(&stack, id, 1);
        assert_eq!(stack.fastopen_remove(handshake, end, HERE), Ok(()));
        assert_eq!(fastopenq(&mut stack, id), (0, 0));
        done(&stack, opened(&stack, id, 2));
        assert_eq!(accept_all(&stack, id), [1, 2]);
        finish(stack, &[id]);
    }
}

#[test]
fn a_handshake_ends_once() {
    let (stack, [id]) = group(Design::Abort, 4);
    let stale =
        |handshake, end| assert_eq!(stack.fastopen_remove(handshake, end, HERE), Err(SockError::Stale));
    let both = |handshake| [HandshakeEnd::Done, HandshakeEnd::Reset].map(|end| stale(handshake, end));
    let handshake = opened(&stack, id, 1);
    done(&stack, handshake);
    both(handshake); // while it waits
    assert_eq!(accept_all(&stack, id), [1]);
    both(handshake); // when it is gone
    let next = opened(&stack, id, 2);
    assert_eq!(next.index(), handshake.index());
    both(handshake); // when its slot is another's
    assert_eq!(accept_all(&stack, id), [2]);
    reset_by_client(&stack, next);
    both(next); // while it is listed
    assert_eq!(stack.evict_reset(id), Ok(true));
    // A half-open request, or one that came with its handshake done, has none to end.
    let half_open = syn(&stack, arrival(3));
    both(half_open);
    assert_eq!(ack(&stack, 3), Ok(id));
    both(half_open);
    assert_eq!(accept_all(&stack, id), [3]);
    finish(stack, &[id]);
}

#[test]
fn the_limit_counts_those_whose_handshake_goes_on() {
    let (mut stack, [id]) = group(Design::Abort, 2);
    let first = opened(&stack, id, 1);
    let second = opened(&stack, id, 2);
    assert_eq!(open(&stack, 3), Err(Refusal::FastOpenLimit));
    // Accepting makes no room.
    assert_eq!(accept_all(&stack, id), [1, 2]);
    assert_eq!(open(&stack, 3), Err(Refusal::FastOpenLimit));
    done(&stack, first);
    let third = opened(&stack, id, 3);
    // A lower limit ends nobody's; what is over it has to end first.
    assert_eq!(stack.set_fastopen(id, 1), Ok(()));
    assert_eq!(fastopenq(&mut stack, id), (2, 0));
    done(&stack, second);
    assert_eq!(open(&stack, 4), Err(Refusal::FastOpenLimit));
    done(&stack, third);
    done(&stack, opened(&stack, id, 4));
    assert_eq!(accept_all(&stack, id), [3, 4]);
    finish(stack, &[id]);
}

#[test]
fn the_backlog_and_the_memory_limit_as_for_others() {
    let stack = stack_of(Sizes { requests: 3, ..ENOUGH }, Design::Abort);
    let id = stack.listen_at(addr(), 0, true).unwrap();
    assert_eq!(stack.set_fastopen(id, u32::MAX), Ok(()));
    let first = opened(&stack, id, 1);
    assert_eq!(open(&stack, 2), Err(Refusal::AcceptQueueFull));
    assert_eq!(mishaps(&stack), Snapshot { ListenOverflows: 1, ListenDrops: 1, ..Snapshot::default() });
    assert_eq!(accept_all(&stack, id), [1]);
    let second = opened(&stack, id, 2);
    assert_eq!(accept_all(&stack, id), [2]);
    let third = opened(&stack, id, 3);
    // All are accepted or wait; each handshake keeps its slot.
    assert_eq!(open(&stack, 4), Err(Refusal::NoRequestSlot));
    let counters = stack.counters();
    assert_eq!((counters.RequestSlabFull, counters.ListenDrops), (1, 2));
    [first, second, third].into_iter().for_each(|handshake| done(&stack, handshake));
    assert_eq!(open(&stack, 4).map(drop), Err(Refusal::AcceptQueueFull));
    finish(stack, &[id]);
}

#[test]
fn nobody_listens_nobody_opens() {
    let (stack, [id]) = group(Design::Abort, 1);
    assert_eq!(close(&stack, id), []);
    assert_eq!(open(&stack, 1), Err(Refusal::NoListener));
    finish(stack, &[]);
}

#[test]
fn who_was_accepted_and_reset_counts_until_it_is_evicted() {
    let (mut stack, [id]) = group(Design::Abort, 3);
    let handshakes = [1, 2, 3].map(|client| opened(&stack, id, client));
    assert_eq!(accept_all(&stack, id), [1, 2, 3]);
    assert_eq!(stack.evict_reset(id), Ok(false));
    for (listed, handshake) in (1..).zip([1, 0, 2].map(|which| handshakes[which])) {
        reset_by_client(&stack, handshake);
        assert_eq!(fastopenq(&mut stack, id), (3, listed));
    }
    assert_eq!(open(&stack, 4), Err(Refusal::FastOpenLimit));
    // The one that was reset first is evicted first.
    for which in [1, 0, 2] {
        assert_eq!(stack.evict_reset(id), Ok(true));
        assert_eq!(graph(&mut stack).requests[handshakes[which].index() as usize].refs, 0);
    }
    assert_eq!((stack.evict_reset(id), fastopenq(&mut stack, id)), (Ok(false), (0, 0)));
    done(&stack, opened(&stack, id, 4));
    finish(stack, &[id]);
}

#[test]
fn an_aborted_connections_handshake_ends_later() {
    for design in [Design::Abort, Design::Requeue, Design::Handover] {
        for end in [HandshakeEnd::Done, HandshakeEnd::Reset] {
            let (mut stack, [id]) = group(design, 4);
            let (waiting, accepted) = (opened(&stack, id, 1), opened(&stack, id, 2));
            assert_eq!(stack.accept(id), Ok(Some(1)));
            assert_eq!(close(&stack, id), [End::Aborted(2)]);
            // The closed listener is kept by what is charged to it.
            assert_eq!(fastopenq(&mut stack, id), (2, 0));
            for handshake in [waiting, accepted] {
                assert_eq!(stack.fastopen_remove(handshake, end, HERE), Ok(()));
            }
            assert_eq!(fastopenq(&mut stack, id), (0, 0));
            assert_empty(&mut stack);
        }
    }
}

#[test]
fn under_requeue_the_charge_goes_where_the_connection_goes() {
    // The target's limit is not minded, as its backlog is not.
    let (mut stack, [a, b]) = group(Design::Requeue, 3);
    assert_eq!(stack.set_fastopen(b, 0), Ok(()));
    let [accepted, ended, going_on] = [1, 2, 3].map(|client| opened(&stack, a, client));
    assert_eq!(stack.accept(a), Ok(Some(1)));
    done(&stack, ended);
    assert_eq!(close(&stack, a), [End::Moved(b), End::Moved(b)]);
    // What was accepted stays charged to who accepted it.
    assert_eq!((fastopenq(&mut stack, a), fastopenq(&mut stack, b)), ((1, 0), (1, 0)));
    assert_eq!(accept_all(&stack, b), [2, 3]);
    reset_by_client(&stack, accepted);
    assert_eq!(fastopenq(&mut stack, a), (0, 0), "nobody listens there, so that it is not kept");
    reset_by_client(&stack, going_on);
    assert_eq!(fastopenq(&mut stack, b), (1, 1));
    assert_eq!(stack.evict_reset(b), Ok(true));
    finish(stack, &[b]);
}

#[test]
fn under_handover_every_charge_is_the_heirs() {
    for how in [close, shutdown] {
        let (mut stack, [a, b]) = group(Design::Handover, 8);
        let mine = opened_at_last(&stack, b, 9);
        let [accepted, listed, ended, going_on] = [1, 2, 3, 4].map(|client| opened(&stack, a, client));
        assert_eq!((stack.accept(a), stack.accept(a)), (Ok(Some(1)), Ok(Some(2))));
        reset_by_client(&stack, listed);
        done(&stack, ended);
        assert_eq!((fastopenq(&mut stack, a), fastopenq(&mut stack, b)), ((3, 1), (1, 0)));
        assert_eq!(how(&stack, a), [End::HandedOver(b, 2)]);
        assert_eq!((fastopenq(&mut stack, a), fastopenq(&mut stack, b)), ((0, 0), (4, 1)));
        assert_eq!(accept_all(&stack, b), [9, 3, 4]);
        [accepted, going_on, mine].into_iter().for_each(|handshake| reset_by_client(&stack, handshake));
        assert_eq!(fastopenq(&mut stack, b), (4, 4));
        (0..4).for_each(|_| assert_eq!(stack.evict_reset(b), Ok(true)));
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

/// Opens one on the last of two members.
fn opened_at_last(stack: &TestStack, last: Listener, client: u32) -> Request {
    let (went, handshake) = open_fast(stack, arrival_at((1, 2), (0, 1), client), client).unwrap();
    assert_eq!(went, last);
    handshake
}

#[test]
fn under_handover_the_heirs_limit_counts_what_it_inherits() {
    let (stack, [a, b]) = group(Design::Handover, 2);
    let handshakes = [1, 2].map(|client| opened(&stack, a, client));
    assert_eq!(accept_all(&stack, a), [1, 2]);
    // Nothing waits, and yet there is something to hand over; nobody is woken for it.
    assert_eq!(close(&stack, a), [End::HandedOver(b, 0)]);
    assert_eq!(open(&stack, 3), Err(Refusal::FastOpenLimit));
    done(&stack, handshakes[0]);
    done(&stack, opened(&stack, b, 3));
    done(&stack, handshakes[1]);
    finish(stack, &[b]);
}

/// What was reset has no owner any more: that alone is something to hand over.
#[test]
fn under_handover_what_was_reset_counts_for_the_heir() {
    let (mut stack, [a, b]) = group(Design::Handover, 2);
    let handshake = opened(&stack, a, 1);
    assert_eq!(accept_all(&stack, a), [1]);
    reset_by_client(&stack, handshake);
    assert_eq!(close(&stack, a), [End::HandedOver(b, 0)]);
    assert_eq!(fastopenq(&mut stack, b), (1, 1));
    assert_eq!(stack.evict_reset(b), Ok(true));
    finish(stack, &[b]);
}

#[test]
fn a_listener_that_stops_lets_go_of_those_that_were_reset() {
    for design in DESIGNS {
        let (mut stack, [id]) = group(design, 2);
        let handshakes = [1, 2].map(|client| opened(&stack, id, client));
        assert_eq!(accept_all(&stack, id), [1, 2]);
        handshakes.into_iter().for_each(|handshake| reset_by_client(&stack, handshake));
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(fastopenq(&mut stack, id), (0, 0));
        assert_eq!(stack.listen(id, 8), Ok(()));
        // They do not count for who listens again, either.
        let handshakes = [3, 4].map(|client| opened(&stack, id, client));
        assert_eq!(accept_all(&stack, id), [3, 4]);
        handshakes.into_iter().for_each(|handshake| reset_by_client(&stack, handshake));
        assert_eq!(close(&stack, id), []);
        assert_empty(&mut stack);
    }
}

#[test]
fn steps_left_over_from_a_shutdown_evict_nobody() {
    for design in DESIGNS {
        let (mut stack, [id]) = group(design, 1);
        {
            let mut left_over = stack.shutdown(id, HERE).unwrap();
            assert_eq!(shutdown(&stack, id), []);
            assert_eq!(stack.listen(id, 8), Ok(()));
            let handshake = opened(&stack, id, 1);
            assert_eq!(accept_all(&stack, id), [1]);
            reset_by_client(&stack, handshake);
            assert!(left_over.next().is_none());
        }
        assert_eq!(fastopenq(&mut stack, id), (1, 1));
        assert_eq!(close(&stack, id), []);
        assert_empty(&mut stack);
    }
}
