//! Our other design: everything goes to one heir, at once.

use super::*;
use rskq::request::Link;

fn group_of<const N: usize>(sizes: Sizes) -> (TestStack, [Listener; N]) {
    let stack = stack_of(sizes, Design::Handover);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), 8, true).unwrap());
    (stack, listeners)
}

fn group<const N: usize>() -> (TestStack, [Listener; N]) {
    group_of(ENOUGH)
}

/// How many owners are in use.
fn owners(stack: &mut TestStack) -> usize {
    graph(stack).owners.iter().filter(|owner| owner.refs != 0).count()
}

#[test]
fn everything_goes_to_one_heir_behind_what_waits_there_and_one_wake_tells() {
    for how in [close, shutdown] {
        let (mut stack, [a, b, c]) = group();
        // Hashes are not asked: all goes to the member that takes the place of who left.
        for (child, target) in [(1, 0), (2, 1), (3, 0)] {
            assert_eq!(deliver_at(&stack, (0, 3), (target, 2), child), a);
        }
        assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 10), c);
        let old = syn(&stack, arrival(4));
        syn(&stack, arrival(5));
        assert!(stack.synack_timer(old, 9, HERE).is_ok());
        assert_eq!(how(&stack, a), [End::HandedOver(c, 3)]);
        assert_eq!([a, b, c].map(|id| charges(&mut stack, id)), [(0, 0), (0, 0), (2, 1)]);
        assert_eq!([4, 5].map(|client| ack(&stack, client)), [Ok(c); 2]);
        assert_eq!(accept_all(&stack, c), [10, 1, 2, 3, 4, 5]);
        assert_eq!(mishaps(&stack), Snapshot { TCPMigrateReqSuccess: 3, ..Snapshot::default() });
        close_shut(&stack, a);
        finish(stack, &[b, c]);
    }
}

#[test]
fn from_the_last_place_it_goes_to_the_left_neighbour() {
    let (stack, [a, b, c]) = group();
    assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 1), c);
    assert_eq!(close(&stack, c), [End::HandedOver(b, 1)]);
    assert_eq!(close(&stack, b), [End::HandedOver(a, 1)]);
    assert_eq!(accept_all(&stack, a), [1]);
    finish(stack, &[a]);
}

#[test]
fn the_heirs_backlog_and_the_switch_are_not_asked() {
    let (stack, [a, b]) = group();
    stack.set_migrate_req(false);
    stack.listen(b, 0).unwrap();
    assert_eq!([1, 2, 3].map(|child| deliver(&stack, child)), [Ok(a); 3]);
    assert_eq!(close(&stack, a), [End::HandedOver(b, 3)]);
    assert_eq!(stack.queue_len(b), Ok((3, 0)));
    assert_eq!(deliver(&stack, 4), Err(Refusal::AcceptQueueFull));
    assert_eq!(accept_all(&stack, b), [1, 2, 3]);
    finish(stack, &[b]);
}

#[test]
fn it_takes_no_request_slot_and_to_close_no_owner() {
    let (stack, [a, b]) = group_of(Sizes { requests: 2, owners: 2, ..ENOUGH });
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    assert_eq!(close(&stack, a), [End::HandedOver(b, 2)]);
    assert_eq!(accept_all(&stack, b), [1, 2]);
    finish(stack, &[b]);
}

#[test]
fn half_open_requests_alone_are_handed_over_and_wake_nobody() {
    let (mut stack, [a, b]) = group();
    syn(&stack, arrival(1));
    assert_eq!(close(&stack, a), [End::HandedOver(b, 0)]);
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((0, 0), (1, 1)));
    assert_eq!(mishaps(&stack), Snapshot::default());
    assert_eq!(ack(&stack, 1), Ok(b));
    assert_eq!(accept_all(&stack, b), [1]);
    finish(stack, &[b]);
}

#[test]
fn who_holds_nothing_hands_nothing_over() {
    let (mut stack, [a, b]) = group();
    let home = graph(&mut stack).listeners[a.index() as usize].owner;
    assert_eq!(shutdown(&stack, a), []);
    // It keeps its owner, which nobody names.
    assert_eq!(graph(&mut stack).listeners[a.index() as usize].owner, home);
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(close(&stack, a), []);
    assert_eq!(owners(&mut stack), 1);
    finish(stack, &[b]);
}

