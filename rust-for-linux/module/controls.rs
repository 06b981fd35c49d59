// SPDX-License-Identifier: MIT
//! What is broken on purpose.

use crate::lock::{KernelLock, B};
use crate::threads;
use kernel::ffi::c_uint;
use rskq::lockdep::order::{ListenerSock, Rskq};
use rskq::lockdep::{Held, Mutex};
use rskq::sync::RawLock;

/// What is broken, or who has to notice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Migration is off: connections are aborted.
    Abort,
    /// A connection that was accepted is lost.
    Lost,
    /// Locks of the stack's classes are taken in a cycle.
    Order,
    /// Raw locks are, which rskq's validator is not told of, and the kernel's is.
    RawOrder,
    /// A thread sleeps while it holds a lock.
    Sleep,
}

extern "C" {
    static rskq_fault: c_uint;
}

impl Fault {
    /// The module's parameter.
    pub(crate) fn seeded() -> Option<Self> {
        // SAFETY: it is written before the module is initialised.
        let number = unsafe { rskq_fault };
        let faults = [Self::None, Self::Abort, Self::Lost, Self::Order, Self::RawOrder, Self::Sleep];
        faults.get(number as usize).copied()
    }
}

static SOCK: Mutex<(), ListenerSock, B> = Mutex::new(());
static QUEUE: Mutex<(), Rskq, B> = Mutex::new(());
static RAW: [KernelLock; 2] = [KernelLock::INIT, KernelLock::INIT];

fn take_classes_in_a_cycle() {
    // SAFETY: no lock is held.
    let mut held = unsafe { Held::nothing() };
    let (sock, mut inner) = SOCK.lock_and(&mut held);
    drop(QUEUE.lock(&mut inner));
    drop(sock);
    let queue = QUEUE.lock(&mut held);
    // SAFETY: it is not so, or types would not let this pass. The lock that is held is another one.
    drop(SOCK.lock(&mut unsafe { Held::nothing() }));
    drop(queue);
}

fn take_raw_in_a_cycle() {
    for [outer, inner] in [[0, 1], [1, 0]].map(|order| order.map(|which| &RAW[which])) {
        let (first, second) = (outer.lock(), inner.lock());
        // SAFETY: both were just taken.
        unsafe {
            inner.unlock(second);
            outer.unlock(first);
        }
    }
}

fn sleep_with_a_lock() {
    let held = RAW[0].lock();
    threads::sleep(1);
    // SAFETY: it was just taken.
    unsafe { RAW[0].unlock(held) };
}

pub(crate) fn break_locks(fault: Fault) {
    match fault {
        Fault::Order => take_classes_in_a_cycle(),
        Fault::RawOrder => take_raw_in_a_cycle(),
        Fault::Sleep => sleep_with_a_lock(),
        Fault::None | Fault::Abort | Fault::Lost => (),
    }
}
