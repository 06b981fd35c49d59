//! The kernel's own listeners, restarted by the same plan.

use super::{PORT, clients};
use crate::plan::{ACCEPTED, ANSWER, BACKLOG, LISTENERS, Row, Step, due};
use socket2::{Domain, Socket, Type};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, mem};

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

pub(super) fn run(policy: String, connections: u32) -> io::Result<Row> {
    let moved = migrated()?;
    let mut listeners: [Option<TcpListener>; LISTENERS] = Default::default();
    for listener in &mut listeners {
        *listener = Some(open()?);
    }
    let clients = clients::start(LOCAL, connections);
    let start = Instant::now();
    let (mut millisecond, mut answered, mut closing) = (0, vec![], vec![]);
    while !clients.done() {
        sleep(Duration::from_millis(1));
        while u128::from(millisecond) < start.elapsed().as_millis() {
            millisecond += 1;
            match due(millisecond) {
                Some((Step::Close, listener)) => drop(listeners[listener].take()),
                Some((Step::Open, listener)) => listeners[listener] = Some(open()?),
                None => {}
            }
            for listener in listeners.iter().flatten() {
                for _ in 0..ACCEPTED {
                    let Ok((mut stream, _)) = listener.accept() else { break };
                    // Who was reset meanwhile is not sent anything.
                    let _ = stream.write_all(ANSWER);
                    answered.push(stream);
                }
            }
        }
        // Their clients close first.
        drop(mem::replace(&mut closing, mem::take(&mut answered)));
    }
    let mut row = clients.join();
    (row.policy, row.moved) = (policy, migrated()? - moved);
    Ok(row)
}

fn open() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&LOCAL.into())?;
    socket.listen(BACKLOG as i32)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Reads how many requests have migrated in this namespace.
fn migrated() -> io::Result<u32> {
    let netstat = fs::read_to_string("/proc/net/netstat")?;
    let mut lines = netstat.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut counters = names.split_whitespace().zip(values.split_whitespace());
    let counter = counters.find(|(name, _)| *name == "TCPMigrateReqSuccess");
    counter
        .and_then(|(_, value)| value.parse().ok())
        .ok_or_else(|| io::Error::other("it does not count them"))
}
