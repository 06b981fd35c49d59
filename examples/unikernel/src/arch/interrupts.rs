//! Interrupts end `idle`, and do nothing else.
//!
//! They are enabled there alone, for the one instruction that waits. So no lock needs to disable them, a handler has
//! nothing to save, and one that comes between the last look for work and `hlt` is pending, and ends it.

use super::{apic, console};
use crate::say;
use core::arch::asm;
use spin::LazyLock;
use x86_64::VirtAddr;
use x86_64::structures::idt::InterruptDescriptorTable;

unsafe extern "C" {
    fn on_interrupt();
    fn on_exception();
}

static TABLE: LazyLock<InterruptDescriptorTable> = LazyLock::new(|| {
    let mut table = InterruptDescriptorTable::new();
    let exception = VirtAddr::from_ptr(on_exception as *const ());
    let interrupt = VirtAddr::from_ptr(on_interrupt as *const ());
    // SAFETY: none of these handlers returns, and so it does not matter which of them has an error code.
    unsafe {
        table.divide_error.set_handler_addr(exception);
        table.invalid_opcode.set_handler_addr(exception);
        table.double_fault.set_handler_addr(exception);
        table.invalid_tss.set_handler_addr(exception);
        table.segment_not_present.set_handler_addr(exception);
        table.stack_segment_fault.set_handler_addr(exception);
        table.general_protection_fault.set_handler_addr(exception);
        table.page_fault.set_handler_addr(exception);
        table.alignment_check.set_handler_addr(exception);
        table.simd_floating_point.set_handler_addr(exception);
    }
    for vector in 32..=255u8 {
        // SAFETY: it returns from an interrupt, having clobbered what `idle` says that it may.
        unsafe { table[vector].set_handler_addr(interrupt) };
    }
    table
});

/// Loads this CPU's table.
pub fn load() {
    TABLE.load();
}

/// Waits for an interrupt.
pub fn idle() {
    // SAFETY: whatever a handler clobbers is told, and the stack may be used, since `nostack` is not.
    unsafe { asm!("sti", "hlt", "cli", clobber_abi("C")) };
}

#[unsafe(no_mangle)]
extern "C" fn interrupted() {
    apic::end_of_interrupt();
}

#[unsafe(no_mangle)]
extern "C" fn excepted(stack: &[u64; 3]) -> ! {
    say!("exception on CPU {}: {stack:x?}", super::cpu());
    console::fail();
}
