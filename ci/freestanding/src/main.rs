//! rskq in a freestanding image: no `std`, no allocator, no C library, no start files.
//!
//! What a kernel brings is brought here in its smallest form: an entry point, a panic handler, the
//! functions that the compiler calls by itself, a lock, and memory in statics. The entry runs
//! [`scenario`] and leaves with status 0 if everything was as expected. That the image is a Linux
//! process is for the proof's sake only: it can be run where it was built.

#![no_std]
#![no_main]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("the entry point and the two system calls are written for x86-64 Linux");

mod child;
mod controls;
mod mem;
mod memory;
mod scenario;
mod spin;
mod sys;

use core::panic::PanicInfo;

// The kernel enters with the stack aligned and without a return address; `call` makes of that what
// a function expects.
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "call {entry}",
    "ud2",
    entry = sym entry,
);

extern "C" fn entry() -> ! {
    controls::touch();
    mem::check();
    scenario::run();
    sys::write("freestanding: everything as expected\n");
    sys::exit(0)
}

/// The message is left out on purpose: it would bring `core::fmt` into an image that needs none.
#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    sys::write("freestanding: panicked\n");
    sys::exit(101)
}
