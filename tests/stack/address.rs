//! Who may listen where, and who gets what arrives there.

use super::*;

#[test]
fn an_address_is_shared_only_by_sockets_that_all_say_so() {
    for (first, second) in [(true, false), (false, true), (false, false)] {
        let stack = stack(CLONE);
        let id = stack.listen_at(addr(), 1, first).unwrap();
        assert_eq!(stack.listen_at(addr(), 1, second), Err(ListenError::AddrInUse));
        assert_eq!(deliver(&stack, 1), Ok(id));
        finish(stack, &[id]);
    }
}

#[test]
fn a_shut_socket_holds_its_address_until_it_is_closed() {
    for design in DESIGNS {
        for shared in [true, false] {
            let stack = stack(design);
            let shut = stack.listen_at(addr(), 1, shared).unwrap();
            assert_eq!(shutdown(&stack, shut), []);
            assert_eq!(stack.listen_at(addr(), 1, !shared), Err(ListenError::AddrInUse));
            assert_eq!(close(&stack, shut), []);
            let next = stack.listen_at(addr(), 1, !shared).unwrap();
            finish(stack, &[next]);
        }
    }
}

#[test]
fn a_socket_that_stops_holds_its_address_until_the_last_step() {
    let stack = stack(Design::Abort);
    let id = stack.listen_at(addr(), 1, false).unwrap();
    assert_eq!(deliver(&stack, 1), Ok(id));
    let mut steps = stack.close(id, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Aborted(1)));
    assert_eq!(stack.listen_at(addr(), 1, false), Err(ListenError::AddrInUse));
    assert!(steps.next().is_none());
    let next = stack.listen_at(addr(), 1, false).unwrap();
    drop(steps);
    finish(stack, &[next]);
}

#[test]
fn a_shut_socket_that_does_not_share_listens_again() {
    for design in DESIGNS {
        let stack = stack(design);
        let id = stack.listen_at(addr(), 1, false).unwrap();
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(stack.listen(id, 1), Ok(()));
        assert_eq!(deliver(&stack, 1), Ok(id));
        finish(stack, &[id]);
    }
}

#[test]
fn addresses_do_not_mix() {
    let addrs = ["127.0.0.1:80", "127.0.0.1:81", "127.0.0.2:80", "0.0.0.0:80", "[::1]:80", "[::]:80"];
    let addrs = addrs.map(|text| text.parse::<SocketAddr>().unwrap());
    // One bucket for all: what tells them apart is not the hash.
    for buckets in [1, 4] {
        for design in DESIGNS {
            let stack = stack_of(Sizes { groups: 6, chunks: 6, buckets, ..ENOUGH }, design);
            let ids = addrs.map(|addr| stack.listen_at(addr, 4, true).unwrap());
            for (child, addr) in (0..).zip(addrs) {
                let hashes = Hashes { syn_hash: u32::MAX, sk_hash: u32::MAX };
                assert_eq!(deliver_to(&stack, addr, hashes, child), Ok(ids[child as usize]));
            }
            // Nobody at another address takes a connection over, and of ours a wildcard does.
            let to = |wildcard: usize, child| match design {
                Design::Requeue | Design::Handover => End::Moved(ids[wildcard]),
                _ => End::Aborted(child),
            };
            assert_eq!(close(&stack, ids[0]), [to(3, 0)]);
            assert_eq!(deliver(&stack, 9), Ok(ids[3]));
            assert_eq!(close(&stack, ids[4]), [to(5, 4)]);
            for child in [1, 2] {
                assert_eq!(accept_all(&stack, ids[child]), [child as u32]);
            }
            finish(stack, &[ids[1], ids[2], ids[3], ids[5]]);
        }
    }
}

#[test]
fn who_does_not_share_is_in_nobodys_way_at_another_address() {
    let stack = stack_of(Sizes { buckets: 1, ..ENOUGH }, CLONE);
    let alone = stack.listen_at(addr(), 4, false).unwrap();
    let shared = stack.listen_at("127.0.0.2:80".parse().unwrap(), 4, true).unwrap();
    let other = stack.listen_at("[::1]:80".parse().unwrap(), 4, false).unwrap();
    finish(stack, &[alone, shared, other]);
}

#[test]
fn an_ipv6_group_migrates_like_any_other() {
    let local: SocketAddr = "[2001:db8::1]:443".parse().unwrap();
    let stack = stack(CLONE);
    let a = stack.listen_at(local, 4, true).unwrap();
    let b = stack.listen_at(local, 4, true).unwrap();
    assert_eq!(deliver_to(&stack, local, Hashes::default(), 1), Ok(a));
    assert_eq!(close(&stack, a), [End::Moved(b)]);
    assert_eq!(accept_all(&stack, b), [1]);
    finish(stack, &[b]);
}

#[test]
fn what_arrives_where_nobody_listens_is_refused() {
    let stack = stack(CLONE);
    assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
    let id = stack.listen_at("127.0.0.1:81".parse().unwrap(), 1, true).unwrap();
    assert_eq!(deliver(&stack, 2), Err(Refusal::NoListener));
    assert_eq!(mishaps(&stack), Default::default());
    finish(stack, &[id]);
}

#[test]
fn a_group_is_selected_from_by_hash() {
    let stack = stack(CLONE);
    let ids: [_; 4] = std::array::from_fn(|_| stack.listen_at(addr(), 4, true).unwrap());
    for (place, id) in (0..).zip(ids) {
        assert_eq!(deliver_at(&stack, (place, 4), (0, 1), place), id);
        let last = Hashes { syn_hash: hash_of(place + 1, 4).wrapping_sub(1), sk_hash: 0 };
        assert_eq!(deliver_to(&stack, addr(), last, place), Ok(id));
    }
    finish(stack, &ids);
}
