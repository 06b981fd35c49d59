//! One client: one connection, one request, one answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// After which a client gives up. A SYN that is lost is sent again after one second, three, seven and fifteen; and a
/// machine that is shared may stand still for some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the answer.
    Answered,
    /// There was nobody.
    Refused,
    /// It was made and then reset, or ended without an answer.
    Reset,
    /// Nothing came for [`PATIENCE`].
    TimedOut,
}

/// What a client does with a path at a server.
pub(crate) type Ask = fn(SocketAddr, &str) -> End;

/// Connects and asks for `path`.
pub(crate) fn get(server: SocketAddr, path: &str) -> End {
    ended(asked(server, path))
}

/// Connects, and closes without a word.
pub(crate) fn connect(server: SocketAddr, _path: &str) -> End {
    ended(TcpStream::connect_timeout(&server, PATIENCE).map(|_| true))
}

fn ended(answered: io::Result<bool>) -> End {
    match answered {
        Ok(true) => End::Answered,
        Ok(false) => End::Reset,
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => End::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => End::TimedOut,
            _ => End::Reset,
        },
    }
}

/// Tells whether the whole answer came. The client is the one that closes.
fn asked(server: SocketAddr, path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes())?;
    let (mut answer, mut part) = (Vec::new(), [0; 256]);
    loop {
        match stream.read(&mut part)? {
            0 => return Ok(false),
            length => answer.extend_from_slice(&part[..length]),
        }
        if answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"\n") && !answer.ends_with(b"\r\n") {
            return Ok(true);
        }
    }
}
