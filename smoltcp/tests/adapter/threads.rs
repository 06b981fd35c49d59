//! Two cores, each with an interface and a listener of one group: each accepts what falls on its listener, and
//! fetches the socket if the other one has it.

use super::*;
use rskq_smoltcp::Connection;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

const EACH: u16 = 400;

type Core<'a> = &'a Mutex<Server>;

/// Fetches a connection's socket, with one core locked at a time.
fn fetch(connection: Connection, from: Core<'_>, to: Core<'_>) -> Connection {
    let vacancy = {
        let Server { shard, sockets, .. } = &mut *to.lock().unwrap();
        shard.vacancy(sockets).expect("there is room")
    };
    let moving = {
        let Server { shard, sockets, .. } = &mut *from.lock().unwrap();
        shard.leave(connection, vacancy, sockets).map_err(|(why, ..)| why).expect("it leaves")
    };
    let Server { shard, sockets, .. } = &mut *to.lock().unwrap();
    shard.arrive(moving, sockets).ok().flatten().expect("it arrives")
}

/// Accepts whatever waits on a core's listener, answers by a reset, and tells who is to be told.
fn serve(me: Core<'_>, other: Core<'_>, listener: server::Listener) -> u16 {
    let mut served = 0;
    loop {
        let Some(connection) = me.lock().unwrap().accept(listener) else { return served };
        let mine = connection.shard() == me.lock().unwrap().shard.id();
        let connection = if mine { connection } else { fetch(connection, other, me) };
        let gone = {
            let server = &mut *me.lock().unwrap();
            let socket = server.sockets.get::<tcp::Socket<'_>>(connection.handle());
            assert_eq!(socket.remote_endpoint(), Some(connection.remote().into()));
            server.shard.abort(connection, server.now, &mut server.sockets).unwrap();
            assert_eq!(server.poll().iter().filter(|seen| seen.is_reset()).count(), 1);
            std::mem::take(&mut server.gone)
        };
        for gone in gone {
            assert_eq!(other.lock().unwrap().shard.forget(&gone.tuple), None);
        }
        served += 1;
    }
}

/// The client connects; a SYN that finds the queues full it sends again, and tells that.
fn connect(core: Core<'_>, client: Client) -> bool {
    let server = &mut *core.lock().unwrap();
    let Some(syn_ack) = server.receives([client.syn()]).pop() else { return false };
    assert_eq!(server.receives([client.ack(&syn_ack, &[])]), []);
    true
}

#[test]
fn each_core_accepts_what_is_its_own_wherever_the_socket_is() {
    let stack = server::stack(HANDOVER);
    let listeners = [(); 2].map(|()| stack.listen_at(at(SERVER), 8, true).unwrap());
    let cores = [0, 1].map(|id| Mutex::new(Server::of(stack, id, ROOM)));
    let left = AtomicU16::new(2 * EACH);
    thread::scope(|scope| {
        for me in [0, 1] {
            let (core, other, listener, left) = (&cores[me], &cores[1 - me], listeners[me], &left);
            scope.spawn(move || {
                let mut clients = (0..EACH).map(|number| client(2 * number + me as u16));
                let mut next = clients.next();
                while left.load(Ordering::Relaxed) > 0 {
                    if next.is_some_and(|client| connect(core, client)) {
                        next = clients.next();
                    }
                    left.fetch_sub(serve(core, other, listener), Ordering::Relaxed);
                    // Who waits for room gets it when the other one has made some.
                    core.lock().unwrap().poll();
                }
            });
        }
    });
    for core in cores {
        core.into_inner().unwrap().assert_empty();
    }
}
