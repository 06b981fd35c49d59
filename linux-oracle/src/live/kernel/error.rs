//! What the system refuses, and its errors by name.

use crate::error::Malformed;
use crate::trace::Word;
use nix::libc;
use std::io;
use std::net::SocketAddr;
use thiserror::Error;

/// The system does not let a kernel be driven at all.
#[derive(Debug, Error)]
#[error("this system does not allow a network namespace to be driven: {doing}: {error}")]
pub struct NotAllowed {
    /// What was refused.
    pub doing: &'static str,
    /// How.
    #[source]
    pub error: io::Error,
}

/// An operation was not done, or could not be observed. The episode is over.
#[derive(Debug, Error)]
pub enum StepError {
    /// It names a listener or a client that is not there, or there already.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It needs a selection program, and loading those is not allowed here.
    #[error("selection programs need CAP_BPF")]
    NoPrograms,
    /// A hash cannot be measured now: something else listens where the measurement would have to.
    #[error("hashes for {0} cannot be measured while somebody listens there")]
    NotMeasured(SocketAddr),
    /// The system failed in a way that no trace can say.
    #[error("{doing}: {error}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// How it failed.
        #[source]
        error: io::Error,
    },
}

impl StepError {
    /// For `map_err`: the system failed while `doing`.
    pub(super) fn at(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::System { doing, error }
    }
}

/// Says an operation's outcome in a trace's words.
pub(super) fn word(outcome: io::Result<()>, doing: &'static str) -> Result<Word, StepError> {
    let Err(error) = outcome else { return Ok(Word::Ok) };
    Ok(match error.raw_os_error() {
        Some(libc::EADDRINUSE) => Word::AddrInUse,
        Some(libc::EINVAL) => Word::Invalid,
        Some(libc::ENOENT) => Word::NotFound,
        Some(libc::EBADF) => Word::BadFd,
        Some(libc::EBUSY) => Word::Busy,
        Some(libc::EEXIST) => Word::Exists,
        Some(libc::ENOTCONN) => Word::NotConnected,
        Some(libc::E2BIG) => Word::TooBig,
        Some(libc::EAGAIN) => Word::Again,
        _ => return Err(StepError::System { doing, error }),
    })
}
