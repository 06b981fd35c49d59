//! Rules 19 to 24: half-open requests whose listener stops.

use super::*;

/// As a timer's outcome.
const fn again(timeouts: u32) -> Result<SynAckTimer, SockError> {
    Ok(SynAckTimer::Retransmit { timeouts })
}

/// Two listeners; the first has the requests of clients 1 and 2, and stops.
fn left_behind(stop: fn(&TestStack, Listener) -> Vec<End>) -> (TestStack, [Listener; 2], [Request; 2]) {
    let (stack, ids) = group(8);
    let requests = [1, 2].map(|client| syn(&stack, arrival(client)));
    assert_eq!(stop(&stack, ids[0]), []);
    (stack, ids, requests)
}

const STOPS: [fn(&TestStack, Listener) -> Vec<End>; 2] = [close, shutdown];

/// Rule 19: nothing half open moves when its listener stops; it does at its final ACK, with data or without, or
/// when its timer goes off.
#[test]
fn rule_19_a_half_open_request_moves_when_it_is_looked_at() {
    for stop in STOPS {
        let (mut stack, [a, b], [timer, _]) = left_behind(stop);
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((2, 2), (0, 0)));
        counted(&stack, NOTHING);
        assert_eq!(stack.synack_timer(timer, 5, HERE), again(1));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((1, 1), (1, 0)));
        counted(&stack, Snapshot { TCPTimeouts: 1, TCPMigrateReqSuccess: 1, ..NOTHING });
        assert_eq!(ack(&stack, 2), Ok(b));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (1, 0)));
        // The other one has its new listener: it does not migrate again.
        assert_eq!(ack(&stack, 1), Ok(b));
        assert_eq!(accept_all(&stack, b), [2, 1]);
        counted(&stack, Snapshot { PassiveOpens: 2, TCPTimeouts: 1, TCPMigrateReqSuccess: 2, ..NOTHING });
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

/// Rule 19: if its listener listens again by then, it is done there as if nothing had been.
#[test]
fn rule_19_a_listener_that_is_back_completes_its_own() {
    let (mut stack, [a, b], [timer, _]) = left_behind(shutdown);
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(stack.synack_timer(timer, 5, HERE), again(1));
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((2, 1), (0, 0)));
    assert_eq!([2, 1].map(|client| ack(&stack, client)), [Ok(a); 2]);
    assert_eq!(accept_all(&stack, a), [2, 1]);
    counted(&stack, Snapshot { PassiveOpens: 2, TCPTimeouts: 1, ..NOTHING });
    finish(stack, &[a, b]);
}

/// Rule 20: whether it migrates is asked when it is looked at; where it may not by then, it is given up and
/// counted.
#[test]
fn rule_20_the_switch_is_looked_at_again_for_a_half_open_request() {
    for stop in STOPS {
        let (mut stack, [a, b], [timer, _]) = left_behind(stop);
        migration_off(&stack);
        assert_eq!(ack(&stack, 2), Err(Refusal::NoListener));
        assert_eq!(stack.synack_timer(timer, 5, HERE), Ok(SynAckTimer::Dropped));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (0, 0)));
        assert_eq!([1, 2].map(|client| ack(&stack, client)), [Err(Refusal::NoRequest); 2]);
        counted(&stack, Snapshot { TCPMigrateReqFailure: 2, ..NOTHING });
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

/// Rule 20: one whose listener left its group is given up without being counted, even if it could migrate now:
/// at the ACK with a reset, at the timer without.
#[test]
fn rule_20_what_left_its_group_is_given_up_silently() {
    for stop in STOPS {
        let (mut stack, [a, b]) = group(8);
        let [timer, _] = [1, 2].map(|client| syn(&stack, arrival(client)));
        migration_off(&stack);
        assert_eq!(stop(&stack, a), []);
        stack.set_migrate_req(true);
        assert_eq!(ack(&stack, 2), Err(Refusal::NoListener));
        assert_eq!(stack.synack_timer(timer, 5, HERE), Ok(SynAckTimer::Dropped));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (0, 0)));
        counted(&stack, NOTHING);
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

