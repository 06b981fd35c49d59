//! The two system calls, and expectations.

use core::arch::asm;

const WRITE: usize = 1;
const EXIT_GROUP: usize = 231;
const STDERR: usize = 2;

/// Writes `text` to standard error, or does not: nothing depends on it.
pub(crate) fn write(text: &str) {
    // SAFETY: write(2) reads `len` bytes from the pointer, which `text` is good for, and changes no
    // memory; the clobbers are those of the system call interface.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") WRITE => _,
            in("rdi") STDERR,
            in("rsi") text.as_ptr(),
            in("rdx") text.len(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, readonly),
        );
    }
}

/// Ends the process.
pub(crate) fn exit(status: u8) -> ! {
    // SAFETY: exit_group(2) does not return and touches no memory of the image.
    unsafe {
        asm!("syscall", in("rax") EXIT_GROUP, in("rdi") usize::from(status), options(noreturn, nostack));
    }
}

/// Goes on only if `holds`; otherwise says `what` was expected and ends the process with status 1.
pub(crate) fn expect(holds: bool, what: &str) {
    if !holds {
        fail(what);
    }
}

/// Returns what must be there.
pub(crate) fn must<T, E>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(_) => fail(what),
    }
}

#[cold]
#[inline(never)]
fn fail(what: &str) -> ! {
    write("freestanding: not as expected: ");
    write(what);
    write("\n");
    exit(1)
}
