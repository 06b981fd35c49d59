//! Handshakes: from the SYN to the accept queue, or to the end.

use super::*;

/// As a timer's outcome.
pub(super) const fn again(timeouts: u32) -> Result<SynAckTimer, SockError> {
    Ok(SynAckTimer::Retransmit { timeouts })
}

pub(super) fn one(design: Design) -> (TestStack, Listener) {
    let stack = stack(design);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    (stack, id)
}

pub(super) fn group<const N: usize>(design: Design) -> (TestStack, [Listener; N]) {
    let stack = stack(design);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), 8, true).unwrap());
    (stack, listeners)
}

/// Asserts that the request is not half open, whoever asks.
pub(super) fn assert_gone(stack: &TestStack, id: Request, client: u32) {
    assert_eq!(stack.synack_timer(id, 9, HERE), Err(SockError::Stale));
    assert_eq!(ack(stack, client), Err(Refusal::NoRequest));
    assert_eq!(reset(stack, client), Err(Refusal::NoRequest));
}

#[test]
fn a_syn_makes_one_request_however_often_it_comes() {
    for design in DESIGNS {
        let (mut stack, id) = one(design);
        let request = syn(&stack, arrival(1));
        for _ in 0..3 {
            assert!(matches!(stack.syn(arrival(1), HERE), Ok(Syn::Duplicate(known)) if known == request));
        }
        assert_eq!(charges(&mut stack, id), (1, 1));
        assert_eq!((stack.queue_len(id), stack.accept(id)), (Ok((0, 8)), Ok(None)));
        assert_eq!(reset(&stack, 1), Ok(()));
        finish(stack, &[id]);
    }
}

#[test]
fn a_duplicate_is_known_whatever_its_hash_and_whoever_listens() {
    let (mut stack, [a, b]) = group(Design::Abort);
    let request = syn(&stack, arrival(1));
    assert!(
        matches!(stack.syn(arrival_at((1, 2), (0, 1), 1), HERE), Ok(Syn::Duplicate(id)) if id == request)
    );
    assert_eq!((charges(&mut stack, a), charges(&mut stack, b)), ((1, 1), (0, 0)));
    assert_eq!((close(&stack, a), close(&stack, b)), (vec![], vec![]));
    assert!(matches!(stack.syn(arrival(1), HERE), Ok(Syn::Duplicate(id)) if id == request));
    assert_eq!(stack.synack_timer(request, 9, HERE), Ok(SynAckTimer::Dropped));
    assert_eq!(stack.syn(arrival(1), HERE).map(drop), Err(Refusal::NoListener));
    finish(stack, &[]);
}

#[test]
fn connections_that_differ_in_one_part_of_the_tuple_are_different() {
    let [local, port, ip, v6] =
        ["127.0.0.1:80", "127.0.0.1:81", "127.0.0.2:80", "[::1]:80"].map(|text| text.parse().unwrap());
    let remotes = ["10.0.0.1:4000", "10.0.0.1:4001", "10.0.0.2:4000", "[::ffff:10.0.0.1]:4000"]
        .map(|text| text.parse().unwrap());
    for ehash in [1, 4] {
        let mut stack = stack_of(Sizes { ehash, ..ENOUGH }, Design::Abort);
        let ids = [local, port, ip, v6].map(|local| stack.listen_at(local, 4, true).unwrap());
        let hashes = Hashes::default();
        for local in [local, port, ip, v6] {
            for remote in remotes {
                syn(&stack, Arrival { tuple: Tuple { local, remote }, hashes });
            }
        }
        assert_eq!(ids.map(|id| charges(&mut stack, id)), [(4, 4); 4]);
        for (id, local) in ids.into_iter().zip([local, port, ip, v6]) {
            for (child, remote) in (0..).zip(remotes) {
                assert_eq!(
                    delivered(stack.ack(&Tuple { local, remote }, Payload::None, HERE, child), child),
                    Ok(id)
                );
            }
            assert_eq!(accept_all(&stack, id), [0, 1, 2, 3]);
        }
        finish(stack, &ids);
    }
}

#[test]
fn a_final_ack_moves_the_request_to_the_accept_queue() {
    for design in DESIGNS {
        let (mut stack, id) = one(design);
        let requests = [1, 2, 3].map(|client| syn(&stack, arrival(client)));
        // In the order of the ACKs, not of the SYNs.
        assert_eq!([2, 3, 1].map(|client| ack(&stack, client)), [Ok(id); 3]);
        assert_eq!(charges(&mut stack, id), (0, 0));
        for (client, request) in (1..).zip(requests) {
            assert_gone(&stack, request, client);
        }
        assert_eq!(accept_all(&stack, id), [2, 3, 1]);
        assert_eq!(mishaps(&stack), Snapshot::default());
        // The tuple is free.
        assert_ne!(syn(&stack, arrival(1)), requests[0]);
        assert_eq!(reset(&stack, 1), Ok(()));
        finish(stack, &[id]);
    }
}

