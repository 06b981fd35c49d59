// SPDX-License-Identifier: MIT
//! The self-test of rskq in a kernel: loading the module runs it, and fails if it does. `fault=N` seeds a
//! fault, which has to be found.

mod controls;
mod lock;
mod memory;
mod stack_test;
mod threads;

use controls::Fault;
use kernel::prelude::*;
use rskq::Design;
use stack_test::Wrong;

module! {
    type: Selftest,
    name: "rskq_selftest",
    author: "rskq",
    description: "Self-test of rskq",
    license: "Dual MIT/GPL",
}

struct Selftest;

fn selftest(fault: Fault) -> Result<(), Wrong> {
    for design in [Design::Requeue, Design::Handover] {
        let design = if fault == Fault::Abort { Design::Abort } else { design };
        let mut memory = memory::Memory::new().map_err(|_| "there is no memory")?;
        // It stays where it is from now on, as the kernel's locks have to.
        let stack = memory.stack(design);
        let done = stack_test::Done::default();
        stack_test::queueing(&stack)?;
        stack_test::between_threads(&stack, fault, &done)?;
        pr_info!("{:?}: {}\n", design, done);
    }
    controls::break_locks(fault);
    lock::verdict()
}

impl kernel::Module for Selftest {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        lock::prepare();
        match Fault::seeded().ok_or("unknown fault").and_then(selftest) {
            Ok(()) => {
                let (locks, orders) = lock::seen();
                pr_info!("ok: {} locks, {} orders among their classes, no cycle\n", locks, orders);
                Ok(Self)
            }
            Err(wrong) => {
                pr_err!("FAILED: {}\n", wrong);
                Err(EINVAL)
            }
        }
    }
}
