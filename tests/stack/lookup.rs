//! Whose a connection is, where several listeners receive what goes to its address.

use super::*;

fn listen_all(stack: &TestStack, addrs: &[&str]) -> Vec<Listener> {
    addrs.iter().map(|addr| stack.listen_at(at(addr), 64, true).unwrap()).collect()
}

fn many(listeners: usize, design: Design) -> TestStack {
    let max_socks = listeners as u32;
    let sizes =
        Sizes { listeners, requests: 64, owners: listeners, groups: 8, max_socks, chunks: 8, ..ENOUGH };
    stack_of(sizes, design)
}

/// Hashes that fall on every member of a small group.
fn hashes() -> impl Iterator<Item = Hashes> {
    (0..32).map(|part| Hashes { syn_hash: part << 27, sk_hash: 0 })
}

/// `reuseport_addr_any`: nine sockets, of which the fifth is at the address itself.
#[test]
fn an_address_comes_before_the_wildcards_whoever_listened_first() {
    for (specific, dest) in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::1]:80", "[::1]:80"),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
    ] {
        for buckets in [1, 64] {
            let (v4, v6) = ("0.0.0.0:80", "[::]:80");
            let stack = many(9, Design::Abort);
            let addrs = [v4, v4, v6, v6, specific, v4, v4, v6, v6];
            let ids = listen_all(&stack, &addrs);
            for hashes in hashes() {
                assert_eq!(deliver_to(&stack, at(dest), hashes, 1), Ok(ids[4]), "{specific}, {buckets}");
            }
            finish(stack, &ids);
        }
    }
}

/// `reuseport_dualstack`: as many sockets at either wildcard.
#[test]
fn ipv4_goes_to_ipv4s_own_sockets_and_each_of_them_gets_some() {
    for each in [5, 16] {
        for first in ["0.0.0.0:80", "[::]:80"] {
            let stack = many(2 * each, Design::Abort);
            let second = if first == "[::]:80" { "0.0.0.0:80" } else { "[::]:80" };
            let addrs: Vec<_> = [first; 16][..each].iter().chain(&[second; 16][..each]).copied().collect();
            let ids = listen_all(&stack, &addrs);
            let own = |v4: bool| {
                let mine = ids.iter().zip(&addrs).filter(move |(_, addr)| (**addr == "0.0.0.0:80") == v4);
                mine.map(|(&id, _)| id).collect::<Vec<_>>()
            };
            for (dest, v4) in [("127.0.0.1:80", true), ("[::ffff:127.0.0.1]:80", true), ("[::1]:80", false)] {
                let mut got: Vec<_> =
                    hashes().map(|hashes| deliver_to(&stack, at(dest), hashes, 1).unwrap()).collect();
                assert!(got.iter().all(|id| own(v4).contains(id)), "{each}, {first}, {dest}");
                got.sort_by_key(|id| id.index());
                got.dedup();
                assert_eq!(got.len(), each, "{each}, {first}, {dest}");
                ids.iter().for_each(|&id| drop(accept_all(&stack, id)));
            }
            finish(stack, &ids);
        }
    }
}

#[test]
fn what_goes_to_ipv4_goes_down_the_list_as_its_listeners_leave() {
    let order = ["10.0.0.1:80", "[::ffff:10.0.0.1]:80", "0.0.0.0:80", "[::]:80"];
    // The other way round, so that it is not the order in which they came.
    let stack = many(5, Design::Abort);
    let mut ids: Vec<_> = order.iter().rev().flat_map(|addr| listen_all(&stack, &[addr])).collect();
    ids.reverse();
    let v6only = stack.open(SockOptions { reuseport: true, v6only: true }).unwrap();
    assert_eq!((stack.bind(v6only, at("[::]:80")), stack.listen(v6only, 64)), (Ok(()), Ok(())));
    for &id in &ids {
        assert_eq!(deliver_to(&stack, at("10.0.0.1:80"), Hashes::default(), 1), Ok(id));
        accept_all(&stack, id);
        assert_eq!(close(&stack, id), []);
    }
    assert_eq!(deliver_to(&stack, at("10.0.0.1:80"), Hashes::default(), 1), Err(Refusal::NoListener));
    assert_eq!(deliver_to(&stack, at("[2001:db8::1]:80"), Hashes::default(), 1), Ok(v6only));
    finish(stack, &[v6only]);
}

#[test]
fn an_ipv4_socket_never_gets_ipv6() {
    let stack = many(3, Design::Abort);
    let ids = listen_all(&stack, &["0.0.0.0:80", "[::ffff:0.0.0.0]:80", "[::ffff:10.0.0.1]:80"]);
    assert_eq!(deliver_to(&stack, at("[2001:db8::1]:80"), Hashes::default(), 1), Err(Refusal::NoListener));
    finish(stack, &ids);
}

/// Rule 12.
#[test]
fn another_address_family_or_v6only_is_another_group() {
    let mut stack = many(8, Design::Abort);
    let addrs = ["10.0.0.1:80", "[::ffff:10.0.0.1]:80", "10.0.0.2:80", "10.0.0.1:81"];
    let stacks = [listen_all(&stack, &addrs), listen_all(&stack, &addrs)];
    let groups = graph(&mut stack).listeners;
    let group = |id: Listener| groups[id.index() as usize].group;
    for (one, other) in stacks[0].iter().zip(&stacks[1]) {
        assert_eq!(group(*one), group(*other));
    }
    let mut distinct: Vec<_> = stacks[0].iter().map(|&id| group(id)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), addrs.len());
    finish(stack, &stacks.concat());

    let mut stack = many(2, Design::Abort);
    let ids = [true, false].map(|v6only| {
        let id = stack.open(SockOptions { reuseport: true, v6only }).unwrap();
        assert_eq!((stack.bind(id, at("[2001:db8::1]:80")), stack.listen(id, 4)), (Ok(()), Ok(())));
        id
    });
    let groups = graph(&mut stack).listeners;
    assert_ne!(groups[ids[0].index() as usize].group, groups[ids[1].index() as usize].group);
    finish(stack, &ids);
}

/// Linux's designs do not move a connection to another group (rule 12); ours look it up as its SYN would be.
#[test]
fn who_listens_at_a_wildcard_gets_what_an_address_leaves_in_our_designs() {
    for design in [Design::Requeue, Design::Handover] {
        let stack = many(3, design);
        let ids = listen_all(&stack, &["127.0.0.1:80", "[::]:80", "0.0.0.0:80"]);
        syn(&stack, arrival(7));
        assert_eq!(deliver(&stack, 1), Ok(ids[0]));
        assert_eq!(close(&stack, ids[0]), [End::Moved(ids[2])], "{design:?}");
        assert_eq!(close(&stack, ids[2]), [End::Moved(ids[1])], "{design:?}");
        assert_eq!(ack(&stack, 7), Ok(ids[1]));
        assert_eq!(accept_all(&stack, ids[1]), [1, 7]);
        finish(stack, &[ids[1]]);
    }
    let stack = many(2, CLONE);
    let ids = listen_all(&stack, &["127.0.0.1:80", "0.0.0.0:80"]);
    assert_eq!(deliver(&stack, 1), Ok(ids[0]));
    assert_eq!(close(&stack, ids[0]), [End::Aborted(1)]);
    finish(stack, &[ids[1]]);
}
