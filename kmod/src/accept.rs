//! Accept.

use crate::{rskq_listener, rskq_sock, rskq_stack};
use core::ffi::c_void;
use core::ptr;

/// Takes the connection that waited longest, or null if none waits. O(1), and does not sleep.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and `connection` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_accept(
    stack: &rskq_stack,
    listener: rskq_listener,
    connection: &mut *mut c_void,
) -> rskq_sock {
    match stack.0.accept(listener.into()) {
        Ok(accepted) => {
            *connection = accepted.map_or(ptr::null_mut(), |accepted| accepted.0);
            rskq_sock::Ok
        }
        Err(error) => error.into(),
    }
}

/// Stores how many connections wait on a listener, and its backlog.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made; `len` and `backlog` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_queue_len(
    stack: &rskq_stack,
    listener: rskq_listener,
    len: &mut u32,
    backlog: &mut u32,
) -> rskq_sock {
    crate::listen::done(stack.0.queue_len(listener.into()).map(|is| (*len, *backlog) = is))
}
