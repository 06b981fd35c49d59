//! What one context holds: a CPU, a thread, or whatever the embedder says runs one thing at a time.

use super::class::{ClassId, ClassSet};
use super::irq::{Irq, Usages};
use super::violation::Kind;
use crate::sync::Nesting;
use core::cell::Cell;
use core::panic::Location;

/// How many locks a context can hold at each level of interruption before the validator reports
/// that it lost sight of one.
pub const MAX_HELD: usize = 32;

/// One lock that is being taken, is held, or is released: which, and where in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// The lock's class.
    pub class: ClassId,
    /// The instance within its class, by which an ordered pair is ordered. 0 if it has no key.
    pub key: u32,
    /// Tells two instances apart and is compared for nothing but equality: the lock's address.
    pub address: usize,
    /// Where in the source.
    pub at: &'static Location<'static>,
}

impl Acquisition {
    /// The caller's acquisition, or release, of `lock`, which has `key` within `class`.
    #[inline(always)]
    #[track_caller]
    pub fn of<T>(lock: &T, class: ClassId, key: u32) -> Self {
        Self { class, key, address: core::ptr::from_ref(lock).addr(), at: Location::caller() }
    }

    fn same_lock(&self, other: &Self) -> bool {
        (self.class, self.key, self.address) == (other.class, other.key, other.address)
    }
}

/// A lock that is held. Three words that are written one by one: put together elsewhere and then
/// copied, they would be read back wider than they were written, for which a CPU has to wait.
struct Held {
    at: Cell<Option<&'static Location<'static>>>,
    address: Cell<usize>,
    which: Cell<Which>,
}

/// Class and key, and whether another lock of the class lies below.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Which(u64);

impl Which {
    #[inline(always)]
    const fn new(lock: Acquisition, nested: bool) -> Self {
        Self((lock.key as u64) << 32 | (lock.class.index() as u64) << 8 | nested as u64)
    }

    #[inline(always)]
    const fn nested(self) -> bool {
        self.0 & 1 != 0
    }

    const fn class(self) -> ClassId {
        ClassId::new((self.0 >> 8) as u8 as usize)
    }

    const fn key(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Tells whether both are one class and key.
    #[inline(always)]
    const fn same(self, other: Self) -> bool {
        (self.0 ^ other.0) >> 1 == 0
    }
}

impl Held {
    const fn new() -> Self {
        Self { at: Cell::new(None), address: Cell::new(0), which: Cell::new(Which(0)) }
    }

    #[inline(always)]
    fn is(&self, lock: Acquisition) -> bool {
        self.address.get() == lock.address && self.which.get().same(Which::new(lock, false))
    }

    fn lock(&self) -> Option<Acquisition> {
        let which = self.which.get();
        let (class, key) = (which.class(), which.key());
        Some(Acquisition { class, key, address: self.address.get(), at: self.at.get()? })
    }

    fn copy(&self, other: &Self) {
        self.at.set(other.at.get());
        self.address.set(other.address.get());
        self.which.set(other.which.get());
    }
}

/// What is held at one level of interruption, in the order in which it was taken.
///
/// Each level has a place of its own, so that an interrupt in the middle of an operation on what it
/// interrupts finds nothing half done.
pub(super) struct Level {
    classes: Cell<ClassSet>,
    len: Cell<usize>,
    held: [Held; MAX_HELD],
    /// Locks that are held and were not written down.
    unseen: Cell<usize>,
}

/// What one context holds and whether it may be interrupted.
///
/// The embedder says what a context is: one a CPU where what holds a spin lock is not preempted,
/// one a thread elsewhere, or an explicit handle that the code passes along. A context is not
/// `Sync`, so that two CPUs cannot share one by mistake. Less than 2.5 KiB.
///
/// Interrupts are declared, not executed: a handler begins with [`enter`](Self::enter) and ends with
/// [`leave`](Self::leave), and code that closes interrupts out says so. Between two locks of which
/// the one was taken by a handler and the other by what it interrupted, there is no order.
pub struct Context {
    levels: [Level; 3],
    level: Cell<usize>,
    hardirqs_off: Cell<bool>,
    softirqs_off: Cell<bool>,
    usages: Cell<Usages>,
}

/// What [`Context::leave`] goes back to.
#[must_use = "the handler ends when this is handed to `Context::leave`"]
#[derive(Debug)]
pub struct Interrupted {
    level: usize,
    hardirqs_off: bool,
    softirqs_off: bool,
}

/// Where code runs that no interrupt brought.
const TASK: usize = 0;

impl Context {
    /// A context that holds nothing and can be interrupted.
    pub const fn new() -> Self {
        Self {
            levels: [const { Level::new() }; 3],
            level: Cell::new(TASK),
            hardirqs_off: Cell::new(false),
            softirqs_off: Cell::new(false),
            usages: Cell::new(Usages::EXPOSED.and(Usages::TAKEN)),
        }
    }

