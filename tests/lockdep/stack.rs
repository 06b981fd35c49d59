//! A whole stack, validated.

use crate::common::HERE;
use crate::common::validated::VALIDATOR;
use crate::common::{Sizes, TestStack, assert_empty, stack_of, tuple};
use rskq::lockdep::order;
use rskq::lockdep::validator::Kind;
use rskq::*;

const SIZES: Sizes =
    Sizes { listeners: 3, requests: 8, owners: 3, groups: 1, max_socks: 4, chunks: 1, buckets: 2, ehash: 2 };

fn addr() -> std::net::SocketAddr {
    "10.0.0.1:80".parse().unwrap()
}

/// Three listeners with connections; two are closed, in this order.
fn close_two(mut stack: TestStack, order: [usize; 2]) {
    let listeners = [(); 3].map(|()| stack.listen_at(addr(), 8, true).unwrap());
    for child in 0..6_u32 {
        let hash = child.wrapping_mul(0x5555_5555);
        let hashes = Hashes { syn_hash: hash, sk_hash: hash };
        let arrival = Arrival { tuple: tuple(addr(), child), hashes };
        assert!(stack.deliver(arrival, HERE, child).is_ok());
    }
    for which in order {
        stack.close(listeners[which], HERE).unwrap().for_each(drop);
    }
    let last = listeners[3 - order[0] - order[1]];
    while stack.accept(last).unwrap().is_some() {}
    stack.close(last, HERE).unwrap().for_each(drop);
    assert_empty(&mut stack);
}

/// The shipping policies keep the declared order; the v1 patch takes two queues' locks in none, which
/// shows that the validator looks.
#[test]
fn the_stack_keeps_its_order_and_the_v1_patch_does_not() {
    for design in [Design::Abort, Design::Requeue, Design::Handover] {
        close_two(stack_of(SIZES, design), [0, 1]);
        close_two(stack_of(SIZES, design), [1, 0]);
    }
    assert_eq!(VALIDATOR.counts().violations, 0);
    let place = |name| order::ORDER.iter().position(|&class| class == name).unwrap();
    let seen: Vec<_> = (0..).map_while(|index| VALIDATOR.edge(index)).collect();
    assert!(!seen.is_empty());
    for edge in &seen {
        let [held, wanted] = [edge.held, edge.wanted].map(|class| VALIDATOR.name(class));
        assert!(place(held) < place(wanted), "{held} before {wanted}");
        // The lines are the crate's own, not the lock wrapper's.
        for at in [edge.held_at, edge.wanted_at] {
            assert!(at.file().starts_with("src/") && !at.file().starts_with("src/lockdep/"), "{at}");
        }
    }
    // Locks of pieces are seen as well.
    assert!(seen.iter().any(|edge| VALIDATOR.name(edge.wanted) == "Slab"), "{seen:?}");

    for order in [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]] {
        close_two(stack_of(SIZES, Design::Splice), order);
    }
    let violation = VALIDATOR.violation(0).expect("the patch's pair is reported");
    let report = VALIDATOR.report(violation).to_string();
    assert_eq!(violation.kind, Kind::SameClass, "{report}");
    assert!(report.contains("src/migrate/splice.rs"), "{report}");
}
