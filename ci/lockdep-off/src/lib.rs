//! The same functions over raw locks and over validated ones: `check.sh` compares what they compile to.

#![no_std]

use lock_api::Mutex;
use rskq::lockdep::order::{Reuseport, Rskq};
use rskq::lockdep::validator::{Context, Policy, Validator};
use rskq::lockdep::{Embedder, Held, Mutex as Classed, Nothing};
use rskq::sync::{Backend, Core};

/// The embedder: one validator, and contexts that nobody asks for when it is off.
pub struct Kernel;

static VALIDATOR: Validator<Raw> = Validator::new(rskq::lockdep::order::ORDER, Policy::Panic);

impl Embedder for Kernel {
    type Backend = Raw;
    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
        f(&VALIDATOR, &Context::new())
    }
}

rskq::lock_class! {
    /// One class,
    pub OuterClass = "outer" of Kernel;
    /// and another.
    pub InnerClass = "inner" of Kernel;
}

/// The back end without a validator.
pub type Raw = Core<spin::Mutex<()>>;

#[cfg(feature = "raw")]
mod locks {
    pub(crate) type Outer = spin::Mutex<()>;
    pub(crate) type Inner = spin::Mutex<()>;
    pub(crate) type B = super::Raw;
}
#[cfg(not(feature = "raw"))]
mod locks {
    use super::{InnerClass, Kernel, OuterClass, Raw};
    use rskq::lockdep::{Checked, Validated};
    pub(crate) type Outer = Validated<spin::Mutex<()>, OuterClass>;
    pub(crate) type Inner = Validated<spin::Mutex<()>, InnerClass>;
    pub(crate) type B = Checked<Raw, Kernel>;
}
use locks::{B, Inner, Outer};

// Nothing is beside the raw lock either.
const _: () = {
    type Plain = Mutex<spin::Mutex<()>, u64>;
    assert!(size_of::<Mutex<Outer, u64>>() == size_of::<Plain>());
    assert!(size_of::<<B as Backend>::Lock>() == size_of::<spin::Mutex<()>>());
};

/// Two locks of a `lock_api` user, one in the other.
#[unsafe(no_mangle)]
pub extern "C" fn probe_nested(outer: &Mutex<Outer, u64>, inner: &Mutex<Inner, u64>) -> u64 {
    let (outer, mut inner) = (outer.lock(), inner.lock());
    *inner += 1;
    *outer + *inner
}

/// A lock that is tried.
#[unsafe(no_mangle)]
pub extern "C" fn probe_try(lock: &Mutex<Outer, u64>) -> u64 {
    lock.try_lock().map_or(0, |guard| *guard)
}

/// A lock that is looked at.
#[unsafe(no_mangle)]
pub extern "C" fn probe_is_locked(lock: &Mutex<Outer, u64>) -> bool {
    lock.is_locked()
}

/// Two locks of the crate's own classes, as the stack takes them.
#[unsafe(no_mangle)]
pub extern "C" fn probe_classed(
    outer: &Classed<u64, Reuseport, B>,
    inner: &Classed<u64, Rskq, B>,
    held: &mut Held<'_, Nothing>,
) -> u64 {
    let (outer, mut held) = outer.lock_and(held);
    let mut inner = inner.lock(&mut held);
    *inner += 1;
    *outer + *inner
}

/// Two locks of one class, by the call for pairs.
#[unsafe(no_mangle)]
pub extern "C" fn probe_pair(
    one: &Classed<u64, Rskq, B>,
    other: &Classed<u64, Rskq, B>,
    held: &mut Held<'_, Nothing>,
) -> u64 {
    one.lock_pair(other, held).map_or(0, |(one, other)| *one + *other)
}
