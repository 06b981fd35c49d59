// SPDX-License-Identifier: MIT
//! The kernel's spin lock as the stack's lock, and rskq's validator, which sees each acquisition as the
//! kernel's own does.

use crate::stack_test::{check, Wrong};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use kernel::bindings;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::lock::spinlock::SpinLockBackend;
use kernel::sync::lock::Guard;
use kernel::sync::{LockClassKey, SpinLock};
use rskq::lockdep::order::ORDER;
use rskq::lockdep::validator::{Context, PerCpu, Policy, Report, Validator};
use rskq::lockdep::{Checked, Embedder};
use rskq::sync::{Core, RawLock};

/// The stack's back end.
pub(crate) type B = Checked<Core<KernelLock>, Checker>;

/// The kernel's checker tells locks apart by class: here each lock is one, so that it finds each cycle.
static CLASSES: [LockClassKey; 256] =
    // SAFETY: they are made of bytes that may be anything.
    unsafe { MaybeUninit::uninit().assume_init() };
static CLASSES_USED: AtomicUsize = AtomicUsize::new(0);

/// A [`SpinLock`]. The stack wants locks that are constants and may move before they are used, which a
/// kernel's lock is not and may not: it is made when it is taken for the first time.
pub(crate) struct KernelLock {
    made: AtomicBool,
    lock: UnsafeCell<MaybeUninit<SpinLock<()>>>,
}

/// Held while a lock is made, with preemption off: nobody waits for who is not running.
static MAKING: KernelLock = KernelLock::INIT;

// SAFETY: the cell is written once, under `MAKING`, and read when it was.
unsafe impl Sync for KernelLock {}

impl KernelLock {
    /// Makes the lock.
    ///
    /// # Safety
    ///
    /// Nobody else does, or did.
    unsafe fn make(&self) {
        let class = &CLASSES[CLASSES_USED.fetch_add(1, Ordering::Relaxed)];
        let lock = SpinLock::new((), c_str!("rskq"), class);
        // SAFETY: nobody else touches the cell, by the caller's contract; who takes a lock leaves it where
        // it is from then on.
        let Ok(()) = unsafe { lock.__pinned_init((*self.lock.get()).as_mut_ptr()) };
        self.made.store(true, Ordering::Release);
    }

    #[cold]
    fn make_once(&self) {
        let making = MAKING.lock();
        if !self.made.load(Ordering::Relaxed) {
            // SAFETY: whoever makes a lock holds `MAKING`, and nobody made this one before.
            unsafe { self.make() };
        }
        // SAFETY: held since the first line.
        unsafe { MAKING.unlock(making) };
    }
}

// SAFETY: exclusion and publication are those of the kernel's spin lock.
unsafe impl RawLock for KernelLock {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { made: AtomicBool::new(false), lock: UnsafeCell::new(MaybeUninit::uninit()) };
    /// The kernel's guard releases the lock when it is dropped.
    type GuardState = Guard<'static, (), SpinLockBackend>;

    fn lock(&self) -> Self::GuardState {
        if !self.made.load(Ordering::Acquire) {
            self.make_once();
        }
        let lock = self.lock.get().cast::<SpinLock<()>>();
        // SAFETY: it is made, and nobody writes to it any more; what is taken stays until it is released.
        unsafe { &*lock }.lock()
    }

    unsafe fn unlock(&self, guard: Self::GuardState) {
        drop(guard);
    }
}

/// Says which validator sees the stack's locks.
pub(crate) struct Checker;

static VALIDATOR: Validator<Core<KernelLock>> = Validator::new(ORDER, Policy::Report(tell));

/// One context a thread: who waits for a lock may be preempted.
const THREADS: usize = 32;
static CONTEXTS: PerCpu<THREADS> = PerCpu::new();
/// Whose they are.
static PIDS: [AtomicI32; THREADS] = [const { AtomicI32::new(0) }; THREADS];

/// The caller's number: the first that is its own, or nobody's. There is none beyond the last.
fn this_thread() -> usize {
    let pid = current!().pid();
    let is_mine = |of: &AtomicI32| match of.compare_exchange(0, pid, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => true,
        Err(other) => other == pid,
    };
    PIDS.iter().position(is_mine).unwrap_or(THREADS)
}

impl Embedder for Checker {
    type Backend = Core<KernelLock>;

    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
        // SAFETY: a number is one thread's, and no interrupt calls the stack.
        unsafe { CONTEXTS.with(this_thread(), |context| f(&VALIDATOR, context)) }
    }
}

fn tell(report: Report<'_, Core<KernelLock>>) {
    pr_err!("rskq's validator: {}\n", report);
}

/// To be called before any lock is taken.
pub(crate) fn prepare() {
    // SAFETY: the module is being initialised, by one thread.
    unsafe { MAKING.make() };
}

/// What the validator and the kernel's checker found.
pub(crate) fn verdict() -> Result<(), Wrong> {
    let counts = VALIDATOR.counts();
    let unseen = counts.classes_refused + counts.edges_unseen + counts.held_unseen + counts.violations_lost;
    // SAFETY: a word, which the kernel's checker clears when it has complained and looks no more.
    let kernel_looks = unsafe { (&raw const bindings::debug_locks).read_volatile() } != 0;
    check(counts.edges > 0, "the validator saw no locks")?;
    check(unseen == 0, "the validator has no room for what it is to see")?;
    check(counts.violations == 0, "locks are taken out of order")?;
    check(kernel_looks, "the kernel's checker found what the validator did not")
}

/// How many locks were taken at all, and how many orders there are among their classes.
pub(crate) fn seen() -> (usize, u32) {
    (CLASSES_USED.load(Ordering::Relaxed), VALIDATOR.counts().edges)
}