#[test]
fn no_other_address_inherits() {
    let (stack, [a]) = group();
    let other = stack.listen_at("127.0.0.1:81".parse().unwrap(), 8, true).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Aborted(1)]);
    finish(stack, &[other]);
}

#[test]
fn of_the_last_member_connections_are_aborted_one_by_one() {
    for how in [close, shutdown] {
        let (mut stack, [a, b]) = group();
        assert_eq!(deliver(&stack, 1), Ok(a));
        let request = syn(&stack, arrival(2));
        assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 3), b);
        assert_eq!(how(&stack, a), [End::HandedOver(b, 1)]);
        assert_eq!(how(&stack, b), [End::Aborted(3), End::Aborted(1)]);
        // Half open they stay until somebody looks.
        assert_eq!(charges(&mut stack, b), (1, 1));
        assert_eq!(stack.synack_timer(request, 9, HERE), Ok(SynAckTimer::Dropped));
        assert_eq!(charges(&mut stack, b), (0, 0));
        let counters = stack.counters();
        assert_eq!((counters.TCPMigrateReqSuccess, counters.TCPMigrateReqFailure), (1, 3));
        [a, b].into_iter().for_each(|id| close_shut(&stack, id));
        finish(stack, &[]);
    }
}

#[test]
fn who_begins_to_listen_between_two_steps_of_the_last_gets_the_rest() {
    let (stack, [a]) = group();
    assert_eq!([1, 2, 3].map(|child| deliver(&stack, child)), [Ok(a); 3]);
    let mut steps = stack.close(a, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Aborted(1)));
    let b = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Moved(b), End::Moved(b)]);
    assert_eq!(accept_all(&stack, b), [2, 3]);
    finish(stack, &[b]);
}

#[test]
fn a_chain_of_closes_leads_to_the_last_heir() {
    let (mut stack, [a, b, c, d]) = group();
    let each = [a, b, c, d];
    for (place, id) in (0..).zip(each) {
        assert_eq!(deliver_at(&stack, (place, 4), (0, 1), place), id);
        syn(&stack, arrival_at((place, 4), (0, 1), 10 + place));
    }
    // The last takes the place of who leaves: of [A, B, C, D] it is A, then C's place is left of the
    // last, and so on until B is alone.
    assert_eq!(close(&stack, a), [End::HandedOver(d, 1)]);
    assert_eq!(close(&stack, d), [End::HandedOver(c, 2)]);
    assert_eq!(close(&stack, c), [End::HandedOver(b, 3)]);
    assert_eq!(charges(&mut stack, b), (4, 4));
    assert_eq!(owners(&mut stack), 4);
    assert_eq!(accept_all(&stack, b), [1, 2, 3, 0]);
    // A's owner leads to D's, that to C's, that to B's. Who looks makes it lead to B's at once.
    let names = |stack: &mut TestStack, client: u32| {
        let graph = graph(stack);
        let named = graph.requests.iter().find(|request| request.tuple == Some(tuple(addr(), client)));
        let Link::Handed(next) = graph.owners[named.unwrap().owner.unwrap() as usize].link else {
            panic!("the owner was handed over");
        };
        graph.owners[next as usize].link
    };
    assert!(matches!(names(&mut stack, 10), Link::Handed(_)));
    syn(&stack, arrival_at((0, 1), (0, 1), 20));
    assert_eq!(ack(&stack, 10), Ok(b));
    assert_eq!(owners(&mut stack), 3, "of A's nothing is left");
    let request = match stack.syn(arrival(13), HERE) {
        Ok(Syn::Duplicate(request)) => request,
        other => panic!("{:?}", other.map(drop)),
    };
    assert!(matches!(names(&mut stack, 13), Link::Handed(_)));
    assert!(stack.synack_timer(request, 9, HERE).is_ok());
    assert_eq!(names(&mut stack, 13), Link::Home(b.index()));
    assert_eq!([13, 12, 11, 20].map(|client| ack(&stack, client)), [Ok(b); 4]);
    assert_eq!(owners(&mut stack), 1);
    assert_eq!(accept_all(&stack, b), [10, 13, 12, 11, 20]);
    finish(stack, &[b]);
}

