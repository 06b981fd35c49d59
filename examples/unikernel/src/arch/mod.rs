//! The machine: a PC as QEMU starts it, two CPUs, and of their interrupts only that they end `idle`.

pub mod apic;
pub mod clock;
pub mod command_line;
pub mod console;
mod interrupts;
mod memory;

pub use interrupts::{idle, load as load_interrupts};

core::arch::global_asm!(include_str!("boot.s"), options(att_syntax));

/// How many CPUs there are. (Also in `boot.s`.)
pub const CPUS: usize = 2;

/// Which CPU this is: its local APIC's number, which QEMU counts from 0.
#[must_use]
pub fn cpu() -> usize {
    (core::arch::x86_64::__cpuid(1).ebx >> 24) as usize
}
