//! Who may be bound beside whom: every pair of addresses, against the rule in plain words.

use super::*;

/// An address that a socket may be bound to, and what it receives of these: at IPv4's address A or another
/// one (B), at IPv6's address C or another one (D).
struct Kind {
    ip: &'static str,
    v6only: bool,
    receives: &'static str,
}

const KINDS: [Kind; 9] = [
    Kind { ip: "10.0.0.1", v6only: false, receives: "A" },
    Kind { ip: "0.0.0.0", v6only: false, receives: "AB" },
    Kind { ip: "::ffff:10.0.0.1", v6only: false, receives: "A" },
    Kind { ip: "::ffff:0.0.0.0", v6only: false, receives: "AB" },
    Kind { ip: "2001:db8::1", v6only: false, receives: "C" },
    Kind { ip: "2001:db8::1", v6only: true, receives: "C" },
    Kind { ip: "::", v6only: false, receives: "ABCD" },
    Kind { ip: "::", v6only: true, receives: "CD" },
    Kind { ip: "10.0.0.9", v6only: true, receives: "B" },
];

impl Kind {
    fn addr(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip.parse().unwrap(), port)
    }

    fn open(&self, stack: &TestStack, reuseport: bool) -> Listener {
        stack.open(SockOptions { reuseport, v6only: self.v6only }).unwrap()
    }
}

/// What the first of a pair does before the second is bound.
#[derive(Clone, Copy, Debug)]
enum First {
    IsBound,
    Listens,
    WasShut,
}

/// The rule: who would receive the same is in the way, unless both share.
fn conflict(a: &Kind, b: &Kind, both_share: bool) -> bool {
    let overlap = std::ptr::eq(a, b) || a.receives.chars().any(|what| b.receives.contains(what));
    overlap && !both_share
}

fn pair(stack: &TestStack, (a, b): (&Kind, &Kind), (one, other): (bool, bool), first: First) {
    let (x, y) = (a.open(stack, one), b.open(stack, other));
    assert_eq!(stack.bind(x, a.addr(80)), Ok(()));
    if !matches!(first, First::IsBound) {
        assert_eq!(stack.listen(x, 1), Ok(()));
    }
    if matches!(first, First::WasShut) {
        assert_eq!(shutdown(stack, x), []);
    }
    let expected = if conflict(a, b, one && other) { Err(BindError::AddrInUse) } else { Ok(()) };
    let text = format!("{} {one}, {} {other}, {first:?}", a.ip, b.ip);
    assert_eq!(stack.bind(y, b.addr(80)), expected, "{text}");
    match expected {
        Ok(()) => assert_eq!(stack.listen(y, 1), Ok(()), "{text}"),
        // Who was refused is not bound, and another port is nobody's business.
        Err(_) => assert_eq!(stack.bind(y, b.addr(81)), Ok(()), "{text}"),
    }
    for id in [x, y] {
        assert_eq!(close(stack, id), []);
    }
}

#[test]
fn who_would_receive_the_same_is_in_the_way_unless_both_share() {
    for buckets in [1, 16] {
        let stack = stack_of(Sizes { buckets, ..ENOUGH }, Design::Abort);
        for a in &KINDS {
            for b in &KINDS {
                for sharing in [(true, true), (true, false), (false, true), (false, false)] {
                    for first in [First::IsBound, First::Listens, First::WasShut] {
                        pair(&stack, (a, b), sharing, first);
                    }
                }
            }
        }
        finish(stack, &[]);
    }
}

#[test]
fn a_zone_tells_link_local_addresses_apart_and_nothing_else_of_ipv6_does() {
    let stack = stack(Design::Abort);
    let at = |ip: &str, flowinfo, zone| {
        SocketAddr::V6(std::net::SocketAddrV6::new(ip.parse().unwrap(), 80, flowinfo, zone))
    };
    let [one, two] = [1, 2].map(|zone| stack.listen_at(at("fe80::1", 0, zone), 1, false).unwrap());
    let global = stack.listen_at(at("2001:db8::1", 0, 0), 1, false).unwrap();
    for (addr, id) in [
        (at("fe80::1", 7, 1), Ok(one)),
        (at("fe80::1", 0, 2), Ok(two)),
        (at("fe80::1", 0, 3), Err(Refusal::NoListener)),
        (at("2001:db8::1", 7, 9), Ok(global)),
    ] {
        assert_eq!(deliver_to(&stack, addr, Hashes::default(), 1), id, "{addr}");
        assert_eq!(stack.listen_at(addr, 1, false).is_err(), id.is_ok(), "{addr}");
        if id.is_err() {
            let third = deliver_to(&stack, addr, Hashes::default(), 2).unwrap();
            accept_all(&stack, third);
            assert_eq!(close(&stack, third), []);
        }
    }
    // A wildcard is in the way in every zone.
    assert_eq!(stack.listen_at(at("::", 0, 0), 1, true), Err(ListenError::AddrInUse));
    finish(stack, &[one, two, global]);
}
