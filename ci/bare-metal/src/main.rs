//! What the freestanding image does, as an object for processors without an operating system: the same
//! scenario, and what is around it here in its smallest form.
//!
//! It is linked, so that what is missing is noticed, and not run; the image that is run is beside this.

#![no_std]
#![no_main]

#[cfg(feature = "control-std")]
extern crate std;

#[path = "../../freestanding/src/child.rs"]
mod child;
#[path = "../../freestanding/src/memory.rs"]
mod memory;
#[cfg(feature = "named")]
mod named;
#[path = "../../freestanding/src/scenario/mod.rs"]
mod scenario;
mod sizes;
#[path = "../../freestanding/src/spin.rs"]
mod spin;
mod sys;

use core::panic::PanicInfo;

/// Runs the scenario; what was not as expected ends in [`panic`].
#[unsafe(no_mangle)]
extern "C" fn exercise() {
    #[cfg(feature = "control-undefined")]
    {
        unsafe extern "C" {
            /// In no library: the linker refuses.
            fn rskq_control_undefined();
        }
        // SAFETY: never reached, because it cannot be linked.
        unsafe { rskq_control_undefined() }
    }
    #[cfg(feature = "control-alloc")]
    {
        extern crate alloc;
        core::hint::black_box(alloc::vec![0_u8; core::hint::black_box(16)]);
    }
    sizes::keep();
    #[cfg(feature = "named")]
    named::run();
    scenario::run();
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {}
}
