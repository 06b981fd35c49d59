//! The groups' `socks[]`: chunks of one arena, a tree of them for each group.
//!
//! ```text
//! height 1         height 2                 height 3
//! root [a b]       root [. .]               root [. .]
//!                        | |                      | |
//!                    [a b] [c d]     the root before   [. .]
//!                                                       |
//!                                                     [e f]
//! ```
//!
//! A chunk of the lowest level names members, one above it names chunks. A tree that is full grows by a
//! level: the new root's first child is the old root, so that whoever walks the old tree still finds what
//! was in it, and nothing is copied. (Linux: `reuseport_grow()` copies, and frees the old array once
//! nobody can read it.) A chunk that is left empty goes back to the arena at once, and may be another
//! group's before a reader is through with it: what that reader finds is in bounds, and nothing else is
//! known of it.

#[cfg(all(test, feature = "spin", feature = "alloc"))]
mod tests;

use super::Member;
use crate::slab::{NONE, Storage};
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// A tree: its root and how many levels it has, none if it is empty. One word of a group.
#[derive(Clone, Copy)]
struct Tree {
    chunk: u32,
    height: u32,
}

/// Bits of a word for the height. 65,535 members in chunks of two take 16 levels.
const HEIGHT_BITS: u32 = 5;

impl Tree {
    fn of(word: u32) -> Self {
        Self { chunk: word >> HEIGHT_BITS, height: word & ((1 << HEIGHT_BITS) - 1) }
    }

    fn word(self) -> u32 {
        self.chunk << HEIGHT_BITS | self.height
    }
}

/// The root of a group without listening members.
pub(super) const EMPTY: u32 = 0;

/// The chunks of all groups.
pub(crate) struct Socks<'s, B: Backend> {
    words: Storage<'s, Member<B>>,
    /// The first free chunk, or [`NONE`]; the first word of each names the next. Under `Reuseport`.
    free: B::Stat,
    /// How many chunks are free; under `Reuseport`.
    available: B::Stat,
}

impl<'s, B: Backend> Socks<'s, B> {
    /// Words of a chunk.
    const WIDTH: u32 = 1 << B::SOCKS_SHIFT;

    /// Makes chunks of `words`; what is left over is not used.
    pub(crate) fn new(mut words: Storage<'s, Member<B>>) -> Self {
        words.iter_mut().for_each(|word| word.0.place(NONE));
        let chunks = Self::count(&words);
        for (next, chunk) in (1..chunks).zip(words.chunks_exact_mut(Self::WIDTH as usize)) {
            chunk[0].0.place(next);
        }
        let (mut free, mut available) = (B::Stat::ZERO, B::Stat::ZERO);
        free.place(if chunks == 0 { NONE } else { 0 });
        available.place(chunks);
        Self { words, free, available }
    }

    fn count(words: &[Member<B>]) -> u32 {
        // More than this the root's word cannot name.
        (words.len() / Self::WIDTH as usize).min(Tree::of(NONE).chunk as usize) as u32
    }

    /// Returns how many places a tree has.
    const fn capacity(height: u32) -> u32 {
        if height == 0 { 0 } else { 1 << (height * B::SOCKS_SHIFT) }
    }

    /// Returns how many chunks, one below the other, begin with `place`, which is not 0, beside the root.
    const fn levels_at(place: u32) -> u32 {
        place.trailing_zeros() / B::SOCKS_SHIFT
    }

    /// Returns how many chunks the member at `place` takes beside those of the members before it.
    const fn chunks_at(place: u32) -> u32 {
        if place == 0 {
            return 1;
        }
        let levels = Self::levels_at(place);
        levels + (place == Self::capacity(levels)) as u32
    }

    /// Returns the word of `chunk` that leads to `place`, with `level` chunks below it. A reader may come
    /// with any chunk; that of who holds `Reuseport` exists.
    fn word(&self, chunk: u32, place: u32, level: u32) -> Option<&B::PieceAtomicU32> {
        let digit = (place >> (level * B::SOCKS_SHIFT)) & (Self::WIDTH - 1);
        let at = (u64::from(chunk) << B::SOCKS_SHIFT) | u64::from(digit);
        Some(&self.words.get(usize::try_from(at).ok()?)?.0)
    }

    /// Returns the word of `tree` that leads to `place`, with `level` chunks below it. O(height), which is 3
    /// at most in what ships.
    fn walk(
        &self,
        tree: Tree,
        place: u32,
        level: u32,
        look: impl Fn(&B::PieceAtomicU32) -> u32,
    ) -> Option<&B::PieceAtomicU32> {
        // A reader's number may be older than the tree.
        if place >= Self::capacity(tree.height) {
            return None;
        }
        let mut chunk = tree.chunk;
        for above in (level + 1..tree.height).rev() {
            chunk = look(self.word(chunk, place, above)?);
        }
        self.word(chunk, place, level)
    }

    /// Loads `socks[place]` of the tree at `root`, without a lock; `None` if it has no such place.
    ///
    /// Who loaded a larger number of members before finds the one that is there, unless members left
    /// meanwhile: then what is found may be anything.
    pub(crate) fn load(&self, root: &B::PieceAtomicU32, place: u32) -> Option<u32> {
        // Acquire: the chunk that is named, and the member, are found filled in.
        let load = |word: &B::PieceAtomicU32| word.load(Ordering::Acquire);
        self.walk(Tree::of(load(root)), place, 0, load).map(load)
    }

