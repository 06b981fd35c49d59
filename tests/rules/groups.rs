//! Rules 5 to 9, 12: who is in which group.

use super::*;
use crate::common::Sizes;

/// Rule 5: the last member takes the place of one that leaves, and who listens again comes last.
#[test]
fn rule_5_the_last_takes_the_place_and_who_comes_back_comes_last() {
    let (mut stack, [a, b, c, d]) = group(8);
    assert_eq!(sections(&mut stack, a), (slots([a, b, c, d]), vec![]));
    assert_eq!(shutdown(&stack, b), []);
    assert_eq!(sections(&mut stack, a), (slots([a, d, c]), slots([b])));
    // As the hash sees it.
    for (place, id) in (0..).zip([a, d, c]) {
        assert_eq!(connect(&stack, arrival_at((place, 3), (0, 1), place), place), Ok(id));
    }
    assert_eq!(stack.listen(b, 8), Ok(()));
    assert_eq!(sections(&mut stack, a), (slots([a, d, c, b]), vec![]));
    // The last one leaves a hole for nobody.
    assert_eq!(shutdown(&stack, b), []);
    assert_eq!(sections(&mut stack, a), (slots([a, d, c]), slots([b])));
    finish(stack, &[a, b, c, d]);
}

/// Rule 5: among those that do not listen the newest takes the place of one that leaves.
#[test]
fn rule_5_the_closed_section_swaps_by_its_own_rule() {
    for (leaves, left) in [(0, [1, 2]), (1, [2, 0]), (2, [1, 0])] {
        let (mut stack, [a, b, c, d]) = group(8);
        let shut = [a, b, c];
        shut.iter().for_each(|&id| assert_eq!(shutdown(&stack, id), []));
        assert_eq!(sections(&mut stack, d), (slots([d]), slots([c, b, a])));
        assert_eq!(stack.listen(shut[leaves], 8), Ok(()));
        assert_eq!(sections(&mut stack, d), (slots([d, shut[leaves]]), slots(left.map(|at| shut[at]))));
        finish(stack, &[a, b, c, d]);
    }
}

/// Rule 5: in a full group the newest of them gives way to who joins.
#[test]
fn rule_5_the_newest_of_the_closed_gives_way_in_a_full_group() {
    let (mut stack, [a, b, c]) = group_of(Sizes { max_socks: 3, ..ENOUGH }, 8);
    assert_eq!((shutdown(&stack, a), shutdown(&stack, b)), (vec![], vec![]));
    let d = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(sections(&mut stack, c), (slots([c, d]), slots([a])));
    assert_eq!(group_slot(&mut stack, b), None);
    counted(&stack, NOTHING);
    finish(stack, &[a, b, c, d]);
}

/// Rule 6: whether a socket that stops stays in its group is decided when it stops.
#[test]
fn rule_6_only_a_socket_whose_connections_migrate_stays_in_its_group() {
    for (at_stop, later) in [(true, false), (false, true)] {
        let (mut stack, [a, b]) = group(8);
        syn(&stack, arrival(1));
        stack.set_migrate_req(at_stop);
        assert_eq!(shutdown(&stack, a), []);
        stack.set_migrate_req(later);
        let closed = if at_stop { slots([a]) } else { vec![] };
        assert_eq!(sections(&mut stack, b), (slots([b]), closed));
        assert_eq!(group_slot(&mut stack, a).is_some(), at_stop);
        assert_eq!(reset(&stack, 1), Ok(()));
        finish(stack, &[a, b]);
    }
}

/// Rule 7: who listens again while others listen joins them, whichever way it left.
#[test]
fn rule_7_who_listens_again_joins_those_that_listen() {
    for migrate in [false, true] {
        let (mut stack, [a, b]) = group(8);
        let group = group_slot(&mut stack, b);
        stack.set_migrate_req(migrate);
        assert_eq!(shutdown(&stack, a), []);
        assert_eq!(stack.listen(a, 8), Ok(()));
        assert_eq!((group_slot(&mut stack, a), group_slot(&mut stack, b)), (group, group));
        assert_eq!(sections(&mut stack, a), (slots([b, a]), vec![]));
        finish(stack, &[a, b]);
    }
}

/// Rule 7: who listens again alone begins a group of its own; those that were shut with it stay behind, and
/// what they held does not find the new one.
#[test]
fn rule_7_who_listens_again_alone_begins_a_new_group() {
    let (mut stack, [a, b]) = group(8);
    let group = group_slot(&mut stack, a);
    let request = syn(&stack, arrival_at((1, 2), (0, 1), 1));
    assert_eq!((shutdown(&stack, a), shutdown(&stack, b)), (vec![], vec![]));
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_ne!(group_slot(&mut stack, a), group);
    assert_eq!(group_slot(&mut stack, b), group);
    assert_eq!(sections(&mut stack, b), (vec![], slots([b])));
    assert_eq!(stack.synack_timer(request, 5, HERE), Ok(SynAckTimer::Dropped));
    counted(&stack, Snapshot { TCPMigrateReqFailure: 1, ..NOTHING });
    // Who comes after it joins it.
    assert_eq!(stack.listen(b, 8), Ok(()));
    assert_eq!(sections(&mut stack, a), (slots([a, b]), vec![]));
    finish(stack, &[a, b]);
}