/// Rule 21: a final ACK whose target is full counts three times an attempt, and its request stays where it
/// was; a later one may still find room.
#[test]
fn rule_21_a_full_target_leaves_the_request_with_its_old_listener() {
    let (mut stack, [a, b], _) = left_behind(close);
    assert_eq!(stack.listen(b, 0), Ok(()));
    assert_eq!(connect(&stack, arrival(9), 9), Ok(b));
    for times in 1..=3 {
        assert_eq!(ack(&stack, 2), Err(Refusal::AcceptQueueFull));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((2, 2), (0, 0)));
        let drops = Snapshot { ListenOverflows: times, ListenDrops: times, ..NOTHING };
        counted(&stack, Snapshot { PassiveOpens: 1, TCPMigrateReqFailure: times, ..drops });
    }
    assert_eq!(stack.accept(b), Ok(Some(9)));
    assert_eq!(ack(&stack, 2), Ok(b));
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((1, 1), (0, 0)));
    let drops = Snapshot { ListenOverflows: 3, ListenDrops: 3, ..NOTHING };
    counted(&stack, Snapshot { PassiveOpens: 2, TCPMigrateReqSuccess: 1, TCPMigrateReqFailure: 3, ..drops });
    assert_eq!((accept_all(&stack, b), reset(&stack, 1)), (vec![2], Ok(())));
    finish(stack, &[b]);
}

/// Rule 22: at the timer it migrates whatever its target's accept queue holds.
#[test]
fn rule_22_the_timer_migrates_to_a_full_target() {
    let (mut stack, [a, b], [one, other]) = left_behind(close);
    assert_eq!(stack.listen(b, 0), Ok(()));
    assert_eq!(connect(&stack, arrival(9), 9), Ok(b));
    assert_eq!([one, other].map(|request| stack.synack_timer(request, 5, HERE)), [again(1); 2]);
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (2, 0)));
    let moved = Snapshot { PassiveOpens: 1, TCPTimeouts: 2, TCPMigrateReqSuccess: 2, ..NOTHING };
    counted(&stack, moved);
    // It is the target's now, and an ACK that finds it full is no failure to migrate.
    assert_eq!(ack(&stack, 1), Err(Refusal::AcceptQueueFull));
    counted(&stack, Snapshot { ListenOverflows: 1, ListenDrops: 1, ..moved });
    assert_eq!(stack.accept(b), Ok(Some(9)));
    assert_eq!((ack(&stack, 1), reset(&stack, 2)), (Ok(b), Ok(())));
    assert_eq!(accept_all(&stack, b), [1]);
    finish(stack, &[b]);
}

/// Rule 22: from then on it is its new listener that says whether to wait for data.
#[test]
fn rule_22_whether_to_wait_for_data_is_the_new_listeners() {
    for (old, new) in [(0, 3), (3, 0)] {
        let (stack, [a, b], [timer, _]) = {
            let (stack, ids) = group(8);
            let requests = [1, 2].map(|client| syn(&stack, arrival(client)));
            assert_eq!(stack.set_defer_accept(ids[0], old), Ok(()));
            assert_eq!(stack.set_defer_accept(ids[1], new), Ok(()));
            (stack, ids, requests)
        };
        let deferred = u32::from(old != 0);
        if old != 0 {
            assert_eq!(ack(&stack, 1), Err(Refusal::Deferred));
        }
        assert_eq!(close(&stack, a), []);
        assert_eq!(stack.synack_timer(timer, 5, HERE), again(1));
        let expected = if new == 0 { Ok(b) } else { Err(Refusal::Deferred) };
        assert_eq!([1, 2].map(|client| ack(&stack, client)), [expected; 2]);
        let deferred = if new == 0 { deferred } else { deferred + 2 };
        let opened = Snapshot { PassiveOpens: if new == 0 { 2 } else { 0 }, ..NOTHING };
        let moved = if new == 0 { 2 } else { 1 };
        counted(
            &stack,
            Snapshot { TCPTimeouts: 1, TCPMigrateReqSuccess: moved, TCPDeferAcceptDrop: deferred, ..opened },
        );
        for client in [1, 2] {
            assert_eq!(reset(&stack, client).is_ok(), new != 0);
        }
        accept_all(&stack, b);
        finish(stack, &[b]);
    }
}

