//! SYN cookies: when one is due, for how long it is believed, and what becomes of its connection.

use super::*;
use crate::common::linux::NOTHING;

fn at_ms(now: u64) -> Here {
    Here { cpu: 0, now }
}

/// A listener all of whose SYNs are answered with cookies.
fn always() -> (TestStack, Listener) {
    let stack = stack(Design::Linux);
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Always, ..stack.sysctl() });
    let id = stack.listen_at(addr(), 2, true).unwrap();
    (stack, id)
}

fn send(stack: &TestStack, now: u64) {
    assert!(matches!(stack.syn(arrival(1), at_ms(now)), Ok(Syn::Cookie(_))));
}

/// Whether a cookie is worth checking at that time.
fn checked(stack: &TestStack, now: u64) -> Result<(), Refusal> {
    stack.cookie_ack(arrival(1), at_ms(now)).map(drop)
}

/// Sent, and believed if it is genuine.
const SENT: Snapshot = Snapshot { TCPReqQFullDoCookies: 1, SyncookiesSent: 1, ..NOTHING };

#[test]
fn nobody_believes_a_cookie_that_was_not_sent() {
    let (stack, id) = always();
    assert_eq!(checked(&stack, 0), Err(Refusal::NoCookieSent));
    send(&stack, 0);
    assert_eq!(checked(&stack, 0), Ok(()));
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Never, ..stack.sysctl() });
    assert_eq!(checked(&stack, 0), Err(Refusal::NoCookieSent));
    assert_eq!(close(&stack, id), []);
    assert_eq!(checked(&stack, 0), Err(Refusal::NoListener));
    assert_eq!(stack.counters(), SENT);
    finish(stack, &[]);
}

#[test]
fn a_cookie_is_believed_for_two_minutes_from_the_newest() {
    let (stack, id) = always();
    send(&stack, 10_000);
    for (now, expected) in [
        (10_000, Ok(())),
        (130_999, Ok(())),
        (131_000, Err(Refusal::NoCookieSent)),
        (u64::MAX, Err(Refusal::NoCookieSent)),
        // A clock that is a little behind is another CPU's.
        (9_000, Ok(())),
    ] {
        assert_eq!(checked(&stack, now), expected, "{now}");
    }
    send(&stack, 131_000);
    assert_eq!(checked(&stack, 251_999), Ok(()));
    assert_eq!(checked(&stack, 252_000), Err(Refusal::NoCookieSent));
    finish(stack, &[id]);
}

/// Seconds are counted in 32 bits: where they begin anew two minutes are two minutes, and 136 years later one that
/// was sent now looks new, which only makes it be checked.
#[test]
fn two_minutes_go_round_with_the_clock() {
    let round = 1_000 << 32;
    for sent in [round - 60_000, round - 1_000, round, round + 1] {
        let (stack, id) = always();
        send(&stack, sent);
        assert_eq!(checked(&stack, sent + 119_000), Ok(()), "{sent}");
        assert_eq!(checked(&stack, sent + 122_000), Err(Refusal::NoCookieSent), "{sent}");
        assert_eq!(checked(&stack, sent + round), Ok(()));
        finish(stack, &[id]);
    }
}

#[test]
fn what_is_believed_is_a_connection_and_what_is_not_is_counted() {
    let (stack, id) = always();
    send(&stack, 0);
    stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}")).reject();
    assert_eq!(stack.counters(), Snapshot { SyncookiesFailed: 1, ..SENT });
    // One that nobody made up his mind about is nothing.
    drop(stack.cookie_ack(arrival(1), HERE));
    let cookie = stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(delivered(cookie.believe(1), 1), Ok(id));
    let believed = Snapshot { SyncookiesRecv: 1, PassiveOpens: 1, SyncookiesFailed: 1, ..SENT };
    assert_eq!(stack.counters(), believed);
    assert_eq!(accept_all(&stack, id), [1]);
    finish(stack, &[id]);
}

#[test]
fn a_believed_one_finds_a_full_queue_or_no_slot_as_any_other() {
    let stack = stack_of(Sizes { requests: 1, ..ENOUGH }, Design::Linux);
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Always, ..stack.sysctl() });
    let id = stack.listen_at(addr(), 0, true).unwrap();
    send(&stack, 0);
    let believe = || {
        let cookie = stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}"));
        delivered(cookie.believe(1), 1)
    };
    assert_eq!(deliver(&stack, 9), Ok(id));
    assert_eq!(believe(), Err(Refusal::NoRequestSlot));
    let no_slot = Snapshot { SyncookiesRecv: 1, RequestSlabFull: 1, ListenDrops: 1, ..SENT };
    assert_eq!(stack.counters(), no_slot);
    finish(stack, &[id]);

    let (stack, id) = always();
    send(&stack, 0);
    assert_eq!([7, 8, 9].map(|child| deliver(&stack, child)), [Ok(id); 3]);
    let cookie = stack.cookie_ack(arrival(1), HERE).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(delivered(cookie.believe(1), 1), Err(Refusal::AcceptQueueFull));
    let full = Snapshot { SyncookiesRecv: 1, ListenOverflows: 1, ListenDrops: 1, ..SENT };
    assert_eq!(stack.counters(), full);
    finish(stack, &[id]);
}

/// While it was checked, whoever was to have it closed.
#[test]
fn a_believed_one_goes_to_who_listens_then() {
    let (stack, a) = always();
    let b = stack.listen_at(addr(), 2, true).unwrap();
    send(&stack, 0);
    let cookies: [_; 2] = [(); 2].map(|()| stack.cookie_ack(arrival(1), HERE));
    let [one, other] = cookies.map(|cookie| cookie.unwrap_or_else(|why| panic!("{why:?}")));
    assert_eq!(close(&stack, a), []);
    assert_eq!(delivered(one.believe(1), 1), Ok(b));
    assert_eq!(close(&stack, b), [End::Aborted(1)]);
    assert_eq!(delivered(other.believe(2), 2), Err(Refusal::NoListener));
    let believed = Snapshot { SyncookiesRecv: 2, PassiveOpens: 1, TCPMigrateReqFailure: 1, ..SENT };
    assert_eq!(stack.counters(), believed);
    finish(stack, &[]);
}
