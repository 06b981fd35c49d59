//! A back end that can break a rule, for the oracle's own test: with feature `mutants` alone.

use rskq::DefaultBackend;
use rskq::sync::{Backend, Fault};
use std::cell::Cell;

/// What ships, but for the rule that [`plant`] breaks.
pub struct Mutant;

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Breaks a rule on this thread from now on, or none.
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

impl Backend for Mutant {
    type AtomicU32 = <DefaultBackend as Backend>::AtomicU32;
    type PieceAtomicU32 = <DefaultBackend as Backend>::PieceAtomicU32;
    type Count = <DefaultBackend as Backend>::Count;
    type Stat = <DefaultBackend as Backend>::Stat;
    type Lock = <DefaultBackend as Backend>::Lock;
    type PieceLock = <DefaultBackend as Backend>::PieceLock;
    type Canary = <DefaultBackend as Backend>::Canary;
    type PieceCanary = <DefaultBackend as Backend>::PieceCanary;

    const SOCKS_SHIFT: u32 = DefaultBackend::SOCKS_SHIFT;

    fn planted(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }
}
