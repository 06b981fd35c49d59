//! What is left out of live runs, since it is not defined by one rule.
//!
//! * What a client does next whose half-open request has lost its listener, unless the request is sure to find
//!   room where it goes: it never aborts, and never finds a queue full.
//! * A program is not attached to a socket that does not listen where such a request is: Linux may then choose
//!   the request's own listener for it.
//! * Several half-open requests whose timers go off at the same moment.
//! * A socket that is shut down while it does not listen does not listen again: its connections would not take
//!   data, which is not what the stack is about.
//! * A socket that shares is not bound to a port where others are bound that do not, if one that shares
//!   ever was: Linux remembers that one, and may not look at the others.
//! * IPv6 wildcards with and without IPv4 at one port in one episode, which no generator makes: which of their
//!   groups answers depends on whose member began to listen first.

use super::book::Book;
use crate::episode::{Episode, Handshake};
use crate::trace::{Conn, Descriptor, Observation, Operation};
use std::collections::BTreeMap;

/// What can be done depends on.
pub(super) struct State {
    pub(super) clients: BTreeMap<Conn, Handshake>,
    /// Whether some accept queue is full.
    full: bool,
    pub(super) requests: usize,
}

impl State {
    pub(super) fn of(episode: &Episode, last: Option<&Observation>) -> Self {
        let clients: BTreeMap<_, _> = episode.clients().collect();
        let full = |shown: &Descriptor| matches!(shown, Descriptor::Listening(len, most) if len > most);
        let requests = clients.values().filter(|it| matches!(it, Handshake::Request { .. })).count();
        Self { clients, full: last.is_some_and(|last| last.listeners.values().any(full)), requests }
    }

    /// Tells whether an operation is one of those that are compared.
    pub(super) fn has_in_scope(&self, book: &Book, operation: &Operation) -> bool {
        let client = |conn| self.clients.get(conn);
        match operation {
            Operation::Reset { conn } | Operation::DataThenReset { conn } => {
                client(conn) != Some(&Handshake::Request { listens: false })
            }
            Operation::Data { conn } => {
                !self.full || client(conn) != Some(&Handshake::Request { listens: false })
            }
            Operation::Fin { conn } => !self.full || !matches!(client(conn), Some(Handshake::Request { .. })),
            Operation::Timer {} => self.requests <= 1,
            Operation::Listen { listener, .. } => book.sockets.get(listener).is_none_or(|it| !it.spoiled),
            Operation::Program { listener, .. } => {
                let lost = self.clients.values().any(|it| *it == Handshake::Request { listens: false });
                !lost || book.sockets.get(listener).is_some_and(|it| it.listens)
            }
            Operation::Open(open) => !open.shared || !book.is_mixed(open),
            _ => true,
        }
    }
}
