//! The clients of an episode, and the segments that they send.

use super::{Id, TestStack, Token, failed};
use crate::error::Malformed;
use crate::trace::{ChildState, Conn, Connect, Shown, Word};
use rskq::{Arrival, Delivered, Hashes, Here, Payload, Refusal, Refused, Syn, Tuple};
use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};

/// A client that believes that it is connected.
#[derive(Clone, Copy)]
struct Client {
    arrival: Arrival,
    /// Its connection. `None` while the handshake has not ended for the server: a half-open request, or a
    /// cookie that did not come back.
    token: Option<Token>,
}

#[derive(Clone, Copy)]
struct Connection {
    conn: Conn,
    state: ChildState,
}

#[derive(Default)]
pub(super) struct Clients {
    /// Every connection that there was. The stack never looks into one, so its state is ours.
    connections: Vec<Connection>,
    /// One that aborted is not here, though its connection may wait on.
    clients: BTreeMap<Conn, Client>,
    /// The listeners that drop bare ACKs.
    holding: HashSet<Id>,
}

impl Clients {
    /// The listener drops bare ACKs from now on, or no longer.
    pub(super) fn hold(&mut self, id: Id, on: bool) {
        if on {
            self.holding.insert(id)
        } else {
            self.holding.remove(&id)
        };
    }

    /// A SYN, and the ACK of the SYN-ACK, if there is one.
    pub(super) fn connect(
        &mut self,
        stack: &TestStack,
        here: Here,
        local: SocketAddr,
        Connect { conn, syn_hash, sk_hash, .. }: Connect,
    ) -> Result<Shown, Malformed> {
        if self.clients.contains_key(&conn) {
            return Err(Malformed::ClientConnected(conn));
        }
        let tuple = Tuple { local, remote: (Ipv4Addr::LOCALHOST, conn).into() };
        let arrival = Arrival { tuple, hashes: Hashes { syn_hash, sk_hash } };
        let to = match stack.syn(arrival, here) {
            Ok(Syn::New { listener, .. } | Syn::Cookie(listener)) => listener,
            Ok(Syn::Duplicate(_)) => return Ok(failed("a request of a client before")),
            Err(Refusal::NoListener | Refusal::DroppedByProgram) => return Ok(Shown::Word(Word::Refused)),
            Err(Refusal::AcceptQueueFull | Refusal::SynQueueFull) => return Ok(Shown::Word(Word::Dropped)),
            Err(why) => return Ok(failed(why)),
        };
        self.clients.insert(conn, Client { arrival, token: None });
        if !self.holding.contains(&to) {
            self.segment(stack, here, conn, Payload::None);
        }
        Ok(Shown::Word(Word::Established))
    }

    /// A half-open client sends an ACK. Tells whether it is answered with a reset.
    fn segment(&mut self, stack: &TestStack, here: Here, conn: Conn, payload: Payload) -> bool {
        let Some(&Client { arrival, .. }) = self.clients.get(&conn) else { return false };
        let token = Token(self.connections.len());
        let refused = match stack.ack(&arrival.tuple, payload, here, token) {
            // Nobody sleeps in accept here, so the wake-up is for nobody.
            Ok(Delivered { .. }) => return self.connected(conn, token),
            Err(Refused { why, .. }) => why,
        };
        match refused {
            Refusal::AcceptQueueFull | Refusal::Deferred => false,
            // Not a request's: it may bear a cookie. So may one whose request was just given up.
            Refusal::NoRequest | Refusal::NoListener => match stack.cookie_ack(arrival, here) {
                Ok(cookie) if refused == Refusal::NoRequest => match cookie.believe(token) {
                    Ok(Delivered { .. }) => self.connected(conn, token),
                    Err(_) => false,
                },
                Ok(not_a_cookie) => {
                    not_a_cookie.reject();
                    true
                }
                Err(_) => true,
            },
            _ => true,
        }
    }

    fn connected(&mut self, conn: Conn, token: Token) -> bool {
        self.connections.push(Connection { conn, state: ChildState::Established });
        if let Some(client) = self.clients.get_mut(&conn) {
            client.token = Some(token);
        }
        false
    }

    /// The client of a half-open handshake sends a byte.
    pub(super) fn data(
        &mut self,
        stack: &TestStack,
        here: Here,
        conn: Conn,
        reset: &mut Vec<Conn>,
    ) -> Result<Shown, Malformed> {
        self.half_open(conn)?;
        if self.segment(stack, here, conn, Payload::Data) {
            self.clients.remove(&conn);
            reset.push(conn);
            return Ok(Shown::Word(Word::Reset));
        }
        Ok(Shown::Word(Word::Established))
    }

    /// The same, and then it aborts, before it could see what came of it.
    pub(super) fn data_then_reset(
        &mut self,
        stack: &TestStack,
        here: Here,
        conn: Conn,
        reset: &mut Vec<Conn>,
    ) -> Result<Shown, Malformed> {
        let shown = self.data(stack, here, conn, reset)?;
        if shown == Shown::Word(Word::Reset) {
            return Ok(shown);
        }
        self.abort(stack, conn);
        Ok(Shown::Word(Word::OverflowOrEstablished))
    }

    fn half_open(&self, conn: Conn) -> Result<(), Malformed> {
        match self.clients.get(&conn) {
            Some(Client { token: None, .. }) => Ok(()),
            _ => Err(Malformed::NotHalfOpen(conn)),
        }
    }

    /// The client aborts.
    pub(super) fn reset(&mut self, stack: &TestStack, conn: Conn) -> Result<Shown, Malformed> {
        self.client(conn)?;
        self.abort(stack, conn);
        Ok(Shown::Word(Word::Ok))
    }

    fn abort(&mut self, stack: &TestStack, conn: Conn) {
        match self.clients.remove(&conn) {
            Some(Client { token: Some(token), .. }) => self.connections[token.0].state = ChildState::Reset,
            // There may be no request: the server waits for a cookie, or has given it up.
            Some(Client { arrival, token: None }) => drop(stack.reset(&arrival.tuple)),
            None => {}
        }
    }

    /// The client closes its sending side, which ends its handshake if that is still to be done.
    pub(super) fn fin(&mut self, stack: &TestStack, here: Here, conn: Conn) -> Result<Shown, Malformed> {
        if self.client(conn)?.token.is_none() {
            self.segment(stack, here, conn, Payload::Data);
        }
        if let Some(token) = self.client(conn)?.token {
            self.connections[token.0].state = ChildState::PeerClosed;
        }
        Ok(Shown::Word(Word::Ok))
    }

    fn client(&self, conn: Conn) -> Result<Client, Malformed> {
        self.clients.get(&conn).copied().ok_or(Malformed::NoClient(conn))
    }

    /// A connection was accepted, and is aborted at once by the server: not one of the resets that a trace
    /// lists.
    pub(super) fn accepted(&mut self, token: Token) -> Shown {
        self.disconnect(token);
        let Connection { conn, state } = self.connections[token.0];
        Shown::Accepted { accepted: conn, child: state }
    }

    /// Returns the client of a connection, if it was connected until now.
    pub(super) fn disconnect(&mut self, token: Token) -> Option<Conn> {
        let Connection { conn, .. } = self.connections[token.0];
        let client = self.clients.get(&conn)?;
        (client.token == Some(token)).then(|| self.clients.remove(&conn))?.map(|_| conn)
    }
}
