//! The listening table: which groups listen at an address, which sockets are bound to it.

mod bucket;
mod listen;

pub use bucket::Bucket;
pub(crate) use listen::{HashError, ListenTable};
