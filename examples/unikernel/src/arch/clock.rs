//! Time: the CPU's counter, measured against the PC's timer chip.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};
use x86_64::instructions::port::Port;

/// Of the timer chip, in Hz.
const PIT: u64 = 1_193_182;
const MEASURED_MS: u64 = 10;

static PER_MICROSECOND: AtomicU64 = AtomicU64::new(1);
static START: AtomicU64 = AtomicU64::new(0);

fn counter() -> u64 {
    // SAFETY: every CPU that can run this image has it.
    unsafe { _rdtsc() }
}

/// Measures for 10 ms: how often a local APIC's timer, which `ticks` reads, ticks in a millisecond.
pub fn measure(ticks: impl Fn() -> u32) -> u32 {
    let (before, at) = (counter(), ticks());
    wait();
    let (after, until) = (counter(), ticks());
    START.store(before, Ordering::Relaxed);
    PER_MICROSECOND.store(((after - before) / (MEASURED_MS * 1000)).max(1), Ordering::Relaxed);
    (at - until) / MEASURED_MS as u32
}

/// Lets the timer chip's channel 0 count down for [`MEASURED_MS`]. (What it would interrupt with is masked.)
fn wait() {
    let (mut mode, mut data) = (Port::<u8>::new(0x43), Port::<u8>::new(0x40));
    let until = u16::MAX - (PIT * MEASURED_MS / 1000) as u16;
    // SAFETY: these ports are the timer chip's, and nobody else uses them.
    unsafe {
        mode.write(0b0011_0000);
        data.write(0xff);
        data.write(0xff);
        loop {
            mode.write(0); // latches the count
            if u16::from_le_bytes([data.read(), data.read()]) <= until {
                break;
            }
        }
    }
}

/// Microseconds since the start.
#[must_use]
pub fn now() -> u64 {
    counter().wrapping_sub(START.load(Ordering::Relaxed)) / PER_MICROSECOND.load(Ordering::Relaxed)
}
