//! What one CPU has: an interface, sockets, a shard of the connections, and a listener.

use crate::arch::{apic, clock};
use crate::http::{self, Progress, Request};
use crate::mail::{self, Mail};
use crate::memory::CONNECTIONS;
use crate::port::{self, Port};
use crate::server::{ADDRESS, PORT, now};
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use heapless::Vec;
use rskq::{DefaultBackend, ListenerId};
use rskq_smoltcp::{Connection, Event, Gone, Pool};
use smoltcp::iface::{Interface, PollResult, SocketSet};
use smoltcp::socket::tcp::Socket;

/// Connections that may wait on a listener.
const BACKLOG: u32 = 256;
/// For how long a CPU accepts nothing any more before its listener is closed, in microseconds.
const DRAIN: u64 = 2_000;

/// For how long a client that was answered may take to close, in microseconds.
const PATIENCE: u64 = 1_000_000;

/// Whether the second CPU's listener is to be there.
static ONLINE: AtomicBool = AtomicBool::new(true);

type Listener = ListenerId<Connection, DefaultBackend>;
type Shard = rskq_smoltcp::Shard<'static, 'static, Pool<'static>, DefaultBackend>;

/// What one CPU has.
pub struct Worker {
    cpu: usize,
    iface: Interface,
    sockets: SocketSet<'static>,
    shard: Shard,
    listener: Option<Listener>,
    /// When the listener is closed, if it is to be.
    closes_at: Option<u64>,
    /// Accepted, and their sockets are the other CPU's.
    abroad: Vec<Connection, CONNECTIONS>,
    /// Accepted, and their sockets are here.
    serving: Vec<Served, CONNECTIONS>,
}

/// A connection that is served.
struct Served {
    connection: Connection,
    /// When it was answered. It is the client that closes then: whoever closes first remembers the connection.
    answered: Option<u64>,
}

/// Passes on what a shard tells. Who accepts here looks at its listener anyway.
fn tell(mine: Option<Listener>) -> impl FnMut(Event<'_, DefaultBackend>) {
    move |event| match event {
        Event::Wake(wake) if Some(wake.listener()) == mine => {}
        Event::Wake(_) => apic::call_other(),
        Event::Orphan(connection) => mail::send(connection.shard(), Mail::Orphan(connection)),
        Event::Elsewhere { shard, frame } => port::forward(shard as usize, frame),
        Event::Gone(Gone { shard, tuple }) => mail::send(shard, Mail::Gone(tuple)),
    }
}

impl Worker {
    /// Makes a CPU's worker, whose listener prefers what comes to that CPU.
    pub fn new(cpu: usize, iface: Interface, sockets: SocketSet<'static>, shard: Shard) -> Self {
        let (abroad, serving) = (Vec::new(), Vec::new());
        let mut worker =
            Self { cpu, iface, sockets, shard, listener: None, closes_at: None, abroad, serving };
        worker.listen();
        worker
    }

    fn listen(&mut self) {
        let stack = self.shard.stack();
        let listener = stack
            .listen_at(SocketAddr::from((ADDRESS, PORT)), BACKLOG, true)
            .expect("there is room for a listener of each CPU, and for closed ones that are still named");
        stack.set_incoming_cpu(listener, Some(self.cpu as u32)).expect("it is open");
        self.listener = Some(listener);
    }

    /// Does what there is to do, once. Tells whether there was anything.
    pub fn work(&mut self) -> bool {
        let mut worked = false;
        let cpu = self.cpu;
        port::admit(cpu, || {
            while let Some(letter) = mail::next(cpu) {
                self.read(letter);
                worked = true;
            }
        });
        let port = &mut Port { cpu: self.cpu };
        let polled = self.shard.poll(now(), port, &mut self.iface, &mut self.sockets, tell(self.listener));
        worked |= polled == PollResult::SocketStateChanged;
        self.come_and_go();
        worked |= self.accept();
        worked |= self.fetch();
        if self.answer() {
            self.shard.poll_egress(now(), port, &mut self.iface, &mut self.sockets, tell(self.listener));
            worked = true;
        }
        worked
    }