#[test]
fn a_thousand_closes_in_a_row_lose_nothing() {
    const ROUNDS: u32 = 1_000;
    let sizes = Sizes { requests: 2 * ROUNDS as usize, owners: ROUNDS as usize + 1, ..ENOUGH };
    let (mut stack, [mut id]) = group_of(sizes);
    for round in 0..ROUNDS {
        stack.listen(id, ROUNDS).unwrap();
        assert_eq!(deliver(&stack, round), Ok(id));
        syn(&stack, arrival(round));
        let heir = stack.listen_at(addr(), 8, true).unwrap();
        assert_eq!(close(&stack, id), [End::HandedOver(heir, round + 1)]);
        id = heir;
    }
    assert_eq!(charges(&mut stack, id), (ROUNDS as i32, ROUNDS as i32));
    assert_eq!(accept_all(&stack, id), (0..ROUNDS).collect::<Vec<_>>());
    // Every one of the chains is walked, the longest first.
    (0..ROUNDS).for_each(|client| {
        assert_eq!(reset(&stack, client), Ok(()));
    });
    assert_eq!(owners(&mut stack), 1);
    finish(stack, &[id]);
}

#[test]
fn a_chain_of_any_length_is_let_go_of_without_recursion() {
    // One call a link would take more than this at a dozen bytes each.
    const LINKS: usize = 20_000;
    const STACK: usize = 192 << 10;
    let (mut stack, [mut id]) = group_of(Sizes { owners: LINKS + 1, ..ENOUGH });
    syn(&stack, arrival(1));
    for _ in 0..LINKS {
        let heir = stack.listen_at(addr(), 8, true).unwrap();
        assert_eq!(close(&stack, id), [End::HandedOver(heir, 0)]);
        id = heir;
    }
    assert_eq!(stack.listen_at(addr(), 8, true), Err(ListenError::NoListenerSlot), "every owner is a link");
    let look = || {
        // The chain is exchanged for one link, and the others are let go of one after the other.
        assert_eq!(ack(&stack, 1), Ok(id));
    };
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(STACK);
        small.spawn_scoped(scope, look).unwrap().join().unwrap();
    });
    assert_eq!(accept_all(&stack, id), [1]);
    assert_eq!(close(&stack, id), []);
    // A full recount takes the square of the owners.
    assert!(stack.graph_mut().owners.iter().all(|owner| owner.refs == 0 && owner.link == Link::Vacant));
}

#[test]
fn who_listens_again_has_an_owner_of_its_own() {
    let (mut stack, [a, b]) = group();
    let home = |stack: &mut TestStack| graph(stack).listeners[a.index() as usize].owner.unwrap();
    let before = home(&mut stack);
    syn(&stack, arrival(1));
    assert_eq!(shutdown(&stack, a), [End::HandedOver(b, 0)]);
    let after = home(&mut stack);
    assert_ne!(before, after);
    assert_eq!(stack.listen(a, 8), Ok(()));
    // What was handed over does not come back.
    syn(&stack, arrival_at((1, 2), (0, 1), 2));
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((1, 1), (1, 1)));
    assert_eq!([1, 2].map(|client| ack(&stack, client)), [Ok(b), Ok(a)]);
    assert_eq!((accept_all(&stack, a), accept_all(&stack, b)), (vec![2], vec![1]));
    assert_eq!((home(&mut stack), owners(&mut stack)), (after, 2));
    finish(stack, &[a, b]);
}

#[test]
fn two_who_hand_over_to_each_other_in_turn_keep_no_owner() {
    let (mut stack, [mut a, mut b]) = group_of(Sizes { owners: 8, ..ENOUGH });
    for round in 0..500 {
        assert_eq!(deliver(&stack, round), Ok(a));
        let [looked_at, _] = [1, 2].map(|client| syn(&stack, arrival(client)));
        assert_eq!(shutdown(&stack, a), [End::HandedOver(b, 1)]);
        assert_eq!(stack.listen(a, 8), Ok(()));
        assert!(stack.synack_timer(looked_at, 9, HERE).is_ok());
        assert_eq!(owners(&mut stack), 3, "round {round}");
        assert_eq!((reset(&stack, 1), ack(&stack, 2)), (Ok(()), Ok(b)));
        assert_eq!(accept_all(&stack, b), [round, 2]);
        assert_eq!(owners(&mut stack), 2, "round {round}");
        std::mem::swap(&mut a, &mut b);
    }
    finish(stack, &[a, b]);
}

