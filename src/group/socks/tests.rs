//! Trees of chunks of two, against plain vectors.

use super::*;
use crate::DefaultBackend;
use crate::testing::vacant;
use proptest::prelude::*;
use std::vec::Vec;

/// What ships, but for the width of its chunks.
struct Narrow;

impl Backend for Narrow {
    type AtomicU32 = <DefaultBackend as Backend>::AtomicU32;
    type PieceAtomicU32 = <DefaultBackend as Backend>::PieceAtomicU32;
    type Count = <DefaultBackend as Backend>::Count;
    type Stat = <DefaultBackend as Backend>::Stat;
    type Lock = <DefaultBackend as Backend>::Lock;
    type PieceLock = <DefaultBackend as Backend>::PieceLock;
    type Canary = ();
    type PieceCanary = ();

    const SOCKS_SHIFT: u32 = 1;
}

type Word = <Narrow as Backend>::PieceAtomicU32;

/// Compares every place of every tree, and finds each chunk in one place.
fn agrees(socks: &Socks<'_, Narrow>, trees: &[(Word, Vec<u32>)]) -> Result<(), TestCaseError> {
    let mut chunks = socks.free_chunks().collect::<Vec<_>>();
    for (root, members) in trees {
        for (place, &member) in (0..).zip(members) {
            prop_assert_eq!(socks.load(root, place), Some(member));
        }
        let height = root.peek() & ((1 << HEIGHT_BITS) - 1);
        prop_assert_eq!(
            height,
            (0..).find(|&h| Socks::<Narrow>::capacity(h) >= members.len() as u32).unwrap()
        );
        let mine = socks.chunks_of(root, members.len() as u32).collect::<Vec<_>>();
        prop_assert_eq!(mine.len() * 2, Member::<Narrow>::count_for(members.len() as u32));
        chunks.extend(mine);
    }
    chunks.sort_unstable();
    prop_assert_eq!(chunks, (0..socks.chunks()).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn each_member_is_in_its_place_and_each_chunk_in_one(
        words in 0_usize..60,
        ops in prop::collection::vec((0_usize..3, prop::bool::weighted(0.6)), 1..200),
    ) {
        let mut words = vacant::<Member<Narrow>>(words);
        let socks = Socks::new(words.as_mut_slice().into());
        let mut trees: [(Word, Vec<u32>); 3] = std::array::from_fn(|_| (Word::new(EMPTY), Vec::new()));
        for (name, (which, joins)) in (1_000..).zip(ops) {
            let (root, members) = &mut trees[which];
            let place = members.len() as u32;
            if joins {
                let (before, free) = (root.peek(), socks.free_chunks().count());
                let needs = Member::<Narrow>::count_for(place + 1) - Member::<Narrow>::count_for(place);
                let grown = socks.grow(root, place).is_some();
                prop_assert_eq!(grown, 2 * free >= needs);
                if grown {
                    socks.at(root, place).unwrap().store(name, Ordering::Relaxed);
                    members.push(name);
                } else {
                    prop_assert_eq!((root.peek(), socks.free_chunks().count()), (before, free));
                }
            } else if members.pop().is_some() {
                socks.shrink(root, place - 1).unwrap();
            }
            agrees(&socks, &trees)?;
        }
        for (root, members) in &mut trees {
            while members.pop().is_some() {
                socks.shrink(root, members.len() as u32).unwrap();
            }
        }
        agrees(&socks, &trees)?;
    }

    /// A reader whose words are torn: whatever they say, it stays in bounds and comes to an end.
    #[test]
    fn whatever_is_read_is_in_bounds(
        words in prop::collection::vec(any::<u32>(), 0..64),
        root: u32,
        place: u32,
    ) {
        let mut storage = vacant::<Member<Narrow>>(words.len());
        let socks = Socks::new(storage.as_mut_slice().into());
        for (word, &value) in socks.words.iter().zip(&words) {
            word.0.store(value, Ordering::Relaxed);
        }
        // No tree that is built is taller.
        let root = (root & !((1 << HEIGHT_BITS) - 1)) | (root % 17);
        let read = socks.load(&Word::new(root), place);
        prop_assert!(read.is_none_or(|read| words.contains(&read)));
    }
}
