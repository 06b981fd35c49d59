//! The serial port, and how to leave QEMU.

use core::fmt::{Arguments, Write};
use spin::Mutex;
use uart_16550::{Config, Uart16550Tty, backend::PioBackend};
use x86_64::instructions::port::Port;

static CONSOLE: Mutex<Option<Uart16550Tty<PioBackend>>> = Mutex::new(None);

/// Makes the first serial port the console.
pub fn init() {
    // SAFETY: a PC's first serial port, and nobody else uses it.
    *CONSOLE.lock() = unsafe { Uart16550Tty::new_port(0x3f8, Config::default()) }.ok();
}

/// Writes a line, if there is a console.
pub fn line(text: Arguments<'_>) {
    if let Some(tty) = &mut *CONSOLE.lock() {
        // A console that does not take it loses it.
        let _ = tty.write_fmt(text).and_then(|()| tty.write_str("\n"));
    }
}

/// Ends the machine after something that must not be. (QEMU exits with 35.)
pub fn fail() -> ! {
    // SAFETY: QEMU's `isa-debug-exit`; where there is none nothing happens.
    unsafe { Port::new(0xf4).write(0x11u32) };
    loop {
        core::hint::spin_loop();
    }
}

/// `println!` to the console.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::arch::console::line(format_args!($($text)*)) };
}
