//! The map that programs select from, as it lies in memory.

use crate::slab::{NONE, Vacant};
use crate::sync::{AtomicU32, Backend};

/// An entry of the map. (Linux: of a `BPF_MAP_TYPE_REUSEPORT_SOCKARRAY`.)
pub struct MapEntry<B: Backend>(pub(crate) B::AtomicU32);

impl<B: Backend> Vacant for MapEntry<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = MapEntry(B::AtomicU32::ZERO);
}

impl<B: Backend> MapEntry<B> {
    /// An empty entry, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { MapEntry::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }

    pub(crate) fn place(&mut self) {
        self.0.place(NONE);
    }
}

/// What an update of the map minds. (Linux: `BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST`.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapFlag {
    /// Nothing: what is in the entry is replaced.
    #[default]
    Any,
    /// The entry has to be empty.
    NoExist,
    /// Something has to be in the entry.
    Exist,
}

/// Why the map was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapError {
    /// The id is stale: the socket was closed.
    Stale,
    /// The map has no such entry. (Linux: E2BIG.)
    NoSuchIndex,
    /// The socket does not listen, or does not share its address. (Linux: EINVAL.)
    Invalid,
    /// The listener is in an entry already. (Linux: EBUSY.)
    Busy,
    /// Something is in the entry. (Linux: EEXIST.)
    Exists,
    /// Nothing is in the entry. (Linux: ENOENT.)
    NotFound,
}
