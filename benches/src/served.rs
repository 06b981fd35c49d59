//! Item 10: requests that a server over smoltcp answers, one a connection, beside the server that one writes
//! without listeners: as many listening sockets as clients come at once, each of which listens again afterwards.
//!
//! Clients and server are in this process, with a wire between them. Both servers have the same sockets.

#[path = "../../smoltcp/examples/wire/mod.rs"]
mod wire;

use crate::measure::{Make, Measured, Routine, number};
use rskq::{Config, DefaultBackend, ListenerId, Resources, Stack};
use rskq_smoltcp::{Connection, Memory, Pool, Shard, adapted};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::time::{Duration as Span, Instant};
use std::net::SocketAddr;
use std::time::Duration;
use wire::{CLIENTS, End, PORT, SERVER, interface, link};

/// Bytes in each of a socket's buffers.
const BUFFER: usize = 256;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
/// More turns than any request takes.
const TURNS: u64 = 100;
/// The ports of clients, each used again once all were.
const PORTS: std::ops::Range<u16> = 10_000..60_000;

fn socket() -> Socket<'static> {
    let mut socket = wire::socket(BUFFER);
    // Nobody waits for more to acknowledge.
    socket.set_ack_delay(None);
    socket
}

/// Answers the request that has come, if one has. Tells whether the client has closed.
fn serve(socket: &mut Socket<'_>) -> bool {
    if socket.recv_queue() >= REQUEST.len() {
        let _ = socket.recv(|bytes| (bytes.len(), ()));
        // Who was reset meanwhile is not sent anything.
        let _ = socket.send_slice(ANSWER);
    }
    !socket.may_recv()
}

pub(crate) trait Server: Sized {
    /// Makes one for so many clients at a time.
    fn new(device: &mut End, clients: usize) -> Self;
    /// Receives, accepts, answers, closes and sends.
    fn turn(&mut self, now: Instant, device: &mut End);
}

/// Listening sockets.
pub(crate) struct Plain {
    iface: Interface,
    sockets: SocketSet<'static>,
    handles: Vec<SocketHandle>,
}

impl Server for Plain {
    fn new(device: &mut End, clients: usize) -> Self {
        let mut sockets = SocketSet::new(vec![]);
        let mut listening = |_| {
            let mut socket = socket();
            socket.listen(PORT).expect("it is closed");
            sockets.add(socket)
        };
        let handles = (0..clients).map(&mut listening).collect();
        Self { iface: interface(device, SERVER), sockets, handles }
    }

    fn turn(&mut self, now: Instant, device: &mut End) {
        self.iface.poll(now, device, &mut self.sockets);
        for &handle in &self.handles {
            let socket = self.sockets.get_mut::<Socket<'_>>(handle);
            match socket.state() {
                State::Listen | State::SynReceived => {}
                State::Closed => socket.listen(PORT).expect("it is closed"),
                _ if serve(socket) => socket.close(),
                _ => {}
            }
        }
        self.iface.poll_egress(now, device, &mut self.sockets);
    }
}

/// A listener of ours, and a pool of sockets.
pub(crate) struct Ours {
    iface: Interface,
    sockets: SocketSet<'static>,
    shard: Shard<'static, 'static, Pool<'static>, DefaultBackend>,
    listener: ListenerId<Connection, DefaultBackend>,
    accepted: Vec<Connection>,
}

impl Server for Ours {
    fn new(device: &mut End, clients: usize) -> Self {
        let stack = Stack::new(Resources::boxed(1, clients as u32), adapted(Config::default()));
        // For as long as the program runs.
        let stack: &'static Stack<'static, Connection, DefaultBackend> = Box::leak(Box::new(stack));
        let mut sockets = SocketSet::new(vec![]);
        let handles: Vec<_> = (0..clients).map(|_| sockets.add(socket())).collect();
        let shard = Shard::new(stack, 0, [7; 16], Pool::new(handles.leak()), Memory::boxed(clients));
        let at = SocketAddr::new(SERVER.into(), PORT);
        let listener = stack.listen_at(at, clients as u32, false).expect("there is room for one");
        Self { iface: interface(device, SERVER), sockets, shard, listener, accepted: vec![] }
    }

    fn turn(&mut self, now: Instant, device: &mut End) {
        let Self { iface, sockets, shard, listener, accepted } = self;
        // Whoever accepts looks every time, woken or not.
        shard.poll(now, device, iface, sockets, |_| {});
        while let Some(connection) = shard.accept(*listener, now, sockets, |_| {}).expect("it listens") {
            accepted.push(connection);
        }
        let mut at = 0;
        while let Some(connection) = accepted.get(at) {
            if serve(sockets.get_mut(connection.handle())) {
                let connection = accepted.swap_remove(at);
                shard.release(connection, now, sockets).expect("there is one shard");
            } else {
                at += 1;
            }
        }
        shard.poll_egress(now, device, iface, sockets, |_| {});
    }
}

/// A client: from its SYN until the server has acknowledged its FIN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connects,
    Asked,
    Closes,
    Done,
}

/// Both ends.
pub(crate) struct Site<S> {
    server: S,
    device: End,
    iface: Interface,
    wire: End,
    sockets: SocketSet<'static>,
    clients: Vec<(SocketHandle, Stage)>,
    ports: std::iter::Cycle<std::ops::Range<u16>>,
    now: Instant,
}

