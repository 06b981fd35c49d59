//! Listeners that wait for data. (`TCP_DEFER_ACCEPT`)

use super::*;

fn deferring(timeouts: u32) -> (TestStack, Listener, Request) {
    let stack = stack(Design::Linux);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(stack.set_defer_accept(id, timeouts), Ok(()));
    let request = syn(&stack, arrival(1));
    (stack, id, request)
}

fn data(stack: &TestStack) -> Result<Listener, Refusal> {
    delivered(stack.ack(&tuple(addr(), 1), Payload::Data, HERE, 1), 1)
}

/// Goes on with the timer until the request is given up; returns what came of it each time.
fn timeouts(stack: &TestStack, request: Request, retries: u32) -> Vec<SynAckTimer> {
    let next = || stack.synack_timer(request, retries, HERE).ok();
    std::iter::from_fn(next).collect()
}

const fn wait(timeouts: u32) -> SynAckTimer {
    SynAckTimer::Wait { timeouts }
}

const fn again(timeouts: u32) -> SynAckTimer {
    SynAckTimer::Retransmit { timeouts }
}

#[test]
fn a_bare_ack_is_dropped_and_data_ends_the_handshake() {
    let (mut stack, id, _) = deferring(2);
    for times in 1..=3 {
        assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
        assert_eq!(stack.counters(), Snapshot { TCPDeferAcceptDrop: times, ..Snapshot::default() });
        assert_eq!((charges(&mut stack, id), stack.queue_len(id)), ((1, 1), Ok((0, 8))));
    }
    assert_eq!(data(&stack), Ok(id));
    let expected = Snapshot { TCPDeferAcceptDrop: 3, PassiveOpens: 1, ..Snapshot::default() };
    assert_eq!(stack.counters(), expected);
    finish(stack, &[id]);
}

#[test]
fn after_so_many_timeouts_a_bare_ack_will_do() {
    let (stack, id, request) = deferring(2);
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    // What was acknowledged is not sent again, but for the last time.
    assert_eq!(stack.synack_timer(request, 5, HERE), Ok(wait(1)));
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    assert_eq!(stack.synack_timer(request, 5, HERE), Ok(again(2)));
    assert_eq!(ack(&stack, 1), Ok(id));
    finish(stack, &[id]);
}

/// The request that has a slot next knows nothing of the ACK of the one before.
#[test]
fn an_ack_is_forgotten_with_its_request() {
    let (stack, id, first) = deferring(3);
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    assert_eq!(reset(&stack, 1), Ok(()));
    let second = syn(&stack, arrival(2));
    assert_eq!(second.index(), first.index());
    assert_eq!(stack.synack_timer(second, 5, HERE), Ok(again(1)));
    assert_eq!(reset(&stack, 2), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_and_expires_as_ever() {
    for defer in [1, 3, 10] {
        let (stack, id, request) = deferring(defer);
        let expected: Vec<_> = (1..=5).map(again).chain([SynAckTimer::Expired]).collect();
        assert_eq!(timeouts(&stack, request, 5), expected);
        finish(stack, &[id]);
    }
}

/// Waiting may be longer than the retries, and what was acknowledged waits for as long as it says.
#[test]
fn what_was_acknowledged_waits_to_the_end_and_is_sent_again_at_last() {
    for (defer, retries) in [(1, 2), (3, 3), (3, 5), (7, 3), (10, 0), (20, 5)] {
        let (stack, id, request) = deferring(defer);
        assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
        let waits = (1..defer).map(wait);
        let sent = (defer..=defer.max(retries)).map(again);
        let expected: Vec<_> = waits.chain(sent).chain([SynAckTimer::Expired]).collect();
        assert_eq!(timeouts(&stack, request, retries), expected, "{defer} {retries}");
        finish(stack, &[id]);
    }
}

#[test]
fn it_is_asked_for_again_each_time_and_stays_set() {
    let (stack, id, request) = deferring(u32::MAX);
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    assert_eq!(stack.synack_timer(request, 0, HERE), Ok(wait(1)));
    assert_eq!((shutdown(&stack, id), stack.listen(id, 8)), (vec![], Ok(())));
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    assert_eq!(stack.set_defer_accept(id, 0), Ok(()));
    assert_eq!(ack(&stack, 1), Ok(id));
    assert_eq!(accept_all(&stack, id), [1]);
    // The next socket in the slot does not wait.
    assert_eq!(stack.set_defer_accept(id, 9), Ok(()));
    assert_eq!(close(&stack, id), []);
    let next = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(next.index(), id.index());
    syn(&stack, arrival(1));
    assert_eq!(ack(&stack, 1), Ok(next));
    finish(stack, &[next]);
}

/// It is looked at before the accept queue.
#[test]
fn who_waits_for_data_does_not_overflow() {
    let (stack, id, _) = deferring(2);
    assert_eq!(deliver(&stack, 9), Ok(id));
    assert_eq!(stack.listen(id, 0), Ok(()));
    assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
    assert_eq!(stack.counters(), Snapshot { TCPDeferAcceptDrop: 1, ..Snapshot::default() });
    assert_eq!(data(&stack), Err(Refusal::AcceptQueueFull));
    assert_eq!(stack.accept(id), Ok(Some(9)));
    assert_eq!(data(&stack), Ok(id));
    finish(stack, &[id]);
}
