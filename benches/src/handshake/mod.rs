//! Item 5: SYN, final ACK and accept, without packets; a duplicate SYN; a miss.

mod batch;
mod ours;
mod safe;
mod smoltcp;

pub use self::smoltcp::Smoltcp;
pub use batch::{Batch, MANY};
pub use ours::Ours;
pub use safe::Safe;

use crate::measure::{Make, Measured, Routine, number, timed};
use crate::world::hash;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The listen side of TCP, as far as it is measured. Connections have numbers; each is that of one tuple.
pub trait ListenSide: 'static {
    /// One listener, and room for so many half-open connections.
    fn with_room(half_open: usize) -> Self;
    /// A SYN at a time in milliseconds: `true` if it made a half-open connection, `false` if there is one.
    fn syn(&self, number: u64, now: u64) -> bool;
    /// A final ACK: `false` if there is no half-open connection of this number.
    fn ack(&self, number: u64, now: u64) -> bool;
    /// Takes the connection that waited longest.
    fn accept(&self) -> Option<u64>;
    /// Gives up a half-open connection whose time is over, if there is one.
    fn expire(&self, now: u64) -> Option<u64>;
}

/// Half-open connections go after so many milliseconds.
pub const LIVES: u64 = 1_000;

/// Shows that the listen side is one, with `half_open` connections there from number 0 on.
///
/// # Errors
///
/// What it does instead.
pub fn check(side: &impl ListenSide, half_open: u64) -> Result<(), String> {
    let expect = |what: &str, is: bool| if is { Ok(()) } else { Err(what.to_owned()) };
    let (first, second) = (half_open, half_open + 1);
    expect("an ACK without a SYN is taken", !side.ack(first, 0))?;
    expect("nothing to accept", side.accept().is_none())?;
    expect("a SYN is taken", side.syn(first, 0) && side.syn(second, 0))?;
    expect("a duplicate SYN is recognised", !side.syn(first, 0))?;
    expect("a half-open connection is not accepted", side.accept().is_none())?;
    expect("final ACKs are taken", side.ack(second, 0) && side.ack(first, 0))?;
    expect("once", !side.ack(first, 0))?;
    expect("first come, first accepted", side.accept() == Some(second) && side.accept() == Some(first))?;
    expect("all are accepted", side.accept().is_none())?;
    expect("what is half open is found", (0..half_open).step_by(997).all(|number| !side.syn(number, 0)))?;
    expect("nothing expires early", side.expire(LIVES - 1).is_none())
}

/// A listen side with so many half-open connections.
pub fn filled<S: ListenSide>(half_open: u64) -> S {
    let side = S::with_room(half_open as usize + 2);
    assert!((0..half_open).all(|number| side.syn(number, 0)), "there is room");
    check(&side, half_open).unwrap_or_else(|error| panic!("not so: {error}"));
    side
}

/// The same, made once for all that leave it as they find it: a million takes longer to make than to measure.
fn shared<S: ListenSide>(half_open: u64) -> Rc<S> {
    std::thread_local!(static MADE: RefCell<HashMap<(TypeId, u64), Rc<dyn Any>>> = RefCell::default());
    let made = MADE.with_borrow(|made| made.get(&(TypeId::of::<S>(), half_open)).cloned());
    let side = made.unwrap_or_else(|| Rc::new(filled::<S>(half_open)));
    MADE.with_borrow_mut(|made| made.insert((TypeId::of::<S>(), half_open), Rc::clone(&side)));
    side.downcast().expect("found by its type")
}

/// One connection, from its SYN until it is accepted.
#[inline(always)]
pub fn whole_path(side: &impl ListenSide, number: u64) {
    let done = side.syn(number, 0) && side.ack(number, 0) && side.accept() == Some(number);
    assert!(done, "a handshake failed");
}

fn whole<S: ListenSide>(case: &str) -> Routine {
    let half_open = number(case) as u64;
    let side = shared::<S>(half_open);
    let mut next = half_open;
    Box::new(move |iters| {
        let first = next;
        next += iters;
        timed(iters, |i| whole_path(&*side, first + i))
    })
}

fn duplicate<S: ListenSide>(case: &str) -> Routine {
    let half_open = number(case) as u64;
    let side = shared::<S>(half_open);
    let any = move |i| u64::from(hash(i)) % half_open;
    Box::new(move |iters| timed(iters, |i| assert!(!side.syn(any(i), 0))))
}

fn miss<S: ListenSide>(case: &str) -> Routine {
    let half_open = number(case) as u64;
    let side = shared::<S>(half_open);
    Box::new(move |iters| timed(iters, |i| assert!(!side.ack(half_open + u64::from(hash(i)), 0))))
}

fn smoltcp(case: &str) -> Routine {
    let half_open = number(case) as u64;
    let mut host = Smoltcp::filled(half_open);
    Box::new(move |iters| timed(iters, |i| assert!(host.whole_path(half_open + i), "a handshake failed")))
}

/// How many are half open.
pub const HALF_OPEN: [u64; 3] = [1, 1_000, 1_000_000];

pub(crate) fn measured() -> Vec<Measured> {
    let (path, again, none) = ("5 SYN, ACK, accept", "5 duplicate SYN", "5 ACK of nothing");
    let contenders: [(_, _, Make); 6] = [
        (path, "rskq", whole::<Ours>),
        (path, "HashMap, VecDeque", whole::<Safe>),
        (again, "rskq", duplicate::<Ours>),
        (again, "HashMap, VecDeque", duplicate::<Safe>),
        (none, "rskq", miss::<Ours>),
        (none, "HashMap, VecDeque", miss::<Safe>),
    ];
    let case = |n: u64| contenders.iter().map(move |&(item, who, make)| Measured::new(item, n, who, make));
    let mut all: Vec<_> = HALF_OPEN.into_iter().flat_map(case).collect();
    all.extend([1, 1_000].map(|n| Measured::new(path, n, "smoltcp, with packets", smoltcp)));
    all.extend(batch::measured());
    all
}

#[cfg(test)]
mod tests;
