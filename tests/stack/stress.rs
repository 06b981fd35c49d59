//! `stress_reuseport_listen`: many addresses on one port, and many listeners at each, counted.

use super::cost::{CountedStack, Counting, cost};
use super::*;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

const ADDRESSES: usize = 300;
const EACH: usize = 80;
const PORT: u16 = 443;

type Socket = ListenerId<u32, Counting>;

fn stack(sizes: Sizes) -> CountedStack {
    Stack::new(
        Resources {
            listeners: Storage::boxed(sizes.listeners),
            requests: Storage::boxed(sizes.requests),
            owners: Storage::boxed(sizes.owners),
            groups: Storage::boxed(sizes.groups),
            socks: Storage::boxed(sizes.chunks * Member::<Counting>::count_for(1)),
            ports: Storage::boxed(1),
            buckets: Storage::boxed(sizes.buckets),
            ehash: Storage::boxed(sizes.ehash),
        },
        Config::migrating(Design::Abort),
    )
}

/// The address of socket number `socket`: 80 at each.
fn addr_of(socket: usize) -> SocketAddr {
    let first = Ipv6Addr::new(0x2001, 0xdead, 0, 0, 0, 0, 0, 1).to_bits();
    SocketAddr::new(Ipv6Addr::from_bits(first + (socket / EACH) as u128).into(), PORT)
}

fn open_all(stack: &CountedStack, sockets: usize, reuseport: bool) -> Vec<Socket> {
    let options = SockOptions { reuseport, v6only: false };
    (0..sockets).map(|_| stack.open(options).unwrap()).collect()
}

#[test]
fn twenty_four_thousand_sockets_of_one_port_listen_at_300_addresses() {
    let all = ADDRESSES * EACH;
    let mut stack = stack(Sizes {
        listeners: all,
        owners: all,
        groups: ADDRESSES,
        max_socks: EACH as u32,
        // Two for the members of each, and one that leads to them.
        chunks: 3 * ADDRESSES,
        buckets: 512,
        requests: 1,
        ehash: 1,
    });
    let ids = open_all(&stack, all, true);
    // Whoever shares looks at those who do not, and there are none: it costs the same for each.
    let bound = |socket: usize, id| cost(|| stack.bind(id, addr_of(socket)).unwrap()).0;
    let costs: Vec<_> = ids.iter().enumerate().map(|(socket, &id)| bound(socket, id)).collect();
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{:?}", costs.iter().max_by_key(|cost| cost.looks));
    // Whoever listens looks at the addresses in its bucket, and not at the sockets at them.
    let listens = |id| cost(|| stack.listen(id, 0).unwrap()).0;
    let most = ids.iter().map(|&id| listens(id).looks).max();
    assert!(most <= Some(8), "{most:?}");

    let graph = stack.graph_mut();
    let mut members = BTreeMap::<_, usize>::new();
    for (socket, id) in ids.iter().enumerate() {
        let listener = &graph.listeners[id.index() as usize];
        assert!(listener.listening && listener.addr == Some(addr_of(socket)));
        *members.entry((listener.group, listener.addr)).or_default() += 1;
    }
    assert_eq!(members.len(), ADDRESSES);
    assert!(members.values().all(|&members| members == EACH));
    let mut groups = graph.groups.iter().map(|group| (group.num_socks, group.num_closed_socks, group.refs));
    assert!(groups.all(|group| group == (EACH as u32, 0, 1)));
}

/// The count notices a chain that is walked: of those who share nothing every one is looked at.
#[test]
fn whoever_does_not_share_looks_at_everybody_in_the_bucket() {
    let stack = stack(Sizes { listeners: 64, owners: 64, ..ENOUGH });
    let ids = open_all(&stack, 64, false).into_iter().enumerate();
    let bound = |(socket, id)| cost(|| stack.bind(id, addr_of(socket * EACH)).unwrap()).0.looks;
    let looks: Vec<_> = ids.map(bound).collect();
    assert!(looks.windows(2).all(|pair| pair[1] == pair[0] + 1), "{looks:?}");
}
