//! The clients of an episode, and the segments that they send.

use super::{Id, TestBackend, TestStack, Token, failed};
use crate::error::Malformed;
use crate::trace::{ChildState, Conn, Connect, Shown, Word};
use rskq::{
    Arrival, Delivered, FastOpened, HandshakeEnd, Hashes, Here, Payload, Refusal, Refused, RequestId, Syn,
    SynAckTimer, TimedOut, Tuple,
};
use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How far the server has come with a client's handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// It is done.
    Done,
    /// It is done, and the client has closed its sending side.
    Ended,
    /// Its connection waits or was accepted, and the final ACK is missing.
    Fast,
    /// It waits for its cookie to come back, or has given the request up.
    Cookie,
    /// It has a half-open request, whose listener may have left.
    Request {
        /// Whether that listens.
        listens: bool,
    },
}

/// A client that believes that it is connected.
#[derive(Clone, Copy)]
struct Client {
    arrival: Arrival,
    /// Its connection. `None` while the handshake has not ended for the server: a half-open request, or a
    /// cookie that did not come back.
    token: Option<Token>,
    /// The request that its SYN made.
    request: Option<RequestId<Token, TestBackend>>,
}

#[derive(Clone, Copy)]
struct Connection {
    conn: Conn,
    state: ChildState,
    /// What to tell of the end of a fast-open connection's handshake with, until it has ended.
    handshake: Option<RequestId<Token, TestBackend>>,
}

/// What a client's segment is answered with.
enum Answer {
    /// An acknowledgement: its handshake has ended.
    Connected,
    /// Nothing.
    Dropped,
    Reset,
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
    /// Returns every client.
    pub(super) fn all(&self, stack: &TestStack) -> impl Iterator<Item = (Conn, Handshake)> {
        self.clients.iter().map(|(&conn, client)| (conn, self.handshake(stack, client)))
    }

