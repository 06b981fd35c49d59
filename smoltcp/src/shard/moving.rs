//! A connection moves to another shard: its socket is exchanged for an idle one of that shard.
//!
//! 1. The shard that gets it makes a [`Vacancy`]: an idle socket is taken out, and its handle stays.
//! 2. The shard that it leaves swaps the two, and remembers where the connection went.
//! 3. The shard that gets it puts the socket where the idle one was.
//!
//! Each step concerns one shard, so that no two have to be locked at a time; no set grows, and nothing
//! is allocated. smoltcp sees nothing: sequence numbers and buffers are the socket's own.

use super::{Held, Shard, Stage};
use crate::connection::{Connection, Gone};
use crate::supply::Supply;
use rskq::Tuple;
use rskq::sync::Backend;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;

/// Room for a connection that is to arrive at a shard.
#[must_use = "a socket is reserved for it"]
pub struct Vacancy<'a> {
    shard: u32,
    handle: SocketHandle,
    idle: tcp::Socket<'a>,
}

/// A connection on its way from one shard to another.
#[must_use = "the connection is nowhere until it arrives"]
pub struct Moving<'a, B: Backend> {
    /// Where it goes.
    shard: u32,
    handle: SocketHandle,
    socket: tcp::Socket<'a>,
    tuple: Tuple,
    from: u32,
    stage: Stage<B>,
}

/// Why a connection does not leave a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveError {
    /// It is not this shard's, or not half open any more.
    NotHere,
    /// The vacancy is this shard's own.
    SameShard,
    /// The shard has no room to remember where it went.
    NoRoom,
}

impl<B: Backend> Moving<'_, B> {
    /// Returns the shard that it moves to.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.shard
    }
}