    /// Declares that a handler begins, with interrupts of its kind off.
    ///
    /// A handler that interrupts another of its own kind needs a context of its own.
    pub fn enter(&self, irq: Irq) -> Interrupted {
        let interrupted = Interrupted {
            level: self.level.get(),
            hardirqs_off: self.hardirqs_off.get(),
            softirqs_off: self.softirqs_off.get(),
        };
        self.level.set(irq.level());
        self.switch(irq, false);
        interrupted
    }

    /// Declares that the handler that [`enter`](Self::enter) began ends.
    pub fn leave(&self, interrupted: Interrupted) {
        self.level.set(interrupted.level);
        self.hardirqs_off.set(interrupted.hardirqs_off);
        self.softirqs_off.set(interrupted.softirqs_off);
        self.note_usages();
    }

    /// Declares that interrupts of this kind are off; tells whether they were on.
    ///
    /// They are switched on again by [`Validator::irqs_on`](super::Validator::irqs_on), which looks at
    /// what is held.
    pub fn irqs_off(&self, irq: Irq) -> bool {
        self.switch(irq, false)
    }

    /// Switches interrupts of a kind on or off; tells whether they were on.
    pub(super) fn switch(&self, irq: Irq, on: bool) -> bool {
        let off = match irq {
            Irq::Hard => &self.hardirqs_off,
            Irq::Soft => &self.softirqs_off,
        };
        let was_on = !off.replace(!on);
        self.note_usages();
        was_on
    }

    fn note_usages(&self) {
        // No softirq runs where no interrupt does, nor within another softirq.
        let hard_on = !self.hardirqs_off.get();
        let soft_on = hard_on && !self.softirqs_off.get();
        let usages = Usages::within(self.level.get()).and(Usages::with_on(hard_on, soft_on));
        self.usages.set(usages.and(Usages::TAKEN));
    }

    /// What taking a lock here says of its class.
    #[inline(always)]
    pub(super) fn usages(&self) -> Usages {
        self.usages.get()
    }

    /// What is held at the level at which the context runs.
    #[inline(always)]
    pub(super) fn here(&self) -> &Level {
        &self.levels[self.level.get()]
    }

    /// What is held at this level, outermost first.
    pub fn held(&self) -> impl Iterator<Item = Acquisition> {
        let level = self.here();
        level.held[..level.len.get()].iter().filter_map(Held::lock)
    }

    /// What speaks against taking `wanted` among the locks of its class that are held.
    pub(super) fn against_own_class(
        &self,
        wanted: Acquisition,
        nesting: Nesting,
    ) -> Option<(Kind, Acquisition)> {
        let of_class = || self.held().filter(|held| held.class == wanted.class);
        if let Some(held) = of_class().find(|held| held.same_lock(&wanted)) {
            return Some((Kind::Recursion, held));
        }
        let against = of_class().find(|held| nesting == Nesting::None || held.key >= wanted.key)?;
        Some((Kind::SameClass, against))
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Level {
    const fn new() -> Self {
        Self {
            classes: Cell::new(ClassSet::EMPTY),
            len: Cell::new(0),
            held: [const { Held::new() }; MAX_HELD],
            unseen: Cell::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn classes(&self) -> ClassSet {
        self.classes.get()
    }

    /// Writes down that `lock` is held; tells whether there was room.
    #[inline(always)]
    pub(super) fn push(&self, lock: Acquisition) -> bool {
        let (len, classes) = (self.len.get(), self.classes.get());
        let Some(place) = self.held.get(len) else {
            self.unseen.set(self.unseen.get() + 1);
            return false;
        };
        place.at.set(Some(lock.at));
        place.address.set(lock.address);
        place.which.set(Which::new(lock, classes.has(lock.class)));
        self.len.set(len + 1);
        self.classes.set(classes.and(ClassSet::of(lock.class)));
        true
    }

    /// Forgets that `lock` is held, if it is the lock that was taken last; tells whether it is. O(1).
    #[inline(always)]
    pub(super) fn pop(&self, lock: Acquisition) -> bool {
        let top = self.len.get().wrapping_sub(1);
        match self.held.get(top) {
            Some(held) if held.is(lock) => {
                self.len.set(top);
                if !held.which.get().nested() {
                    self.classes.set(self.classes.get().without(ClassSet::of(lock.class)));
                }
                true
            }
            _ => false,
        }
    }

    /// Forgets that `lock` is held, wherever it lies; tells whether it was. O(locks held).
    pub(super) fn remove(&self, lock: Acquisition) -> bool {
        let len = self.len.get();
        let Some(gone) = self.held[..len].iter().rposition(|held| held.is(lock)) else {
            let unseen = self.unseen.get();
            self.unseen.set(unseen.saturating_sub(1));
            return unseen > 0;
        };
        for above in gone + 1..len {
            self.held[above - 1].copy(&self.held[above]);
        }
        self.len.set(len - 1);
        let mut classes = ClassSet::EMPTY;
        for held in &self.held[..len - 1] {
            if let Some(lock) = held.lock() {
                held.which.set(Which::new(lock, classes.has(lock.class)));
                classes = classes.and(ClassSet::of(lock.class));
            }
        }
        self.classes.set(classes);
        true
    }
}
