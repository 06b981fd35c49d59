//! Shutdown and close, step by step.

use crate::memory::{B, Connection};
use crate::{rskq_here, rskq_listener, rskq_sock, rskq_stack};
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use rskq::{Closing, Outcome, SockError};

type Steps = Closing<'static, 'static, Connection, B>;

/// The steps of a shutdown or a close, in the caller's hands until the last one was taken.
#[repr(C)]
pub struct rskq_closing {
    /// Not to be looked into.
    pub opaque: [MaybeUninit<u64>; 20],
}

const _: () = assert!(
    size_of::<Steps>() <= size_of::<rskq_closing>() && align_of::<Steps>() <= align_of::<rskq_closing>()
);

/// What became of a part of what a closing listener held.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rskq_step {
    /// That was all: the steps are done.
    Done,
    /// One connection moved to `to`, which is to be woken.
    Moved,
    /// All connections moved to `to`, which is to be woken if `connections` is not 0.
    HandedOver,
    /// No listener took `connection`: reset it.
    Aborted,
}

/// One step of a shutdown or a close.
#[repr(C)]
pub struct rskq_outcome {
    /// The connection that was aborted, otherwise null.
    pub connection: *mut c_void,
    /// The listener that gained what moved.
    pub to: rskq_listener,
    /// How many connections moved.
    pub connections: u32,
}

fn begun(steps: Result<Steps, SockError>, closing: *mut rskq_closing) -> rskq_sock {
    match steps {
        Ok(steps) => {
            // SAFETY: writable by the callers' contracts, and large enough.
            unsafe { closing.cast::<Steps>().write(steps) };
            rskq_sock::Ok
        }
        Err(error) => error.into(),
    }
}

/// Closes a socket: its name is stale from now on. Takes no step yet: `rskq_closing_next` has to be called
/// until they are done.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and is there until the steps are done; `closing` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_close(
    stack: &'static rskq_stack,
    listener: rskq_listener,
    here: rskq_here,
    closing: *mut rskq_closing,
) -> rskq_sock {
    begun(stack.0.close(listener.into(), here.into()), closing)
}

/// Stops listening; the socket stays open and bound, and may listen again. Otherwise as `rskq_close`.
///
/// # Safety
///
/// As `rskq_close`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_shutdown(
    stack: &'static rskq_stack,
    listener: rskq_listener,
    here: rskq_here,
    closing: *mut rskq_closing,
) -> rskq_sock {
    begun(stack.0.shutdown(listener.into(), here.into()), closing)
}

/// Takes the next step, and stores what became of it. After `Done` there is none any more.
///
/// # Safety
///
/// `closing` is what `rskq_close` or `rskq_shutdown` filled in with success, has not been done, and is used
/// by one context at a time; `outcome` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_closing_next(
    closing: *mut rskq_closing,
    outcome: &mut rskq_outcome,
) -> rskq_step {
    let steps = closing.cast::<Steps>();
    let nobody = rskq_listener { index: u32::MAX, generation: u32::MAX };
    *outcome = rskq_outcome { connection: ptr::null_mut(), to: nobody, connections: 0 };
    // SAFETY: filled in, and not done, by the caller's contract.
    match unsafe { (*steps).next() } {
        None => {
            // SAFETY: as above, and nobody uses it after this.
            unsafe { steps.drop_in_place() };
            rskq_step::Done
        }
        Some(Outcome::Moved { to, .. }) => {
            (outcome.to, outcome.connections) = (to.into(), 1);
            rskq_step::Moved
        }
        Some(Outcome::HandedOver { to, connections, .. }) => {
            (outcome.to, outcome.connections) = (to.into(), connections);
            rskq_step::HandedOver
        }
        // Of a design of the discussion, which no stack here has.
        Some(Outcome::Spliced { to }) => {
            outcome.to = to.into();
            rskq_step::HandedOver
        }
        Some(Outcome::Aborted(connection)) => {
            outcome.connection = connection.0;
            rskq_step::Aborted
        }
    }
}
