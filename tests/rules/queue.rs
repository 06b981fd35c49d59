//! Rules 1 to 4: backlogs, full queues, cookies.

use super::*;

/// Rule 1: a backlog of N has room for N + 1 connections, and none is larger than `somaxconn`.
#[test]
fn rule_1_a_backlog_holds_one_more_than_it_says() {
    for backlog in [0, 1, 7] {
        let (stack, [id]) = group(backlog);
        connect_all(&stack, 0..=backlog, id);
        assert_eq!(connect(&stack, arrival(99), 99), Err(Refusal::AcceptQueueFull));
        assert_eq!(stack.queue_len(id), Ok((backlog + 1, backlog)));
        let expected = Snapshot { PassiveOpens: backlog + 1, ListenOverflows: 1, ListenDrops: 1, ..NOTHING };
        counted(&stack, expected);
        finish(stack, &[id]);
    }
}

/// Rule 1: what is asked for beyond `somaxconn`, -1 for one, is `somaxconn`; that is read at each listen.
#[test]
fn rule_1_no_backlog_is_larger_than_somaxconn() {
    for (asked, got) in [(4095, 4095), (4096, 4096), (4097, 4096), (-1_i32 as u32, 4096)] {
        let (stack, [id]) = group(asked);
        assert_eq!(stack.queue_len(id), Ok((0, got)));
        stack.set_sysctl(Sysctl { somaxconn: 2, ..stack.sysctl() });
        assert_eq!(stack.queue_len(id), Ok((0, got)));
        assert_eq!(stack.listen(id, asked), Ok(()));
        assert_eq!(stack.queue_len(id), Ok((0, 2)));
        connect_all(&stack, 0..3, id);
        assert_eq!(connect(&stack, arrival(3), 3), Err(Refusal::AcceptQueueFull));
        finish(stack, &[id]);
    }
}

/// Rule 2: a SYN that finds the accept queue full is dropped and counted, and leaves nothing behind.
#[test]
fn rule_2_a_full_accept_queue_drops_the_syn() {
    let (mut stack, [id]) = group(0);
    assert_eq!(connect(&stack, arrival(1), 1), Ok(id));
    for times in 1..=3 {
        assert_eq!(stack.syn(arrival(2), HERE).map(drop), Err(Refusal::AcceptQueueFull));
        assert_eq!(charges(&mut stack, id), (0, 0));
        let drops = Snapshot { ListenOverflows: times, ListenDrops: times, ..NOTHING };
        counted(&stack, Snapshot { PassiveOpens: 1, ..drops });
    }
    assert_eq!((ack(&stack, 2), stack.next_deadline()), (Err(Refusal::NoRequest), None));
    assert_eq!(stack.accept(id), Ok(Some(1)));
    assert_eq!(connect(&stack, arrival(2), 2), Ok(id));
    finish(stack, &[id]);
}

/// A listener with a backlog of 0 whose accept queue is full, and a half-open request of client 2.
fn full_at_ack() -> (TestStack, Listener) {
    let (stack, [id]) = group(8);
    syn(&stack, arrival(2));
    assert_eq!(connect(&stack, arrival(1), 1), Ok(id));
    assert_eq!(stack.listen(id, 0), Ok(()));
    (stack, id)
}

/// Rule 2: a final ACK that finds it full is counted by the same two counters, and its request stays.
#[test]
fn rule_2_a_full_accept_queue_keeps_the_request_at_the_ack() {
    let (mut stack, id) = full_at_ack();
    for times in 1..=3 {
        assert_eq!(ack(&stack, 2), Err(Refusal::AcceptQueueFull));
        assert_eq!((charges(&mut stack, id), stack.queue_len(id)), ((1, 1), Ok((1, 0))));
        let drops = Snapshot { ListenOverflows: times, ListenDrops: times, ..NOTHING };
        counted(&stack, Snapshot { PassiveOpens: 1, ..drops });
    }
    assert_eq!(stack.accept(id), Ok(Some(1)));
    assert_eq!(ack(&stack, 2), Ok(id));
    assert_eq!(charges(&mut stack, id), (0, 0));
    counted(&stack, Snapshot { ListenOverflows: 3, ListenDrops: 3, PassiveOpens: 2, ..NOTHING });
    finish(stack, &[id]);
}

