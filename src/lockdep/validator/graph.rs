//! The order between classes as far as it is known, and the search for cycles in it.

use super::class::{ClassId, ClassSet, MAX_CLASSES};
use super::irq::Usages;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering::Relaxed;

/// What every acquisition reads of one class. Bits are only ever added, under the validator's lock.
struct Node<B: Backend> {
    /// The classes that were held when a lock of this class was taken, in two words.
    known: [B::PieceAtomicU32; 2],
    /// How interrupts and the class met, see [`Usages`].
    usages: B::PieceAtomicU32,
}

/// The classes and the order between them.
///
/// An order is *seen* when a lock of one class was waited for while one of another was held, and
/// *declared* when the validator was made with it. A wrong order is never added, so that the graph
/// has no cycle and one wrong line does not make others look wrong.
pub(super) struct Graph<B: Backend> {
    nodes: [Node<B>; MAX_CLASSES],
    /// The first so many classes are declared, each to be taken before the next.
    declared: usize,
}

impl<B: Backend> Graph<B> {
    pub(super) const fn new(declared: usize) -> Self {
        let nodes = [const { Node { known: [B::PieceAtomicU32::ZERO; 2], usages: B::PieceAtomicU32::ZERO } };
            MAX_CLASSES];
        Self { nodes, declared }
    }

    pub(super) fn place(&mut self) {
        for Node { known: [low, high], usages } in &mut self.nodes {
            [low, high, usages].into_iter().for_each(|word| word.place(0));
        }
    }

    /// Tells whether everything is known that taking `class` while `held` are held would say. What
    /// is not the newest state only sends the caller to look under the lock. O(1), at most three
    /// loads.
    ///
    /// Relaxed: nothing is read on the strength of a bit.
    #[inline(always)]
    pub(super) fn knows(&self, class: ClassId, held: ClassSet, usages: Usages) -> bool {
        let node = &self.nodes[class.index()];
        let all_in = |bits: u32, word: &B::PieceAtomicU32| bits == 0 || bits & !word.load(Relaxed) == 0;
        let [low, high] = held.halves();
        all_in(low, &node.known[0]) && all_in(high, &node.known[1]) && all_in(usages.0, &node.usages)
    }

    // From here on: under the validator's lock. `peek` is the newest value there, and no access of
    // its own in a model, which would hide other threads' loads from the store that follows.

    /// The classes seen held when `class` was taken.
    pub(super) fn seen_before(&self, class: ClassId) -> ClassSet {
        let [low, high] = &self.nodes[class.index()].known;
        ClassSet::from_halves([low.peek(), high.peek()])
    }

    /// Adds the order `held` before `wanted`.
    pub(super) fn add(&self, held: ClassId, wanted: ClassId) {
        let bits = ClassSet::of(held).halves();
        for (word, bit) in self.nodes[wanted.index()].known.iter().zip(bits) {
            if bit != 0 {
                word.store(word.peek() | bit, Relaxed);
            }
        }
    }

    pub(super) fn usages(&self, class: ClassId) -> Usages {
        Usages(self.nodes[class.index()].usages.peek())
    }

    pub(super) fn add_usages(&self, class: ClassId, usages: Usages) {
        let usages = self.usages(class).and(usages);
        self.nodes[class.index()].usages.store(usages.0, Relaxed);
    }

    /// The classes declared to come before `class`.
    fn declared_before(&self, class: ClassId) -> ClassSet {
        if class.index() < self.declared { ClassSet::below(class.index()) } else { ClassSet::EMPTY }
    }

    /// Tells whether `first` is declared to come before `second`.
    pub(super) fn declares(&self, first: ClassId, second: ClassId) -> bool {
        self.declared_before(second).has(first)
    }

    /// Returns the class after `from` on a shortest way to `to`, over what was seen and, if `declared`
    /// says so, what is declared. `None` if no way leads there. O(classes²).
    pub(super) fn next(&self, from: ClassId, to: ClassId, declared: bool) -> Option<ClassId> {
        let mut reached = ClassSet::of(to);
        let mut latest = reached;
        while !latest.is_empty() {
            let mut earlier = ClassSet::EMPTY;
            for class in latest.iter() {
                let mut before = self.seen_before(class);
                if declared {
                    before = before.and(self.declared_before(class));
                }
                if before.has(from) {
                    return Some(class);
                }
                earlier = earlier.and(before);
            }
            latest = earlier.without(reached);
            reached = reached.and(earlier);
        }
        None
    }

    /// The classes from which a way that was seen leads to `class`.
    pub(super) fn before(&self, class: ClassId) -> ClassSet {
        let mut reached = ClassSet::EMPTY;
        let mut latest = ClassSet::of(class);
        while !latest.is_empty() {
            let earlier = latest.iter().fold(ClassSet::EMPTY, |all, c| all.and(self.seen_before(c)));
            latest = earlier.without(reached);
            reached = reached.and(earlier);
        }
        reached
    }

    /// The classes to which a way that was seen leads from `class`.
    pub(super) fn after(&self, class: ClassId) -> ClassSet {
        let others = ClassSet::below(MAX_CLASSES - 1).and(ClassSet::of(ClassId::new(MAX_CLASSES - 1)));
        let reachable = |&other: &ClassId| self.before(other).has(class);
        others.iter().filter(reachable).fold(ClassSet::EMPTY, |all, c| all.and(ClassSet::of(c)))
    }
}
