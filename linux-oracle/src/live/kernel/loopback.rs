//! Waiting until loopback has delivered everything.
//!
//! Usually it has when the call that sends returns. But a processor that is late leaves the rest to a
//! thread of the kernel, and then an answer that is on its way looks like none.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than the kernel's thread ever waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends itself datagrams, which queue behind everything else that is sent on the same CPU.
pub(super) struct Loopback(UdpSocket);

impl Loopback {
    pub(super) fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Returns when nothing is on its way: when a datagram is there as soon as it was sent.
    pub(super) fn drain(&self) -> io::Result<()> {
        while !self.at_once()? {}
        Ok(())
    }

    fn at_once(&self) -> io::Result<bool> {
        self.0.send(&[0])?;
        let mut late: Option<Instant> = None;
        loop {
            match self.0.recv(&mut [0]) {
                Ok(_) => return Ok(late.is_none()),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) if late.is_some_and(|since| since.elapsed() > PATIENCE) => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(_) => {
                    late.get_or_insert_with(Instant::now);
                    thread::yield_now();
                }
            }
        }
    }
}
