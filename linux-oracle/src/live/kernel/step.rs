//! One operation: doing it, and observing everything.

use super::client;
use super::error::{StepError, word};
use super::hold::hold;
use super::listener::Listener;
use super::option::{self, TCP_CLOSE, TCP_CLOSE_WAIT, TCP_SYN_RECV};
use super::{Kernel, program, sysctl};
use crate::error::Malformed;
use crate::trace::{
    ChildState, Conn, Connect, Descriptor, ListenerNumber, Observation, Open, Operation, Shown, Shut, Word,
};
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

/// How long [`Operation::Timer`] waits: longer than the SYN-ACK timer's first second by more than the
/// kernel's timers are late, and short enough that no timer ever goes off between two of them.
pub const TIMER: Duration = Duration::from_millis(1100);

impl Kernel {
    /// Does an operation and observes everything that a trace shows. Where the kernel picks a port, the
    /// operation says so from then on.
    ///
    /// # Errors
    ///
    /// If the operation contradicts those before, or the system cannot do it: the episode is over.
    pub fn step(&mut self, operation: &mut Operation) -> Result<Observation, StepError> {
        let result = self.perform(operation)?;
        self.drain()?;
        let at = StepError::at;
        let listeners = self.listeners.iter().map(|(&listener, it)| Ok((listener, it.shown()?)));
        Ok(Observation {
            result,
            counters: self.counters.grown().map_err(at("reading the statistics"))?,
            listeners: listeners.collect::<io::Result<_>>().map_err(at("observing listeners"))?,
            reset: self.clients.reset().map_err(at("observing clients"))?,
        })
    }

    fn perform(&mut self, operation: &mut Operation) -> Result<Shown, StepError> {
        let result = match operation {
            Operation::Open(open) => self.open(open)?,
            Operation::Listen { listener, backlog, picked } => {
                let it = self.listener(*listener)?;
                let bound = it.port().map_err(StepError::at("asking for a port"))?;
                let result = word(it.listen(*backlog), "listening")?;
                let port = it.port().map_err(StepError::at("asking for a port"))?;
                *picked = (port != bound).then_some(port);
                result
            }
            Operation::Shutdown { listener } => self.shutdown(*listener)?,
            Operation::Close { listener } => {
                self.listeners.remove(listener).ok_or(Malformed::NoListener(*listener))?;
                Word::Ok
            }
            Operation::Accept { listener } => return self.accept(*listener),
            Operation::Connect(connect) => self.connect(connect)?,
            Operation::Hold { listener, on } => self.hold(*listener, *on)?,
            Operation::Data { conn } => self.send(*conn)?,
            Operation::DataThenReset { conn } => match self.send(*conn)? {
                Word::Reset => Word::Reset,
                _ => {
                    self.clients.abort(*conn);
                    Word::OverflowOrEstablished
                }
            },
            Operation::Fin { conn } => {
                let closed = self
                    .clients
                    .fin(*conn, &self.loopback)
                    .map_err(StepError::at("closing a sending side"))?;
                closed.ok_or(Malformed::NoClient(*conn))?
            }
            Operation::Reset { conn } => {
                if !self.clients.abort(*conn) {
                    return Err(Malformed::NoClient(*conn).into());
                }
                Word::Ok
            }
            Operation::MigrateReq { on } => self.set(sysctl::MIGRATE_REQ, u32::from(*on))?,
            Operation::Syncookies { value } => self.set(sysctl::SYNCOOKIES, u32::from(*value))?,
            Operation::AbortOnOverflow { on } => self.set(sysctl::ABORT_ON_OVERFLOW, u32::from(*on))?,
            Operation::IncomingCpu { listener, cpu } => {
                word(self.listener(*listener)?.set_incoming_cpu(*cpu), "setting SO_INCOMING_CPU")?
            }
            Operation::Cpu { cpu } => {
                self.run_on(*cpu)?;
                Word::Ok
            }
            Operation::Fastopen { listener, max_qlen } => {
                word(self.listener(*listener)?.set_fastopen(*max_qlen), "setting TCP_FASTOPEN")?
            }
            Operation::DeferAccept { listener, seconds } => {
                word(self.listener(*listener)?.set_defer_accept(*seconds), "setting TCP_DEFER_ACCEPT")?
            }
            Operation::Program { listener, kind, verdict } => {
                let it = self.listeners.get(listener).ok_or(Malformed::NoListener(*listener))?;
                let programs = self.programs.as_mut().ok_or(StepError::NoPrograms)?;
                word(programs.attach(&it.socket, *kind, *verdict), "attaching a program")?
            }
            Operation::Detach { listener } => {
                word(program::detach(&self.listener(*listener)?.socket), "detaching a program")?
            }
            Operation::Map { index, listener } => {
                let listener = listener.map(|listener| self.listener(listener)).transpose()?;
                let programs = self.programs.as_ref().ok_or(StepError::NoPrograms)?;
                word(programs.map(*index, listener.map(|it| &it.socket)), "changing the sockarray")?
            }
            Operation::Timer {} => {
                sleep(TIMER);
                Word::Ok
            }
        };
        Ok(Shown::Word(result))
    }

