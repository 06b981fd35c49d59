//! What an event costs, counted in accesses to what the lock protects: deadlines and the lists' heads.

use super::*;
use crate::sync::{Canary, Core};
use std::cell::Cell;

const MANY: u32 = 1_000_000;

std::thread_local! {
    static STEPS: Cell<u32> = const { Cell::new(0) };
}

/// Counts the accesses to its cell.
struct Counted;

impl Canary for Counted {
    const INIT: Self = Counted;

    fn place(&mut self) {}

    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        STEPS.set(STEPS.get() + 1);
        f()
    }

    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        self.reading(f)
    }
}

/// The back end that ships, counted.
struct Counting;

type Shipped = Core<spin::Mutex<()>>;

impl Backend for Counting {
    type AtomicU32 = <Shipped as Backend>::AtomicU32;
    type PieceAtomicU32 = <Shipped as Backend>::PieceAtomicU32;
    type Count = <Shipped as Backend>::Count;
    type Stat = <Shipped as Backend>::Stat;
    type Lock = <Shipped as Backend>::Lock;
    type PieceLock = <Shipped as Backend>::PieceLock;
    type Canary = Counted;
    type PieceCanary = ();

    const SOCKS_SHIFT: u32 = <crate::DefaultBackend as Backend>::SOCKS_SHIFT;
}

/// Asserts that `f` takes at most `limit` steps, and returns what it returns.
#[track_caller]
fn within<R>(limit: u32, f: impl FnOnce() -> R) -> R {
    STEPS.set(0);
    let result = f();
    assert!(STEPS.get() <= limit, "{} steps", STEPS.get());
    result
}

/// To take the lock, and to look at the head of each list.
const HEADS: u32 = 1 + 33;

#[test]
fn each_of_a_million_events_takes_a_few_steps() {
    let mut slots: Slots<Counting> = vacant(MANY as usize);
    let room = Room::new(&mut slots, Backoff::LINUX);
    for slot in 0..MANY {
        assert_eq!(within(2, || room.arm(slot, slot % 40)), Ok(()));
    }
    for slot in (0..MANY).step_by(10) {
        assert!(within(2, || room.cancel(slot)));
    }
    assert_eq!(within(HEADS, || room.next()), Some(2_000));
    assert_eq!(within(1, || room.advance(120_000)), Clock::Forwards);
    for _ in 0..MANY - MANY / 10 {
        assert!(within(HEADS, || room.pop()).is_some());
    }
    assert_eq!((within(HEADS, || room.pop()), room.next()), (None, None));
}

#[test]
fn a_look_at_every_request_is_counted() {
    let mut slots: Slots<Counting> = vacant(100);
    let room = Room::new(&mut slots, Backoff::LINUX);
    STEPS.set(0);
    for slot in 0..100 {
        // SAFETY: nobody arms a timer meanwhile.
        let deadline = unsafe { room.requests.get(slot).unwrap().expires.with(|expires| expires.deadline) };
        assert_eq!(deadline, 0);
    }
    assert_eq!(STEPS.get(), 100);
}