// What is given back is a socket, and nobody is there to box it.
#[allow(clippy::result_large_err)]
impl<S: Supply, B: Backend> Shard<'_, '_, S, B> {
    /// Makes room for a connection of another shard, or `None` if there is none.
    pub fn vacancy<'a>(&mut self, sockets: &mut SocketSet<'a>) -> Option<Vacancy<'a>> {
        if self.connections.room() <= self.reserved {
            return None;
        }
        let handle = self.supply.take(sockets)?;
        self.reserved += 1;
        let nothing =
            tcp::Socket::new(tcp::SocketBuffer::new(&mut [][..]), tcp::SocketBuffer::new(&mut [][..]));
        let idle = core::mem::replace(sockets.get_mut(handle), nothing);
        Some(Vacancy { shard: self.id, handle, idle })
    }

    /// Gives back a vacancy of this shard's that nothing came of.
    ///
    /// # Errors
    ///
    /// Gives it to the caller if it is another shard's.
    pub fn fill<'a>(&mut self, vacancy: Vacancy<'a>, sockets: &mut SocketSet<'a>) -> Result<(), Vacancy<'a>> {
        if vacancy.shard != self.id {
            return Err(vacancy);
        }
        *sockets.get_mut(vacancy.handle) = vacancy.idle;
        self.supply.give_back(vacancy.handle, sockets);
        self.reserved -= 1;
        Ok(())
    }

    /// Moves a connection that was accepted, or whose listener was lost, towards the shard of the vacancy.
    /// Frames that still come here are handed out, until the connection is
    /// [forgotten](Self::forget).
    ///
    /// # Errors
    ///
    /// Says why not, and gives both back.
    pub fn leave<'a>(
        &mut self,
        connection: Connection,
        vacancy: Vacancy<'a>,
        sockets: &mut SocketSet<'a>,
    ) -> Result<Moving<'a, B>, (MoveError, Connection, Vacancy<'a>)> {
        if !self.holds(&connection) {
            return Err((MoveError::NotHere, connection, vacancy));
        }
        self.depart(connection.place, vacancy, sockets).map_err(|(why, vacancy)| (why, connection, vacancy))
    }

    /// Moves a half-open connection towards the shard of the vacancy, as [`leave`](Self::leave).
    ///
    /// # Errors
    ///
    /// Says why not, and gives the vacancy back.
    pub fn leave_half_open<'a>(
        &mut self,
        tuple: &Tuple,
        vacancy: Vacancy<'a>,
        sockets: &mut SocketSet<'a>,
    ) -> Result<Moving<'a, B>, (MoveError, Vacancy<'a>)> {
        let place = self.connections.find(tuple, self.hash(tuple));
        let half_open = |(_, held): (&Tuple, &Held<B>)| matches!(held.stage, Stage::HalfOpen(_));
        match place.filter(|&place| self.connections.get(place).is_some_and(half_open)) {
            Some(place) => self.depart(place, vacancy, sockets),
            None => Err((MoveError::NotHere, vacancy)),
        }
    }

    /// Returns the half-open connections, the oldest first.
    pub fn half_open(&self) -> impl Iterator<Item = &Tuple> {
        let half_open = |held: &Held<B>| matches!(held.stage, Stage::HalfOpen(_));
        self.connections.iter().filter(move |(_, held)| half_open(held)).map(|(tuple, _)| tuple)
    }

    fn depart<'a>(
        &mut self,
        place: u32,
        vacancy: Vacancy<'a>,
        sockets: &mut SocketSet<'a>,
    ) -> Result<Moving<'a, B>, (MoveError, Vacancy<'a>)> {
        if vacancy.shard == self.id {
            return Err((MoveError::SameShard, vacancy));
        }
        let Some((&tuple, &Held { handle, from, stage })) = self.connections.get(place) else {
            return Err((MoveError::NotHere, vacancy));
        };
        let hash = self.hash(&tuple);
        let gone_to = Departed { to: vacancy.shard, from };
        if self.departed.insert(tuple, hash, gone_to).is_err() {
            return Err((MoveError::NoRoom, vacancy));
        }
        self.connections.remove(place);
        self.parked -= usize::from(stage.is_parked());
        let socket = core::mem::replace(sockets.get_mut(handle), vacancy.idle);
        self.supply.give_back(handle, sockets);
        Ok(Moving { shard: vacancy.shard, handle: vacancy.handle, socket, tuple, from: self.id, stage })
    }

    /// Takes a connection in. Returns it, unless it is half open.
    ///
    /// # Errors
    ///
    /// Gives it to the caller if it moves to another shard.
    pub fn arrive<'a>(
        &mut self,
        moving: Moving<'a, B>,
        sockets: &mut SocketSet<'a>,
    ) -> Result<Option<Connection>, Moving<'a, B>> {
        if moving.shard != self.id {
            return Err(moving);
        }
        let Moving { handle, socket, tuple, from, stage, .. } = moving;
        let hash = self.hash(&tuple);
        *sockets.get_mut(handle) = socket;
        self.reserved -= 1;
        // It may have been here before.
        let returns = self.departed.find(&tuple, hash);
        returns.and_then(|place| self.departed.remove(place));
        let held = Held { handle, from: Some(from), stage };
        let Ok(place) = self.connections.insert(tuple, hash, held) else { unreachable!("room was reserved") };
        self.parked += usize::from(stage.is_parked());
        if let Stage::HalfOpen(half_open) = stage {
            self.wake_by(half_open.deadline);
            return Ok(None);
        }
        Ok(Some(Connection { shard: self.id, place, handle, tuple }))
    }

    /// A connection that had left is gone. Returns who else is to be told, if it had come from elsewhere before.
    pub fn forget(&mut self, tuple: &Tuple) -> Option<Gone> {
        let place = self.departed.find(tuple, self.hash(tuple))?;
        let (tuple, departed) = self.departed.remove(place)?;
        Some(Gone { shard: departed.from?, tuple })
    }
}

/// Where a connection went, and where it had come from.
#[derive(Clone, Copy)]
pub struct Departed {
    pub(super) to: u32,
    from: Option<u32>,
}