    fn open(&mut self, open: &mut Open) -> Result<Word, StepError> {
        if self.listeners.contains_key(&open.listener) {
            return Err(Malformed::ListenerOpen(open.listener).into());
        }
        let address = open.address.unwrap_or(self.header.address);
        let port = open.port.unwrap_or(self.header.port);
        let opened = Listener::open(open, SocketAddr::new(address, port));
        let opened = opened.map(|listener| self.listeners.insert(open.listener, listener));
        let result = word(opened.map(drop), "opening a listener")?;
        open.picked = None;
        if port == 0 && result == Word::Ok {
            let picked = self.listener(open.listener)?.port().map_err(StepError::at("asking for a port"))?;
            open.picked = Some(picked);
        }
        Ok(result)
    }

    /// A socket that does not listen is left alone. The kernel would refuse too, but remember it: every
    /// connection that the socket gets once it listens again would be shut down from its begin.
    fn shutdown(&self, listener: ListenerNumber) -> Result<Word, StepError> {
        let it = self.listener(listener)?;
        let shut = Descriptor::Shut(Shut::Shut);
        if it.shown().map_err(StepError::at("observing listeners"))? == shut {
            return Ok(Word::NotConnected);
        }
        word(it.socket.shutdown(Shutdown::Both), "shutting down")
    }

    fn connect(&mut self, connect: &Connect) -> Result<Word, StepError> {
        if self.clients.contains(connect.conn) {
            return Err(Malformed::ClientConnected(connect.conn).into());
        }
        let address = connect.address.unwrap_or(self.header.address);
        let port = connect.port.unwrap_or(self.header.port);
        let to = SocketAddr::new(address, port);
        let connected = self.clients.connect(connect.conn, to, connect.fast, &self.loopback);
        connected.map_err(StepError::at("connecting"))
    }

    fn accept(&mut self, listener: ListenerNumber) -> Result<Shown, StepError> {
        let (child, peer) = match self.listener(listener)?.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) => return Ok(Shown::Word(word(Err(error), "accepting")?)),
        };
        let at = StepError::at;
        let state = match option::tcp_info(&child).map_err(at("observing a connection"))?.state {
            TCP_SYN_RECV => ChildState::SynRecv,
            TCP_CLOSE_WAIT => ChildState::PeerClosed,
            TCP_CLOSE => ChildState::Reset,
            _ => ChildState::Established,
        };
        client::abort_when_dropped(&child).map_err(at("aborting a connection"))?;
        drop(child);
        self.drain()?;
        let conn = peer.as_socket().map_or(0, |peer| peer.port());
        // Aborted by the server: its client is none of those that a trace lists.
        self.clients.forget_if_reset(conn).map_err(at("observing a client"))?;
        Ok(Shown::Accepted { accepted: conn, child: state })
    }

    fn hold(&self, listener: ListenerNumber, on: bool) -> Result<Word, StepError> {
        let result = hold(&self.listener(listener)?.socket, on);
        // There was none: nothing is dropped, as was asked.
        Ok(match word(result, "filtering")? {
            Word::NotFound if !on => Word::Ok,
            word => word,
        })
    }

    fn send(&mut self, conn: Conn) -> Result<Word, StepError> {
        let sent = self.clients.send(conn, &self.loopback).map_err(StepError::at("sending"))?;
        Ok(sent.ok_or(Malformed::NoClient(conn))?)
    }

    fn set(&mut self, name: &'static str, value: u32) -> Result<Word, StepError> {
        word(self.sysctls.set(name, value), "setting a sysctl")
    }

    fn listener(&self, listener: ListenerNumber) -> Result<&Listener, StepError> {
        Ok(self.listeners.get(&listener).ok_or(Malformed::NoListener(listener))?)
    }
}
