//! A listener closes.

use super::*;

/// A listener with a connection that waits and one that is half open.
fn listener_with_two(config: Config) -> (Server, server::Listener, Seen) {
    let mut server = Server::new(config);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    server.connect(client(1));
    let syn_ack = server.syn(client(2));
    (server, listener, syn_ack)
}

#[test]
fn what_waits_is_reset_and_the_reset_is_sent() {
    for design in [Design::Abort, Design::Linux, Design::Requeue, Design::Handover] {
        let (mut server, listener, syn_ack) = listener_with_two(Config::migrating(design));
        server.close(listener);
        let sent = server.poll();
        assert!(sent.len() == 1 && sent[0].is_reset() && sent[0].to == client(1).addr, "{sent:?}");
        // Who is half open hears of it with its final ACK.
        let sent = server.receives([client(2).ack(&syn_ack, b"data")]);
        assert!(sent.len() == 1 && sent[0].is_reset() && sent[0].to == client(2).addr, "{sent:?}");
        // And nobody listens.
        assert!(server.receives([client(3).syn()])[0].is_reset());
        server.assert_empty();
    }
}

#[test]
fn what_is_half_open_and_nobodys_goes_with_its_timer() {
    let (mut server, listener, _) = listener_with_two(ABORT);
    server.close(listener);
    server.poll();
    server.wait(1_000);
    assert!(server.poll().iter().all(Seen::is_syn_ack));
    server.assert_empty();
}

#[test]
fn listen_during_close() {
    let (mut server, listener, _) = listener_with_two(ABORT);
    let here = Here { cpu: 0, now: 0 };
    server.connect(client(3));
    // One step of two.
    let first = server.stack.close(listener, here).unwrap().next().unwrap();
    server.shard.settle(first, server.now, &mut server.sockets, |_| {});
    assert_eq!(server.stack.listen(listener, 8), Err(ListenError::Stale));
    assert_eq!(server.stack.listen_at(at(SERVER), 8, false), Err(ListenError::AddrInUse));
    // What arrives meanwhile finds nobody, and no connection is lost without a reset.
    let sent = server.receives([client(4).syn()]);
    assert_eq!(
        sent.iter().map(|seen| (seen.to, seen.is_reset())).collect::<Vec<_>>(),
        [(client(4).addr, true), (client(1).addr, true)]
    );
    server.close(listener);
    let again = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    let sent = server.poll();
    assert!(sent.len() == 1 && sent[0].is_reset() && sent[0].to == client(3).addr, "{sent:?}");
    server.connect(client(5));
    assert_eq!(server.accept_all(again), [client(5).addr]);
}

#[test]
fn plain_smoltcp_swallows_the_reset_where_a_socket_listens_during_close() {
    let mut plain = Plain::listening(at(SERVER), 1);
    let syn_ack = plain.receives([client(1).syn()])[0];
    plain.receives([client(1).ack(&syn_ack, &[])]);
    plain.socket(0).abort();
    plain.listen(0, at(SERVER));
    assert_eq!(plain.receives([]), [], "the client believes that it is connected");
}

#[test]
fn who_is_shut_down_may_listen_again() {
    let (mut server, listener, _) = listener_with_two(ABORT);
    server.shard.shutdown(listener, server.now, &mut server.sockets, |_| {}).unwrap();
    assert!(server.poll()[0].is_reset());
    assert!(server.receives([client(3).syn()])[0].is_reset());
    server.stack.listen(listener, 8).unwrap();
    server.connect(client(4));
    assert_eq!(server.accept_all(listener), [client(4).addr]);
}

#[test]
fn a_client_that_has_gone_is_accepted_all_the_same() {
    let (mut server, listener, syn_ack) = listener_with_two(ABORT);
    // The end of its data, with the final ACK.
    server.receives([client(2).fin(&syn_ack)]);
    assert_eq!(server.accept_all(listener), [client(1).addr, client(2).addr]);
}
