//! A group of listeners that share an address, as it lies in memory. (Linux: `struct sock_reuseport`.)
//!
//! ```text
//! socks[0 .. num_socks)      members that listen: a tree of chunks, which grows and shrinks with them
//! newest_closed -> .. -> .   members that do not, newest first: a list through the listeners
//! ```
//!
//! Linux keeps both in one array, the closed section at its end, and copies the array when it grows. Who is
//! where in a section, and who gives way, is as there.
//!
//! What happens to it is in [`reuseport`](crate::reuseport).

mod map;
mod program;
mod socks;

pub use map::{MapEntry, MapError, MapFlag};
pub use program::{
    AttachError, AttachType, Occasion, Program, ProgramId, SelectError, SkReuseportMd, Verdict,
};
pub(crate) use socks::Socks;

use crate::address::RcvSaddr;
use crate::slab::{NONE, Stable, Vacant};
use crate::sync::{AtomicU32, Backend, Cell, Link};

/// Largest number of members of a group, closed ones included. (Linux: `U16_MAX`, of which its arrays, which
/// double from 128, reach 32,768.)
pub const MAX_SOCKS: u32 = u16::MAX as u32;

/// One word of the memory that groups share: of a chunk that names members, or chunks.
pub struct Member<B: Backend>(B::PieceAtomicU32);

impl<B: Backend> Vacant for Member<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = Member(B::PieceAtomicU32::ZERO);
}

// A group of 65,535 is a quarter of a megabyte.
#[cfg(feature = "spin")]
static_assertions::assert_eq_size!(Member<crate::DefaultBackend>, u32);

impl<B: Backend> Member<B> {
    /// An unused element, for statics and arrays.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { Member::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self::VACANT
    }

    /// Returns how many elements a group of so many listening members takes: 64 for a small one, 66,624 for
    /// one of 65,535.
    #[must_use]
    pub const fn count_for(members: u32) -> usize {
        // What a level has chunks of, the one above it has words of.
        let (mut chunks, mut level) = (0, members);
        loop {
            level = level.div_ceil(1 << B::SOCKS_SHIFT);
            chunks += level as usize;
            if level <= 1 {
                return chunks << B::SOCKS_SHIFT;
            }
        }
    }
}

/// A group. (Linux: `struct sock_reuseport`.)
pub struct SockReuseport<B: Backend> {
    index: u32,
    /// Members that listen; written under `Reuseport`. (Linux: `num_socks`.)
    pub(crate) num_socks: B::AtomicU32,
    /// Members that do not; under `Reuseport`. (Linux: `num_closed_socks`.)
    pub(crate) num_closed_socks: B::Stat,
    /// The program and 1, or 0. (Linux: `prog`.)
    pub(crate) prog: B::AtomicU32,
    /// Members, listening or not, that are for some CPU; written under `Reuseport`. (Linux: `incoming_cpu`.)
    pub(crate) incoming_cpu: B::Stat,
    /// When a member last sent a cookie, in seconds; 0 if none did. (Linux: `synq_overflow_ts`.)
    pub(crate) synq_overflow_ts: B::Stat,
    /// The root of the tree of members that listen; written under `Reuseport`. (Linux: `socks`.)
    pub(crate) socks: B::PieceAtomicU32,
    /// The slot of the member that stopped last, or [`NONE`]; under `Reuseport`.
    pub(crate) newest_closed: B::Stat,
    /// The address of the listening members; under `ListenBucket`.
    pub(crate) addr: Cell<Option<RcvSaddr>, B::PieceCanary>,
    /// Chain of the groups of a bucket that have listening members; under `ListenBucket`.
    pub(crate) hashed: Link,
}

impl<B: Backend> Stable for SockReuseport<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self {
        index: 0,
        num_socks: B::AtomicU32::ZERO,
        num_closed_socks: B::Stat::ZERO,
        prog: B::AtomicU32::ZERO,
        incoming_cpu: B::Stat::ZERO,
        synq_overflow_ts: B::Stat::ZERO,
        socks: B::PieceAtomicU32::ZERO,
        newest_closed: B::Stat::ZERO,
        addr: Cell::new(None),
        hashed: Link::new(),
    };

    fn place(&mut self, index: u32) {
        self.index = index;
        self.num_socks.place(0);
        self.num_closed_socks.place(0);
        self.prog.place(0);
        self.incoming_cpu.place(0);
        self.synq_overflow_ts.place(0);
        self.socks.place(socks::EMPTY);
        self.newest_closed.place(NONE);
        self.addr.place();
    }
}

impl<B: Backend> SockReuseport<B> {
    /// Returns the group's slot.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }
}
