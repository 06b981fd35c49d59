//! Connections that are half open.

use super::*;

fn listening() -> (Server, server::Listener) {
    let server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    (server, listener)
}

#[test]
fn a_listener_that_waits_for_data_gets_a_connection_with_its_data() {
    let (mut server, listener) = listening();
    server.stack.set_defer_accept(listener, 3).unwrap();
    let syn_ack = server.connect(client(1));
    assert_eq!((server.accept(listener), server.wakes.len()), (None, 0));
    assert_eq!(server.stack.counters().TCPDeferAcceptDrop, 1);
    // The same ACK once more is no data.
    server.receives([client(1).ack(&syn_ack, &[])]);
    assert_eq!(server.accept(listener), None);
    server.receives([client(1).ack(&syn_ack, b"data")]);
    assert_eq!(server.wakes, [listener]);
    assert_eq!(server.accept_all(listener), [client(1).addr]);
}

#[test]
fn a_listener_that_waited_for_data_long_enough_gets_it_without() {
    let (mut server, listener) = listening();
    server.stack.set_defer_accept(listener, 2).unwrap();
    server.connect(client(1));
    for _second in 0..3 {
        assert_eq!(server.accept(listener), None);
        server.wait(1_000);
        server.poll();
    }
    assert_eq!(server.accept_all(listener), [client(1).addr]);
}

#[test]
fn a_client_that_begins_anew_is_heard_once_its_old_connection_is_over() {
    let (mut server, listener) = listening();
    server.connect(client(1));
    server.close(listener);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    // The reset of the old one is not sent yet when the SYN of the new one comes.
    let sent = server.receives([Client { isn: 77, ..client(1) }.syn()]);
    assert!(sent.len() == 1 && sent[0].is_syn_ack(), "{sent:?}");
    server.receives([Client { isn: 77, ..client(1) }.ack(&sent[0], &[])]);
    assert_eq!(server.accept_all(listener), [client(1).addr]);
    server.assert_empty();
}

#[test]
fn a_client_that_resets_what_waits_and_begins_anew_is_accepted_twice() {
    let (mut server, listener) = listening();
    let syn_ack = server.connect(client(1));
    server.receives([client(1).rst(&syn_ack)]);
    let again = Client { isn: 77, ..client(1) };
    server.connect(again);
    let (first, second) = (server.accept(listener).unwrap(), server.accept(listener).unwrap());
    let states = [&first, &second]
        .map(|connection| server.sockets.get::<tcp::Socket<'_>>(connection.handle()).state());
    assert_eq!(states, [tcp::State::Closed, tcp::State::Established]);
    for connection in [first, second] {
        server.shard.abort(connection, server.now, &mut server.sockets).unwrap();
    }
    server.assert_empty();
}

#[test]
fn a_timer_does_not_go_off_before_the_shard_says() {
    let (mut server, _) = listening();
    server.syn(client(1));
    let mut times = vec![];
    while !server.shard.is_empty() {
        let next = server.next();
        times.push(next.total_millis());
        assert!(next > server.now && times.len() < 100, "{times:?}");
        server.now = next;
        server.poll();
    }
    assert_eq!(times.last(), Some(&64_000), "a second before, and 63: {times:?}");
}
