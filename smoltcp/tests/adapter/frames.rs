//! What is believed of a frame.

use super::*;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket};

const SERVER_V6: &str = "[fd00::1]:80";
/// Without options.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

fn listening_at(addr: &str) -> (Server, server::Listener) {
    let server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(addr), 8, false).unwrap();
    (server, listener)
}

/// Nothing had to be taken back: neither from the stack, nor from smoltcp.
fn assert_not_asked(server: &Server) {
    assert_eq!(server.stack.counters(), rskq::counters::Snapshot::default());
    assert_eq!(server.shard.counters(), rskq_smoltcp::Counters::default());
}

#[test]
fn over_ipv6() {
    let (mut server, listener) = listening_at(SERVER_V6);
    let client = Client::new(at(SERVER_V6), 1);
    server.connect(client);
    assert_eq!(server.accept_all(listener), [client.addr]);
    server.assert_empty();
}

#[test]
fn a_wildcard_listens_at_every_address() {
    let (mut server, listener) = listening_at("[::]:80");
    let clients = [client(1), Client::new(at(SERVER_V6), 2)];
    for client in clients {
        server.connect(client);
    }
    assert_eq!(server.accept_all(listener), clients.map(|client| client.addr));
}

#[test]
fn a_syn_with_a_wrong_checksum_is_none() {
    for addr in [SERVER, SERVER_V6] {
        let good = Client::new(at(addr), 1).syn();
        // IPv6 sums up neither its traffic class and flow label nor its hop limit.
        let not_summed_up = |byte| addr == SERVER_V6 && matches!(byte, 0..4 | 7);
        for byte in 0..good.len() {
            let (mut server, _) = listening_at(addr);
            let mut bad = good.clone();
            bad[byte] ^= 0x01;
            let syn_acks = server.receives([bad]).iter().filter(|seen| seen.is_syn_ack()).count();
            assert_eq!(syn_acks, usize::from(not_summed_up(byte)), "{addr}, byte {byte}");
            assert_eq!(server.shard.len(), syn_acks);
            assert_not_asked(&server);
        }
        assert!(listening_at(addr).0.receives([good])[0].is_syn_ack());
    }
}

#[test]
fn a_syn_for_somebody_else_is_left_to_smoltcp() {
    let (mut server, _) = listening_at("0.0.0.0:80");
    assert_eq!(server.receives([Client::new(at("10.0.0.9:80"), 1).syn()]), []);
    server.assert_empty();
    assert_not_asked(&server);
}

#[test]
fn a_segment_that_opens_and_does_something_else_besides_opens_nothing() {
    type Odd = fn(&mut TcpPacket<&mut [u8]>);
    let odd: [Odd; 3] = [|tcp| tcp.set_ack(true), |tcp| tcp.set_rst(true), |tcp| tcp.set_fin(true)];
    for make in odd {
        let (mut server, _) = listening_at(SERVER);
        let mut frame = client(1).syn();
        let mut tcp = TcpPacket::new_unchecked(&mut frame[IPV4_HEADER..]);
        make(&mut tcp);
        tcp.fill_checksum(&client(1).addr.ip().into(), &at(SERVER).ip().into());
        let sent = server.receives([frame]);
        assert!(sent.iter().all(|seen| !seen.is_syn_ack()), "{sent:?}");
        assert!(server.shard.is_empty());
        assert_not_asked(&server);
    }
}

/// Frames that are cut short, and frames of noise: nothing panics, nothing is opened, nothing stays.
#[test]
fn malformed_frames_are_nothing() {
    let (mut server, _) = listening_at(SERVER);
    let good = client(1).syn();
    for len in 0..good.len() {
        assert_eq!(server.receives([good[..len].to_vec()]), []);
    }
    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..10_000 {
        let mut frame = good.clone();
        for _ in 0..3 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let at = noise as usize % frame.len();
            frame[at] = (noise >> 32) as u8;
        }
        frame.truncate(20 + noise as usize % 40);
        server.receives([frame]);
    }
    // What noise opened by chance was a SYN.
    assert!(server.shard.half_open().all(|tuple| tuple.local == at(SERVER)));
}

/// Puts a hop-by-hop header without options before the segment.
fn behind_an_extension_header(frame: &[u8]) -> Vec<u8> {
    let (ip, segment) = frame.split_at(IPV6_HEADER);
    let hop_by_hop = [u8::from(IpProtocol::Tcp), 0, 1, 4, 0, 0, 0, 0];
    let mut frame = [ip, &hop_by_hop, segment].concat();
    let mut packet = Ipv6Packet::new_unchecked(&mut frame[..]);
    packet.set_next_header(IpProtocol::HopByHop);
    packet.set_payload_len((hop_by_hop.len() + segment.len()) as u16);
    frame
}

/// Two parts of a packet: what is in the first one is not the whole segment.
fn in_parts(frame: &[u8]) -> [Vec<u8>; 2] {
    let (ip, segment) = frame.split_at(IPV4_HEADER);
    let (first, last) = segment.split_at(16);
    [(first, 0), (last, 16)].map(|(part, offset)| {
        let mut frame = [ip, part].concat();
        let total = frame.len() as u16;
        let mut packet = Ipv4Packet::new_unchecked(&mut frame[..]);
        packet.set_total_len(total);
        packet.set_dont_frag(false);
        packet.set_more_frags(offset == 0);
        packet.set_frag_offset(offset);
        packet.fill_checksum();
        frame
    })
}

/// What is not looked at opens nothing; and if it ends a handshake, that is noticed.
fn not_looked_at(addr: &str, hide: fn(&[u8]) -> Vec<Vec<u8>>) {
    let (mut server, listener) = listening_at(addr);
    let client = Client::new(at(addr), 1);
    assert!(server.receives(hide(&client.syn()))[0].is_reset());
    assert_not_asked(&server);
    let syn_ack = server.syn(client);
    assert_eq!(server.receives(hide(&client.ack(&syn_ack, &[]))), []);
    assert_eq!(server.wakes, [listener]);
    assert_eq!(server.accept_all(listener), [client.addr]);
}

#[test]
fn a_segment_behind_an_extension_header() {
    not_looked_at(SERVER_V6, |frame| vec![behind_an_extension_header(frame)]);
}

#[test]
fn a_segment_in_parts() {
    not_looked_at(SERVER, |frame| in_parts(frame).into());
}
