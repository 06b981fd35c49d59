//! Rule 25: fast open.

use super::*;

/// A listener that may have so many fast-open connections.
fn one(limit: u32) -> (TestStack, Listener) {
    let (stack, [id]) = group(8);
    assert_eq!(stack.set_fastopen(id, limit), Ok(()));
    (stack, id)
}

fn open(stack: &TestStack, client: u32) -> Result<(Listener, Request), Refusal> {
    open_fast(stack, arrival(client), client)
}

/// Rule 25: a fast-open connection can be accepted from its SYN on, and counts until its handshake has ended.
#[test]
fn rule_25_it_waits_from_its_syn_on_and_counts_until_its_handshake_ends() {
    for end in [HandshakeEnd::Done, HandshakeEnd::Reset] {
        for accept_first in [false, true] {
            let (mut stack, id) = one(4);
            let handshake = open(&stack, 1).unwrap().1;
            assert_eq!((stack.queue_len(id), fastopenq(&mut stack, id)), (Ok((1, 8)), (1, 0)));
            if accept_first {
                assert_eq!(stack.accept(id), Ok(Some(1)));
                assert_eq!(fastopenq(&mut stack, id), (1, 0));
            }
            assert_eq!(stack.fastopen_remove(handshake, end, HERE), Ok(()));
            // What was accepted and reset counts for another minute.
            let listed = accept_first && end == HandshakeEnd::Reset;
            assert_eq!(fastopenq(&mut stack, id), (i32::from(listed), usize::from(listed)));
            counted(&stack, Snapshot { PassiveOpens: 1, TCPFastOpenPassive: 1, ..NOTHING });
            assert_eq!(stack.accept(id), Ok((!accept_first).then_some(1)));
            assert_eq!(stack.evict_reset(id), Ok(listed));
            finish(stack, &[id]);
        }
    }
}

/// Rule 25: the limit is reached where as many count as it says, not one later as with a backlog.
#[test]
fn rule_25_the_limit_is_what_it_says() {
    for limit in [1, 2, 5] {
        let (mut stack, id) = one(limit);
        let handshakes = (0..limit).map(|client| open(&stack, client).unwrap().1).collect::<Vec<_>>();
        assert_eq!(fastopenq(&mut stack, id), (limit as i32, 0));
        for times in 1..=3 {
            assert_eq!(open(&stack, 99), Err(Refusal::FastOpenLimit));
            let opened = Snapshot { PassiveOpens: limit, TCPFastOpenPassive: limit, ..NOTHING };
            counted(&stack, Snapshot { TCPFastOpenListenOverflow: times, ..opened });
        }
        assert_eq!(stack.fastopen_remove(handshakes[0], HandshakeEnd::Done, HERE), Ok(()));
        let last = open(&stack, 99).unwrap().1;
        for &handshake in handshakes[1..].iter().chain([&last]) {
            assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
        }
        assert_eq!(fastopenq(&mut stack, id), (0, 0));
        finish(stack, &[id]);
    }
}

/// Rule 25: who listens again keeps its limit, and nothing counts against it any more.
#[test]
fn rule_25_listening_again_keeps_the_limit_and_clears_what_counts() {
    let (mut stack, id) = one(2);
    let [waits, listed] = [1, 2].map(|client| open(&stack, client).unwrap().1);
    assert_eq!(accept_all(&stack, id), [1, 2]);
    assert_eq!(stack.fastopen_remove(listed, HandshakeEnd::Reset, HERE), Ok(()));
    assert_eq!(stack.fastopen_remove(waits, HandshakeEnd::Done, HERE), Ok(()));
    let aborted = open(&stack, 3).unwrap().1;
    assert_eq!(fastopenq(&mut stack, id), (2, 1));
    assert_eq!(shutdown(&stack, id), [End::Aborted(3)]);
    // Whoever resets the connection says that its handshake has ended.
    assert_eq!(stack.fastopen_remove(aborted, HandshakeEnd::Done, HERE), Ok(()));
    assert_eq!(stack.listen(id, 8), Ok(()));
    assert_eq!(fastopenq(&mut stack, id), (0, 0));
    let opened = [4, 5].map(|client| open(&stack, client).unwrap().1);
    assert_eq!(open(&stack, 6), Err(Refusal::FastOpenLimit));
    for handshake in opened {
        assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
    }
    let failed = Snapshot { TCPMigrateReqFailure: 1, TCPFastOpenListenOverflow: 1, ..NOTHING };
    counted(&stack, Snapshot { PassiveOpens: 5, TCPFastOpenPassive: 5, ..failed });
    finish(stack, &[id]);
}

/// Rule 25: what was accepted before its handshake ended goes on counting for the socket that accepted it, and
/// is charged to nobody once it has ended: whoever listens again by then, and whoever else listens.
#[test]
fn rule_25_what_was_accepted_is_charged_once_and_to_nobody_in_the_end() {
    for end in [HandshakeEnd::Done, HandshakeEnd::Reset] {
        for back in [false, true] {
            let (mut stack, [a, b]) = group(8);
            set_fastopen(&stack, [a, b], 8);
            let handshakes = [1, 2, 3].map(|client| open(&stack, client).unwrap().1);
            assert_eq!(accept_all(&stack, a), [1, 2, 3]);
            assert_eq!(shutdown(&stack, a), []);
            if back {
                assert_eq!(stack.listen(a, 8), Ok(()));
            }
            assert_eq!((fastopenq(&mut stack, a).0, fastopenq(&mut stack, b).0), (3, 0));
            for (left, handshake) in [2, 1, 0].into_iter().zip(handshakes) {
                assert_eq!(stack.fastopen_remove(handshake, end, HERE), Ok(()));
                let listed = if back && end == HandshakeEnd::Reset { 3 - left } else { 0 };
                assert_eq!(fastopenq(&mut stack, a), (left + listed, listed as usize));
                assert_eq!(fastopenq(&mut stack, b), (0, 0));
            }
            while let Ok(true) = stack.evict_reset(a) {}
            assert_eq!(fastopenq(&mut stack, a), (0, 0));
            counted(&stack, Snapshot { PassiveOpens: 3, TCPFastOpenPassive: 3, ..NOTHING });
            finish(stack, &[a, b]);
        }
    }
}
