//! Item 3: the same close by the kernel of this machine.
//!
//! For its shape only: a kernel sends resets, clones requests, and is entered and left.
//!
//! Runs in a network namespace of its own, whose loopback device is up: see `ci/bench.sh`.

use crate::close::MEMBERS;
use crate::figures::RUNS;
use crate::outside::{Failed, Line};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// How many connections a listener holds: more than the namespace has room for are not asked for.
const WAITING: [usize; 4] = [1, 16, 256, 4096];
/// Closes of a run, of which the fastest counts.
const CLOSES: usize = 3;
/// How long a client waits for its reset: far longer than any takes over loopback.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listeners that share an address, the first of which has every connection.
struct Group {
    first: Socket,
    others: Vec<Socket>,
    clients: Vec<Socket>,
}

/// What became of the clients.
#[derive(Debug, PartialEq, Eq)]
struct Became {
    accepted: usize,
    reset: usize,
}

fn listener(at: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(at)?;
    socket.listen(i32::MAX)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn client(of: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // It resets its connection when it is dropped, so that no port is kept for a minute.
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(of)?;
    Ok(socket)
}

impl Group {
    fn with(waiting: usize) -> io::Result<Self> {
        let first = listener(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let at = first.local_addr()?;
        // The others come after the clients, so that each of these is the first one's.
        let clients = (0..waiting).map(|_| client(&at)).collect::<io::Result<_>>()?;
        let others = (1..MEMBERS).map(|_| listener(&at)).collect::<io::Result<_>>()?;
        Ok(Self { first, others, clients })
    }

    /// Closes the first one, and looks what became of its clients.
    fn close(self) -> io::Result<(Duration, Became)> {
        let Self { first, others, clients } = self;
        let start = Instant::now();
        drop(first);
        let took = start.elapsed();
        let mut accepted = Vec::new();
        for other in &others {
            loop {
                match other.accept() {
                    Ok((connection, _)) => accepted.push(connection),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        let is_reset = |client: &Socket| {
            let mut client = client;
            matches!(client.read(&mut [0]), Err(error) if error.kind() == ErrorKind::ConnectionReset)
        };
        let kept = accepted.len() == clients.len();
        let reset = if kept { 0 } else { clients.iter().filter(|&client| is_reset(client)).count() };
        Ok((took, Became { accepted: accepted.len(), reset }))
    }
}

/// The fastest of some closes, each of which is shown to be one.
fn fastest(waiting: usize, migrates: bool) -> Result<f64, Failed> {
    let failed = |error| Failed::Wrong(format!("{waiting} connections over loopback: {error}"));
    let (accepted, reset) = if migrates { (waiting, 0) } else { (0, waiting) };
    let mut fastest = f64::MAX;
    for _ in 0..CLOSES {
        let (took, became) = Group::with(waiting).and_then(Group::close).map_err(failed)?;
        if became != (Became { accepted, reset }) {
            return Err(Failed::Wrong(format!("of {waiting}, migration {migrates}: {became:?}")));
        }
        fastest = fastest.min(took.as_nanos() as f64);
    }
    Ok(fastest)
}

fn set(sysctl: &str, value: u32) -> Result<(), Failed> {
    fs::write(format!("/proc/sys/net/{sysctl}"), value.to_string())
        .map_err(|error| Failed::NotAllowed(format!("net/{sysctl} cannot be set: {error}")))
}

/// Closes listeners of the kernel's, in as many runs as everything else.
///
/// # Errors
///
/// If the system does not allow it, or does something else.
pub fn measured() -> Result<Vec<Line>, Failed> {
    set("core/somaxconn", u16::MAX.into())?;
    set("ipv4/tcp_max_syn_backlog", u16::MAX.into())?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // Without what whoever built it called it.
    let kernel = kernel.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
    let says = format!(
        "`close()` of one of {MEMBERS} listeners that share an address, by Linux {kernel} on this machine, over \
         loopback. For its\nshape only: in that system call resets are sent and received, or requests cloned, and a \
         library does none of that."
    );
    let mut lines = vec![Line::Says { says }];
    for _ in 0..RUNS {
        for (waiting, migrates) in WAITING.into_iter().flat_map(|n| [(n, true), (n, false)]) {
            set("ipv4/tcp_migrate_req", migrates.into())?;
            let who = format!("tcp_migrate_req = {}", u32::from(migrates));
            lines.push(Line::Took { case: waiting.to_string(), who, ns: fastest(waiting, migrates)? });
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_does_not_do_is_noticed() {
        // Whichever is on here, it does not do what the other one would.
        let done = [true, false].map(|migrates| fastest(3, migrates));
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    }
}
