//! The listening sockets of an episode.

use super::{Id, TestStack, failed};
use crate::error::Malformed;
use crate::trace::{Descriptor, ListenerNumber, Open, Shown, Shut, Word};
use rskq::{BindError, ListenError, SockError, SockOptions};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy)]
struct Socket {
    id: Id,
    address: IpAddr,
}

#[derive(Default)]
pub(super) struct Sockets(BTreeMap<ListenerNumber, Socket>);

impl Sockets {
    /// Returns the socket that a trace names.
    pub(super) fn named(&self, listener: ListenerNumber) -> Result<Id, Malformed> {
        self.0.get(&listener).map(|socket| socket.id).ok_or(Malformed::NoListener(listener))
    }

    pub(super) fn closed(&mut self, listener: ListenerNumber) {
        self.0.remove(&listener);
    }

    /// Opens a socket at the address that is said, or at `local`.
    pub(super) fn open(
        &mut self,
        stack: &TestStack,
        local: SocketAddr,
        open: Open,
    ) -> Result<Shown, Malformed> {
        if self.0.contains_key(&open.listener) {
            return Err(Malformed::ListenerOpen(open.listener));
        }
        let id = match stack.open(SockOptions { reuseport: open.shared, v6only: open.v6only }) {
            Ok(id) => id,
            Err(error) => return Ok(failed(error)),
        };
        let address = open.address.unwrap_or(local.ip());
        let port = open.port.unwrap_or(local.port());
        let opened = bind(stack, id, (address, port).into(), open.picked).and_then(|()| {
            if let Some(max_qlen) = open.fastopen {
                stack.set_fastopen(id, max_qlen).map_err(failed)?;
            }
            if open.listen { stack.listen(id, open.backlog).map_err(listen_failed) } else { Ok(()) }
        });
        Ok(match opened {
            Ok(()) => {
                self.0.insert(open.listener, Socket { id, address });
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
        &self,
        stack: &TestStack,
        listener: ListenerNumber,
        backlog: u32,
        picked: Option<u16>,
    ) -> Result<Shown, Malformed> {
        let Socket { id, address } = *self.0.get(&listener).ok_or(Malformed::NoListener(listener))?;
        let mut listened = stack.listen(id, backlog).map_err(listen_failed);
        if listened == Err(Shown::Word(Word::BadFd)) {
            listened = bind(stack, id, (address, 0).into(), picked)
                .and_then(|()| stack.listen(id, backlog).map_err(listen_failed));
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
        self.0.iter().filter_map(|(&listener, socket)| Some((listener, shown(socket.id)?))).collect()
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
