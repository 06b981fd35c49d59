//! The listening sockets of an episode.

use super::clients::Clients;
use super::{Id, TestBackend, TestStack, Token, failed};
use crate::error::Malformed;
use crate::trace::{Conn, Descriptor, ListenerNumber, Open, Shown, Shut, Word};
use rskq::{BindError, Closing, Here, ListenError, Outcome, SockError, SockOptions};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy)]
struct Socket {
    id: Id,
    address: IpAddr,
    /// The limit of fast-open connections that was asked for.
    max_qlen: u32,
    /// By how many fewer such connections the kernel counts than the stack.
    uncounted: u32,
}

/// The kernel's count of fast-open connections differs from the stack's in two ways: to listen again makes it
/// 0, whatever is still open, and some kernels do not count what migrates to a listener. As connections end, both
/// go down, so that the difference stays, and a limit that is higher by it lets the same ones in.
pub(super) struct Sockets {
    sockets: BTreeMap<ListenerNumber, Socket>,
    /// Whether the kernel counts what migrates.
    fastopen_charged: bool,
}

impl Sockets {
    pub(super) fn new(fastopen_charged: bool) -> Self {
        Self { sockets: BTreeMap::new(), fastopen_charged }
    }

    /// Sets the limit of fast-open connections.
    pub(super) fn set_fastopen(
        &mut self,
        stack: &TestStack,
        listener: ListenerNumber,
        max_qlen: u32,
    ) -> Result<Shown, Malformed> {
        let socket = self.sockets.get_mut(&listener).ok_or(Malformed::NoListener(listener))?;
        socket.max_qlen = max_qlen;
        Ok(socket.limit(stack).map_or_else(failed, |()| Shown::Word(Word::Ok)))
    }

    /// Lets a listener stop to the end, and resets the clients of what nobody took.
    pub(super) fn stop(
        &mut self,
        stack: &TestStack,
        clients: &mut Clients,
        here: Here,
        closing: Closing<'_, 'static, Token, TestBackend>,
        reset: &mut Vec<Conn>,
    ) -> Shown {
        let counts = |stack: &TestStack, id| stack.fastopen_len(id).map_or(0, |(qlen, _)| qlen);
        let before: Vec<_> = self.sockets.values().map(|socket| counts(stack, socket.id)).collect();
        for outcome in closing {
            match outcome {
                Outcome::Moved { .. } | Outcome::Spliced { .. } | Outcome::HandedOver { .. } => {}
                Outcome::Aborted(token) => reset.extend(clients.disconnect(stack, here, token)),
            }
        }
        if !self.fastopen_charged {
            for (socket, before) in self.sockets.values_mut().zip(before) {
                let gained = counts(stack, socket.id) - before;
                if gained > 0 {
                    socket.uncounted += gained.unsigned_abs();
                    // It is open, as a target.
                    let _ = socket.limit(stack);
                }
            }
        }
        Shown::Word(Word::Ok)
    }

    /// Returns the socket that a trace names.
    pub(super) fn named(&self, listener: ListenerNumber) -> Result<Id, Malformed> {
        self.sockets.get(&listener).map(|socket| socket.id).ok_or(Malformed::NoListener(listener))
    }

    pub(super) fn closed(&mut self, listener: ListenerNumber) {
        self.sockets.remove(&listener);
    }

    /// Opens a socket at the address that is said, or at `local`.
    pub(super) fn open(
        &mut self,
        stack: &TestStack,
        local: SocketAddr,
        open: Open,
    ) -> Result<Shown, Malformed> {
        if self.sockets.contains_key(&open.listener) {
            return Err(Malformed::ListenerOpen(open.listener));
        }
        let id = match stack.open(SockOptions { reuseport: open.shared, v6only: open.v6only }) {
            Ok(id) => id,
            Err(error) => return Ok(failed(error)),
        };
        let address = open.address.unwrap_or(local.ip());
        let port = open.port.unwrap_or(local.port());
        let opened = bind(stack, id, (address, port).into(), open.picked).and_then(|()| {
            stack.set_fastopen(id, open.fastopen.unwrap_or(0)).map_err(failed)?;
            if open.listen { stack.listen(id, open.backlog).map_err(listen_failed) } else { Ok(()) }
        });
        Ok(match opened {
            Ok(()) => {
                let max_qlen = open.fastopen.unwrap_or(0);
                self.sockets.insert(open.listener, Socket { id, address, max_qlen, uncounted: 0 });
                Shown::Word(Word::Ok)
            }
            Err(shown) => {
                // It holds nothing.
                let _ = stack.close(id, rskq::Here::default()).map(Iterator::count);
                shown
            }
        })
    }

    /// Listens; a socket that has lost its port gets the one that the kernel picked.
    pub(super) fn listen(
        &mut self,
        stack: &TestStack,
        listener: ListenerNumber,
        backlog: u32,
        picked: Option<u16>,
    ) -> Result<Shown, Malformed> {
        let socket = self.sockets.get_mut(&listener).ok_or(Malformed::NoListener(listener))?;
        let Socket { id, address, .. } = *socket;
        let was_shut = stack.queue_len(id) == Err(SockError::NotListening);
        let mut listened = stack.listen(id, backlog).map_err(listen_failed);
        if listened == Err(Shown::Word(Word::BadFd)) {
            listened = bind(stack, id, (address, 0).into(), picked)
                .and_then(|()| stack.listen(id, backlog).map_err(listen_failed));
        }
        if was_shut && listened.is_ok() {
            socket.uncounted = stack.fastopen_len(id).map_or(0, |(qlen, _)| qlen.unsigned_abs());
            listened = socket.limit(stack).map_err(failed);
        }
        Ok(listened.map_or_else(|shown| shown, |()| Shown::Word(Word::Ok)))
    }

    /// What every descriptor shows. One that is open and stale for the stack is missing here.
    pub(super) fn shown(&self, stack: &TestStack) -> BTreeMap<ListenerNumber, Descriptor> {
        let shown = |id| match stack.queue_len(id) {
            Ok((queued, backlog)) => Some(Descriptor::Listening(queued, backlog)),
            Err(SockError::NotListening) => Some(Descriptor::Shut(Shut::Shut)),
            Err(_) => None,
        };
        self.sockets.iter().filter_map(|(&listener, socket)| Some((listener, shown(socket.id)?))).collect()
    }
}

impl Socket {
    fn limit(&self, stack: &TestStack) -> Result<(), SockError> {
        let off = self.max_qlen == 0;
        stack.set_fastopen(self.id, if off { 0 } else { self.max_qlen.saturating_add(self.uncounted) })
    }
}

/// Binds a socket; port 0 is the port that the kernel picked.
fn bind(stack: &TestStack, id: Id, to: SocketAddr, picked: Option<u16>) -> Result<(), Shown> {
    let bound = match to.port() {
        0 => stack.bind_any(id, to, picked).map(drop),
        _ => stack.bind(id, to),
    };
    bound.map_err(|error| match error {
        BindError::AddrInUse => Shown::Word(Word::AddrInUse),
        BindError::Invalid => Shown::Word(Word::Invalid),
        error => failed(error),
    })
}

fn listen_failed(error: ListenError) -> Shown {
    match error {
        ListenError::AddrInUse => Shown::Word(Word::AddrInUse),
        ListenError::NotBound => Shown::Word(Word::BadFd),
        error => failed(error),
    }
}
