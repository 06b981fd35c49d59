//! Connections move between shards.

use super::*;
use rskq_smoltcp::{Connection, Gone, MoveError};

/// Two shards of one stack, and a listener.
fn shards() -> (Server, Server, server::Listener) {
    let stack = server::stack(HANDOVER);
    let listener = stack.listen_at(at(SERVER), 8, false).unwrap();
    (Server::of(stack, 0, ROOM), Server::of(stack, 1, ROOM), listener)
}

/// Moves a connection, one shard after the other.
fn moves(connection: Connection, from: &mut Server, to: &mut Server) -> Connection {
    let vacancy = to.shard.vacancy(&mut to.sockets).expect("there is room");
    let Ok(moving) = from.shard.leave(connection, vacancy, &mut from.sockets) else {
        panic!("it does not leave")
    };
    let Ok(arrived) = to.shard.arrive(moving, &mut to.sockets) else { panic!("it does not arrive") };
    arrived.expect("it is not half open")
}

fn moves_half_open(client: Client, from: &mut Server, to: &mut Server) {
    let tuple = Tuple { local: client.server, remote: client.addr };
    let vacancy = to.shard.vacancy(&mut to.sockets).expect("there is room");
    let Ok(moving) = from.shard.leave_half_open(&tuple, vacancy, &mut from.sockets) else { panic!() };
    assert!(matches!(to.shard.arrive(moving, &mut to.sockets), Ok(None)));
}

#[test]
fn an_acceptor_of_another_shard_fetches_the_socket() {
    let (mut zero, mut one, listener) = shards();
    let syn_ack = zero.connect(client(1));
    let connection = one.accept(listener).unwrap();
    assert_eq!(connection.shard(), 0);
    let connection = moves(connection, &mut zero, &mut one);
    assert_eq!((connection.shard(), connection.remote()), (1, client(1).addr));
    assert_eq!((zero.shard.len(), zero.sockets.iter().count()), (0, 0));
    // What still comes to the shard that it left is for the other one, and arrives.
    let data = client(1).ack(&syn_ack, b"data");
    assert_eq!(zero.receives([data.clone()]), []);
    assert_eq!(zero.elsewhere, [(1, data.clone())]);
    one.receives([data]);
    let socket = one.sockets.get_mut::<tcp::Socket<'_>>(connection.handle());
    assert_eq!(socket.recv(|data| (data.len(), data.to_vec())), Ok(b"data".to_vec()));
    socket.send_slice(b"answer").unwrap();
    let sent = one.poll();
    assert!(sent[0].len == 6 && sent[0].seq == syn_ack.seq + 1, "{sent:?}");
    // Once it is gone the first shard is told, and the client's next SYN is its own.
    one.shard.abort(connection, one.now, &mut one.sockets).unwrap();
    one.poll();
    let tuple = Tuple { local: at(SERVER), remote: client(1).addr };
    assert_eq!(one.gone, [Gone { shard: 0, tuple }]);
    assert_eq!(zero.shard.forget(&tuple), None);
    zero.syn(client(1));
    one.assert_empty();
}

#[test]
fn plain_smoltcp_resets_what_comes_to_the_shard_that_a_socket_left() {
    let mut plain = Plain::listening(at(SERVER), 1);
    let syn_ack = plain.receives([client(1).syn()])[0];
    let handle = plain.handles[0];
    plain.sockets.remove(handle);
    assert!(plain.receives([client(1).ack(&syn_ack, &[])])[0].is_reset());
}

#[test]
fn a_half_open_connection_ends_its_handshake_where_it_moved_to() {
    let (mut zero, mut one, listener) = shards();
    let syn_ack = zero.syn(client(1));
    moves_half_open(client(1), &mut zero, &mut one);
    zero.receives([client(1).ack(&syn_ack, &[])]);
    let (shard, frame) = zero.elsewhere.pop().unwrap();
    assert_eq!(shard, 1);
    one.receives([frame]);
    assert_eq!(one.wakes, [listener]);
    assert_eq!(one.accept(listener).unwrap().shard(), 1);
}

#[test]
fn a_half_open_connection_expires_where_it_moved_to() {
    let (mut zero, mut one, _) = shards();
    zero.syn(client(1));
    moves_half_open(client(1), &mut zero, &mut one);
    for _second in 0..63 {
        one.wait(1_000);
        one.poll();
    }
    one.assert_empty();
    assert_eq!(one.gone.len(), 1);
}

