//! The clients: each is a socket that never waits and aborts when it is dropped.

use super::loopback::Loopback;
use super::option::{self, TCP_CLOSE, TCP_SYN_SENT};
use crate::trace::{Conn, Word};
use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, SockAddr, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::time::Duration;

/// The clients that are connected.
pub(super) struct Clients {
    sockets: BTreeMap<Conn, Socket>,
    /// Tells which of them were reset: nothing else that is reported happens to them.
    resets: Epoll,
}

/// Returns a client that is bound to the loopback address of `to`'s family and connects to `to`,
/// with a byte of data if it is `fast`. When loopback is drained, its handshake is over if it ever is.
pub(super) fn connect(conn: Conn, to: SocketAddr, fast: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), None)?;
    abort_when_dropped(&socket)?;
    let from: IpAddr = if to.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    socket.bind(&SocketAddr::new(from, conn).into())?;
    let to = SockAddr::from(to);
    let begun = if fast {
        socket.send_to_with_flags(b"x", &to, libc::MSG_FASTOPEN).map(drop)
    } else {
        socket.connect(&to)
    };
    begun.or_else(ignore_answers)?;
    Ok(socket)
}

/// Ignores what only says how far the handshake is, or how it ended: the socket's state says that too.
fn ignore_answers(error: io::Error) -> io::Result<()> {
    match error.raw_os_error() {
        Some(libc::EINPROGRESS | libc::ECONNREFUSED | libc::ECONNRESET | libc::EPIPE | libc::ENOTCONN) => {
            Ok(())
        }
        _ => Err(error),
    }
}

/// Closing the socket sends a RST, and leaves nothing of the connection.
pub(super) fn abort_when_dropped(socket: &Socket) -> io::Result<()> {
    socket.set_linger(Some(Duration::ZERO))
}

impl Clients {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { sockets: BTreeMap::new(), resets: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)? })
    }

    pub(super) fn contains(&self, conn: Conn) -> bool {
        self.sockets.contains_key(&conn)
    }

    /// Connects a client; it is kept if it is connected then, or was and was reset.
    pub(super) fn connect(
        &mut self,
        conn: Conn,
        to: SocketAddr,
        fast: bool,
        loopback: &Loopback,
    ) -> io::Result<Word> {
        let socket = connect(conn, to, fast)?;
        loopback.drain()?;
        let word = match option::tcp_info(&socket)?.state {
            TCP_SYN_SENT => return Ok(Word::Dropped),
            TCP_CLOSE => match socket.take_error()?.and_then(|error| error.raw_os_error()) {
                Some(libc::ECONNRESET | libc::EPIPE) => Word::Reset,
                _ => return Ok(Word::Refused),
            },
            _ => Word::Established,
        };
        self.resets.add(&socket, EpollEvent::new(EpollFlags::empty(), u64::from(conn)))?;
        self.sockets.insert(conn, socket);
        Ok(word)
    }

    /// Sends a byte; `None` if there is no such client. One that gets no answer would repeat itself some
    /// time later, so it aborts instead.
    pub(super) fn send(&mut self, conn: Conn, loopback: &Loopback) -> io::Result<Option<Word>> {
        let Some(socket) = self.sockets.get_mut(&conn) else { return Ok(None) };
        socket.write_all(b"x").or_else(ignore_answers)?;
        loopback.drain()?;
        let info = option::tcp_info(&*socket)?;
        Ok(Some(match info.state {
            TCP_CLOSE => Word::Reset,
            _ if info.unacked > 0 => {
                self.sockets.remove(&conn);
                Word::Dropped
            }
            _ => Word::Established,
        }))
    }

    /// Closes the sending side; `None` if there is no such client. Its answer comes late, so whether it
    /// was dropped does not show.
    pub(super) fn fin(&mut self, conn: Conn, loopback: &Loopback) -> io::Result<Option<Word>> {
        let Some(socket) = self.sockets.get(&conn) else { return Ok(None) };
        socket.shutdown(Shutdown::Write).or_else(ignore_answers)?;
        loopback.drain()?;
        Ok(Some(match option::tcp_info(socket)?.state {
            TCP_CLOSE => Word::Reset,
            _ => Word::Ok,
        }))
    }

    /// A client aborts. Returns whether it was there.
    pub(super) fn abort(&mut self, conn: Conn) -> bool {
        self.sockets.remove(&conn).is_some()
    }

    /// Takes a client that was reset out of those that [`Clients::reset`] would tell.
    pub(super) fn forget_if_reset(&mut self, conn: Conn) -> io::Result<()> {
        if let Some(socket) = self.sockets.get(&conn)
            && option::tcp_info(socket)?.state == TCP_CLOSE
        {
            self.sockets.remove(&conn);
        }
        Ok(())
    }

    pub(super) fn abort_all(&mut self) {
        self.sockets.clear();
    }

    /// Takes the clients that were reset, sorted.
    pub(super) fn reset(&mut self) -> io::Result<Vec<Conn>> {
        let mut reset = Vec::new();
        let mut events = [EpollEvent::empty(); 64];
        loop {
            let count = self.resets.wait(&mut events, EpollTimeout::ZERO)?;
            for event in &events[..count] {
                let conn = event.data() as Conn;
                self.sockets.remove(&conn);
                reset.push(conn);
            }
            if count < events.len() {
                reset.sort_unstable();
                return Ok(reset);
            }
        }
    }
}