#[test]
fn an_ack_without_a_request_gives_the_child_back() {
    for design in DESIGNS {
        let (stack, id) = one(design);
        assert_eq!(ack(&stack, 1), Err(Refusal::NoRequest));
        syn(&stack, arrival(1));
        assert_eq!(ack(&stack, 2), Err(Refusal::NoRequest));
        let elsewhere = tuple("127.0.0.1:81".parse().unwrap(), 1);
        assert_eq!(delivered(stack.ack(&elsewhere, Payload::None, HERE, 1), 1), Err(Refusal::NoRequest));
        assert_eq!(ack(&stack, 1), Ok(id));
        assert_eq!(ack(&stack, 1), Err(Refusal::NoRequest));
        assert_eq!(mishaps(&stack), Snapshot::default());
        assert_eq!(accept_all(&stack, id), [1]);
        finish(stack, &[id]);
    }
}

#[test]
fn a_full_accept_queue_keeps_the_request() {
    for backlog in [0, 2] {
        let mut stack = stack(Design::Abort);
        let id = stack.listen_at(addr(), 8, true).unwrap();
        for client in 0..8 {
            syn(&stack, arrival(client));
        }
        // A smaller backlog leaves alone what is half open.
        stack.listen(id, backlog).unwrap();
        for client in 0..=backlog {
            assert_eq!(ack(&stack, client), Ok(id));
        }
        for refused in 1..4 {
            assert_eq!(ack(&stack, 7), Err(Refusal::AcceptQueueFull));
            let expected = Snapshot { ListenOverflows: refused, ListenDrops: refused, ..Snapshot::default() };
            assert_eq!(mishaps(&stack), expected);
            assert_eq!(charges(&mut stack, id).0, 7 - backlog as i32);
        }
        assert_eq!(stack.accept(id), Ok(Some(0)));
        assert_eq!(ack(&stack, 7), Ok(id));
        for client in backlog + 1..7 {
            assert_eq!(reset(&stack, client), Ok(()));
        }
        finish(stack, &[id]);
    }
}

#[test]
fn the_largest_backlog_is_bounded_by_memory_only() {
    let stack = stack(Design::Abort);
    let id = stack.listen_at(addr(), u32::MAX, true).unwrap();
    let all = 0..ENOUGH.requests as u32;
    all.clone().for_each(|client| assert_eq!(syn(&stack, arrival(client)).generation(), 0));
    assert_eq!(stack.syn(arrival(99), HERE).map(drop), Err(Refusal::NoRequestSlot));
    all.clone().for_each(|client| assert_eq!(ack(&stack, client), Ok(id)));
    assert_eq!(accept_all(&stack, id), all.collect::<Vec<_>>());
    finish(stack, &[id]);
}

#[test]
fn a_request_stays_with_the_listener_that_its_syn_fell_on() {
    for design in DESIGNS {
        let (mut stack, [a, b]) = group(design);
        // The last of two; of three the same hash falls on the third.
        let last = |client| {
            let hashes = Hashes { syn_hash: u32::MAX, sk_hash: u32::MAX };
            Arrival { tuple: tuple(addr(), client), hashes }
        };
        syn(&stack, last(1));
        let c = stack.listen_at(addr(), 8, true).unwrap();
        syn(&stack, last(2));
        assert_eq!([a, b, c].map(|id| charges(&mut stack, id).0), [0, 1, 1]);
        assert_eq!([1, 2].map(|client| ack(&stack, client)), [Ok(b), Ok(c)]);
        finish(stack, &[a, b, c]);
    }
}

#[test]
fn a_request_is_young_until_its_syn_ack_is_sent_again() {
    for design in DESIGNS {
        let (mut stack, id) = one(design);
        let [first, second] = [1, 2].map(|client| syn(&stack, arrival(client)));
        assert_eq!(charges(&mut stack, id), (2, 2));
        for timeouts in 1..=3 {
            assert_eq!(stack.synack_timer(first, 3, HERE), again(timeouts));
            assert_eq!(charges(&mut stack, id), (2, 1));
        }
        assert_eq!(stack.synack_timer(first, 3, HERE), Ok(SynAckTimer::Expired));
        assert_eq!(charges(&mut stack, id), (1, 1));
        assert_gone(&stack, first, 1);
        // A young one may expire, too.
        assert_eq!(stack.synack_timer(second, 0, HERE), Ok(SynAckTimer::Expired));
        assert_eq!(charges(&mut stack, id), (0, 0));
        assert_gone(&stack, second, 2);
        assert_ne!(syn(&stack, arrival(1)), first);
        assert_eq!(reset(&stack, 1), Ok(()));
        finish(stack, &[id]);
    }
}

