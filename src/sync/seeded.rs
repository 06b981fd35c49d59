//! Faults on real hardware, for tests that do not know of them.
//!
//! A test is built with feature `seeded`, and runs as it is; the environment says which fault is in the
//! crate. Under a model checker the same fault is planted beside those that the model asks for.

#[cfg(not(debug_assertions))]
compile_error!("feature `seeded` plants faults: it is for profiles with debug assertions, such as `seeded`");

use super::{Backend, Event, Fault};
use core::cell::Cell;
use core::marker::PhantomData;

std::thread_local! {
    static PLANTED: Cell<Option<Fault>> = Cell::new(named());
}

/// Returns the fault that the environment names.
fn named() -> Option<Fault> {
    let name = std::env::var(Fault::VARIABLE).ok()?;
    Some(Fault::by_name(&name).unwrap_or_else(|| panic!("{}: there is no fault {name}", Fault::VARIABLE)))
}

/// Plants a fault on this thread from now on, or none; before that it is the one of the environment.
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// Tells whether `fault` is planted on this thread.
pub(super) fn planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// The back end `B`, in which a fault can be planted.
pub struct Seeded<B>(PhantomData<fn() -> B>);

impl<B: Backend> Backend for Seeded<B> {
    type AtomicU32 = B::AtomicU32;
    type PieceAtomicU32 = B::PieceAtomicU32;
    type Count = B::Count;
    type Stat = B::Stat;
    type Lock = B::Lock;
    type PieceLock = B::PieceLock;
    type Canary = B::Canary;
    type PieceCanary = B::PieceCanary;

    const SOCKS_SHIFT: u32 = B::SOCKS_SHIFT;

    fn planted(fault: Fault) -> bool {
        planted(fault)
    }

    #[inline(always)]
    #[track_caller]
    fn trace(event: Event) {
        B::trace(event);
    }
}
