//! Memory that the card reads and writes: each address is its own, to the card as well.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Pages for the two rings.
const PAGES: usize = 16;

#[repr(align(4096))]
struct Pages(core::cell::UnsafeCell<[u8; PAGES * PAGE_SIZE]>);

// SAFETY: each page is handed out once.
unsafe impl Sync for Pages {}

static POOL: Pages = Pages(core::cell::UnsafeCell::new([0; PAGES * PAGE_SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);

pub(super) struct Dma;

// SAFETY: pages of the pool are zero, aligned, handed out once and never taken back; and each address is its own.
unsafe impl Hal for Dma {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = USED.fetch_add(pages, Ordering::Relaxed);
        assert!(first + pages <= PAGES, "the rings are larger than the pool");
        // SAFETY: within the pool.
        let at = unsafe { POOL.0.get().cast::<u8>().add(first * PAGE_SIZE) };
        (at.expose_provenance() as PhysAddr, NonNull::new(at).expect("a static is somewhere"))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0 // the card stays
    }

    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        unreachable!("asked for devices on a PCI bus alone")
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.as_ptr().expose_provenance() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