    fn read(&mut self, letter: Mail) {
        match letter {
            Mail::Gone(tuple) => {
                if let Some(Gone { shard, tuple }) = self.shard.forget(&tuple) {
                    mail::send(shard, Mail::Gone(tuple));
                }
            }
            Mail::Orphan(connection) => {
                // It may have moved on meanwhile.
                if let Err(connection) = self.shard.abort(connection, now(), &mut self.sockets) {
                    mail::send(connection.shard(), Mail::Orphan(connection));
                }
            }
            Mail::Fetch(connection, vacancy) => {
                let other = 1 - self.cpu as u32;
                match self.shard.leave(connection, vacancy, &mut self.sockets) {
                    Ok(moving) => mail::send(other, Mail::Fetched(moving)),
                    Err((_, connection, vacancy)) => {
                        // There is no room to remember where it went.
                        let _ = self.shard.abort(connection, now(), &mut self.sockets);
                        mail::send(other, Mail::NotFetched(vacancy));
                    }
                }
            }
            Mail::Fetched(moving) => {
                if let Ok(Some(connection)) = self.shard.arrive(moving, &mut self.sockets) {
                    self.serve(connection);
                }
            }
            Mail::NotFetched(vacancy) => {
                let filled = self.shard.fill(vacancy, &mut self.sockets);
                assert!(filled.is_ok(), "it was made here");
            }
        }
    }

    /// The second CPU's listener goes and comes back as it is told.
    fn come_and_go(&mut self) {
        let wanted = self.cpu == 0 || ONLINE.load(Ordering::Relaxed);
        if self.listener.is_none() && wanted {
            self.listen();
        } else if !wanted && self.closes_at.is_none() && self.listener.is_some() {
            self.closes_at = Some(clock::now() + DRAIN);
        }
        if self.closes_at.is_some_and(|at| at <= clock::now())
            && let Some(listener) = self.listener.take()
        {
            self.closes_at = None;
            let closed = self.shard.close(listener, now(), &mut self.sockets, tell(None));
            closed.expect("it was open");
        }
    }

    /// Accepts what waits, unless the listener is about to go.
    fn accept(&mut self) -> bool {
        let mut accepted = false;
        let Some(listener) = self.listener.filter(|_| self.closes_at.is_none()) else { return false };
        while !self.serving.is_full() && !self.abroad.is_full() {
            let next = self.shard.accept(listener, now(), &mut self.sockets, tell(Some(listener)));
            let Some(connection) = next.expect("it listens") else { break };
            accepted = true;
            if connection.shard() == self.cpu as u32 {
                self.serve(connection);
            } else {
                let _ = self.abroad.push(connection);
            }
        }
        accepted
    }

    /// Asks for the sockets of connections that were accepted here.
    fn fetch(&mut self) -> bool {
        let mut fetched = false;
        while !self.abroad.is_empty()
            && let Some(vacancy) = self.shard.vacancy(&mut self.sockets)
            && let Some(connection) = self.abroad.pop()
        {
            mail::send(connection.shard(), Mail::Fetch(connection, vacancy));
            fetched = true;
        }
        fetched
    }

    fn serve(&mut self, connection: Connection) {
        if let Err(Served { connection, .. }) = self.serving.push(Served { connection, answered: None }) {
            let _ = self.shard.abort(connection, now(), &mut self.sockets);
        }
    }

    /// Answers who has asked, and lets go of who is done. Tells whether there was anybody.
    fn answer(&mut self) -> bool {
        let (mut worked, mut at) = (false, 0);
        while let Some(served) = self.serving.get_mut(at) {
            let socket = self.sockets.get_mut::<Socket<'_>>(served.connection.handle());
            let over = match served.answered {
                Some(answered) => !socket.may_recv() || answered + PATIENCE < clock::now(),
                None => match http::request(socket) {
                    Progress::Waits => false,
                    Progress::Over => true,
                    Progress::Came(request) => {
                        http::answer(socket, request, self.cpu);
                        match request {
                            Request::Offline => ONLINE.store(false, Ordering::Relaxed),
                            Request::Online => ONLINE.store(true, Ordering::Relaxed),
                            Request::Page | Request::Unknown => {}
                        }
                        served.answered = Some(clock::now());
                        worked = true;
                        false
                    }
                },
            };
            if over {
                let Served { connection, .. } = self.serving.swap_remove(at);
                let released = self.shard.release(connection, now(), &mut self.sockets);
                assert!(released.is_ok(), "it is served where its socket is");
                worked = true;
            } else {
                at += 1;
            }
        }
        worked
    }
}
