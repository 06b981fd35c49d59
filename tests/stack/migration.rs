//! Where connections go when their listener stops.

use super::*;
use rskq::counters::Snapshot;
use rskq::migrate::Wakeup;

/// Success and failure, and that nothing else was counted.
fn migrated(stack: &TestStack) -> (u32, u32) {
    let counters = stack.counters();
    let Snapshot { TCPMigrateReqSuccess: success, TCPMigrateReqFailure: failure, .. } = counters;
    let expected =
        Snapshot { TCPMigrateReqSuccess: success, TCPMigrateReqFailure: failure, ..Snapshot::default() };
    assert_eq!(counters, expected);
    (success, failure)
}

/// A group of `N` with room for `backlog` + 1 each.
fn group<const N: usize>(design: Design, backlog: u32) -> (TestStack, [Listener; N]) {
    let stack = stack(design);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), backlog, true).unwrap());
    (stack, listeners)
}

#[test]
fn abort_gives_every_connection_back_in_order() {
    let (stack, [a, b]) = group(Design::Abort, 8);
    for child in 0..3 {
        assert_eq!(deliver(&stack, child), Ok(a));
    }
    assert_eq!(close(&stack, a), [End::Aborted(0), End::Aborted(1), End::Aborted(2)]);
    assert_eq!(accept_all(&stack, b), []);
    assert_eq!(migrated(&stack), (0, 0));
    finish(stack, &[b]);
}

#[test]
fn splice_puts_the_whole_queue_before_the_targets() {
    // The backlog is exceeded: the patch does not look at it.
    let (stack, [a, b, c]) = group(Design::Splice, 1);
    assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 10), c);
    assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 11), c);
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    // The moved member, which was the last, takes the place and the queue.
    assert_eq!(close(&stack, a), [End::Spliced(c)]);
    assert_eq!(stack.queue_len(c), Ok((4, 1)));
    assert_eq!(deliver(&stack, 12), Err(Refusal::AcceptQueueFull));
    assert_eq!(accept_all(&stack, c), [1, 2, 10, 11]);
    // The tail is where it belongs.
    assert_eq!((deliver(&stack, 13), deliver(&stack, 14)), (Ok(c), Ok(c)));
    assert_eq!(accept_all(&stack, c), [13, 14]);
    finish(stack, &[b, c]);
}

#[test]
fn splice_from_the_last_place_goes_to_the_left_neighbour() {
    let (stack, [a, b, c]) = group(Design::Splice, 4);
    assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 1), c);
    assert_eq!(close(&stack, c), [End::Spliced(b)]);
    assert_eq!(close(&stack, b), [End::Spliced(a)]);
    assert_eq!(accept_all(&stack, a), [1]);
    assert_eq!(close(&stack, a), []);
    finish(stack, &[]);
}

#[test]
fn spliced_connections_go_on_to_the_next_target_and_the_last_aborts_them() {
    let (stack, [a, b]) = group(Design::Splice, 4);
    assert_eq!((deliver(&stack, 1), deliver_at(&stack, (1, 2), (0, 1), 2)), (Ok(a), b));
    assert_eq!(shutdown(&stack, a), [End::Spliced(b)]);
    assert_eq!(shutdown(&stack, b), [End::Aborted(1), End::Aborted(2)]);
    finish_shut(stack, &[a, b]);
}

/// Closes sockets that were shut down, and asserts that nothing is in use after that.
fn finish_shut(mut stack: TestStack, shut: &[Listener]) {
    for &listener in shut {
        assert_eq!(close(&stack, listener), []);
    }
    assert_empty(&mut stack);
}

#[test]
fn clone_spreads_over_those_that_are_left_by_the_childs_hash() {
    let (stack, [a, b, c, d]) = group(CLONE, 8);
    for (child, target) in [(0, 0), (1, 1), (2, 2), (3, 1), (4, 0)] {
        assert_eq!(deliver_at(&stack, (0, 4), (target, 3), child), a);
    }
    // The last member has the place of who left.
    let moved = [d, b, c, b, d].map(End::Moved);
    assert_eq!(close(&stack, a), moved);
    assert_eq!(accept_all(&stack, d), [0, 4]);
    assert_eq!(accept_all(&stack, b), [1, 3]);
    assert_eq!(accept_all(&stack, c), [2]);
    assert_eq!(migrated(&stack), (5, 0));
    finish(stack, &[b, c, d]);
}

