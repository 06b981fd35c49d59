//! Listeners in a group, one of which closes.

use super::*;
use server::Listener;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// How many clients connect: more than half of the room, so that each of four listeners gets some.
const CLIENTS: u16 = 32;

/// Four listeners in a group; the first half of the clients are connected, the others half open.
fn group(config: Config) -> (Server, [Listener; 4], Vec<Seen>) {
    let mut server = Server::new(config);
    let listeners = [(); 4].map(|()| server.stack.listen_at(at(SERVER), 64, true).unwrap());
    let syn_acks: Vec<_> = (0..CLIENTS).map(|number| server.syn(client(number))).collect();
    for number in 0..CLIENTS / 2 {
        server.receives([client(number).ack(&syn_acks[usize::from(number)], &[])]);
    }
    assert!(listeners.iter().all(|&listener| server.stack.queue_len(listener).unwrap().0 > 0));
    server.wakes.clear();
    (server, listeners, syn_acks)
}

/// The rest of the handshakes; returns who was reset.
fn rest(server: &mut Server, syn_acks: &[Seen]) -> Vec<Seen> {
    let rest = CLIENTS / 2..CLIENTS;
    rest.flat_map(|number| server.receives([client(number).ack(&syn_acks[usize::from(number)], &[])]))
        .collect()
}

fn all() -> BTreeSet<SocketAddr> {
    (0..CLIENTS).map(|number| client(number).addr).collect()
}

#[test]
fn where_it_migrates_everything_is_accepted_by_the_others() {
    for design in [Design::Requeue, Design::Handover, Design::Linux] {
        let (mut server, [closed, others @ ..], syn_acks) = group(Config::migrating(design));
        server.close(closed);
        assert!(!server.wakes.is_empty(), "who gains a connection is woken");
        assert_eq!(rest(&mut server, &syn_acks), [], "{design:?}");
        let accepted: Vec<_> = others.iter().flat_map(|&listener| server.accept_all(listener)).collect();
        assert_eq!(accepted.len(), usize::from(CLIENTS), "{design:?}");
        assert_eq!(accepted.into_iter().collect::<BTreeSet<_>>(), all());
        server.assert_empty();
    }
}

#[test]
fn where_it_does_not_its_own_are_reset_and_nobody_elses() {
    let (mut server, [closed, others @ ..], syn_acks) = group(ABORT);
    let waited = server.stack.queue_len(closed).unwrap().0 as usize;
    server.close(closed);
    let mut reset = server.poll();
    assert_eq!(reset.len(), waited);
    reset.extend(rest(&mut server, &syn_acks));
    assert!(reset.iter().all(Seen::is_reset) && reset.len() > waited);
    let accepted = others.iter().flat_map(|&listener| server.accept_all(listener));
    let told: BTreeSet<_> = accepted.chain(reset.into_iter().map(|seen| seen.to)).collect();
    assert_eq!(told, all(), "everybody is accepted or reset");
    server.assert_empty();
}

#[test]
fn a_migration_is_not_seen_by_smoltcp() {
    let (mut server, [closed, ..], _) = group(HANDOVER);
    let before: Vec<_> =
        server.tcp_sockets().map(|socket| (socket.state(), socket.remote_endpoint())).collect();
    server.close(closed);
    assert_eq!(server.poll(), []);
    let after: Vec<_> =
        server.tcp_sockets().map(|socket| (socket.state(), socket.remote_endpoint())).collect();
    assert_eq!(before, after);
}

#[test]
fn the_last_of_a_group_has_nobody_to_leave_to() {
    let (mut server, listeners, syn_acks) = group(HANDOVER);
    for listener in listeners {
        server.close(listener);
    }
    let mut reset = server.poll();
    reset.extend(rest(&mut server, &syn_acks));
    assert_eq!(reset.iter().filter(|seen| seen.is_reset()).count(), usize::from(CLIENTS));
    server.assert_empty();
}
