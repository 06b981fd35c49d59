//! Lock classes: their numbers, sets of them, and names that remember their number.

use super::Validator;
use super::violation::Violation;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

/// How many classes one validator can tell apart: as many as a set of classes has bits.
pub const MAX_CLASSES: usize = 64;

/// A class of locks, by its number in one validator.
///
/// A class is its *name*: whoever registers the same name gets the same class. An address would not
/// do as identity, since the linker may put several statics of no size at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassId(u8);

impl ClassId {
    /// The class at place `rank` of the order that the validator was made with.
    ///
    /// A rank beyond that order is reported, as [`Kind::UnknownClass`](super::Kind::UnknownClass),
    /// when a lock of it is taken.
    #[inline]
    pub const fn of_rank(rank: u8) -> Self {
        assert!((rank as usize) < MAX_CLASSES);
        Self(rank)
    }

    #[inline(always)]
    pub(super) const fn new(index: usize) -> Self {
        debug_assert!(index < MAX_CLASSES);
        Self(index as u8)
    }

    #[inline(always)]
    pub(super) const fn index(self) -> usize {
        // True of every class there is; saying it again spares the caller's bounds check.
        self.0 as usize % MAX_CLASSES
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ClassSet(u64);

impl ClassSet {
    pub(super) const EMPTY: Self = Self(0);

    #[inline(always)]
    pub(super) const fn of(class: ClassId) -> Self {
        Self(1 << class.index())
    }

    /// The classes with numbers below `index`.
    pub(super) const fn below(index: usize) -> Self {
        Self((1 << index) - 1)
    }

    pub(super) const fn from_halves([low, high]: [u32; 2]) -> Self {
        Self(low as u64 | (high as u64) << 32)
    }

    /// The two words that the set is kept in: 32-bit machines have no 64-bit atomics.
    #[inline(always)]
    pub(super) const fn halves(self) -> [u32; 2] {
        [self.0 as u32, (self.0 >> 32) as u32]
    }

    #[inline(always)]
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[inline(always)]
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub(super) const fn has(self, class: ClassId) -> bool {
        self.0 & 1 << class.index() != 0
    }

    /// The members, lowest number first.
    pub(super) fn iter(mut self) -> impl Iterator<Item = ClassId> {
        core::iter::from_fn(move || {
            let lowest = self.0.trailing_zeros() as usize;
            (lowest < MAX_CLASSES).then(|| {
                self.0 &= self.0 - 1;
                ClassId::new(lowest)
            })
        })
    }
}

/// A class's name, with a memory of its number, for a `static` beside the lock's type.
///
/// The first look registers the name under the validator's lock, every further look is one load. A
/// key belongs to one validator; [`lock_class!`](crate::lock_class) sees to that.
pub struct ClassKey<B: Backend> {
    name: &'static str,
    /// 0 as long as nobody asked, then the class's number and one.
    number: B::PieceAtomicU32,
}

/// What [`ClassKey`] remembers of a class that the validator had no room for.
const REFUSED: u32 = u32::MAX;

impl<B: Backend> ClassKey<B> {
    /// A key that no validator knows yet.
    pub const fn new(name: &'static str) -> Self {
        Self { name, number: B::PieceAtomicU32::ZERO }
    }

    /// Prepares the key of a model, before it is shared.
    pub fn place(&mut self) {
        self.number.place(0);
    }

    /// Returns the class's number in `validator`, the same at each call. Any context, O(1) but for
    /// the first look.
    ///
    /// # Errors
    ///
    /// [`Kind::Full`](super::Kind::Full) if the validator has no room for the name; each call counts.
    #[inline(always)]
    pub fn id(&self, validator: &Validator<B>) -> Result<ClassId, Violation> {
        // Relaxed: what the number stands for is read under the validator's lock.
        match self.number.load(Ordering::Relaxed) {
            0 | REFUSED => self.register(validator),
            number => Ok(ClassId::new(number as usize - 1)),
        }
    }

    #[cold]
    #[inline(never)]
    fn register(&self, validator: &Validator<B>) -> Result<ClassId, Violation> {
        // Two who come at once register one name, which is one class, and store one number.
        let registered = validator.register(self.name);
        let number = registered.as_ref().map_or(REFUSED, |class| class.index() as u32 + 1);
        self.number.store(number, Ordering::Relaxed);
        registered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn a_set_keeps_its_members_through_its_halves() {
        let members = [0, 1, 31, 32, 63].map(ClassId::new);
        let set = members.iter().fold(ClassSet::EMPTY, |set, &class| set.and(ClassSet::of(class)));
        assert_eq!(ClassSet::from_halves(set.halves()), set);
        assert_eq!(set.iter().collect::<Vec<_>>(), members);
        assert!(!set.without(ClassSet::of(members[3])).has(members[3]));
        assert_eq!(ClassSet::below(2).iter().collect::<Vec<_>>(), members[..2]);
    }
}