/// Rule 8: a closed listener stays in the closed section for as long as a half-open request names it.
#[test]
fn rule_8_a_closed_listener_stays_until_its_last_request_has_gone() {
    let ends: [fn(&TestStack, Request); 3] = [
        |stack, _| assert_eq!(reset(stack, 2), Ok(())),
        |stack, request| assert!(matches!(stack.synack_timer(request, 0, HERE), Ok(SynAckTimer::Expired))),
        |stack, _| assert!(ack(stack, 2).is_ok()),
    ];
    for end in ends {
        let (mut stack, [a, b]) = group(8);
        let [_, last] = [1, 2].map(|client| syn(&stack, arrival(client)));
        assert_eq!(close(&stack, a), []);
        assert_eq!(stack.queue_len(a), Err(SockError::Stale));
        assert_eq!(sections(&mut stack, b), (slots([b]), slots([a])));
        assert_eq!(ack(&stack, 1), Ok(b));
        assert_eq!(sections(&mut stack, b), (slots([b]), slots([a])));
        end(&stack, last);
        assert_eq!(sections(&mut stack, b), (slots([b]), vec![]));
        assert_eq!(graph(&mut stack).listeners[a.index() as usize].refs, 0);
        finish(stack, &[b]);
    }
}

/// Rule 8: without one it leaves at once.
#[test]
fn rule_8_a_closed_listener_that_nothing_names_leaves_at_once() {
    let (mut stack, [a, b]) = group(8);
    assert_eq!(connect(&stack, arrival(1), 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Moved(b)]);
    assert_eq!(sections(&mut stack, b), (slots([b]), vec![]));
    finish(stack, &[b]);
}

/// Rule 9: a socket that found its port by itself has none after a shutdown, and is elsewhere when it listens
/// again.
#[test]
fn rule_9_a_found_port_is_another_one_the_next_time() {
    let mut stack = stack(Design::Linux);
    let shares = SockOptions { reuseport: true, v6only: false };
    let id = stack.open(shares).unwrap();
    let first = stack.bind_any(id, addr(), [80, 81]).unwrap();
    assert_eq!(stack.listen(id, 8), Ok(()));
    let other = stack.listen_at(first, 8, true).unwrap();
    let group = group_slot(&mut stack, other);
    assert_eq!((first, group_slot(&mut stack, id)), (addr(), group));
    assert_eq!(shutdown(&stack, id), []);
    assert_eq!(stack.listen(id, 8), Err(ListenError::NotBound));
    assert_eq!(stack.bind_any(id, addr(), [80, 81]), Ok(at("127.0.0.1:81")));
    assert_eq!(stack.listen(id, 8), Ok(()));
    assert_ne!(group_slot(&mut stack, id), group);
    finish(stack, &[id, other]);
}

/// Rule 9: the port of a listener that was shut down and had asked for it is not to be had by a socket that
/// does not share it.
#[test]
fn rule_9_a_shut_listener_keeps_the_port_that_it_asked_for() {
    let (stack, [a]) = group(8);
    assert_eq!(shutdown(&stack, a), []);
    assert_eq!(stack.listen_at(addr(), 8, false), Err(ListenError::AddrInUse));
    assert_eq!(stack.listen_at(at("0.0.0.0:80"), 8, false), Err(ListenError::AddrInUse));
    let shares = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(close(&stack, a), []);
    assert_eq!(close(&stack, shares), []);
    let alone = stack.listen_at(addr(), 8, false).unwrap();
    finish(stack, &[alone]);
}

/// Rule 12: another address, or address family, is another group: nothing migrates there, though what is new
/// goes there.
#[test]
fn rule_12_nothing_migrates_to_another_address_where_new_connections_go() {
    for wildcard in ["0.0.0.0:80", "[::]:80"] {
        let (mut stack, [a]) = group(8);
        let any = stack.listen_at(at(wildcard), 8, true).unwrap();
        assert_ne!(group_slot(&mut stack, a), group_slot(&mut stack, any));
        assert_eq!(connect(&stack, arrival(1), 1), Ok(a));
        let [_, timer] = [2, 3].map(|client| syn(&stack, arrival(client)));
        assert_eq!(close(&stack, a), [End::Aborted(1)]);
        assert_eq!(ack(&stack, 2), Err(Refusal::NoListener));
        assert_eq!(stack.synack_timer(timer, 5, HERE), Ok(SynAckTimer::Dropped));
        counted(&stack, Snapshot { PassiveOpens: 1, TCPMigrateReqFailure: 3, ..NOTHING });
        assert_eq!(connect(&stack, arrival(4), 4), Ok(any));
        assert_eq!(accept_all(&stack, any), [4]);
        finish(stack, &[any]);
    }
}
