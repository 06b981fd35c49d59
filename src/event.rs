//! What an embedder tells of an event: which connection, where and when.

use crate::request::{Hashes, Tuple};

/// Where and when something happens. Neither a clock nor a CPU number is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// The CPU that the caller runs on, for [`set_incoming_cpu`](crate::Stack::set_incoming_cpu).
    pub cpu: u32,
    /// Milliseconds since any moment that the embedder likes, the same for every call.
    pub now: u64,
}

/// A connection that arrives, and its hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its ends; the local one is what listeners are looked up by.
    pub tuple: Tuple,
    /// The hashes of its tuple, by whatever function the embedder keys and trusts.
    pub hashes: Hashes,
}

/// What a segment carries besides its ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: a bare ACK.
    None,
    /// Data, or the end of it.
    Data,
}
