//! The memory functions that the compiler calls by itself and that no library supplies here.
//!
//! A loop that copies is a loop that the optimiser turns into a call of `memcpy`, which inside of
//! `memcpy` never ends. Copies and fills are therefore string instructions, and the comparison reads
//! its bytes volatile; neither is anything that the optimiser recognises.

use crate::sys::expect;
use core::arch::asm;
use core::ffi::c_int;
use core::hint::black_box;

/// Copies `n` bytes between regions that do not overlap.
///
/// # Safety
///
/// `src` must be readable and `dst` writable for `n` bytes; the direction flag is clear, as the
/// calling convention demands.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the instruction touches the `n` bytes that the caller vouches for.
    unsafe {
        asm!("rep movsb", inout("rcx") n => _, inout("rdi") dst => _, inout("rsi") src => _,
            options(nostack, preserves_flags));
    }
    dst
}

/// Copies `n` bytes between regions that may overlap.
///
/// # Safety
///
/// As [`memcpy`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(dst: *mut u8, src: *const u8, n: usize) -> *mut u8 {
    if (dst as usize).wrapping_sub(src as usize) >= n {
        // SAFETY: the caller's contract; `dst` is before `src` or behind its end, so that going up
        // reads every byte before it is written.
        return unsafe { memcpy(dst, src, n) };
    }
    // SAFETY: as for `memcpy`, from the last byte down, so that every byte is read before it is
    // written; here `n` is not 0. The direction flag is clear again afterwards.
    unsafe {
        asm!("std", "rep movsb", "cld",
            inout("rcx") n => _,
            inout("rdi") dst.wrapping_add(n - 1) => _,
            inout("rsi") src.wrapping_add(n - 1) => _,
            options(nostack));
    }
    dst
}

/// Sets `n` bytes to the low byte of `value`.
///
/// # Safety
///
/// `dst` must be writable for `n` bytes; the direction flag is clear.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(dst: *mut u8, value: c_int, n: usize) -> *mut u8 {
    // SAFETY: the instruction touches the `n` bytes that the caller vouches for.
    unsafe {
        asm!("rep stosb", inout("rcx") n => _, inout("rdi") dst => _, in("al") value as u8,
            options(nostack, preserves_flags));
    }
    dst
}

/// Compares `n` bytes as unsigned numbers.
///
/// # Safety
///
/// Both regions must be readable for `n` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> c_int {
    for at in 0..n {
        // SAFETY: `at` is below `n`, for which the caller vouches.
        let (a, b) = unsafe { (a.add(at).read_volatile(), b.add(at).read_volatile()) };
        if a != b {
            return c_int::from(a) - c_int::from(b);
        }
    }
    0
}

/// Tells whether two regions differ.
///
/// # Safety
///
/// As [`memcmp`].
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> c_int {
    // SAFETY: the caller's contract is the same.
    unsafe { memcmp(a, b, n) }
}

/// Calls each function once where the optimiser cannot see through: whatever rests on them fails
/// for the right reason, and a function that calls itself is noticed here.
pub(crate) fn check() {
    type Copy = unsafe extern "C" fn(*mut u8, *const u8, usize) -> *mut u8;
    type Compare = unsafe extern "C" fn(*const u8, *const u8, usize) -> c_int;
    type Fill = unsafe extern "C" fn(*mut u8, c_int, usize) -> *mut u8;
    let [copy, shift] = black_box([memcpy as Copy, memmove as Copy]);
    let fill = black_box(memset as Fill);
    let [compare, differ] = black_box([memcmp as Compare, bcmp as Compare]);
    let from = black_box([1_u8, 2, 3, 4]);
    let mut to = [0_u8; 4];
    let at = to.as_mut_ptr();
    // SAFETY: every region below is four bytes or the first or last three of them.
    unsafe {
        copy(at, from.as_ptr(), 4);
        expect(black_box(to) == [1, 2, 3, 4], "memcpy copies");
        shift(at.add(1), at, 3);
        expect(black_box(to) == [1, 1, 2, 3], "memmove moves up");
        shift(at, at.add(1), 3);
        expect(black_box(to) == [1, 2, 3, 3], "memmove moves down");
        expect(compare(at, from.as_ptr(), 3) == 0, "memcmp finds equals");
        expect(compare(at, from.as_ptr(), 4) < 0, "memcmp orders");
        expect(differ(at, from.as_ptr(), 4) != 0, "bcmp finds a difference");
        fill(at, 0x107, 4);
    }
    expect(black_box(to) == [7; 4], "memset fills");
}