/// Rule 22: it counts among its new listener's when that decides how long old ones are kept; one that is too old
/// there is given up, which is a failure to migrate.
#[test]
fn rule_22_at_the_timer_its_new_listeners_pressure_counts() {
    for (others, given_up) in [(3, false), (4, true)] {
        let (mut stack, [a, b]) = group(8);
        let request = syn(&stack, arrival(1));
        let clients = 2..2 + others;
        let there = clients.clone().map(|client| syn(&stack, arrival_at((1, 2), (0, 1), client)));
        for other in there.collect::<Vec<_>>() {
            assert_eq!(stack.synack_timer(other, 5, HERE), again(1));
        }
        assert_eq!([1, 2].map(|_| stack.synack_timer(request, 5, HERE)), [again(1), again(2)]);
        assert_eq!(close(&stack, a), []);
        // More than half of the backlog of 8, and none is young: two timeouts are all.
        let outcome = if given_up { Ok(SynAckTimer::Expired) } else { again(3) };
        assert_eq!(stack.synack_timer(request, 5, HERE), outcome);
        let (failed, moved) = (u32::from(given_up), u32::from(!given_up));
        assert_eq!((charges(&mut stack, a), charges(&mut stack, b).0), ((0, 0), (others + moved) as i32));
        let migrated = Snapshot { TCPMigrateReqSuccess: moved, TCPMigrateReqFailure: failed, ..NOTHING };
        counted(&stack, Snapshot { TCPTimeouts: others + 3, ..migrated });
        for client in clients.chain((!given_up).then_some(1)) {
            assert_eq!(reset(&stack, client), Ok(()));
        }
        finish(stack, &[b]);
    }
}

/// Rule 23: Linux's timers go off in the order of its wheel's buckets, and inside one of these the newest
/// first.
///
/// Here time is an argument and there are no buckets, so that this cannot be seen: timers go off in the order
/// of their deadlines, and of equal ones the one that was started first comes first.
#[test]
fn rule_23_timers_go_off_in_the_order_of_their_deadlines() {
    let (stack, [id]) = group(8);
    let starts = [(1, 0), (2, 10), (3, 10), (4, 250)];
    for (client, now) in starts {
        assert!(matches!(stack.syn(arrival(client), Here { cpu: 0, now }), Ok(Syn::New { .. })));
    }
    // One bucket of 32 ms would have 3 and 2 in it, and 1 too.
    let gone_off: Vec<_> = std::iter::from_fn(|| stack.poll(Here { cpu: 0, now: 1_250 }))
        .map(|timed_out| timed_out.tuple)
        .collect();
    assert_eq!(gone_off, [1, 2, 3, 4].map(|client| tuple(addr(), client)));
    counted(&stack, Snapshot { TCPTimeouts: 4, ..NOTHING });
    (1..=4).for_each(|client| assert_eq!(reset(&stack, client), Ok(())));
    finish(stack, &[id]);
}

/// Rule 24: a SYN that got a cookie has no request, no listener and no timer, so that nothing of it migrates.
#[test]
fn rule_24_nothing_is_remembered_of_a_cookie() {
    let (mut stack, [a, b]) = group(8);
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Always, ..stack.sysctl() });
    assert_eq!(cookie(&stack, arrival(1), HERE), a);
    assert_eq!((charges(&mut stack, a), stack.next_deadline()), ((0, 0), None));
    assert_eq!(close(&stack, a), []);
    // Nothing keeps the closed listener, either.
    assert_eq!(graph(&mut stack).listeners[a.index() as usize].refs, 0);
    assert_eq!((ack(&stack, 1), reset(&stack, 1)), (Err(Refusal::NoRequest), Err(Refusal::NoRequest)));
    let cookie = stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(delivered(cookie.believe(1), 1), Ok(b));
    assert_eq!(accept_all(&stack, b), [1]);
    counted(
        &stack,
        Snapshot {
            TCPReqQFullDoCookies: 1,
            SyncookiesSent: 1,
            SyncookiesRecv: 1,
            PassiveOpens: 1,
            ..NOTHING
        },
    );
    finish(stack, &[b]);
}