    /// Returns `socks[place]` to who holds `Reuseport`, or to a checker.
    pub(crate) fn at(&self, root: &B::PieceAtomicU32, place: u32) -> Option<&B::PieceAtomicU32> {
        self.walk(Tree::of(root.peek()), place, 0, AtomicU32::peek)
    }

    /// Tells whether there are chunks for a member at `place`, behind all others. Under `Reuseport`.
    pub(crate) fn has_room(&self, place: u32) -> bool {
        self.available.load(Ordering::Relaxed) >= Self::chunks_at(place)
    }

    /// Makes room at `place` in the tree at `root`, which has room for the members before. O(height), under
    /// `Reuseport`. `None`, and nothing is changed, if there are not chunks enough. (Linux:
    /// `reuseport_grow()`.)
    pub(crate) fn grow(&self, root: &B::PieceAtomicU32, place: u32) -> Option<()> {
        if !self.has_room(place) {
            return None;
        }
        let mut tree = Tree::of(root.peek());
        if place == Self::capacity(tree.height) {
            tree = self.grow_by_a_level(root, tree)?;
        }
        if place == 0 {
            return Some(());
        }
        let mut new = None;
        for _ in 0..Self::levels_at(place) {
            let above = self.take()?;
            if let Some(below) = new {
                self.word(above, 0, 0)?.store(below, Ordering::Relaxed);
            }
            new = Some(above);
        }
        if let Some(new) = new {
            // Release: whoever comes here finds the chunks filled in.
            self.walk(tree, place, Self::levels_at(place), AtomicU32::peek)?.store(new, Ordering::Release);
        }
        Some(())
    }

    fn grow_by_a_level(&self, root: &B::PieceAtomicU32, tree: Tree) -> Option<Tree> {
        let above = Tree { chunk: self.take()?, height: tree.height + 1 };
        let early = B::planted(Fault::RootBeforeChild);
        if early {
            root.store(above.word(), Ordering::Release);
        }
        if tree.height > 0 && !B::planted(Fault::OldRootForgotten) {
            self.word(above.chunk, 0, 0)?.store(tree.chunk, Ordering::Relaxed);
        }
        if !early {
            // Release: who finds the new root finds the old one below it.
            root.store(above.word(), Ordering::Release);
        }
        Some(above)
    }

    /// Gives back the chunks that only the member at `place`, the last of all, needed. O(height), under
    /// `Reuseport`, when the member is no longer counted.
    pub(crate) fn shrink(&self, root: &B::PieceAtomicU32, place: u32) -> Option<()> {
        let tree = Tree::of(root.peek());
        if place == 0 {
            root.store(EMPTY, Ordering::Release);
            return self.give(tree.chunk);
        }
        let levels = Self::levels_at(place);
        if levels == 0 {
            return Some(());
        }
        let link = self.walk(tree, place, levels, AtomicU32::peek)?;
        let mut empty = link.peek();
        if place == Self::capacity(levels) {
            // All that are left are below the root's first word.
            let below = Tree { chunk: self.word(tree.chunk, 0, 0)?.peek(), height: levels };
            root.store(below.word(), Ordering::Release);
            self.give(tree.chunk)?;
        } else {
            link.store(NONE, Ordering::Release);
        }
        for _ in 1..levels {
            let below = self.word(empty, 0, 0)?.peek();
            self.give(empty)?;
            empty = below;
        }
        self.give(empty)
    }

    fn take(&self) -> Option<u32> {
        let chunk = self.free.load(Ordering::Relaxed);
        self.free.store(self.word(chunk, 0, 0)?.peek(), Ordering::Relaxed);
        self.available.fetch_sub(1, Ordering::Relaxed);
        Some(chunk)
    }

    fn give(&self, chunk: u32) -> Option<()> {
        self.word(chunk, 0, 0)?.store(self.free.load(Ordering::Relaxed), Ordering::Relaxed);
        self.free.store(chunk, Ordering::Relaxed);
        self.available.fetch_add(1, Ordering::Relaxed);
        Some(())
    }

    /// Returns how many chunks there are, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn chunks(&self) -> u32 {
        Self::count(&self.words)
    }

    /// Returns the free chunks, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn free_chunks(&self) -> impl Iterator<Item = u32> {
        let next = |&chunk: &u32| self.word(chunk, 0, 0).map(AtomicU32::peek);
        let first = Some(self.free.peek()).filter(|&first| first != NONE);
        core::iter::successors(first, next).take(self.available.peek() as usize)
    }

    /// Returns the chunks of the tree at `root`, which has `members`, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn chunks_of(&self, root: &B::PieceAtomicU32, members: u32) -> impl Iterator<Item = u32> {
        let tree = Tree::of(root.peek());
        let below = move |level: u32| {
            let each = Self::capacity(level + 1);
            let named = move |place| Some(self.walk(tree, place, level + 1, AtomicU32::peek)?.peek());
            (0..members).step_by(each as usize).filter_map(named)
        };
        (members > 0)
            .then_some(tree.chunk)
            .into_iter()
            .chain((0..tree.height.saturating_sub(1)).flat_map(below))
    }
}