#[test]
fn a_request_that_nobody_looks_at_goes_round_until_owners_run_out() {
    const OWNERS: usize = 16;
    let (mut stack, [a, b]) = group_of(Sizes { owners: OWNERS, ..ENOUGH });
    let (mut from, mut to) = (a, b);
    syn(&stack, arrival(1));
    let mut rounds = 0;
    while owners(&mut stack) < OWNERS {
        assert_eq!(shutdown(&stack, from), [End::HandedOver(to, 0)]);
        assert_eq!(stack.listen(from, 8), Ok(()));
        std::mem::swap(&mut from, &mut to);
        rounds += 1;
    }
    assert_eq!(rounds, OWNERS - 2);
    // Now it stays, and is adopted at the next look.
    assert_eq!(shutdown(&stack, from), []);
    assert_eq!((charges(&mut stack, from), charges(&mut stack, to)), ((1, 1), (0, 0)));
    assert_eq!(ack(&stack, 1), Ok(to));
    assert_eq!(owners(&mut stack), 2);
    assert_eq!(accept_all(&stack, to), [1]);
    assert_eq!(close(&stack, from), []);
    finish(stack, &[to]);
}

#[test]
fn a_shutdown_without_a_spare_owner_moves_one_by_one() {
    let (mut stack, [a, b, c]) = group_of(Sizes { owners: 3, ..ENOUGH });
    for (child, target) in [(1, 0), (2, 1), (3, 0)] {
        assert_eq!(deliver_at(&stack, (0, 3), (target, 2), child), a);
    }
    let request = syn(&stack, arrival_at((0, 3), (1, 2), 4));
    // By hash, as under requeue, of [C, B].
    assert_eq!(shutdown(&stack, a), [End::Moved(c), End::Moved(b), End::Moved(c)]);
    assert_eq!([a, b, c].map(|id| charges(&mut stack, id)), [(1, 1), (0, 0), (0, 0)]);
    assert!(stack.synack_timer(request, 9, HERE).is_ok());
    assert_eq!([a, b, c].map(|id| charges(&mut stack, id)), [(0, 0), (1, 0), (0, 0)]);
    assert_eq!(reset(&stack, 4), Ok(()));
    assert_eq!((accept_all(&stack, b), accept_all(&stack, c)), (vec![2], vec![1, 3]));
    // A close needs none.
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(deliver_at(&stack, (2, 3), (0, 1), 5), a);
    assert_eq!(close(&stack, a), [End::HandedOver(b, 1)]);
    assert_eq!(accept_all(&stack, b), [5]);
    finish(stack, &[b, c]);
}

#[test]
fn an_owner_is_free_again_once_nothing_names_it() {
    let (mut stack, [a, b]) = group_of(Sizes { owners: 3, ..ENOUGH });
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Ok(a)));
    assert_eq!(shutdown(&stack, a), [End::HandedOver(b, 2)]);
    assert_eq!(owners(&mut stack), 3);
    assert_eq!(stack.accept(b), Ok(Some(1)));
    assert_eq!(owners(&mut stack), 3);
    assert_eq!(stack.accept(b), Ok(Some(2)));
    assert_eq!(owners(&mut stack), 2);
    assert_eq!(close(&stack, a), []);
    finish(stack, &[b]);
}

#[test]
fn what_moved_is_told_to_who_goes_on_with_the_steps() {
    let (stack, [a, b]) = group();
    assert_eq!(deliver(&stack, 1), Ok(a));
    drop(stack.close(a, HERE).unwrap());
    assert_eq!(close(&stack, a), [End::HandedOver(b, 1)], "or nobody wakes B");
    assert_eq!(accept_all(&stack, b), [1]);
    finish(stack, &[b]);
}
