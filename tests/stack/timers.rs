//! SYN-ACK timers that the stack keeps: when they go off, in which order, and whatever the clock does.

use super::*;
use crate::common::retries_left;
use std::collections::BTreeMap;

fn now(now: u64) -> Here {
    Here { cpu: 0, now }
}

/// A SYN at `at` that must make a request.
fn syn_at(stack: &TestStack, client: u32, at: u64) -> Request {
    match stack.syn(arrival(client), now(at)) {
        Ok(Syn::New { request, .. }) => request,
        other => panic!("{:?}", other.map(drop)),
    }
}

/// What went off at `at`, all of it.
fn poll_all(stack: &TestStack, at: u64) -> Vec<(Request, SynAckTimer)> {
    std::iter::from_fn(|| stack.poll(now(at)))
        .map(|timed_out| (timed_out.request, timed_out.outcome))
        .collect()
}

const fn again(timeouts: u32) -> SynAckTimer {
    SynAckTimer::Retransmit { timeouts }
}

fn one() -> (TestStack, Listener) {
    let stack = stack(Design::Linux);
    let id = stack.listen_at(addr(), 64, true).unwrap();
    (stack, id)
}

#[test]
fn a_timer_runs_twice_as_long_each_time_and_expires_after_the_retries() {
    for retries in 0..=8 {
        let (stack, id) = one();
        stack.set_sysctl(Sysctl { tcp_synack_retries: retries, ..stack.sysctl() });
        assert_eq!(stack.next_deadline(), None);
        let request = syn_at(&stack, 1, 7);
        let mut deadline = 7;
        for (timeouts, seconds) in (0..=retries).zip([1, 2, 4, 8, 16, 32, 64, 120, 120]) {
            deadline += seconds * 1_000;
            assert_eq!(stack.next_deadline(), Some(deadline));
            assert_eq!(poll_all(&stack, deadline - 1), []);
            let outcome = if timeouts == retries { SynAckTimer::Expired } else { again(timeouts + 1) };
            assert_eq!(poll_all(&stack, deadline), [(request, outcome)]);
        }
        assert_eq!((stack.next_deadline(), ack(&stack, 1)), (None, Err(Refusal::NoRequest)));
        assert_eq!(stack.counters(), Snapshot { TCPTimeouts: retries + 1, ..Snapshot::default() });
        finish(stack, &[id]);
    }
}

