//! SYN, final ACK, reset, SYN-ACK timers.

use crate::memory::{B, Connection};
use crate::{rskq_arrival, rskq_here, rskq_listener, rskq_stack, rskq_tuple};
use core::ffi::c_void;
use rskq::{Delivered, Payload, Refusal, Refused, Syn, SynAckTimer};

/// What became of what arrived.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rskq_verdict {
    /// It was taken.
    Taken,
    /// A SYN whose connection is known: send its SYN-ACK again.
    Duplicate,
    /// A SYN that a full SYN queue did not take: send a SYN-ACK with a cookie, and remember nothing.
    Cookie,
    /// Nobody listens there: answer with a reset.
    NoListener,
    /// The accept queue is full: drop it, the client tries again.
    AcceptQueueFull,
    /// Every request is in use: drop it, the client tries again.
    NoRequestSlot,
    /// No half-open connection has this tuple.
    NoRequest,
    /// The accept queue is full, and such handshakes are to end: answer with a reset.
    AbortedOnOverflow,
    /// The SYN queue is full, and cookies are off: drop it, the client tries again.
    SynQueueFull,
    /// The listener waits for data: drop the bare ACK.
    Deferred,
    /// A reason that this header does not know: drop it.
    Other,
}

impl From<Refusal> for rskq_verdict {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoListener => Self::NoListener,
            Refusal::AcceptQueueFull => Self::AcceptQueueFull,
            Refusal::NoRequestSlot => Self::NoRequestSlot,
            Refusal::NoRequest => Self::NoRequest,
            Refusal::AbortedOnOverflow => Self::AbortedOnOverflow,
            Refusal::SynQueueFull => Self::SynQueueFull,
            Refusal::Deferred => Self::Deferred,
            _ => Self::Other,
        }
    }
}

/// Stores who is to be woken; what was refused is still the caller's.
fn delivered(
    result: Result<Delivered<Connection, B>, Refused<Connection>>,
    wake: &mut rskq_listener,
) -> rskq_verdict {
    match result {
        Ok(delivered) => {
            *wake = delivered.listener.into();
            rskq_verdict::Taken
        }
        Err(refused) => refused.why.into(),
    }
}

/// A SYN arrived. If it is taken, a SYN-ACK is due, and its timer runs.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_syn(
    stack: &rskq_stack,
    arrival: &rskq_arrival,
    here: rskq_here,
) -> rskq_verdict {
    match stack.0.syn((*arrival).into(), here.into()) {
        Ok(Syn::New { .. }) => rskq_verdict::Taken,
        Ok(Syn::Duplicate(_)) => rskq_verdict::Duplicate,
        Ok(Syn::Cookie(_)) => rskq_verdict::Cookie,
        Err(refusal) => refusal.into(),
    }
}

/// The final ACK of a handshake arrived, `data` if more than an ACK, and `connection` is what it made. If
/// it is taken, `wake` is the listener that whoever waits in accept is to be woken for.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and `wake` is writable; whoever gets `connection` back
/// may be another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_ack(
    stack: &rskq_stack,
    tuple: &rskq_tuple,
    data: bool,
    here: rskq_here,
    connection: *mut c_void,
    wake: &mut rskq_listener,
) -> rskq_verdict {
    let payload = if data { Payload::Data } else { Payload::None };
    delivered(stack.0.ack(&(*tuple).into(), payload, here.into(), Connection(connection)), wake)
}

/// A connection arrived that is established already. Otherwise as `rskq_ack`.
///
/// # Safety
///
/// As `rskq_ack`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_deliver(
    stack: &rskq_stack,
    arrival: &rskq_arrival,
    here: rskq_here,
    connection: *mut c_void,
    wake: &mut rskq_listener,
) -> rskq_verdict {
    delivered(stack.0.deliver((*arrival).into(), here.into(), Connection(connection)), wake)
}

/// A reset arrived: ends a half-open connection.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_reset(stack: &rskq_stack, tuple: &rskq_tuple) -> rskq_verdict {
    stack.0.reset(&(*tuple).into()).map_or_else(Into::into, |()| rskq_verdict::Taken)
}

/// What a SYN-ACK timer came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rskq_timer {
    /// None is due.
    None,
    /// Send the SYN-ACK again.
    Retransmit,
    /// Send nothing: the listener waits for data.
    Wait,
    /// It went off often enough: the connection was given up.
    Expired,
    /// Its listener left, and nobody else listens: the connection was given up.
    Dropped,
}

/// Deals with the SYN-ACK timer that is due next, and stores which connection's it is. To be called until
/// none is due.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and `tuple` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_poll(
    stack: &rskq_stack,
    here: rskq_here,
    tuple: &mut rskq_tuple,
) -> rskq_timer {
    let Some(timer) = stack.0.poll(here.into()) else {
        return rskq_timer::None;
    };
    *tuple = rskq_tuple { local: timer.tuple.local.into(), remote: timer.tuple.remote.into() };
    match timer.outcome {
        SynAckTimer::Retransmit { .. } => rskq_timer::Retransmit,
        SynAckTimer::Wait { .. } => rskq_timer::Wait,
        SynAckTimer::Expired => rskq_timer::Expired,
        SynAckTimer::Dropped => rskq_timer::Dropped,
    }
}

/// Tells whether a timer runs, and stores when to poll.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and `deadline` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_next_deadline(stack: &rskq_stack, deadline: &mut u64) -> bool {
    stack.0.next_deadline().is_some_and(|next| {
        *deadline = next;
        true
    })
}
