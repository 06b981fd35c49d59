//! Connections by their ends: a chained hash table in the embedder's memory, which also is a list in the
//! order in which they came.

#[cfg(test)]
mod tests;

use rskq::{Storage, Tuple};

/// No place.
const NONE: u32 = u32::MAX;

/// Memory for one connection of a table.
#[derive(Debug)]
pub struct Place<T> {
    /// The ends of the connection and their hash, and what is kept of it.
    used: Option<(Tuple, u32, T)>,
    /// The first in the chain of this place's number.
    first: u32,
    /// The next one in the same chain, or of the free ones.
    next: u32,
    /// Who came before.
    older: u32,
    /// Who came after.
    newer: u32,
}

impl<T> Place<T> {
    /// Makes an unused one.
    #[must_use]
    #[allow(clippy::new_without_default)] // `const { Place::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self { used: None, first: NONE, next: NONE, older: NONE, newer: NONE }
    }
}

#[cfg(feature = "alloc")]
impl<T> rskq::slab::Vacant for Place<T> {
    const VACANT: Self = Self::new();
}

/// The table.
pub(crate) struct Table<'m, T> {
    places: Storage<'m, Place<T>>,
    free: u32,
    oldest: u32,
    newest: u32,
    len: usize,
}

impl<'m, T> Table<'m, T> {
    /// Makes an empty table of the memory. O(size of it).
    pub(crate) fn new(mut places: Storage<'m, Place<T>>) -> Self {
        let mut free = NONE;
        for (index, place) in (0..NONE).zip(places.iter_mut()).rev() {
            *place = Place { next: free, ..Place::new() };
            free = index;
        }
        Self { places, free, oldest: NONE, newest: NONE, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many more there is room for.
    pub(crate) fn room(&self) -> usize {
        self.places.len().min(NONE as usize) - self.len
    }

    /// Adds a connection, as the newest. O(1).
    ///
    /// # Errors
    ///
    /// Gives the value back if the table is full.
    pub(crate) fn insert(&mut self, tuple: Tuple, hash: u32, value: T) -> Result<u32, T> {
        let index = self.free;
        let Some(chain) = self.chain(hash) else { return Err(value) };
        let Some(place) = self.places.get_mut(index as usize) else { return Err(value) };
        self.free = core::mem::replace(&mut place.next, NONE);
        place.used = Some((tuple, hash, value));
        let next = core::mem::replace(&mut self.places[chain].first, index);
        self.places[index as usize].next = next;
        self.append(index);
        self.len += 1;
        Ok(index)
    }

    /// Finds a connection. O(1), as far as the hash spreads.
    pub(crate) fn find(&self, tuple: &Tuple, hash: u32) -> Option<u32> {
        let mut index = self.places.get(self.chain(hash)?)?.first;
        loop {
            let place = self.places.get(index as usize)?;
            match &place.used {
                Some((known, hashed, _)) if *hashed == hash && known == tuple => return Some(index),
                _ => index = place.next,
            }
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<(&Tuple, &T)> {
        self.places.get(index as usize)?.used.as_ref().map(|(tuple, _, value)| (tuple, value))
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.places.get_mut(index as usize)?.used.as_mut().map(|(_, _, value)| value)
    }

    /// Takes a connection out. O(1), as far as the hash spreads.
    pub(crate) fn remove(&mut self, index: u32) -> Option<(Tuple, T)> {
        let (tuple, hash, value) = self.places.get_mut(index as usize)?.used.take()?;
        let next = self.places[index as usize].next;
        let chain = self.chain(hash)?;
        if self.places[chain].first == index {
            self.places[chain].first = next;
        } else {
            let mut before = self.places[chain].first;
            while self.places[before as usize].next != index {
                before = self.places[before as usize].next;
            }
            self.places[before as usize].next = next;
        }
        self.unlink(index);
        self.places[index as usize].next = core::mem::replace(&mut self.free, index);
        self.len -= 1;
        Some((tuple, value))
    }

    /// Makes a connection the newest. O(1).
    pub(crate) fn touch(&mut self, index: u32) {
        if self.get(index).is_some() {
            self.unlink(index);
            self.append(index);
        }
    }

    /// Returns the one that came first.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Returns the one that came last.
    pub(crate) fn newest(&self) -> Option<u32> {
        (self.newest != NONE).then_some(self.newest)
    }

    /// Returns the one that came after `index`.
    pub(crate) fn newer(&self, index: u32) -> Option<u32> {
        self.places.get(index as usize).map(|place| place.newer).filter(|&newer| newer != NONE)
    }

    /// Returns every connection in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Tuple, &T)> {
        core::iter::successors(self.oldest(), |&index| self.newer(index)).filter_map(|index| self.get(index))
    }

    fn chain(&self, hash: u32) -> Option<usize> {
        (hash as usize).checked_rem(self.places.len())
    }

    fn append(&mut self, index: u32) {
        let older = core::mem::replace(&mut self.newest, index);
        match self.places.get_mut(older as usize) {
            Some(place) => place.newer = index,
            None => self.oldest = index,
        }
        let place = &mut self.places[index as usize];
        (place.older, place.newer) = (older, NONE);
    }

    fn unlink(&mut self, index: u32) {
        let Place { older, newer, .. } = self.places[index as usize];
        match self.places.get_mut(older as usize) {
            Some(place) => place.newer = newer,
            None => self.oldest = newer,
        }
        match self.places.get_mut(newer as usize) {
            Some(place) => place.older = older,
            None => self.newest = older,
        }
    }
}