impl<S: Server> Site<S> {
    fn new(clients: usize) -> Self {
        let (mut device, mut wire) = link(Medium::Ip);
        let (server, iface) = (S::new(&mut device, clients), interface(&mut wire, CLIENTS));
        let mut sockets = SocketSet::new(vec![]);
        let clients = (0..clients).map(|_| (sockets.add(socket()), Stage::Done)).collect();
        Self { server, device, iface, wire, sockets, clients, ports: PORTS.cycle(), now: Instant::ZERO }
    }

    /// Everybody asks once. Returns how long all of it took, and how much of that the server.
    pub(crate) fn everybody(&mut self) -> Result<[Duration; 2], &'static str> {
        let (start, mut served) = (std::time::Instant::now(), Duration::ZERO);
        for (handle, stage) in &mut self.clients {
            let client = self.sockets.get_mut::<Socket<'_>>(*handle);
            // What it remembers of its last connection is not waited for.
            *client = socket();
            let (to, from) = ((SERVER, PORT), self.ports.next().unwrap_or(PORTS.start));
            client.connect(self.iface.context(), to, from).expect("it is closed");
            *stage = Stage::Connects;
        }
        for _ in 0..TURNS {
            self.iface.poll(self.now, &mut self.wire, &mut self.sockets);
            for (handle, stage) in &mut self.clients {
                *stage = next(*stage, self.sockets.get_mut(*handle))?;
            }
            self.iface.poll_egress(self.now, &mut self.wire, &mut self.sockets);
            let turn = std::time::Instant::now();
            self.server.turn(self.now, &mut self.device);
            served += turn.elapsed();
            self.now += Span::from_millis(1);
            if self.clients.iter().all(|(_, stage)| *stage == Stage::Done) {
                return Ok([start.elapsed(), served]);
            }
        }
        Err("not everybody was answered")
    }
}

/// Goes on, and tells how far it is.
fn next(stage: Stage, socket: &mut Socket<'_>) -> Result<Stage, &'static str> {
    match (stage, socket.state()) {
        (Stage::Connects, State::SynSent) => Ok(stage),
        (Stage::Connects, State::Established) => {
            socket.send_slice(REQUEST).map_err(|_| "a client cannot ask")?;
            Ok(Stage::Asked)
        }
        (Stage::Asked, State::Established) if socket.recv_queue() < ANSWER.len() => Ok(stage),
        (Stage::Asked, State::Established) => {
            let right = socket.recv(|bytes| (bytes.len(), bytes == ANSWER)).unwrap_or(false);
            socket.close();
            if right { Ok(Stage::Closes) } else { Err("an answer is wrong") }
        }
        (Stage::Closes, State::TimeWait) | (Stage::Done, _) => Ok(Stage::Done),
        (Stage::Closes, State::FinWait1 | State::FinWait2 | State::Closing) => Ok(stage),
        _ => Err("a client was reset"),
    }
}

/// Both ends, after they are shown to do the work.
///
/// # Panics
///
/// If a client is not answered, or reset.
pub(crate) fn warm<S: Server>(clients: usize) -> Site<S> {
    let mut site = Site::new(clients);
    for _ in 0..3 {
        site.everybody().unwrap_or_else(|error| panic!("{clients} clients: {error}"));
    }
    site
}

fn make<S: Server + 'static>(case: &str, whose: usize) -> Routine {
    let clients = number(case);
    let mut site = warm::<S>(clients);
    Box::new(move |iters| {
        let times = iters.div_ceil(clients as u64);
        let took: Duration = (0..times).map(|_| site.everybody().expect("as before")[whose]).sum();
        took.mul_f64(iters as f64 / (times * clients as u64) as f64)
    })
}

pub(crate) fn measured() -> Vec<Measured> {
    let (both, server) = ("10 requests, over smoltcp", "10 requests, over smoltcp, the server's part");
    let contenders: [(_, _, Make); 4] = [
        (both, "rskq", |case| make::<Ours>(case, 0)),
        (both, "listening sockets", |case| make::<Plain>(case, 0)),
        (server, "rskq", |case| make::<Ours>(case, 1)),
        (server, "listening sockets", |case| make::<Plain>(case, 1)),
    ];
    let case = |n: u64| contenders.iter().map(move |&(item, who, make)| Measured::new(item, n, who, make));
    [1, 16, 64].into_iter().flat_map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_answered_and_none_is_reset() {
        let (mut ours, mut plain) = (Site::<Ours>::new(64), Site::<Plain>::new(64));
        for _ in 0..10 {
            assert!(ours.everybody().is_ok());
            assert!(plain.everybody().is_ok());
        }
        assert!(ours.server.shard.is_empty());
    }

    /// Too few sockets, or sockets that never listen again.
    struct Short<const TURNS: usize>(Plain, usize);

    impl<const TURNS: usize> Server for Short<TURNS> {
        fn new(device: &mut End, clients: usize) -> Self {
            Self(Plain::new(device, if TURNS == 0 { clients - 1 } else { clients }), 0)
        }
        fn turn(&mut self, now: Instant, device: &mut End) {
            self.1 += 1;
            if TURNS == 0 || self.1 <= TURNS {
                self.0.turn(now, device);
            }
        }
    }

    #[test]
    fn who_is_not_answered_is_noticed() {
        assert_eq!(Site::<Short<0>>::new(4).everybody(), Err("a client was reset"));
        assert_eq!(Site::<Short<2>>::new(4).everybody(), Err("not everybody was answered"));
    }
}
