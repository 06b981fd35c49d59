//! Item 1: push and pop of an accept queue, by one thread.
//!
//! All contenders are bounded and refuse what they have no room for, all can be pushed to and popped from by
//! any number of threads, and none is inlined into the loop: an accept queue is called from elsewhere.

mod c;
mod library;
mod ours;

pub use c::{CLink, CReal};
pub use library::{Array, Boxed, ByValue, Heapless, LinkedValue};
pub use ours::{Link, Real};

use crate::Child;
use crate::measure::{Measured, Routine, timed};

/// Most connections in a queue.
pub const BACKLOG: usize = 127;

/// An accept queue of at most [`BACKLOG`] and one connections.
pub trait AcceptQueue: Send + Sync + 'static {
    /// An empty queue.
    fn empty() -> Self;
    /// Adds a connection at the tail, `false` if there is no room. Of those that are queued no two are of one
    /// number, which is at most `BACKLOG` + 1.
    fn push(&self, number: u64) -> bool;
    /// Takes the connection at the head.
    fn pop(&self) -> Option<u64>;
}

/// The connection of a number.
#[must_use]
pub fn child(number: u64) -> Child {
    [number, !number, number ^ 0x5555, 7]
}

/// Returns the number of a connection.
///
/// # Panics
///
/// If it is none that [`child`] made.
#[inline(always)]
#[must_use]
pub fn number_of(of: &Child) -> u64 {
    debug_assert_eq!(*of, child(of[0]));
    of[0]
}

/// Shows that a queue is one: first in first out, bounded, and empty when it was emptied.
///
/// # Errors
///
/// What it does instead.
pub fn check<Q: AcceptQueue>(queue: &Q) -> Result<(), String> {
    let room = BACKLOG as u64 + 1;
    for round in 0..3 {
        if let Some(number) = queue.pop() {
            return Err(format!("round {round}: an empty queue has {number}"));
        }
        if let Some(refused) = (0..room).find(|&number| !queue.push(number)) {
            return Err(format!("round {round}: refuses connection {refused} of {room}"));
        }
        if queue.push(room) {
            return Err(format!("round {round}: takes one more than {room}"));
        }
        for number in 0..room {
            match queue.pop() {
                Some(found) if found == number => {}
                found => return Err(format!("round {round}: {found:?} in the place of {number}")),
            }
        }
    }
    Ok(())
}

fn make<Q: AcceptQueue>(_: &str) -> Routine {
    let queue = Q::empty();
    check(&queue).unwrap_or_else(|error| panic!("{}: {error}", core::any::type_name::<Q>()));
    Box::new(move |iters| {
        timed(iters, |number| {
            let pushed = queue.push(number & 127);
            (pushed, queue.pop())
        })
    })
}

pub(crate) fn measured() -> Vec<Measured> {
    let link = |who, make| Measured::new("1 push and pop", "32 bytes", who, make);
    let real = |who, make| Measured::new("1 push and pop", "request", who, make);
    vec![
        link("rskq", make::<Link>),
        link("C", make::<CLink>),
        link("Mutex<VecDeque>", make::<ByValue>),
        link("Mutex<LinkedList>", make::<LinkedValue>),
        link("ArrayQueue", make::<Array>),
        link("heapless", make::<Heapless>),
        real("rskq", make::<Real>),
        real("C", make::<CReal>),
        real("Mutex<VecDeque<Box>>", make::<Boxed>),
    ]
}

#[cfg(test)]
mod tests;
