//! A back end whose locks are validated while they run.

use super::embedder::Embedder;
#[cfg(feature = "lockdep")]
use super::validator::{Acquisition, ClassId};
use crate::sync::{Backend, Event, Fault, Lock, LockTag, ModelBackend, Nesting};
use core::marker::PhantomData;

/// The back end `B` with every lock validated: `Stack<'static, Connection, Checked<Core<MyLock>, X>>`
/// runs the whole stack under `X`'s validator. Without feature `lockdep` the locks are `B`'s.
///
/// The validator has to be made with [`order::ORDER`](super::order::ORDER), or an order that begins with
/// it: a lock's class is found by its rank. `B` may be a model's back end as well; then the model
/// checks the validator along with the rest.
pub struct Checked<B, X>(PhantomData<fn() -> (B, X)>);

impl<B: Backend, X: Embedder> Backend for Checked<B, X> {
    type AtomicU32 = B::AtomicU32;
    type PieceAtomicU32 = B::PieceAtomicU32;
    type Count = B::Count;
    type Stat = B::Stat;
    type Lock = CheckedLock<B::Lock, X>;
    type PieceLock = CheckedLock<B::PieceLock, X>;
    type Canary = B::Canary;
    type PieceCanary = B::PieceCanary;

    const SOCKS_SHIFT: u32 = B::SOCKS_SHIFT;

    #[inline(always)]
    fn planted(fault: Fault) -> bool {
        B::planted(fault)
    }

    #[inline(always)]
    #[track_caller]
    fn trace(event: Event) {
        B::trace(event);
    }

    #[cfg(feature = "designs")]
    #[inline(always)]
    fn violated(property: &'static str, text: &'static str, slot: u32) {
        B::violated(property, text, slot);
    }
}

// SAFETY: the atomics, locks and cells are `B`'s, and the validator's own are of a back end that the
// caller says is a model's as well when `B` is: a switch of threads is in their operations only.
unsafe impl<B: ModelBackend, X: Embedder<Backend: ModelBackend>> ModelBackend for Checked<B, X> {}

/// The lock `L`, which tells `X`'s validator of each acquisition and release.
pub struct CheckedLock<L, X> {
    lock: L,
    embedder: PhantomData<fn() -> X>,
}

#[cfg(feature = "lockdep")]
impl<L: Lock, X: Embedder> CheckedLock<L, X> {
    #[inline(always)]
    #[track_caller]
    fn acquisition(&self, tag: LockTag) -> Acquisition {
        Acquisition::of(self, ClassId::of_rank(tag.rank), tag.key)
    }
}

// SAFETY: exclusion and publication are `L`'s; what is told to the validator changes nothing about
// them.
unsafe impl<L: Lock, X: Embedder> Lock for CheckedLock<L, X> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { lock: L::INIT, embedder: PhantomData };
    type GuardState = L::GuardState;

    fn place(&mut self) {
        self.lock.place();
    }

    #[inline(always)]
    #[track_caller]
    fn lock(&self, tag: LockTag, nesting: Nesting) -> L::GuardState {
        #[cfg(feature = "lockdep")]
        {
            let wanted = self.acquisition(tag);
            X::with(|validator, context| validator.lock(context, wanted, nesting));
        }
        self.lock.lock(tag, nesting)
    }

    #[inline(always)]
    #[track_caller]
    unsafe fn unlock(&self, tag: LockTag, state: L::GuardState) {
        #[cfg(feature = "lockdep")]
        {
            let lock = self.acquisition(tag);
            X::with(|validator, context| validator.unlock(context, lock));
        }
        // SAFETY: the caller holds the lock through the acquisition that made `state`.
        unsafe { self.lock.unlock(tag, state) }
    }
}
