//! The stack from outside, one thread.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

use rskq::migrate::CloneFixes;
use rskq::*;

/// Where and when nothing depends on either.
const HERE: Here = Here { cpu: 0, now: 0 };

fn stack(design: Design) -> Stack<'static, u32, DefaultBackend> {
    let resources = Resources {
        listeners: Storage::boxed(4),
        requests: Storage::boxed(8),
        owners: Storage::boxed(4),
        groups: Storage::boxed(2),
        socks: Storage::boxed(2 * Member::<DefaultBackend>::count_for(4)),
        ports: Storage::boxed(4),
        buckets: Storage::boxed(4),
        ehash: Storage::boxed(4),
    };
    Stack::new(resources, Config::migrating(design))
}

#[test]
fn a_closed_listeners_connections_go_to_the_other_in_order() {
    let stack = stack(Design::Clone(CloneFixes::AS_FIXED));
    let local = "127.0.0.1:80".parse().unwrap();
    let tuple = Tuple { local, remote: "127.0.0.1:40000".parse().unwrap() };
    let a = stack.listen_at(local, 8, true).unwrap();
    let b = stack.listen_at(local, 8, true).unwrap();
    for child in 0..4 {
        let hashes = Hashes { syn_hash: if child < 3 { 0 } else { u32::MAX }, sk_hash: 0 };
        let delivered = stack.deliver(Arrival { tuple, hashes }, HERE, child).map_err(|r| r.why).unwrap();
        assert!(delivered.wake.is_some());
    }
    assert_eq!(stack.queue_len(a), Ok((3, 8)));
    let moved =
        stack.close(a, HERE).unwrap().filter(|o| matches!(o, Outcome::Moved { wake: Some(_), .. })).count();
    assert_eq!(moved, 3);
    assert_eq!(stack.accept(a), Err(SockError::Stale));
    let accepted: Vec<_> = std::iter::from_fn(|| stack.accept(b).unwrap()).collect();
    assert_eq!(accepted, [3, 0, 1, 2]);
    assert_eq!(stack.counters().TCPMigrateReqSuccess, 3);
}