#[test]
fn old_and_young_requests_end_with_an_ack_or_a_reset() {
    let (mut stack, id) = one(Design::Abort);
    let requests = [1, 2, 3, 4].map(|client| syn(&stack, arrival(client)));
    for old in &requests[..2] {
        assert_eq!(stack.synack_timer(*old, 9, HERE), again(1));
    }
    for (client, left) in [(1, (3, 2)), (3, (2, 1))] {
        assert_eq!(ack(&stack, client), Ok(id));
        assert_eq!(charges(&mut stack, id), left);
    }
    for (client, left) in [(2, (1, 1)), (4, (0, 0))] {
        assert_eq!(reset(&stack, client), Ok(()));
        assert_eq!(charges(&mut stack, id), left);
        assert_gone(&stack, requests[client as usize - 1], client);
    }
    assert_eq!(accept_all(&stack, id), [1, 3]);
    finish(stack, &[id]);
}

#[test]
fn the_timer_of_what_is_not_half_open_is_stale() {
    let (mut stack, id) = one(Design::Abort);
    let request = syn(&stack, arrival(1));
    assert_eq!(ack(&stack, 1), Ok(id));
    assert_eq!(stack.synack_timer(request, 0, HERE), Err(SockError::Stale), "it waits");
    assert_eq!(accept_all(&stack, id), [1]);
    assert_eq!(stack.synack_timer(request, 0, HERE), Err(SockError::Stale), "it was accepted");
    let next = syn(&stack, arrival(2));
    assert_eq!(next.index(), request.index());
    for (index, generation) in [
        (request.index(), request.generation()),
        (next.index(), next.generation() + 1),
        (next.index() + 1, 0),
        (ENOUGH.requests as u32, 0),
        (u32::MAX, u32::MAX),
    ] {
        let never = Request::from_parts(index, generation);
        assert_eq!(stack.synack_timer(never, 0, HERE), Err(SockError::Stale));
        assert_eq!(stack.fastopen_remove(never, HandshakeEnd::Done, HERE), Err(SockError::Stale));
    }
    assert_eq!(charges(&mut stack, id), (1, 1));
    assert_eq!(stack.synack_timer(next, 0, HERE), Ok(SynAckTimer::Expired));
    finish(stack, &[id]);
}

#[test]
fn request_slots_run_out_for_those_that_need_one() {
    let stack = stack_of(Sizes { requests: 2, ..ENOUGH }, Design::Abort);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    let request = syn(&stack, arrival(1));
    syn(&stack, arrival(2));
    for refused in 1..4 {
        assert_eq!(stack.syn(arrival(3), HERE).map(drop), Err(Refusal::NoRequestSlot));
        let expected = Snapshot { RequestSlabFull: refused, ListenDrops: refused, ..Snapshot::default() };
        assert_eq!(mishaps(&stack), expected);
    }
    assert!(matches!(stack.syn(arrival(1), HERE), Ok(Syn::Duplicate(id)) if id == request));
    assert_eq!((ack(&stack, 1), ack(&stack, 2)), (Ok(id), Ok(id)));
    assert_eq!(stack.accept(id), Ok(Some(1)));
    syn(&stack, arrival(3));
    assert_eq!(reset(&stack, 3), Ok(()));
    finish(stack, &[id]);
}

#[test]
fn without_a_part_of_the_memory_handshakes_fail_by_name() {
    for design in DESIGNS {
        for (sizes, syn, listens) in [
            (Sizes { ehash: 0, ..ENOUGH }, Refusal::NoRequestSlot, true),
            (Sizes { requests: 0, ..ENOUGH }, Refusal::NoRequestSlot, true),
            (Sizes { buckets: 0, ..ENOUGH }, Refusal::NoListener, false),
            (Sizes { buckets: 0, ehash: 0, ..ENOUGH }, Refusal::NoListener, false),
        ] {
            let mut stack = stack_of(sizes, design);
            let ids: [_; 2] = std::array::from_fn(|_| stack.listen_at(addr(), 4, true));
            assert_eq!(ids.map(|id| id.is_ok()), [listens; 2]);
            for id in ids.into_iter().flatten() {
                assert_eq!(stack.set_fastopen(id, 4), Ok(()));
            }
            for _ in 0..2 {
                assert_eq!(stack.syn(arrival(1), HERE).map(drop), Err(syn));
                assert_eq!(ack(&stack, 1), Err(Refusal::NoRequest));
                assert_eq!(reset(&stack, 1), Err(Refusal::NoRequest));
                let never = Request::from_parts(0, 0);
                assert_eq!(stack.synack_timer(never, 0, HERE), Err(SockError::Stale));
                assert_eq!(stack.fastopen_remove(never, HandshakeEnd::Done, HERE), Err(SockError::Stale));
                let refused =
                    stack.syn_fastopen(arrival(1), HERE, 1).map(drop).map_err(|refused| refused.why);
                assert_eq!(refused, Err(syn));
            }
            let ids = ids.into_iter().flatten().collect::<Vec<_>>();
            if sizes.requests > 0 && listens {
                // What needs no handshake works, and so does closing.
                assert_eq!(deliver(&stack, 1), Ok(ids[0]));
                assert_eq!(close(&stack, ids[0]).len(), 1);
                accept_all(&stack, ids[1]);
                assert_eq!(close(&stack, ids[1]), []);
                assert_empty(&mut stack);
            } else {
                finish(stack, &ids);
            }
        }
    }
}
