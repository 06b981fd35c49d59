//! The stack on the locks of others: each passes the same test, and locks that are broken do not.
#![cfg(all(feature = "alloc", feature = "critical-section", feature = "spin"))]

mod brought;
mod controls;
mod cpu;
mod stack;
mod watch;

use brought::{IrqSave, OneThread, RawInterruptMutex};
use rskq::sync::CriticalSection;

#[test]
fn spin() {
    stack::in_one_thread::<spin::Mutex<()>>();
    stack::between_threads::<spin::Mutex<()>>();
}

#[test]
fn parking_lot() {
    stack::in_one_thread::<parking_lot::RawMutex>();
    stack::between_threads::<parking_lot::RawMutex>();
}

/// A `lock_api` lock that keeps the interrupt flags in itself, as unikernels have it.
#[test]
fn a_lock_api_lock_that_saves_interrupts() {
    stack::in_one_thread::<RawInterruptMutex<spin::Mutex<()>>>();
    stack::between_threads::<RawInterruptMutex<spin::Mutex<()>>>();
    stack::with_interrupts::<RawInterruptMutex<spin::Mutex<()>>>();
}

/// A lock that keeps the interrupt flags with the guard, as kernels have it.
#[test]
fn a_lock_that_saves_interrupts() {
    stack::in_one_thread::<IrqSave>();
    stack::between_threads::<IrqSave>();
    stack::with_interrupts::<IrqSave>();
}

#[test]
fn critical_section() {
    stack::in_one_thread::<CriticalSection>();
    stack::between_threads::<CriticalSection>();
}

/// No atomic instruction, no waiting: for a program with one thread and no interrupts.
#[test]
fn a_single_threaded_cell() {
    stack::in_one_thread::<OneThread>();
}
