//! rskq for embedders in C: a stack in the embedder's memory, on the embedder's lock.
//!
//! The names are those of the header, `include/rskq.h`, which is generated from here. Every function may be
//! called in any context in which the embedder's lock may be taken, with no lock of the stack held, and none
//! allocates, sleeps or calls back; what it has to say it returns.

#![no_std]
#![allow(non_camel_case_types)] // C's names

mod accept;
mod address;
mod closing;
mod counters;
mod handshake;
mod listen;
mod lock;
mod memory;

pub use accept::*;
pub use address::*;
pub use closing::*;
pub use counters::*;
pub use handshake::*;
pub use listen::*;
pub use lock::*;
pub use memory::*;

#[cfg(feature = "panic-handler")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn rskq_panic() -> !;
    }
    rskq_panic()
}
