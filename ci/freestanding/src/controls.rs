//! Negative controls: each feature breaks one thing that check.sh claims to notice.
//!
//! `control-behaviour` is in `scenario/deliveries.rs`, where it makes one expectation wrong, and
//! `control-rskq-alloc` is rskq's own feature `alloc`, in Cargo.toml.

/// The compiler refuses: two panic handlers.
#[cfg(feature = "control-std")]
extern crate std;

/// The compiler refuses: nobody allocates. The same happens if a dependency has this line.
#[cfg(any(feature = "control-alloc", feature = "control-rskq-alloc"))]
extern crate alloc;

/// Makes the image link in spite of `alloc`, so that only a look at its symbols tells.
#[cfg(feature = "control-allocator")]
mod allocator {
    use core::alloc::{GlobalAlloc, Layout};

    struct Exhausted;

    // SAFETY: null is what an allocator returns that has no memory; nothing comes back from it.
    unsafe impl GlobalAlloc for Exhausted {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }
        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static ALLOCATOR: Exhausted = Exhausted;
}

/// Uses what the chosen control brings. The image is not meant to run with one.
pub(crate) fn touch() {
    // By its address as well, so that no inlining leaves nothing of `alloc` with a name.
    #[cfg(feature = "control-alloc")]
    core::hint::black_box((
        alloc::vec![0_u8; core::hint::black_box(16)],
        alloc::alloc::handle_alloc_error as fn(_) -> !,
    ));

    #[cfg(feature = "control-undefined")]
    {
        unsafe extern "C" {
            /// In no library: the linker refuses.
            fn rskq_control_undefined();
        }
        // SAFETY: never reached, because it cannot be linked.
        unsafe { rskq_control_undefined() }
    }

    // A weak reference may stay undefined: the linker does not mind, whatever it was told.
    #[cfg(feature = "control-weak")]
    // SAFETY: loads an address and does nothing with it.
    unsafe {
        core::arch::asm!(".weak rskq_control_weak", "mov {}, offset rskq_control_weak", out(reg) _);
    }
}
