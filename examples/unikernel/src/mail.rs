//! What one CPU asks of the other. No CPU touches another's sockets.
//!
//! A connection that waited on a listener of this CPU, with a socket of the other one's:
//!
//! 1. This CPU makes a vacancy and sends it with the connection: [`Mail::Fetch`].
//! 2. The other one puts the vacancy in place of the socket, and sends that: [`Mail::Fetched`].
//! 3. The socket takes the vacancy's place here. Frames that still go to the other CPU are handed on.

use crate::arch::{CPUS, apic};
use crate::memory::CONNECTIONS;
use heapless::Deque;
use rskq::{DefaultBackend, Tuple};
use rskq_smoltcp::{Connection, Moving, Vacancy};
use spin::Mutex;

/// What is asked.
pub enum Mail {
    /// Forget that this connection came to me: it is gone.
    Gone(Tuple),
    /// Reset this connection of yours: its listener is gone.
    Orphan(Connection),
    /// Let me have this connection of yours.
    Fetch(Connection, Vacancy<'static>),
    /// Here it is.
    Fetched(Moving<'static, DefaultBackend>),
    /// I cannot part with it; here is what you made room with.
    NotFetched(Vacancy<'static>),
}

/// For each connection: that it is fetched, that it is lost, that it is gone.
const LETTERS: usize = 4 * CONNECTIONS;

static BOXES: [Mutex<Deque<Mail, LETTERS>>; CPUS] = [const { Mutex::new(Deque::new()) }; CPUS];

/// Sends a letter and wakes who gets it.
pub fn send(cpu: u32, mail: Mail) {
    let sent = BOXES[cpu as usize].lock().push_back(mail);
    assert!(sent.is_ok(), "there is room for all that can be asked");
    apic::call_other();
}

/// Takes the oldest letter.
pub fn next(cpu: usize) -> Option<Mail> {
    BOXES[cpu].lock().pop_front()
}
