//! Seeds: what can become of an id and of a stored reference.

use super::{Input, Op::*};

/// Returns every seed, the same each time.
#[must_use]
pub fn all() -> Vec<Vec<u8>> {
    let seeds = [
        // A slot that is used again, and the id of what was in it before.
        &[
            Alloc { slab: 0 },
            Put { hand: 0 },
            Alloc { slab: 0 },
            ById { slab: 0, id: 0 },
            ById { slab: 0, id: 1 },
        ][..],
        // An id of the other slab.
        &[Alloc { slab: 0 }, Alloc { slab: 1 }, AllocUnpublished { slab: 1 }, ById { slab: 1, id: 0 }],
        // Ids and slots that there never were.
        &[
            Alloc { slab: 0 },
            FromParts { slab: 0, index: 0, generation: 0 },
            FromParts { slab: 0, index: 0, generation: 1 },
            TryGet { slab: 0, index: u32::MAX },
            TryGet { slab: 1, index: 0 },
        ],
        // A chain of which the first goes last, and one of which it goes first.
        &[
            Alloc { slab: 0 },
            Alloc { slab: 0 },
            Store { hand: 1, within: 0 },
            Alloc { slab: 0 },
            CloneStored { within: 0 },
            Store { hand: 1, within: 2 },
            Put { hand: 1 },
            TakeBack { within: 0 },
            Put { hand: 0 },
        ],
        // More than there is.
        &[
            Alloc { slab: 1 },
            Alloc { slab: 1 },
            Alloc { slab: 1 },
            Alloc { slab: 1 },
            Clone { hand: 0 },
            Put { hand: 0 },
        ],
    ];
    seeds.map(|ops| Input::new(ops).bytes()).to_vec()
}