#[test]
fn clone_puts_migrants_behind_natives_beyond_the_backlog() {
    let (stack, [a, b]) = group(CLONE, 1);
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 10), b);
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 11), b);
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    assert_eq!(close(&stack, a), [End::Moved(b), End::Moved(b)]);
    assert_eq!(stack.queue_len(b), Ok((4, 1)));
    assert_eq!(accept_all(&stack, b), [10, 11, 1, 2]);
    finish(stack, &[b]);
}

#[test]
fn clone_moves_a_connection_as_often_as_its_listener_stops() {
    let (stack, [a, b, c]) = group(CLONE, 8);
    assert_eq!(deliver_at(&stack, (0, 3), (1, 2), 1), a);
    assert_eq!(close(&stack, a), [End::Moved(b)]);
    assert_eq!(close(&stack, b), [End::Moved(c)]);
    // Nobody is left: one failure a connection.
    assert_eq!(close(&stack, c), [End::Aborted(1)]);
    assert_eq!(migrated(&stack), (2, 1));
    finish(stack, &[]);
}

#[test]
fn clone_chooses_again_for_each_step() {
    let (stack, [a, b, c]) = group(CLONE, 8);
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    let mut steps = stack.close(a, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Moved(c)));
    assert_eq!(close(&stack, c), [End::Moved(b)]);
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    assert!(steps.next().is_none());
    drop(steps);
    assert_eq!(accept_all(&stack, b), [1, 2]);
    finish(stack, &[b]);
}

#[test]
fn clone_finds_nobody_in_a_group_that_began_after_the_last_left() {
    let (stack, [a]) = group(CLONE, 8);
    assert_eq!(deliver(&stack, 1), Ok(a));
    let steps = stack.close(a, HERE).unwrap();
    let newcomer = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Aborted(1)]);
    assert_eq!(migrated(&stack), (0, 1));
    finish(stack, &[newcomer]);
}

#[test]
fn a_shut_socket_that_listens_again_takes_part_again() {
    let (stack, [a, b]) = group(CLONE, 8);
    assert_eq!(deliver(&stack, 1), Ok(a));
    assert_eq!(shutdown(&stack, a), [End::Moved(b)]);
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(close(&stack, b), [End::Moved(a)]);
    assert_eq!(accept_all(&stack, a), [1]);
    finish(stack, &[a]);
}

#[test]
fn the_switch_is_looked_at_when_a_listener_stops_and_at_each_choice() {
    for (at_stop, at_step, counted) in
        [(true, true, (1, 0)), (true, false, (0, 1)), (false, true, (0, 0)), (false, false, (0, 0))]
    {
        let (stack, [a, b]) = group(CLONE, 8);
        assert_eq!(deliver(&stack, 1), Ok(a));
        stack.set_migrate_req(at_stop);
        let steps = stack.close(a, HERE).unwrap();
        stack.set_migrate_req(at_step);
        let expected = if at_stop && at_step { End::Moved(b) } else { End::Aborted(1) };
        assert_eq!(steps.map(end).collect::<Vec<_>>(), [expected]);
        assert_eq!(migrated(&stack), counted);
        finish(stack, &[b]);
    }
}

#[test]
fn a_listener_that_stopped_with_the_switch_off_leaves_its_group() {
    let (mut stack, [a, b]) = group(CLONE, 8);
    stack.set_migrate_req(false);
    assert_eq!(shutdown(&stack, a), []);
    let graph = stack.graph_mut();
    assert_eq!(graph.listeners[a.index() as usize].group, None);
    let group = graph.listeners[b.index() as usize].group.unwrap();
    let group = &graph.groups[group as usize];
    assert_eq!((group.num_socks, group.num_closed_socks), (1, 0));
    assert_eq!(stack.listen(a, 1), Ok(()));
    finish(stack, &[a, b]);
}

#[test]
fn only_clone_as_merged_forgets_to_wake() {
    for (wakeup, woken) in [(Wakeup::Missing, false), (Wakeup::ThroughRequest, true), (Wakeup::Held, true)] {
        let (stack, [a, b]) = group(Design::Clone(CloneFixes { wakeup, ..CloneFixes::AS_FIXED }), 8);
        assert_eq!(deliver(&stack, 1), Ok(a));
        let wakes: Vec<_> = stack
            .close(a, HERE)
            .unwrap()
            .map(|outcome| match outcome {
                Outcome::Moved { to, wake } => (to, wake.map(|wake| wake.listener())),
                Outcome::Spliced { .. } | Outcome::HandedOver { .. } | Outcome::Aborted(_) => {
                    panic!("the connection has a target")
                }
            })
            .collect();
        assert_eq!(wakes, [(b, woken.then_some(b))]);
        finish(stack, &[b]);
    }
}
