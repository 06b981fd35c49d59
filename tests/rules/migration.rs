//! Rules 14 to 17: what waits to be accepted when its listener stops.

use super::*;

const STOPS: [fn(&TestStack, Listener) -> Vec<End>; 2] = [close, shutdown];

/// Rule 14: the oldest first, each to the member that its connection's hash falls on among those that are left,
/// behind those that wait there.
#[test]
fn rule_14_each_goes_by_its_own_hash_to_the_tail_of_its_target() {
    for stop in STOPS {
        let (mut stack, [a, b, c, d]) = group(8);
        for (client, place) in [(90, 1), (91, 2), (92, 3)] {
            connect(&stack, arrival_at((place, 4), (0, 1), client), client).unwrap();
        }
        // D takes A's place: [D, B, C].
        let falls_on = [(1, 2), (2, 0), (3, 1), (4, 2), (5, 1)];
        for (client, target) in falls_on {
            assert_eq!(connect(&stack, arrival_at((0, 4), (target, 3), client), client), Ok(a));
        }
        assert_eq!(stop(&stack, a), [c, d, b, c, b].map(End::Moved));
        assert_eq!(accept_all(&stack, d), [92, 2]);
        assert_eq!(accept_all(&stack, b), [90, 3, 5]);
        assert_eq!(accept_all(&stack, c), [91, 1, 4]);
        counted(&stack, Snapshot { PassiveOpens: 8, TCPMigrateReqSuccess: 5, ..NOTHING });
        close_shut(&stack, a);
        assert_eq!(sections(&mut stack, d), (slots([d, b, c]), vec![]));
        finish(stack, &[b, c, d]);
    }
}

/// Rule 15: the target's backlog is not minded by what migrates; new connections are turned away until those
/// were accepted.
#[test]
fn rule_15_the_targets_backlog_is_not_checked() {
    let (stack, ids @ [.., last]) = group::<4>(1);
    for (client, place) in (0..8).zip([0, 0, 1, 1, 2, 2, 3, 3]) {
        assert_eq!(connect(&stack, arrival_at((place, 4), (0, 1), client), client), Ok(ids[place as usize]));
    }
    // The last member has the first place from the first one's leaving on.
    for id in [ids[0], ids[1], ids[2]] {
        assert_eq!(close(&stack, id), [End::Moved(last); 2]);
    }
    assert_eq!(stack.queue_len(last), Ok((8, 1)));
    let moved = Snapshot { PassiveOpens: 8, TCPMigrateReqSuccess: 6, ..NOTHING };
    counted(&stack, moved);
    let mut accepted = Vec::new();
    for overflows in 1..=7 {
        assert_eq!(connect(&stack, arrival(99), 99), Err(Refusal::AcceptQueueFull));
        counted(&stack, Snapshot { ListenOverflows: overflows, ListenDrops: overflows, ..moved });
        accepted.extend(stack.accept(last).unwrap());
    }
    // One waits, and a backlog of 1 has room for another.
    assert_eq!(connect(&stack, arrival(99), 99), Ok(last));
    accepted.extend(accept_all(&stack, last));
    assert_eq!(accepted, [6, 7, 0, 1, 2, 3, 4, 5, 99]);
    finish(stack, &[last]);
}

/// Rule 16: whatever state a connection is in, it migrates, and its target is woken for each.
///
/// What happened to an established one since its handshake is the embedder's, and not looked into; the
/// fast-open ones are one that goes on, one that is done and one that its client has reset.
#[test]
fn rule_16_every_connection_moves_whatever_its_state() {
    for stop in STOPS {
        let (mut stack, [a, b]) = group(8);
        set_fastopen(&stack, [a, b], 8);
        assert_eq!(connect(&stack, arrival(1), 1), Ok(a));
        let [goes_on, done, reset] =
            [2, 3, 4].map(|client| open_fast(&stack, arrival(client), client).unwrap().1);
        assert_eq!(stack.fastopen_remove(done, HandshakeEnd::Done, HERE), Ok(()));
        assert_eq!(stack.fastopen_remove(reset, HandshakeEnd::Reset, HERE), Ok(()));
        // `End::Moved` is of one that woke its target.
        assert_eq!(stop(&stack, a), [End::Moved(b); 4]);
        assert_eq!((fastopenq(&mut stack, a), fastopenq(&mut stack, b)), ((0, 0), (1, 0)));
        assert_eq!(accept_all(&stack, b), [1, 2, 3, 4]);
        assert_eq!(stack.fastopen_remove(goes_on, HandshakeEnd::Done, HERE), Ok(()));
        assert_eq!(fastopenq(&mut stack, b), (0, 0));
        let opened = Snapshot { PassiveOpens: 4, TCPFastOpenPassive: 3, ..NOTHING };
        counted(&stack, Snapshot { TCPMigrateReqSuccess: 4, ..opened });
        close_shut(&stack, a);
        finish(stack, &[b]);
    }
}

/// Rule 17: where nobody is left each connection is a failure, if it could have migrated when its listener
/// stopped; otherwise nothing is counted. The client is reset either way.
#[test]
fn rule_17_a_failure_is_counted_only_for_what_could_have_migrated() {
    for (migrate, failures) in [(true, 3), (false, 0)] {
        for stop in STOPS {
            let (stack, [a]) = group(8);
            stack.set_migrate_req(migrate);
            connect_all(&stack, 0..3, a);
            assert_eq!(stop(&stack, a), [0, 1, 2].map(End::Aborted));
            counted(&stack, Snapshot { PassiveOpens: 3, TCPMigrateReqFailure: failures, ..NOTHING });
            close_shut(&stack, a);
            finish(stack, &[]);
        }
    }
}

/// Rule 17: the switch is looked at again for each connection: one that is off by then makes failures, one
/// that is on too late changes nothing.
#[test]
fn rule_17_the_switch_is_looked_at_again_for_each_connection() {
    let (stack, [a, b]) = group(8);
    connect_all(&stack, [1, 2, 3], a);
    let mut steps = stack.close(a, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    stack.set_migrate_req(false);
    assert_eq!(steps.next().map(end), Some(End::Aborted(2)));
    stack.set_migrate_req(true);
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    assert_eq!(steps.next().map(end), None);
    drop(steps);
    let moved = Snapshot { TCPMigrateReqSuccess: 2, TCPMigrateReqFailure: 1, ..NOTHING };
    counted(&stack, Snapshot { PassiveOpens: 3, ..moved });
    // The last listener had left its group by the time that it was switched on.
    stack.set_migrate_req(false);
    let steps = stack.close(b, HERE).unwrap();
    stack.set_migrate_req(true);
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [1, 3].map(End::Aborted));
    counted(&stack, Snapshot { PassiveOpens: 3, ..moved });
    finish(stack, &[]);
}
