//! Where an episode's sockets are, which decides how a connection's SYN is hashed.

use super::kernel::{Bound, Kernel, StepError};
use crate::trace::{Descriptor, ListenerNumber, Observation, Open, Operation, Shown, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;

/// What is remembered of a socket.
#[derive(Clone, Copy)]
pub(super) struct Socket {
    pub(super) at: SocketAddr,
    shared: bool,
    /// What it showed last.
    pub(super) listens: bool,
    /// Whether it was shut down while it did not listen: Linux remembers that for its later connections.
    pub(super) spoiled: bool,
}

/// The sockets of an episode.
pub(super) struct Book {
    local: SocketAddr,
    pub(super) sockets: BTreeMap<ListenerNumber, Socket>,
    /// Ports that sockets which share were bound to.
    shared: BTreeSet<u16>,
}

impl Book {
    pub(super) fn new(local: SocketAddr) -> Self {
        Self { local, sockets: BTreeMap::new(), shared: BTreeSet::new() }
    }

    /// Tells whether sockets that do not share are bound to a newcomer's port, and others that share are or were.
    pub(super) fn is_mixed(&self, open: &Open) -> bool {
        let port = open.port.unwrap_or(self.local.port());
        let alone = self.sockets.values().any(|it| it.at.port() == port && !it.shared);
        alone && self.shared.contains(&port)
    }

    /// Takes note of what an operation showed.
    pub(super) fn shown(&mut self, operation: &Operation, observed: &Observation) {
        match operation {
            Operation::Open(open) if observed.result == Shown::Word(Word::Ok) => {
                let ip = open.address.unwrap_or(self.local.ip());
                let port = open.picked.or(open.port).unwrap_or(self.local.port());
                let socket =
                    Socket { at: (ip, port).into(), shared: open.shared, listens: false, spoiled: false };
                self.sockets.insert(open.listener, socket);
                if open.shared {
                    self.shared.insert(port);
                }
            }
            Operation::Listen { listener, picked: Some(port), .. } => {
                if let Some(socket) = self.sockets.get_mut(listener) {
                    socket.at.set_port(*port);
                }
            }
            Operation::Shutdown { listener } if observed.result == Shown::Word(Word::NotConnected) => {
                if let Some(socket) = self.sockets.get_mut(listener) {
                    socket.spoiled = true;
                }
            }
            Operation::Close { listener } => drop(self.sockets.remove(listener)),
            _ => {}
        }
        for (listener, socket) in &mut self.sockets {
            socket.listens = matches!(observed.listeners.get(listener), Some(Descriptor::Listening(..)));
        }
    }

    /// Fills the hashes of a connection in; tells whether they are known.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub(super) fn hash(&self, operation: &mut Operation, kernel: &mut Kernel) -> Result<bool, StepError> {
        let Operation::Connect(connect) = operation else { return Ok(true) };
        let ip = connect.address.unwrap_or(self.local.ip());
        let to = SocketAddr::new(ip, connect.port.unwrap_or(self.local.port()));
        // Whoever listens at the address itself is asked first.
        let exact = self.sockets.values().any(|socket| socket.listens && socket.at == to);
        let bound = if exact { Bound::Specific } else { Bound::Wildcard };
        match kernel.hashes(to, bound, connect.conn) {
            Ok(Some(hashes)) => {
                (connect.syn_hash, connect.sk_hash) = (hashes.syn_hash, hashes.sk_hash);
                Ok(true)
            }
            Ok(None) | Err(StepError::NotMeasured(_)) => Ok(false),
            // Somebody is bound where the measurement would have to be.
            Err(StepError::System { error, .. }) if error.kind() == io::ErrorKind::AddrInUse => Ok(false),
            Err(error) => Err(error),
        }
    }
}
