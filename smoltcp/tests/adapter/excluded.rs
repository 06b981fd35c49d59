//! The faults of accept layers over smoltcp, each excluded; and each shown over plain smoltcp, so that the
//! test can fail.

use super::*;

#[test]
fn duplicate_syn_taken_by_another_socket() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    // Somebody else's sockets come first in the set, and an idle one is beside.
    let other = server.sockets.add(server::buffers());
    let syn_ack = server.syn(client(1));
    server.sockets.remove(other);
    assert_eq!(server.receives([client(1).syn(), client(1).syn()]), []);
    assert_eq!(server.tcp_sockets().count(), 1);
    assert_eq!(server.receives([client(1).ack(&syn_ack, &[])]), []);
    assert_eq!(server.accept_all(listener), [client(1).addr]);
}

#[test]
fn plain_smoltcp_has_a_duplicate_syn_taken_by_another_socket() {
    let mut plain = Plain::listening(at(SERVER), 2);
    // The first socket is in use while the client's SYN arrives, and listens again when it comes again.
    plain.socket(0).abort();
    let first = plain.receives([client(1).syn()])[0];
    plain.listen(0, at(SERVER));
    let second = plain.receives([client(1).syn()]);
    assert!(second[0].is_syn_ack() && second[0].seq != first.seq, "one socket has the connection");
    assert!(plain.receives([client(1).ack(&first, &[])])[0].is_reset());
}

#[test]
fn phantom_listener_after_a_reset() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    let syn_ack = server.syn(client(1));
    assert_eq!(server.receives([client(1).rst(&syn_ack)]), []);
    // `poll` has seen that nobody listens; and nothing is left of the connection.
    server.assert_empty();
    assert_eq!(server.stack.counters().EmbryonicRsts, 1);
    // Once the listener is gone nobody answers, whatever came before.
    let syn_ack = server.syn(client(2));
    server.close(listener);
    let sent = server.receives([client(2).rst(&syn_ack), client(3).syn()]);
    assert!(sent.len() == 1 && sent[0].is_reset() && sent[0].to == client(3).addr);
}

#[test]
fn plain_smoltcp_has_a_phantom_listener_after_a_reset() {
    let mut plain = Plain::listening(at(SERVER), 1);
    let syn_ack = plain.receives([client(1).syn()])[0];
    // To its owner the socket is a connection by now.
    assert_eq!(plain.socket(0).state(), tcp::State::SynReceived);
    plain.receives([client(1).rst(&syn_ack)]);
    assert!(plain.receives([client(2).syn()])[0].is_syn_ack());
}

#[test]
fn wrong_peer_recorded() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    let syn_ack = server.syn(client(1));
    let sent = server.receives([client(1).rst(&syn_ack), client(2).syn()]);
    assert_eq!(server.receives([client(2).ack(&sent[0], &[])]), []);
    let connection = server.accept(listener).unwrap();
    assert_eq!(connection.remote(), client(2).addr);
    let socket = server.sockets.get::<tcp::Socket<'_>>(connection.handle());
    assert_eq!(socket.remote_endpoint(), Some(client(2).addr.into()));
}

#[test]
fn plain_smoltcp_has_a_wrong_peer_where_it_is_recorded_with_the_syn() {
    let mut plain = Plain::listening(at(SERVER), 1);
    let syn_ack = plain.receives([client(1).syn()])[0];
    let recorded = plain.socket(0).remote_endpoint();
    let sent = plain.receives([client(1).rst(&syn_ack), client(2).syn()]);
    plain.receives([client(2).ack(&sent[0], &[])]);
    assert_eq!(plain.socket(0).state(), tcp::State::Established);
    assert_ne!(plain.socket(0).remote_endpoint(), recorded);
}

#[test]
fn half_open_that_never_expires() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    server.syn(client(1));
    let mut syn_acks = 1;
    // Linux's timers: 1, 2, 4, 8, 16 and 32 seconds.
    for second in 1..=63 {
        assert_eq!(server.shard.len(), 1, "after {second} seconds");
        server.wait(1_000);
        let sent = server.poll();
        assert!(sent.iter().all(Seen::is_syn_ack), "it is given up silently: {sent:?}");
        syn_acks += sent.len();
    }
    assert!(syn_acks > 3);
    server.assert_empty();
    // The listener has its room back, and the client, if it answers after all, no connection.
    assert_eq!(server.stack.queue_len(listener), Ok((0, 8)));
    assert_eq!(server.stack.counters().TCPTimeouts, 6);
}

#[test]
fn plain_smoltcp_has_a_half_open_that_never_expires() {
    let mut plain = Plain::listening(at(SERVER), 1);
    plain.receives([client(1).syn()]);
    for _minute in 0..24 * 60 {
        plain.now += smoltcp::time::Duration::from_secs(60);
        plain.receives([]);
    }
    assert_eq!(plain.socket(0).state(), tcp::State::SynReceived);
}

#[test]
fn fifo_broken() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    let syn_acks = [1, 2, 3, 4, 5].map(|number| server.syn(client(number)));
    let order = [3, 5, 1, 4, 2];
    for number in order {
        server.receives([client(number).ack(&syn_acks[usize::from(number) - 1], &[])]);
    }
    assert_eq!(server.accept_all(listener), order.map(|number| client(number).addr));
}

#[test]
fn plain_smoltcp_has_fifo_broken() {
    let mut plain = Plain::listening(at(SERVER), 3);
    let syn_acks = [1, 2, 3].map(|number| plain.receives([client(number).syn()])[0]);
    for number in [3, 1, 2] {
        plain.receives([client(number).ack(&syn_acks[usize::from(number) - 1], &[])]);
    }
    // Who looks through its sockets for one that is connected finds them by number.
    let accepted = [0, 1, 2].map(|socket| plain.socket(socket).remote_endpoint().unwrap().port);
    assert_eq!(accepted, [1, 2, 3].map(|number| client(number).addr.port()));
}
