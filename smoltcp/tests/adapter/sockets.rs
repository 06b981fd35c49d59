//! Sockets: where they come from, and that they come back.

use super::common::link::{End, link};
use super::common::segment::read;
use super::*;
use rskq_smoltcp::{Connection, Memory, Pool, Shard};
use smoltcp::iface::{Interface, SocketSet, SocketStorage};
use smoltcp::phy::Medium;
use smoltcp::time::{Duration, Instant};

#[test]
fn without_a_socket_a_syn_is_dropped_and_counted_and_leaves_nothing() {
    let mut server = Server::of(server::stack(ABORT), 0, 1);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    server.connect(client(1));
    assert_eq!(server.receives([client(2).syn()]), []);
    assert_eq!(server.shard.counters().no_socket, 1);
    // Where nobody listens it needs no socket to say so.
    let nobody = Client::new(at("10.0.0.1:81"), 3);
    assert!(server.receives([nobody.syn()])[0].is_reset());
    assert_eq!(server.accept_all(listener), [client(1).addr]);
    server.poll();
    server.connect(client(2));
    assert_eq!(server.accept_all(listener), [client(2).addr]);
    server.assert_empty();
}

/// A connection that was accepted.
fn accepted() -> (Server, Connection, Seen) {
    let mut server = Server::new(ABORT);
    let listener = server.stack.listen_at(at(SERVER), 8, false).unwrap();
    let syn_ack = server.connect(client(1));
    let connection = server.accept(listener).unwrap();
    (server, connection, syn_ack)
}

#[test]
fn what_is_released_sends_what_it_has_and_its_end() {
    let (mut server, connection, syn_ack) = accepted();
    server.sockets.get_mut::<tcp::Socket<'_>>(connection.handle()).send_slice(b"answer").unwrap();
    server.shard.release(connection, server.now, &mut server.sockets).unwrap();
    let sent = server.poll();
    assert!(sent[0].len == 6 && sent[0].control == smoltcp::wire::TcpControl::Fin, "{sent:?}");
    // The client has all, and ends as well.
    server.receives([client(1).fin(&Seen { seq: syn_ack.seq + 7, ..syn_ack })]);
    server.wait(10_001);
    server.poll();
    server.assert_empty();
}

#[test]
fn a_peer_that_does_not_answer_for_a_minute_is_reset() {
    let (mut server, connection, _) = accepted();
    server.shard.release(connection, server.now, &mut server.sockets).unwrap();
    server.poll();
    assert_eq!(server.shard.len(), 1);
    let mut sent = vec![];
    for _second in 0..61 {
        server.wait(1_000);
        sent = server.poll();
        if server.shard.is_empty() {
            break;
        }
    }
    assert!(sent.iter().any(Seen::is_reset), "{sent:?}");
    server.assert_empty();
}

#[test]
fn a_socket_that_connects_is_not_robbed_of_its_segments() {
    let mut server = Server::new(ABORT);
    server.stack.listen_at(at(SERVER), 8, false).unwrap();
    // It opens from the port that is listened at, and the peer opens at the same time. Before it in the set
    // there is room.
    let before = server.sockets.add(server::buffers());
    let handle = server.connects(client(1));
    server.sockets.remove(before);
    let sent = server.poll();
    assert!(sent.len() == 1 && !sent[0].is_syn_ack());
    let sent = server.receives([client(1).syn()]);
    assert!(sent.iter().all(Seen::is_syn_ack), "{sent:?}");
    assert!(server.shard.is_empty());
    assert_eq!(server.sockets.get::<tcp::Socket<'_>>(handle).state(), tcp::State::SynReceived);
}

#[test]
fn a_reset_that_cannot_be_sent_waits() {
    let (mut server, connection, _) = accepted();
    server.shard.abort(connection, server.now, &mut server.sockets).unwrap();
    server.block(true);
    assert_eq!((server.poll(), server.shard.len()), (vec![], 1));
    server.block(false);
    assert!(server.poll()[0].is_reset());
    server.assert_empty();
}

#[test]
fn but_not_for_ever() {
    let (mut server, connection, _) = accepted();
    server.shard.abort(connection, server.now, &mut server.sockets).unwrap();
    server.block(true);
    for _second in 0..60 {
        assert_eq!((server.poll(), server.shard.len()), (vec![], 1));
        server.wait(1_000);
    }
    server.assert_empty();
}

/// A server whose memory is fixed.
struct Fixed<'a> {
    sockets: SocketSet<'a>,
    iface: Interface,
    device: End,
    clients: End,
    now: Instant,
}