/// Rule 2: with `tcp_abort_on_overflow` such an ACK is answered with a reset, and its request has gone.
#[test]
fn rule_2_abort_on_overflow_resets_at_the_ack() {
    let (mut stack, id) = full_at_ack();
    stack.set_sysctl(Sysctl { tcp_abort_on_overflow: true, ..stack.sysctl() });
    // It says nothing of SYNs: those are dropped all the same. This one finds both queues full.
    assert_eq!(stack.syn(arrival(3), HERE).map(drop), Err(Refusal::AcceptQueueFull));
    assert_eq!(ack(&stack, 2), Err(Refusal::AbortedOnOverflow));
    assert_eq!(ack(&stack, 2), Err(Refusal::NoRequest));
    assert_eq!((charges(&mut stack, id), stack.next_deadline()), ((0, 0), None));
    let drops = Snapshot { ListenOverflows: 2, ListenDrops: 2, EmbryonicRsts: 1, ..NOTHING };
    counted(&stack, Snapshot { PassiveOpens: 1, TCPReqQFullDoCookies: 1, ..drops });
    finish(stack, &[id]);
}

/// Two half-open requests of clients 1 and 2, which fill the SYN queue of a listener with a backlog of 1.
fn full_of_syns() -> (TestStack, Listener) {
    let (mut stack, [id]) = group(1);
    for client in [1, 2] {
        syn(&stack, arrival(client));
    }
    assert_eq!(charges(&mut stack, id), (2, 2));
    (stack, id)
}

/// Rule 3: the SYN queue also has room for one more than the backlog; what comes then gets a cookie.
#[test]
fn rule_3_a_full_syn_queue_answers_with_cookies() {
    let (mut stack, id) = full_of_syns();
    for times in 1..=3 {
        assert_eq!(cookie(&stack, arrival(3), HERE), id);
        counted(&stack, Snapshot { TCPReqQFullDoCookies: times, SyncookiesSent: times, ..NOTHING });
    }
    // Who is known gets its own SYN-ACK again.
    assert!(matches!(stack.syn(arrival(1), HERE), Ok(Syn::Duplicate(_))));
    assert_eq!(charges(&mut stack, id), (2, 2));
    assert_eq!([1, 2].map(|client| ack(&stack, client)), [Ok(id); 2]);
    finish(stack, &[id]);
}

/// Rule 3: without cookies it is dropped, which two counters tell.
#[test]
fn rule_3_a_full_syn_queue_drops_without_cookies() {
    let (stack, id) = full_of_syns();
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Never, ..stack.sysctl() });
    assert_eq!(stack.syn(arrival(3), HERE).map(drop), Err(Refusal::SynQueueFull));
    counted(&stack, Snapshot { TCPReqQFullDrop: 1, ListenDrops: 1, ..NOTHING });
    assert_eq!([1, 2].map(|client| ack(&stack, client)), [Ok(id); 2]);
    finish(stack, &[id]);
}

/// Rule 3: the SYN queue is looked at before the accept queue; a SYN that finds both full counts for both,
/// and gets no cookie.
#[test]
fn rule_3_the_syn_queue_is_looked_at_first() {
    for (cookies, why, expected) in [
        (
            Syncookies::WhenFull,
            Refusal::AcceptQueueFull,
            Snapshot { TCPReqQFullDoCookies: 1, ListenOverflows: 1, ListenDrops: 1, ..NOTHING },
        ),
        (
            Syncookies::Never,
            Refusal::SynQueueFull,
            Snapshot { TCPReqQFullDrop: 1, ListenDrops: 1, ..NOTHING },
        ),
    ] {
        let (stack, [id]) = group(8);
        connect_all(&stack, [1, 2], id);
        for client in [3, 4] {
            syn(&stack, arrival(client));
        }
        assert_eq!(stack.listen(id, 1), Ok(()));
        stack.set_sysctl(Sysctl { tcp_syncookies: cookies, ..stack.sysctl() });
        assert_eq!(stack.syn(arrival(5), HERE).map(drop), Err(why));
        counted(&stack, Snapshot { PassiveOpens: 2, ..expected });
        assert_eq!((reset(&stack, 3), reset(&stack, 4)), (Ok(()), Ok(())));
        finish(stack, &[id]);
    }
}

