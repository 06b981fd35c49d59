//! Limits of the SYN queue, and what a fast open is turned away by.

use super::*;
use crate::common::linux::{NOTHING, fastopenq, open_fast};

fn without_cookies(most: u32, requests: usize) -> (TestStack, Listener) {
    let stack = stack_of(Sizes { requests, ..ENOUGH }, Design::Linux);
    stack.set_sysctl(Sysctl {
        tcp_max_syn_backlog: most,
        tcp_syncookies: Syncookies::Never,
        ..stack.sysctl()
    });
    let id = stack.listen_at(addr(), 4096, true).unwrap();
    (stack, id)
}

/// The last quarter is for clients that are known, which none is: a SYN is taken where at least that much is
/// left.
#[test]
fn without_cookies_three_quarters_of_the_syn_backlog_are_used() {
    for (most, takes) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 4), (5, 5), (8, 7), (9, 8), (16, 13), (100, 76)]
    {
        let (mut stack, id) = without_cookies(most, 128);
        for client in 0..takes {
            syn(&stack, arrival(client));
        }
        for refused in 1..=3 {
            assert_eq!(stack.syn(arrival(200), HERE).map(drop), Err(Refusal::SynQueueFull), "{most}");
            // It is no full queue that is counted.
            assert_eq!(stack.counters(), Snapshot { ListenDrops: refused, ..NOTHING });
        }
        assert!(matches!(stack.syn(arrival(0), HERE), Ok(Syn::Duplicate(_))));
        assert_eq!(charges(&mut stack, id), (takes as i32, takes as i32));
        // With cookies that limit is none.
        stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::WhenFull, ..stack.sysctl() });
        syn(&stack, arrival(200));
        for client in (0..takes).chain([200]) {
            assert_eq!(reset(&stack, client), Ok(()));
        }
        assert_eq!(stack.counters(), Snapshot { ListenDrops: 3, EmbryonicRsts: takes + 1, ..NOTHING });
        finish(stack, &[id]);
    }
}

#[test]
fn the_largest_syn_backlog_is_bounded_by_memory_only() {
    let (stack, id) = without_cookies(u32::MAX, 4);
    for client in 0..4 {
        syn(&stack, arrival(client));
    }
    assert_eq!(stack.syn(arrival(9), HERE).map(drop), Err(Refusal::NoRequestSlot));
    assert_eq!(stack.counters(), Snapshot { RequestSlabFull: 1, ListenDrops: 1, ..NOTHING });
    for client in 0..4 {
        assert_eq!(ack(&stack, client), Ok(id));
    }
    finish(stack, &[id]);
}

/// A listener that opens one connection fast, which was accepted, and reset at `at`.
fn reset_at(at: u64) -> (TestStack, Listener) {
    let stack = stack(Design::Linux);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(stack.set_fastopen(id, 1), Ok(()));
    let handshake = open_fast(&stack, arrival(1), 1).unwrap().1;
    assert_eq!(stack.accept(id), Ok(Some(1)));
    let here = Here { cpu: 0, now: at };
    assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Reset, here), Ok(()));
    (stack, id)
}

/// Whether client 2 is opened fast at that time.
fn opens_at(stack: &TestStack, now: u64) -> Result<Request, Refusal> {
    let opened = stack.syn_fastopen(arrival(2), Here { cpu: 0, now }, 2);
    opened.map(|opened| opened.handshake).map_err(|refused| refused.why)
}

/// Whole seconds count, wherever they go round; one whose clock is behind waits.
#[test]
fn a_reset_connection_counts_for_a_minute() {
    let round = 1_000 << 32;
    for reset in [0, 1_999, round - 1_000, round, round - 60_000] {
        let (mut stack, id) = reset_at(reset);
        let minute = reset / 1_000 * 1_000 + 60_000;
        for too_early in [reset, minute - 1, reset.saturating_sub(5_000)] {
            assert_eq!(opens_at(&stack, too_early), Err(Refusal::FastOpenLimit), "{reset} {too_early}");
        }
        assert_eq!(fastopenq(&mut stack, id), (1, 1));
        let handshake = opens_at(&stack, minute).unwrap();
        assert_eq!(fastopenq(&mut stack, id), (1, 0));
        assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
        let opened = Snapshot { PassiveOpens: 2, TCPFastOpenPassive: 2, ..NOTHING };
        assert_eq!(stack.counters(), Snapshot { TCPFastOpenListenOverflow: 3, ..opened });
        finish(stack, &[id]);
    }
}

/// Only the one that was reset first makes way, and only if that is needed.
#[test]
fn one_reset_connection_makes_way_at_a_time() {
    let (mut stack, id) = reset_at(0);
    assert_eq!(stack.set_fastopen(id, 3), Ok(()));
    let late = Here { cpu: 0, now: 90_000 };
    let handshakes = [3, 4].map(|client| open_fast(&stack, arrival(client), client).unwrap().1);
    assert_eq!(fastopenq(&mut stack, id), (3, 1));
    assert_eq!(accept_all(&stack, id), [3, 4]);
    for handshake in handshakes {
        assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Reset, late), Ok(()));
    }
    assert_eq!(fastopenq(&mut stack, id), (3, 3));
    let opened = opens_at(&stack, 90_000).unwrap();
    assert_eq!(fastopenq(&mut stack, id), (3, 2));
    assert_eq!(opens_at(&stack, 149_999), Err(Refusal::FastOpenLimit));
    assert_eq!(stack.fastopen_remove(opened, HandshakeEnd::Done, late), Ok(()));
    finish(stack, &[id]);
}

/// What turns a fast open away before its limit, and what that counts.
#[test]
fn a_fast_open_is_turned_away_by_full_queues_too() {
    let stack = stack(Design::Linux);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    assert_eq!(stack.set_fastopen(id, 8), Ok(()));
    syn(&stack, arrival(1));
    assert_eq!(stack.listen(id, 0), Ok(()));
    // It is to be answered as an ordinary SYN, which says what is full.
    assert_eq!(opens_at(&stack, 0), Err(Refusal::FastOpenLimit));
    assert_eq!(stack.counters(), NOTHING);
    assert_eq!(ack(&stack, 1), Ok(id));
    assert_eq!(opens_at(&stack, 0), Err(Refusal::AcceptQueueFull));
    assert_eq!(stack.counters(), Snapshot { PassiveOpens: 1, ListenOverflows: 1, ListenDrops: 1, ..NOTHING });
    finish(stack, &[id]);
}