impl Fixed<'_> {
    fn receives<B: rskq::sync::Backend>(
        &mut self,
        shard: &mut Shard<'_, '_, Pool<'_>, B>,
        frames: impl IntoIterator<Item = Vec<u8>>,
    ) -> Vec<Seen> {
        frames.into_iter().for_each(|frame| self.clients.put(frame));
        shard.poll(self.now, &mut self.device, &mut self.iface, &mut self.sockets, |_| {});
        self.clients.take().iter().filter_map(|frame| read(frame)).collect()
    }
}

#[test]
fn nothing_is_allocated_for_a_connection_where_the_memory_is_handed_over() {
    let mut bytes = [[0; 128]; 4];
    let mut storage = [const { SocketStorage::EMPTY }; 2];
    let mut sockets = SocketSet::new(&mut storage[..]);
    let mut handles = bytes.as_chunks_mut::<2>().0.iter_mut().map(|[rx, tx]| {
        sockets
            .add(tcp::Socket::new(tcp::SocketBuffer::new(&mut rx[..]), tcp::SocketBuffer::new(&mut tx[..])))
    });
    let mut handles = [handles.next().unwrap(), handles.next().unwrap()];
    let stack = server::stack(ABORT);
    let listener = stack.listen_at(at(SERVER), 8, false).unwrap();
    let mut connections = [const { rskq_smoltcp::Place::new() }; 2];
    let memory = Memory { connections: (&mut connections).into(), departed: (&mut []).into() };
    let mut shard = Shard::new(stack, 0, [7; 16], Pool::new(&mut handles), memory);
    let (mut device, clients) = link(Medium::Ip);
    let now = Instant::from_secs(1);
    let iface = server::interface(&mut device, now);
    let mut server = Fixed { sockets, iface, device, clients, now };

    // What is given up comes back without a word.
    assert_eq!(server.receives(&mut shard, [client(98).syn()]).len(), 1);
    for _second in 0..70 {
        server.now += Duration::from_secs(1);
        assert!(server.receives(&mut shard, []).iter().all(Seen::is_syn_ack));
    }
    assert_eq!((shard.supply().idle(), shard.is_empty()), (2, true));

    // More often than there are sockets: each comes back, and is as good as new.
    for number in 0..16 {
        let syn_acks = [2 * number, 2 * number + 1].map(|number| {
            let sent = server.receives(&mut shard, [client(number).syn()]);
            sent[0]
        });
        assert_eq!(server.receives(&mut shard, [client(99).syn()]), []);
        let [first, second] = [0, 1].map(|which| {
            server
                .receives(&mut shard, [client(2 * number + which).ack(&syn_acks[usize::from(which)], b"x")]);
            shard.accept(listener, server.now, &mut server.sockets, |_| {}).unwrap().unwrap()
        });
        assert_eq!((shard.supply().idle(), first.remote()), (0, client(2 * number).addr));
        server.sockets.get_mut::<tcp::Socket<'_>>(second.handle()).set_timeout(Some(Duration::from_secs(3)));
        for connection in [first, second] {
            let socket = server.sockets.get_mut::<tcp::Socket<'_>>(connection.handle());
            assert_eq!((socket.recv_queue(), socket.timeout()), (1, socket.timeout()));
            shard.abort(connection, server.now, &mut server.sockets).unwrap();
        }
        assert_eq!(server.receives(&mut shard, []).iter().filter(|seen| seen.is_reset()).count(), 2);
        assert_eq!((shard.supply().idle(), shard.is_empty()), (2, true));
        assert!(server.sockets.iter().all(|(_, socket)| matches!(socket,
            smoltcp::socket::Socket::Tcp(socket) if socket.timeout().is_none())));
    }
    assert_eq!(shard.counters().no_socket, 16);
}
