//! One client: one connection, one request, one answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// After which a client gives up. A SYN that is lost is sent again after a second, and after three.
const PATIENCE: Duration = Duration::from_secs(8);

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

/// Connects and asks for `path`.
pub(crate) fn get(server: SocketAddr, path: &str) -> End {
    match asked(server, path) {
        Ok(answer) if answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"\n") => End::Answered,
        Ok(_) => End::Reset,
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => End::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => End::TimedOut,
            _ => End::Reset,
        },
    }
}

fn asked(server: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