/// Two listeners of one group, each of whose SYN queues one request fills; the last member sends a cookie at
/// time 0.
fn cookie_sent() -> (TestStack, [Listener; 2]) {
    let (stack, ids) = group(0);
    syn(&stack, arrival_at((1, 2), (0, 1), 1));
    assert_eq!(cookie(&stack, arrival_at((1, 2), (0, 1), 2), HERE), ids[1]);
    (stack, ids)
}

/// An ACK with a genuine cookie.
fn believed(stack: &TestStack, arrival: Arrival, child: u32) -> Result<Listener, Refusal> {
    delivered(stack.cookie_ack(arrival, HERE)?.believe(child), child)
}

const SENT: Snapshot = Snapshot { TCPReqQFullDoCookies: 1, SyncookiesSent: 1, ..NOTHING };

/// Rule 4: that a cookie was sent is the group's: another member than the one that sent it believes it,
/// whether connections migrate or not.
#[test]
fn rule_4_a_cookie_is_good_at_every_member_of_the_group() {
    for migrate in [false, true] {
        for stop in [None, Some(close as fn(&TestStack, Listener) -> _), Some(shutdown)] {
            let (stack, [a, b]) = cookie_sent();
            stack.set_migrate_req(migrate);
            assert_eq!(reset(&stack, 1), Ok(()));
            stop.into_iter().for_each(|stop| assert_eq!(stop(&stack, b), []));
            assert_eq!(believed(&stack, arrival(2), 2), Ok(a));
            counted(&stack, Snapshot { SyncookiesRecv: 1, PassiveOpens: 1, EmbryonicRsts: 1, ..SENT });
            assert_eq!(accept_all(&stack, a), [2]);
            close_shut(&stack, b);
            finish(stack, &[a]);
        }
    }
}

/// Rule 4: it ends with the group: who listens alone after a shutdown begins another, which sent none.
#[test]
fn rule_4_a_cookie_is_lost_with_its_group() {
    let (stack, [a, b]) = cookie_sent();
    assert_eq!(reset(&stack, 1), Ok(()));
    assert_eq!((shutdown(&stack, a), shutdown(&stack, b)), (vec![], vec![]));
    assert_eq!(believed(&stack, arrival(2), 2), Err(Refusal::NoListener));
    assert_eq!(stack.listen(b, 0), Ok(()));
    assert_eq!(believed(&stack, arrival(2), 2), Err(Refusal::NoCookieSent));
    counted(&stack, Snapshot { EmbryonicRsts: 1, ..SENT });
    finish(stack, &[a, b]);
}

/// Rule 4: and whoever comes after the last has closed begins another, wherever that lies in memory.
#[test]
fn rule_4_a_cookie_is_lost_with_its_groups_slot() {
    let (mut stack, [a, b]) = cookie_sent();
    assert_eq!(reset(&stack, 1), Ok(()));
    let group = group_slot(&mut stack, a);
    assert_eq!((close(&stack, a), close(&stack, b)), (vec![], vec![]));
    let next = stack.listen_at(addr(), 0, true).unwrap();
    assert_eq!(group_slot(&mut stack, next), group);
    assert_eq!(believed(&stack, arrival(2), 2), Err(Refusal::NoCookieSent));
    counted(&stack, Snapshot { EmbryonicRsts: 1, ..SENT });
    finish(stack, &[next]);
}
