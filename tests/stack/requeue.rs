//! Our own design: each connection goes to who listens now.

use super::*;

fn group<const N: usize>(sizes: Sizes, backlog: u32) -> (TestStack, [Listener; N]) {
    let stack = stack_of(sizes, Design::Requeue);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), backlog, true).unwrap());
    (stack, listeners)
}

#[test]
fn connections_are_spread_by_hash_behind_those_that_wait_and_every_gain_wakes() {
    let (stack, [a, b, c]) = group(ENOUGH, 8);
    assert_eq!((deliver_at(&stack, (1, 3), (0, 1), 10), deliver_at(&stack, (2, 3), (0, 1), 20)), (b, c));
    // When A leaves, C takes its place: [C, B].
    for (child, target) in [(1, 0), (2, 1), (3, 0), (4, 1)] {
        assert_eq!(deliver_at(&stack, (0, 3), (target, 2), child), a);
    }
    assert_eq!(close(&stack, a), [End::Moved(c), End::Moved(b), End::Moved(c), End::Moved(b)]);
    assert_eq!(accept_all(&stack, b), [10, 2, 4]);
    assert_eq!(accept_all(&stack, c), [20, 1, 3]);
    assert_eq!(stack.counters().TCPMigrateReqSuccess, 4);
    finish(stack, &[b, c]);
}

#[test]
fn it_takes_no_request_slot_and_minds_no_backlog() {
    let (stack, [a, b]) = group(Sizes { requests: 2, ..ENOUGH }, 1);
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    stack.listen(b, 0).unwrap();
    assert_eq!(close(&stack, a).len(), 2);
    assert_eq!(stack.queue_len(b), Ok((2, 0)));
    assert_eq!(accept_all(&stack, b), [1, 2]);
    finish(stack, &[b]);
}

#[test]
fn the_switch_is_not_asked() {
    let (stack, [a, b]) = group(ENOUGH, 8);
    stack.set_migrate_req(false);
    assert_eq!(deliver(&stack, 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Moved(b)]);
    assert_eq!(accept_all(&stack, b), [1]);
    finish(stack, &[b]);
}

#[test]
fn who_begins_to_listen_between_two_steps_is_found() {
    let (stack, [a]) = group(ENOUGH, 8);
    for child in 0..3 {
        assert_eq!(deliver(&stack, child), Ok(a));
    }
    let mut steps = stack.close(a, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Aborted(0)), "nobody listens yet");
    let b = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    assert!(steps.next().is_none());
    drop(steps);
    assert_eq!(accept_all(&stack, b), [1, 2]);
    let counters = stack.counters();
    assert_eq!((counters.TCPMigrateReqSuccess, counters.TCPMigrateReqFailure), (2, 1));
    finish(stack, &[b]);
}

#[test]
fn connections_come_back_to_a_listener_that_listens_again() {
    let (stack, [a, b]) = group(ENOUGH, 8);
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    assert_eq!(shutdown(&stack, a).len(), 2);
    stack.listen(a, 8).unwrap();
    assert_eq!(close(&stack, b).len(), 2);
    assert_eq!(accept_all(&stack, a), [1, 2]);
    finish(stack, &[a]);
}
