//! Measured hashes say where connections go, in groups of every kind.

use super::{Test, kernel};
use linux_oracle::live::kernel::{Bound, Kernel, MEMBERS_WITHOUT_PROGRAMS};
use linux_oracle::trace::Shown;
use linux_oracle::trace::{
    Conn, Connect, Descriptor, EpisodeStart, ListenerNumber, Observation, Open, Operation, Word,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const TESTS: [Test; 5] = [
    ("specific_ipv4", || steers(Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into(), Bound::Specific)),
    ("wildcard_ipv4", || steers(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::LOCALHOST.into(), Bound::Wildcard)),
    ("specific_ipv6", || steers(Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), Bound::Specific)),
    ("wildcard_ipv6", || steers(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::LOCALHOST.into(), Bound::Wildcard)),
    ("measured_while_others_listen", measured_while_others_listen),
];

const PORT: u16 = 7000;

/// Every connection goes to the member that `syn_hash` says, and when its listener is closed to the one
/// that `sk_hash` says: rules 5 and 14, and section 2 on hashes. 300 members if hashes are exact.
fn steers(at: IpAddr, to: IpAddr, bound: Bound) {
    let mut kernel = kernel();
    let members = if kernel.programs() { 300 } else { MEMBERS_WITHOUT_PROGRAMS };
    let conns: Vec<Conn> = (20_000..20_200).collect();
    kernel.measure((to, PORT).into(), bound, &conns).expect("nobody listens");
    kernel.episode(EpisodeStart { migrate_req: true }).expect("it begins");
    let mut socks: Vec<ListenerNumber> = (0..members).collect();
    for &listener in &socks {
        done(&mut kernel, Operation::Open(Open { address: Some(at), ..Open::new(listener, 200) }));
    }
    let mut queues: BTreeMap<ListenerNumber, Vec<u32>> = BTreeMap::new();
    let mut shown = None;
    for conn in conns {
        let Some(hashes) = kernel.hashes((to, PORT).into(), bound, conn).expect("measured") else { continue };
        if bound == Bound::Specific {
            assert_eq!(hashes.syn_hash, hashes.sk_hash);
        }
        let connect = Connect { address: Some(to), ..Connect::new(conn) };
        shown = Some(done(&mut kernel, Operation::Connect(connect)));
        queues.entry(pick(&socks, hashes.syn_hash)).or_default().push(hashes.sk_hash);
    }
    agree(&queues, &shown.expect("most can be told"));
    // The first closes: the last takes its place.
    while socks.len() > 3 {
        let closed = socks.swap_remove(0);
        let moved = queues.remove(&closed).unwrap_or_default();
        let shown = done(&mut kernel, Operation::Close { listener: closed });
        assert_eq!(
            shown.counters.get("TCPMigrateReqSuccess").map_or(0, |&count| count as usize),
            moved.len()
        );
        for sk_hash in moved {
            queues.entry(pick(&socks, sk_hash)).or_default().push(sk_hash);
        }
        agree(&queues, &shown);
    }
}

/// A measurement in the middle of an episode shows nowhere, and tells what one before would have.
fn measured_while_others_listen() {
    let mut kernel = kernel();
    let to = (Ipv4Addr::LOCALHOST, PORT).into();
    let before = kernel.hashes(to, Bound::Specific, 20_001).expect("nobody listens");
    kernel.episode(EpisodeStart { migrate_req: true }).expect("it begins");
    for listener in 0..2 {
        done(&mut kernel, Operation::Open(Open::new(listener, 4)));
        let any = Some(Ipv4Addr::UNSPECIFIED.into());
        done(&mut kernel, Operation::Open(Open { address: any, ..Open::new(listener + 2, 4) }));
    }
    for bound in [Bound::Wildcard, Bound::Specific] {
        let hashes = kernel.hashes(to, bound, 20_001).expect("all share the port");
        assert!(hashes.is_none() || hashes.map(|it| it.sk_hash) == before.map(|it| it.sk_hash));
        kernel.hashes(to, bound, 20_002).expect("all share the port");
    }
    let shown = done(&mut kernel, Operation::MigrateReq { on: false });
    assert!(shown.listeners.values().all(|it| *it == Descriptor::Listening(0, 4)), "{shown:?}");
    assert!(shown.counters.is_empty() && shown.reset.is_empty(), "{shown:?}");
}

fn done(kernel: &mut Kernel, mut operation: Operation) -> Observation {
    let shown = kernel.step(&mut operation).unwrap_or_else(|error| panic!("{operation:?}: {error}"));
    assert!(matches!(shown.result, Shown::Word(Word::Ok | Word::Established)), "{operation:?}: {shown:?}");
    shown
}

/// `reciprocal_scale()`.
fn pick(socks: &[ListenerNumber], hash: u32) -> ListenerNumber {
    socks[((u64::from(hash) * socks.len() as u64) >> 32) as usize]
}

fn agree(queues: &BTreeMap<ListenerNumber, Vec<u32>>, shown: &Observation) {
    for (listener, descriptor) in &shown.listeners {
        let expected = queues.get(listener).map_or(0, Vec::len) as u32;
        assert_eq!(*descriptor, Descriptor::Listening(expected, 200), "listener {listener}");
    }
}