    fn handshake(&self, stack: &TestStack, client: &Client) -> Handshake {
        if let Some(Token(place)) = client.token {
            let Connection { state, handshake, .. } = self.connections[place];
            return match (handshake, state) {
                (Some(_), _) => Handshake::Fast,
                (None, ChildState::PeerClosed) => Handshake::Ended,
                (None, _) => Handshake::Done,
            };
        }
        match client.request.and_then(|request| stack.rsk_listener(request)) {
            Some(listener) => Handshake::Request { listens: stack.queue_len(listener).is_ok() },
            None => Handshake::Cookie,
        }
    }

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
        Connect { conn, syn_hash, sk_hash, address, port, fast }: Connect,
    ) -> Result<Shown, Malformed> {
        if self.clients.contains_key(&conn) {
            return Err(Malformed::ClientConnected(conn));
        }
        let local = SocketAddr::from((address.unwrap_or(local.ip()), port.unwrap_or(local.port())));
        // Clients have the loopback address of the family.
        let from =
            if local.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { IpAddr::from(Ipv6Addr::LOCALHOST) };
        let tuple = Tuple { local, remote: (from, conn).into() };
        let arrival = Arrival { tuple, hashes: Hashes { syn_hash, sk_hash } };
        if fast {
            self.clients.insert(conn, Client { arrival, token: None, request: None });
            match self.fast(stack, here, conn, arrival) {
                Ok(listener) => {
                    if !self.holding.contains(&listener) {
                        self.completed(stack, here, conn);
                    }
                    return Ok(Shown::Word(Word::Established));
                }
                Err(Refusal::FastOpenLimit) => drop(self.clients.remove(&conn)),
                Err(why) => {
                    self.clients.remove(&conn);
                    return Ok(refused(why));
                }
            }
        }
        let (request, to) = match stack.syn(arrival, here) {
            Ok(Syn::New { request, listener }) => (Some(request), listener),
            Ok(Syn::Cookie(listener)) => (None, listener),
            Ok(Syn::Duplicate(_)) => return Ok(failed("a request of a client before")),
            Err(why) => return Ok(refused(why)),
        };
        self.clients.insert(conn, Client { arrival, token: None, request });
        if fast {
            // What the SYN-ACK does not acknowledge of the data is sent again with the ACK.
            self.segment(stack, here, conn, Payload::Data);
        } else if !self.holding.contains(&to) {
            self.segment(stack, here, conn, Payload::None);
        }
        Ok(Shown::Word(Word::Established))
    }

    /// The final ACK of a fast-open connection.
    fn completed(&mut self, stack: &TestStack, here: Here, conn: Conn) {
        if let Some(Client { token: Some(token), .. }) = self.clients.get(&conn).copied() {
            self.ended(stack, here, token, HandshakeEnd::Done);
        }
    }

    /// The SYN-ACK timers that are due go off. A client that is sent a SYN-ACK again acknowledges it again.
    pub(super) fn timers(&mut self, stack: &TestStack, here: Here, reset: &mut Vec<Conn>) {
        while let Some(TimedOut { request, tuple, outcome }) = stack.poll(here) {
            let SynAckTimer::Retransmit { .. } = outcome else { continue };
            let holds = stack.rsk_listener(request).is_some_and(|listener| self.holding.contains(&listener));
            if !holds {
                let conn = tuple.remote.port();
                if let Answer::Reset = self.segment(stack, here, conn, Payload::None) {
                    self.clients.remove(&conn);
                    reset.push(conn);
                }
            }
        }
    }

    /// A half-open client sends an ACK.
    fn segment(&mut self, stack: &TestStack, here: Here, conn: Conn, payload: Payload) -> Answer {
        let Some(&Client { arrival, .. }) = self.clients.get(&conn) else { return Answer::Dropped };
        let token = Token(self.connections.len());
        let refused = match stack.ack(&arrival.tuple, payload, here, token) {
            // Nobody sleeps in accept here, so the wake-up is for nobody.
            Ok(Delivered { .. }) => return self.connected(conn, token),
            Err(Refused { why, .. }) => why,
        };
        match refused {
            Refusal::AcceptQueueFull | Refusal::Deferred => Answer::Dropped,
            // Not a request's: it may bear a cookie. So may one whose request was just given up.
            Refusal::NoRequest | Refusal::NoListener => match stack.cookie_ack(arrival, here) {
                Ok(cookie) if refused == Refusal::NoRequest => match cookie.believe(token) {
                    Ok(Delivered { .. }) => self.connected(conn, token),
                    Err(_) => Answer::Dropped,
                },
                Ok(not_a_cookie) => {
                    not_a_cookie.reject();
                    Answer::Reset
                }
                Err(_) => Answer::Reset,
            },
            _ => Answer::Reset,
        }
    }

    fn connected(&mut self, conn: Conn, token: Token) -> Answer {
        self.connections.push(Connection { conn, state: ChildState::Established, handshake: None });
        if let Some(client) = self.clients.get_mut(&conn) {
            client.token = Some(token);
        }
        Answer::Connected
    }

    /// A SYN with data: the listener may take the connection at once.
    fn fast(&mut self, stack: &TestStack, here: Here, conn: Conn, arrival: Arrival) -> Result<Id, Refusal> {
        let token = Token(self.connections.len());
        let opened = stack.syn_fastopen(arrival, here, token).map_err(|refused| refused.why)?;
        let FastOpened { delivered, handshake } = opened;
        self.connected(conn, token);
        let connection = &mut self.connections[token.0];
        (connection.state, connection.handshake) = (ChildState::SynRecv, Some(handshake));
        Ok(delivered.listener)
    }

    /// The handshake of a fast-open connection ends, if it has not ended already.
    fn ended(&mut self, stack: &TestStack, here: Here, token: Token, end: HandshakeEnd) {
        let connection = &mut self.connections[token.0];
        if let Some(handshake) = connection.handshake.take() {
            connection.state = ChildState::Established;
            // Known to the stack until it is told.
            let _ = stack.fastopen_remove(handshake, end, here);
        }
    }

    /// The client of a half-open handshake sends a byte.
    pub(super) fn data(
        &mut self,
        stack: &TestStack,
        here: Here,
        conn: Conn,
        reset: &mut Vec<Conn>,
    ) -> Result<Shown, Malformed> {
        if let Client { token: Some(_), .. } = self.half_open(conn)? {
            self.completed(stack, here, conn);
            return Ok(Shown::Word(Word::Established));
        }
        Ok(Shown::Word(match self.segment(stack, here, conn, Payload::Data) {
            Answer::Connected => Word::Established,
            Answer::Reset => {
                self.clients.remove(&conn);
                reset.push(conn);
                Word::Reset
            }
            // What is not acknowledged would be sent again: the client aborts.
            Answer::Dropped => {
                self.abort(stack, here, conn);
                Word::Dropped
            }
        }))
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
        self.abort(stack, here, conn);
        Ok(Shown::Word(Word::OverflowOrEstablished))
    }

    /// Returns a client whose handshake the server waits for the end of.
    fn half_open(&self, conn: Conn) -> Result<Client, Malformed> {
        let client = self.clients.get(&conn).copied().ok_or(Malformed::NotHalfOpen(conn))?;
        match client.token {
            Some(token) if self.connections[token.0].handshake.is_none() => Err(Malformed::NotHalfOpen(conn)),
            _ => Ok(client),
        }
    }

    /// The client aborts.
    pub(super) fn reset(&mut self, stack: &TestStack, here: Here, conn: Conn) -> Result<Shown, Malformed> {
        self.client(conn)?;
        self.abort(stack, here, conn);
        Ok(Shown::Word(Word::Ok))
    }

    fn abort(&mut self, stack: &TestStack, here: Here, conn: Conn) {
        match self.clients.remove(&conn) {
            Some(Client { token: Some(token), .. }) => {
                self.ended(stack, here, token, HandshakeEnd::Reset);
                self.connections[token.0].state = ChildState::Reset;
            }
            // There may be no request: the server waits for a cookie, or has given it up.
            Some(Client { arrival, token: None, .. }) => drop(stack.reset(&arrival.tuple)),
            None => {}
        }
    }

    /// The client closes its sending side, which ends its handshake if that is still to be done.
    pub(super) fn fin(
        &mut self,
        stack: &TestStack,
        here: Here,
        conn: Conn,
        reset: &mut Vec<Conn>,
    ) -> Result<Shown, Malformed> {
        if self.client(conn)?.token.is_none()
            && let Answer::Reset = self.segment(stack, here, conn, Payload::Data)
        {
            self.clients.remove(&conn);
            reset.push(conn);
            return Ok(Shown::Word(Word::Reset));
        }
        self.completed(stack, here, conn);
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
    pub(super) fn accepted(&mut self, stack: &TestStack, here: Here, token: Token) -> Shown {
        let Connection { conn, state, .. } = self.connections[token.0];
        self.disconnect(stack, here, token);
        Shown::Accepted { accepted: conn, child: state }
    }

    /// The server ends a connection. Returns its client, if it was connected until now.
    pub(super) fn disconnect(&mut self, stack: &TestStack, here: Here, token: Token) -> Option<Conn> {
        self.ended(stack, here, token, HandshakeEnd::Done);
        let Connection { conn, .. } = self.connections[token.0];
        let client = self.clients.get(&conn)?;
        (client.token == Some(token)).then(|| self.clients.remove(&conn))?.map(|_| conn)
    }
}

/// What a client sees whose SYN is refused.
fn refused(why: Refusal) -> Shown {
    match why {
        Refusal::NoListener | Refusal::DroppedByProgram => Shown::Word(Word::Refused),
        Refusal::AcceptQueueFull | Refusal::SynQueueFull => Shown::Word(Word::Dropped),
        why => failed(why),
    }
}

/// How often a SYN-ACK timer goes off in so many seconds. (Linux: `secs_to_retrans()`.)
pub(super) fn timeouts_in(seconds: u32) -> u32 {
    let (mut timeouts, mut elapsed, mut next) = (0, 0, 1);
    while elapsed < seconds && timeouts < 255 {
        (timeouts, elapsed, next) = (timeouts + 1, elapsed + next, (next * 2).min(120));
    }
    timeouts
}
