//! Clients of the machine's own kernel.

use crate::plan::{ANSWER, CLIENTS, PATIENCE, Row};
use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const PATIENT: Duration = Duration::from_millis(PATIENCE);

/// Clients that connect, each in a thread of its own.
pub(super) struct Clients {
    /// How many threads are not done.
    running: Arc<AtomicU32>,
    threads: Vec<JoinHandle<Row>>,
}

/// Starts clients that connect to `server` so often, together.
pub(super) fn start(server: SocketAddr, connections: u32) -> Clients {
    let left = Arc::new(AtomicU32::new(connections));
    let running = Arc::new(AtomicU32::new(CLIENTS as u32));
    let threads = (0..CLIENTS)
        .map(|_| {
            let (left, running) = (left.clone(), running.clone());
            thread::spawn(move || {
                let mut row = Row::default();
                let take = |left: u32| left.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    match connect(server, &mut row) {
                        Ok(()) => row.answered += 1,
                        Err(error) if is_reset(&error) => row.reset += 1,
                        Err(_) => row.timed_out += 1,
                    }
                }
                running.fetch_sub(1, Ordering::Release);
                row
            })
        })
        .collect();
    Clients { running, threads }
}

impl Clients {
    pub(super) fn done(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0
    }

    /// What became of them all.
    pub(super) fn join(self) -> Row {
        let mut all = Row::default();
        for thread in self.threads {
            let row = thread.join().expect("a client does not panic");
            all.answered += row.answered;
            all.reset += row.reset;
            all.timed_out += row.timed_out;
            all.connected_after(row.worst_connect_ms);
        }
        all
    }
}

fn connect(server: SocketAddr, row: &mut Row) -> io::Result<()> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect_timeout(&server, PATIENT)?;
    row.connected_after(begun.elapsed().as_millis() as u64);
    stream.set_read_timeout(Some(PATIENT))?;
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer)
}

/// Whether the other side said no, in whatever words; a connection that ended without an answer is none.
fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        ConnectionReset | ConnectionRefused | ConnectionAborted | BrokenPipe | UnexpectedEof
    )
}
