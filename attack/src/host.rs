//! What a stack runs on: what ships, and what is broken on purpose.

use rskq::DefaultBackend;
use rskq::sync::{Backend, Core, Fault, RawLock};
use std::cell::Cell;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;

/// What an embedder can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Slip {
    /// It loses a connection that was given back.
    ChildLost = 1,
    /// It looks at a connection that it has dropped.
    ChildUsedLate,
}

/// A back end, and an embedder's slips.
pub trait Host: Backend {
    /// Tells whether the embedder slips in this way.
    #[inline(always)]
    fn slips(_slip: Slip) -> bool {
        false
    }
}

impl Host for DefaultBackend {}

/// The lock that ships, before which a thread that holds none gives way now and then: others come in between
/// where nothing else would let them.
pub struct Yielding(spin::Mutex<()>);

thread_local! {
    /// A sequence of numbers that look random.
    static CHANCE: Cell<u32> = const { Cell::new(1) };
    /// How many locks the thread holds: who waits for one spins for as long as its holder sleeps.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

// SAFETY: exclusion and publication are those of the lock inside.
unsafe impl RawLock for Yielding {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Yielding(<spin::Mutex<()> as RawLock>::INIT);
    type GuardState = ();

    fn lock(&self) {
        // xorshift32
        let mut chance = CHANCE.get();
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        CHANCE.set(chance);
        if chance.is_multiple_of(32) && HELD.get() == 0 {
            thread::yield_now();
        }
        HELD.set(HELD.get() + 1);
        RawLock::lock(&self.0);
    }

    unsafe fn unlock(&self, (): ()) {
        HELD.set(HELD.get() - 1);
        // SAFETY: the caller holds the lock.
        unsafe { RawLock::unlock(&self.0, ()) }
    }
}

impl Host for Core<Yielding> {}

/// The same, and what is planted: by one thread, before it begins, for all threads.
pub struct Seeded;

static FAULT: AtomicU8 = AtomicU8::new(NOTHING);
static SLIP: AtomicU8 = AtomicU8::new(0);

const NOTHING: u8 = u8::MAX;

thread_local! {
    /// After how many allocations of this thread one finds no room; never, if it is 0.
    static DENIED_AFTER: Cell<u64> = const { Cell::new(0) };
}

impl Seeded {
    /// Breaks one line of the crate from now on, or none.
    pub fn plant(fault: Option<Fault>) {
        FAULT.store(fault.map_or(NOTHING, |fault| fault as u8), Ordering::Relaxed);
    }

    /// Makes the embedder slip from now on, or not.
    pub fn slip(slip: Option<Slip>) {
        SLIP.store(slip.map_or(0, |slip| slip as u8), Ordering::Relaxed);
    }

    /// Lets the `nth` allocation from now on of this thread find no room.
    pub(crate) fn deny(nth: u64) {
        DENIED_AFTER.set(nth);
    }

    /// Takes that back; tells whether it had come to that.
    pub(crate) fn was_denied() -> bool {
        DENIED_AFTER.replace(0) == 0
    }
}

impl Backend for Seeded {
    type AtomicU32 = <Core<Yielding> as Backend>::AtomicU32;
    type PieceAtomicU32 = <Core<Yielding> as Backend>::PieceAtomicU32;
    type Count = <Core<Yielding> as Backend>::Count;
    type Stat = <Core<Yielding> as Backend>::Stat;
    type Lock = <Core<Yielding> as Backend>::Lock;
    type PieceLock = <Core<Yielding> as Backend>::PieceLock;
    type Canary = <Core<Yielding> as Backend>::Canary;
    type PieceCanary = <Core<Yielding> as Backend>::PieceCanary;

    const SOCKS_SHIFT: u32 = Core::<Yielding>::SOCKS_SHIFT;

    fn planted(fault: Fault) -> bool {
        if fault == Fault::NoRoom {
            let left = DENIED_AFTER.get();
            DENIED_AFTER.set(left.saturating_sub(1));
            return left == 1;
        }
        FAULT.load(Ordering::Relaxed) == fault as u8
    }
}

impl Host for Seeded {
    fn slips(slip: Slip) -> bool {
        SLIP.load(Ordering::Relaxed) == slip as u8
    }
}

/// A lock that excludes and does not publish, for ThreadSanitizer to find: x86 publishes all the same.
pub struct Unpublished(AtomicBool);

// SAFETY: none, that is the fault: `unlock` does not publish to the next `lock`.
unsafe impl RawLock for Unpublished {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Unpublished(AtomicBool::new(false));
    type GuardState = ();

    fn lock(&self) {
        while self.0.swap(true, Ordering::Relaxed) {
            hint::spin_loop();
        }
    }

    unsafe fn unlock(&self, (): ()) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Host for Core<Unpublished> {}