#[test]
fn a_core_goes_off_line_with_all_that_it_has() {
    let (mut zero, mut one, listener) = shards();
    let syn_acks = [1, 2, 3, 4].map(|number| zero.syn(client(number)));
    zero.receives([client(1).ack(&syn_acks[0], &[])]);
    for number in [2, 3, 4] {
        moves_half_open(client(number), &mut zero, &mut one);
    }
    assert_eq!(zero.shard.half_open().count(), 0);
    for number in [2, 3, 4] {
        one.receives([client(number).ack(&syn_acks[usize::from(number) - 1], &[])]);
    }
    let accepted = [(); 4].map(|()| {
        let connection = one.accept(listener).unwrap();
        if connection.shard() == 0 { moves(connection, &mut zero, &mut one) } else { connection }
    });
    assert_eq!(accepted.each_ref().map(Connection::remote), [1, 2, 3, 4].map(|number| client(number).addr));
    assert!(zero.shard.is_empty());
}

#[test]
fn who_comes_back_is_at_home_and_everybody_is_told_once() {
    let (mut zero, mut one, listener) = shards();
    let syn_ack = zero.connect(client(1));
    let connection = one.accept(listener).unwrap();
    let connection = moves(connection, &mut zero, &mut one);
    let connection = moves(connection, &mut one, &mut zero);
    zero.receives([client(1).ack(&syn_ack, b"data")]);
    assert_eq!(zero.elsewhere, []);
    zero.shard.abort(connection, zero.now, &mut zero.sockets).unwrap();
    zero.poll();
    let tuple = Tuple { local: at(SERVER), remote: client(1).addr };
    assert_eq!(zero.gone, [Gone { shard: 1, tuple }]);
    // The first shard had it from nobody and the second one from the first.
    assert_eq!(one.shard.forget(&tuple), Some(Gone { shard: 0, tuple }));
    assert_eq!(zero.shard.forget(&tuple), None);
    zero.assert_empty();
}

#[test]
fn a_connection_may_go_to_and_fro() {
    let (mut zero, mut one, listener) = shards();
    zero.connect(client(1));
    let mut connection = zero.accept(listener).unwrap();
    for _ in 0..2 * ROOM {
        connection = moves(connection, &mut zero, &mut one);
        connection = moves(connection, &mut one, &mut zero);
    }
    zero.shard.abort(connection, zero.now, &mut zero.sockets).unwrap();
    zero.assert_empty();
    one.assert_empty();
}

#[test]
fn a_connection_of_another_shard_is_not_taken_for_its_own() {
    let (mut zero, mut one, listener) = shards();
    // The first has forgotten its client, which connects anew, and by another way.
    let connections = [&mut zero, &mut one].map(|shard| {
        shard.connect(client(1));
        shard.accept(listener).unwrap()
    });
    let [first, second] = connections;
    assert_eq!((first.handle(), first.tuple()), (second.handle(), second.tuple()));
    let first = one.shard.abort(first, one.now, &mut one.sockets).unwrap_err();
    for (shard, connection) in [(&mut zero, first), (&mut one, second)] {
        shard.shard.abort(connection, shard.now, &mut shard.sockets).unwrap();
        shard.assert_empty();
    }
}

#[test]
fn what_is_aborted_elsewhere_is_told() {
    let (mut zero, mut one, listener) = shards();
    zero.connect(client(1));
    one.close(listener);
    let orphan = one.orphans.pop().unwrap();
    assert_eq!(orphan.shard(), 0);
    zero.shard.abort(orphan, zero.now, &mut zero.sockets).unwrap();
    assert!(zero.poll()[0].is_reset());
    zero.assert_empty();
}

#[test]
fn nothing_goes_where_it_cannot() {
    let stack = server::stack(HANDOVER);
    let listener = stack.listen_at(at(SERVER), 8, false).unwrap();
    let (mut zero, mut none) = (Server::of(stack, 0, ROOM), Server::of(stack, 1, 0));
    zero.connect(client(1));
    assert!(none.shard.vacancy(&mut none.sockets).is_none());
    let connection = zero.accept(listener).unwrap();
    // Its own vacancy is none for it.
    let vacancy = zero.shard.vacancy(&mut zero.sockets).unwrap();
    let Err((why, connection, vacancy)) = zero.shard.leave(connection, vacancy, &mut zero.sockets) else {
        panic!("it left")
    };
    assert_eq!(why, MoveError::SameShard);
    // Another shard's connection is not this one's.
    let Err((why, connection, vacancy)) = none.shard.leave(connection, vacancy, &mut none.sockets) else {
        panic!("it left")
    };
    assert_eq!(why, MoveError::NotHere);
    let Err(vacancy) = none.shard.fill(vacancy, &mut none.sockets) else { panic!("not its own") };
    assert!(zero.shard.fill(vacancy, &mut zero.sockets).is_ok());
    let Err(connection) = none.shard.release(connection, none.now, &mut none.sockets) else { panic!() };
    zero.shard.abort(connection, zero.now, &mut zero.sockets).unwrap();
    zero.assert_empty();
}
