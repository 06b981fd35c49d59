//! Clients over smoltcp at the other end of a wire, and a clock that moves by the millisecond.

use crate::plan::{self, DESIGNS, PATIENCE, Row};
use crate::server::Server;
use crate::wire::{CLIENTS, End, PORT, SERVER, interface, link, socket};
use rskq::{Config, Resources, Stack};
use rskq_smoltcp::adapted;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use std::net::SocketAddr;

/// Clients' ports, each used again once all were.
const PORTS: std::ops::Range<u16> = 10_000..60_000;
/// Bytes in each of a client's buffers.
const BUFFER: usize = 64;

/// A row for each policy.
pub(crate) fn rows(connections: u32) -> Vec<Row> {
    DESIGNS
        .map(|design| {
            let stack = Stack::new(Resources::boxed(8, 1024), adapted(Config::with(design)));
            let (mut device, clients) = link(Medium::Ip);
            let iface = interface(&mut device, SERVER);
            let local = SocketAddr::new(SERVER.into(), PORT);
            let server = Server::new(local, &stack, iface);
            let row = run(server, device, Clients::new(clients), connections);
            row.under(design, stack.counters().TCPMigrateReqSuccess)
        })
        .into()
}

fn run(mut server: Server<'_>, mut device: End, mut clients: Clients, connections: u32) -> Row {
    let mut row = Row::default();
    let mut millisecond = 0;
    while row.ended() < connections {
        millisecond += 1;
        let now = Instant::ZERO + Duration::from_millis(millisecond);
        clients.tick(now, &mut row);
        server.tick(millisecond, now, &mut device);
    }
    row
}

/// Clients that connect, wait for the answer, close, and begin again.
struct Clients {
    iface: Interface,
    device: End,
    sockets: SocketSet<'static>,
    clients: Vec<Client>,
    ports: std::iter::Cycle<std::ops::Range<u16>>,
}

#[derive(Clone, Copy)]
struct Client {
    handle: SocketHandle,
    /// When it began to connect.
    since: Instant,
    connected: bool,
    /// Whether it has closed.
    done: bool,
}

impl Clients {
    fn new(mut device: End) -> Self {
        let iface = interface(&mut device, CLIENTS);
        let mut sockets = SocketSet::new(vec![]);
        let clients = (0..plan::CLIENTS).map(|_| {
            let handle = sockets.add(socket(BUFFER));
            Client { handle, since: Instant::ZERO, connected: false, done: true }
        });
        let clients = clients.collect();
        Self { iface, device, sockets, clients, ports: PORTS.cycle() }
    }

    fn tick(&mut self, now: Instant, row: &mut Row) {
        let Self { iface, device, sockets, clients, ports } = self;
        iface.poll(now, device, sockets);
        for client in clients {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(client.handle);
            client.look(socket, now, row);
            // TIME-WAIT is for the ports, of which there are enough.
            let over = matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait);
            if client.done && over {
                socket.abort();
                iface.poll_egress(now, device, sockets);
                let socket = sockets.get_mut::<tcp::Socket<'_>>(client.handle);
                let (to, from) = ((SERVER, PORT), ports.next().unwrap_or(PORTS.start));
                socket.connect(iface.context(), to, from).expect("it is closed");
                *client = Client { since: now, connected: false, done: false, ..*client };
            }
        }
        iface.poll_egress(now, device, sockets);
    }
}

impl Client {
    /// What became of it.
    fn look(&mut self, socket: &mut tcp::Socket<'_>, now: Instant, row: &mut Row) {
        if self.done {
            return;
        }
        let waited = (now - self.since).total_millis();
        if !self.connected && socket.may_send() {
            self.connected = true;
            row.connected_after(waited);
        }
        if socket.can_recv() {
            row.answered += 1;
            socket.close();
        } else if !socket.is_open() {
            row.reset += 1;
        } else if waited > PATIENCE {
            row.timed_out += 1;
            socket.abort();
        } else {
            return;
        }
        self.done = true;
    }
}