#[test]
fn who_asks_late_is_told_once_and_the_next_time_counts_from_then() {
    let (stack, id) = one();
    let request = syn_at(&stack, 1, 0);
    assert_eq!(poll_all(&stack, 1_000_000), [(request, again(1))]);
    assert_eq!(stack.next_deadline(), Some(1_002_000));
    assert_eq!(reset(&stack, 1), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn the_earliest_goes_off_first_and_of_equal_ones_the_one_that_was_started_first() {
    let (stack, id) = one();
    let old = syn_at(&stack, 1, 0);
    assert_eq!(poll_all(&stack, 1_000), [(old, again(1))]);
    // It is due at 3 s, as are those that come at 2 s.
    let [second, third] = [2, 3].map(|client| syn_at(&stack, client, 2_000));
    let first = syn_at(&stack, 4, 2_000);
    assert_eq!(reset(&stack, 2), Ok(()));
    assert_eq!(stack.synack_timer(second, 5, HERE), Err(SockError::Stale));
    assert_eq!(poll_all(&stack, 3_000), [(third, again(1)), (first, again(1)), (old, again(2))]);
    for client in [1, 3, 4] {
        assert_eq!(reset(&stack, client), Ok(()));
    }
    assert_eq!(stack.next_deadline(), None);
    finish(stack, &[id]);
}

#[test]
fn a_duplicate_syn_starts_the_timer_anew() {
    let (stack, id) = one();
    let request = syn_at(&stack, 1, 0);
    let duplicate =
        |at| assert!(matches!(stack.syn(arrival(1), now(at)), Ok(Syn::Duplicate(id)) if id == request));
    duplicate(600);
    assert_eq!((stack.next_deadline(), poll_all(&stack, 1_599)), (Some(1_600), vec![]));
    assert_eq!(poll_all(&stack, 1_600), [(request, again(1))]);
    // For as long as it would have run: it is no younger for that.
    duplicate(2_000);
    assert_eq!(stack.next_deadline(), Some(4_000));
    assert_eq!(poll_all(&stack, 4_000), [(request, again(2))]);
    assert_eq!(reset(&stack, 1), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn an_ack_a_reset_and_an_expiry_stop_the_timer() {
    let (stack, id) = one();
    syn_at(&stack, 1, 0);
    assert_eq!(ack(&stack, 1), Ok(id));
    assert_eq!(stack.next_deadline(), None);
    syn_at(&stack, 2, 0);
    assert_eq!(reset(&stack, 2), Ok(()));
    assert_eq!(stack.next_deadline(), None);
    let expires = syn_at(&stack, 3, 0);
    assert_eq!(stack.synack_timer(expires, 0, HERE), Ok(SynAckTimer::Expired));
    assert_eq!((stack.next_deadline(), poll_all(&stack, u64::MAX)), (None, vec![]));
    assert_eq!(accept_all(&stack, id), [1]);
    finish(stack, &[id]);
}

#[test]
fn a_time_that_runs_backwards_counts_as_the_newest_and_is_counted() {
    let (stack, id) = one();
    let request = syn_at(&stack, 1, 10_000);
    // A second may be two CPUs.
    assert_eq!(poll_all(&stack, 9_000), []);
    assert_eq!(stack.counters().ClockBackwards, 0);
    for (counted, earlier) in (1..).zip([8_999, 0]) {
        assert_eq!(poll_all(&stack, earlier), []);
        assert_eq!(stack.counters().ClockBackwards, counted);
    }
    // What comes by the old clock is due by the new one.
    let late = syn_at(&stack, 2, 3);
    assert_eq!((stack.counters().ClockBackwards, stack.next_deadline()), (3, Some(11_000)));
    assert_eq!(poll_all(&stack, 11_000), [(request, again(1)), (late, again(1))]);
    assert_eq!((reset(&stack, 1), reset(&stack, 2)), (Ok(()), Ok(())));
    finish(stack, &[id]);
}

#[test]
fn at_the_end_of_time_everything_is_due_and_nothing_is_lost() {
    let (stack, id) = one();
    let request = syn_at(&stack, 1, u64::MAX);
    assert_eq!(stack.next_deadline(), Some(u64::MAX));
    let expected = (1..=5).map(again).chain([SynAckTimer::Expired]).map(|outcome| (request, outcome));
    assert_eq!(poll_all(&stack, u64::MAX), expected.collect::<Vec<_>>());
    let next = syn_at(&stack, 2, 0);
    assert_eq!((stack.next_deadline(), stack.counters().ClockBackwards), (Some(u64::MAX), 1));
    assert_eq!(stack.synack_timer(next, 0, now(u64::MAX)), Ok(SynAckTimer::Expired));
    finish(stack, &[id]);
}

/// Each goes off as often as it may, in order of time, and expires once.
#[test]
fn of_many_requests_all_expire_and_none_twice() {
    const MANY: u32 = 500;
    let sizes = Sizes { requests: MANY as usize, ehash: 64, ..ENOUGH };
    let stack = stack_of(sizes, Design::Linux);
    // So much that none is pruned.
    let id = stack.listen_at(addr(), 4096, true).unwrap();
    let mut went_off = BTreeMap::<_, Vec<SynAckTimer>>::new();
    let (mut began, mut last) = (0, 0);
    let mut poll_until = |until: u64, went_off: &mut BTreeMap<_, Vec<_>>| {
        while let Some(deadline) = stack.next_deadline().filter(|&deadline| deadline <= until) {
            assert!(deadline >= last);
            last = deadline;
            for (request, outcome) in poll_all(&stack, deadline) {
                went_off.get_mut(&(request.index(), request.generation())).unwrap().push(outcome);
            }
        }
        last
    };
    for client in 0..MANY {
        // A plain sequence that does not repeat soon.
        began += u64::from(client.wrapping_mul(0x9e37_79b9) >> 24);
        poll_until(began, &mut went_off);
        let request = syn_at(&stack, client, began);
        went_off.insert((request.index(), request.generation()), vec![]);
    }
    assert_eq!(poll_until(u64::MAX, &mut went_off), began + 63_000);
    assert_eq!(went_off.len(), MANY as usize);
    let each: Vec<_> = (1..=5).map(again).chain([SynAckTimer::Expired]).collect();
    assert!(went_off.values().all(|outcomes| *outcomes == each));
    assert_eq!(stack.counters(), Snapshot { TCPTimeouts: 6 * MANY, ..Snapshot::default() });
    finish(stack, &[id]);
}

#[test]
fn who_keeps_the_timers_itself_is_told_nothing() {
    let resources = || Resources {
        listeners: Storage::boxed(1),
        requests: Storage::boxed(1),
        owners: Storage::boxed(1),
        groups: Storage::boxed(1),
        socks: Storage::boxed(Member::<common::TestBackend>::count_for(1)),
        ports: Storage::boxed(1),
        buckets: Storage::boxed(1),
        ehash: Storage::boxed(1),
    };
    let stack =
        Stack::new(resources(), Config { timers: Timers::Embedder, ..Config::migrating(Design::Linux) });
    let id = stack.listen_at(addr(), 8, true).unwrap();
    let request = syn_at(&stack, 1, 0);
    assert_eq!((stack.next_deadline(), poll_all(&stack, u64::MAX)), (None, vec![]));
    assert_eq!(stack.synack_timer(request, 5, HERE), Ok(again(1)));
    assert_eq!((stack.next_deadline(), reset(&stack, 1)), (None, Ok(())));
    finish(stack, &[id]);
}

#[test]
fn old_requests_make_way_under_pressure() {
    let mut pruned = 0;
    for backlog in [0, 3, 8, 9, 15, 16, 64] {
        for qlen in [1, 4, 5, 8, 9, 12, 32] {
            for old in [1, 2, 3, qlen / 2, qlen - 1, qlen] {
                for retries in [0, 1, 2, 3, 5, 9] {
                    if (1..=qlen).contains(&old) {
                        let left = retries_left(retries, qlen as i32, (qlen - old) as i32, backlog);
                        pruned += u32::from(left < retries);
                        assert_eq!(timeouts_of_old(backlog, qlen, old, retries), left.max(1));
                    }
                }
            }
        }
    }
    assert!(pruned > 100, "{pruned}");
}

/// How often one of `old` requests, of `qlen`, times out before it expires.
fn timeouts_of_old(backlog: u32, qlen: u32, old: u32, retries: u32) -> u32 {
    let stack = stack_of(Sizes { requests: qlen as usize, ..ENOUGH }, Design::Linux);
    let id = stack.listen_at(addr(), 64, true).unwrap();
    let requests: Vec<_> = (0..qlen).map(|client| syn_at(&stack, client, 0)).collect();
    for &request in &requests[..old as usize] {
        assert_eq!(stack.synack_timer(request, 9, HERE), Ok(again(1)));
    }
    stack.listen(id, backlog).unwrap();
    let times = (1..).find(|times| match stack.synack_timer(requests[0], retries, HERE) {
        Ok(SynAckTimer::Expired) => true,
        outcome => {
            assert_eq!(outcome, Ok(again(times + 1)));
            false
        }
    });
    for client in 1..qlen {
        assert_eq!(reset(&stack, client), Ok(()));
    }
    finish(stack, &[id]);
    times.unwrap()
}

/// However many retries there are, what they are reduced to is computed at once.
#[test]
fn no_number_of_retries_takes_long() {
    for retries in [u32::MAX, 1 << 31] {
        let stack = stack_of(Sizes { requests: 5, ..ENOUGH }, Design::Linux);
        let id = stack.listen_at(addr(), 8, true).unwrap();
        stack.set_sysctl(Sysctl { tcp_synack_retries: retries, ..stack.sysctl() });
        let requests = [1, 2, 3, 4, 5].map(|client| syn_at(&stack, client, 0));
        // None is young any more after that, so that two retries are left.
        assert_eq!(poll_all(&stack, 1_000), requests.map(|request| (request, again(1))));
        assert_eq!(poll_all(&stack, 3_000), requests.map(|request| (request, again(2))));
        assert_eq!(poll_all(&stack, 7_000).iter().filter(|(_, out)| *out == SynAckTimer::Expired).count(), 1);
        for client in 1..=5 {
            let _ = reset(&stack, client);
        }
        finish(stack, &[id]);
    }
}
