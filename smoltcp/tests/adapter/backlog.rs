//! How much a listener holds, and what becomes of the rest.

use super::*;

/// A listener with a backlog holds one connection more, half open or waiting. What it does not hold is dropped
/// silently, and taken when it is sent again.
fn backlog_holds(backlog: u32) {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), backlog, false).unwrap();
    let most = backlog as u16 + 1;
    let syns = |server: &mut Server| server.receives((1..=most + 1).map(|number| client(number).syn()));
    // The SYN queue.
    let syn_acks = syns(&mut server);
    assert_eq!(syn_acks.len(), usize::from(most));
    assert!(syn_acks.iter().all(Seen::is_syn_ack));
    assert_eq!(server.stack.counters().TCPReqQFullDrop, 1);
    // The accept queue.
    for (number, syn_ack) in (1..).zip(&syn_acks) {
        assert_eq!(server.receives([client(number).ack(syn_ack, &[])]), []);
    }
    assert_eq!(server.stack.queue_len(listener), Ok((backlog + 1, backlog)));
    assert_eq!(server.receives([client(most + 1).syn()]), []);
    assert_eq!(server.stack.counters().ListenOverflows, 1);
    let first = server.accept(listener).unwrap();
    server.connect(client(most + 1));
    let expected: Vec<_> = (2..=most + 1).map(|number| client(number).addr).collect();
    assert_eq!(server.accept_all(listener), expected);
    assert_eq!(first.remote(), client(1).addr);
    server.shard.abort(first, server.now, &mut server.sockets).unwrap();
    server.assert_empty();
}

#[test]
fn backlog_0() {
    backlog_holds(0);
}

#[test]
fn backlog_1() {
    backlog_holds(1);
}

#[test]
fn plain_smoltcp_resets_what_its_sockets_do_not_hold() {
    let mut plain = Plain::listening(at(SERVER), 1);
    let sent = plain.receives([client(1).syn(), client(2).syn()]);
    assert!(sent.iter().any(|seen| seen.is_reset() && seen.to == client(2).addr), "{sent:?}");
}

#[test]
fn a_burst_in_one_poll_is_answered() {
    let mut server = Server::new(ABORT);
    server.stack.listen_at(at(SERVER), ROOM as u32, false).unwrap();
    let sent = server.receives((0..ROOM as u16).map(|number| client(number).syn()));
    assert_eq!(sent.iter().filter(|seen| seen.is_syn_ack()).count(), ROOM);
    assert_eq!(sent.len(), ROOM);
}

/// A listener with room for two, three handshakes that are done, and data with the last ACK.
fn overflowing(config: Config) -> (Server, server::Listener, Vec<Seen>) {
    let mut server = Server::new(config);
    let listener = server.stack.listen_at(at(SERVER), 2, false).unwrap();
    let syn_acks = [1, 2, 3].map(|number| server.syn(client(number)));
    server.stack.listen(listener, 1).unwrap();
    for number in [1, 2] {
        server.receives([client(number).ack(&syn_acks[usize::from(number) - 1], &[])]);
    }
    let mut sent = server.receives([client(3).ack(&syn_acks[2], b"data")]);
    // smoltcp acknowledges data after a while.
    server.wait(20);
    sent.extend(server.poll());
    (server, listener, sent)
}

#[test]
fn a_handshake_that_finds_the_queue_full_waits_for_room_with_its_data() {
    let (mut server, listener, sent) = overflowing(ABORT);
    let syn_ack = Seen { seq: sent[0].seq - 1, ..sent[0] };
    assert_eq!(server.stack.queue_len(listener), Ok((2, 1)));
    assert_eq!(server.stack.counters().ListenOverflows, 1);
    // It does not ask again where nothing has changed, whatever its client says.
    let again = Client { isn: client(3).isn + 4, ..client(3) }.ack(&syn_ack, b" and more");
    server.receives([again]);
    assert_eq!(server.stack.counters().ListenOverflows, 1);
    server.wakes.clear();
    let first = server.accept(listener).unwrap();
    assert_eq!(server.wakes, [listener]);
    let second = server.accept(listener).unwrap();
    let third = server.accept(listener).unwrap();
    assert_eq!(third.remote(), client(3).addr);
    let socket = server.sockets.get_mut::<tcp::Socket<'_>>(third.handle());
    assert_eq!(socket.recv(|data| (data.len(), data.to_vec())), Ok(b"data and more".to_vec()));
    for connection in [first, second, third] {
        server.shard.abort(connection, server.now, &mut server.sockets).unwrap();
    }
    server.assert_empty();
}

#[test]
fn who_waits_for_room_is_served_in_order() {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 4, false).unwrap();
    let syn_acks = [1, 2, 3, 4].map(|number| server.syn(client(number)));
    server.stack.listen(listener, 0).unwrap();
    let order = [3, 4, 1, 2];
    for number in order {
        server.receives([client(number).ack(&syn_acks[usize::from(number) - 1], &[])]);
    }
    assert_eq!(server.stack.queue_len(listener), Ok((1, 0)));
    assert_eq!(server.accept_all(listener), order.map(|number| client(number).addr));
}

#[test]
fn who_accepts_elsewhere_makes_room_for_the_next_poll() {
    let (mut server, listener, _) = overflowing(ABORT);
    let _first = server.stack.accept(listener).unwrap().unwrap();
    server.wakes.clear();
    server.poll();
    assert_eq!(server.wakes, [listener]);
    assert_eq!(server.stack.queue_len(listener), Ok((2, 1)));
}

#[test]
fn a_handshake_that_waits_too_long_for_room_ends_with_a_reset() {
    let (mut server, _, _) = overflowing(ABORT);
    let mut sent = vec![];
    while sent.is_empty() {
        server.now = server.next();
        sent.extend(server.poll());
    }
    assert_eq!(server.now.secs(), 64);
    assert!(sent.len() == 1 && sent[0].is_reset() && sent[0].to == client(3).addr, "{sent:?}");
    assert_eq!(server.shard.len(), 2);
}

#[test]
fn a_client_that_resets_while_it_waits_for_room_is_gone() {
    let (mut server, listener, sent) = overflowing(ABORT);
    let ack = sent[0];
    // Its data was acknowledged; the reset is the next in its sequence.
    let reset = Client { isn: client(3).isn + 4, ..client(3) }.rst(&Seen { seq: ack.seq - 1, ..ack });
    server.receives([reset]);
    assert_eq!(server.shard.len(), 2);
    assert_eq!(server.accept_all(listener), [client(1).addr, client(2).addr]);
    server.assert_empty();
}

#[test]
fn where_the_policy_says_so_an_overflow_is_answered_with_a_reset() {
    let sysctl = Sysctl { tcp_abort_on_overflow: true, ..Sysctl::LINUX };
    let (server, _, sent) = overflowing(Config { sysctl, ..ABORT });
    assert!(sent.iter().any(Seen::is_reset));
    assert_eq!(server.shard.len(), 2);
}
