//! Local and I/O APICs: the timer, the other CPU, the devices.

use super::{CPUS, clock, cpu};
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};
use spin::Mutex;
use x2apic::ioapic::{IoApic, RedirectionTableEntry};
use x2apic::lapic::{IpiAllShorthand, LocalApic, LocalApicBuilder, TimerDivide, TimerMode, xapic_base};
use x86_64::instructions::port::Port;

/// Any from 32 on: what came is not looked at.
const TIMER: u8 = 32;
const ERROR: u8 = 33;
const DEVICE: u8 = 34;
const CALL: u8 = 35;
const SPURIOUS: u8 = 0xff;

/// Where the second CPU starts. (Also in `boot.s`.)
const TRAMPOLINE: usize = 0x8000;

/// Of QEMU's `microvm`: the I/O APIC that its devices are at.
const DEVICES: u64 = 0xfec1_0000;

unsafe extern "C" {
    static trampoline: u8;
    static trampoline_end: u8;
}

/// The local APIC of one CPU.
struct Local(LocalApic);

// SAFETY: it is made, kept and used by the one CPU that it belongs to: see `local` and `init`.
unsafe impl Send for Local {}

static LOCAL: [Mutex<Option<Local>>; CPUS] = [const { Mutex::new(None) }; CPUS];
static TICKS_PER_MS: AtomicU32 = AtomicU32::new(0);

fn local<R>(act: impl FnOnce(&mut LocalApic) -> R) -> Option<R> {
    LOCAL[cpu()].lock().as_mut().map(|Local(apic)| act(apic))
}

/// Starts this CPU's: from here on it is interrupted once a millisecond.
pub fn init() {
    mask_legacy();
    let mut builder = LocalApicBuilder::new();
    // SAFETY: each address is its own.
    builder.set_xapic_base(unsafe { xapic_base() });
    builder.timer_vector(TIMER.into()).error_vector(ERROR.into()).spurious_vector(SPURIOUS.into());
    builder.timer_mode(TimerMode::Periodic).timer_divide(TimerDivide::Div16).timer_initial(u32::MAX);
    let mut apic = builder.build().expect("all vectors are there");
    // SAFETY: the table of interrupts is loaded.
    unsafe {
        apic.enable();
        if cpu() == 0 {
            TICKS_PER_MS.store(clock::measure(|| apic.timer_current()), Ordering::Relaxed);
        }
        apic.set_timer_initial(TICKS_PER_MS.load(Ordering::Relaxed));
    }
    *LOCAL[cpu()].lock() = Some(Local(apic));
}

/// Masks what came before APICs: it would use the vectors of exceptions.
fn mask_legacy() {
    for port in [0x21, 0xa1] {
        // SAFETY: the two interrupt controllers' masks.
        unsafe { Port::<u8>::new(port).write(0xff) };
    }
}

pub(super) fn end_of_interrupt() {
    // SAFETY: called from the handler alone.
    local(|apic| unsafe { apic.end_of_interrupt() });
}

/// Ends the other CPU's `idle`.
pub fn call_other() {
    // SAFETY: its handler does nothing.
    local(|apic| unsafe { apic.send_ipi_all(CALL, IpiAllShorthand::AllExcludingSelf) });
}

/// Starts the other CPU, which begins in `start`.
pub fn start_other() {
    let pause = |microseconds| {
        let until = clock::now() + microseconds;
        while clock::now() < until {
            core::hint::spin_loop();
        }
    };
    // SAFETY: that page of low memory is nobody's, and the code does not depend on where it is.
    unsafe {
        let (from, end) = (&raw const trampoline, &raw const trampoline_end);
        ptr::copy_nonoverlapping(
            from,
            ptr::with_exposed_provenance_mut(TRAMPOLINE),
            end.addr() - from.addr(),
        );
    }
    // SAFETY: the trampoline is in place.
    local(|apic| unsafe {
        apic.send_init_ipi_all();
        pause(10_000);
        apic.send_sipi_all((TRAMPOLINE >> 12) as u8);
    });
}

/// Has the device at the I/O APIC's input `input` interrupt CPU 0.
pub fn enable_device(input: u8) {
    let mut entry = RedirectionTableEntry::default();
    entry.set_vector(DEVICE);
    entry.set_dest(0);
    // SAFETY: each address is its own, and the vector's handler does nothing.
    unsafe {
        let mut apic = IoApic::new(DEVICES);
        apic.set_table_entry(input, entry);
        apic.enable_irq(input);
    }
}
