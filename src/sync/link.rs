//! The link of lists that are changed under a lock.
//!
//! The library's [`AtomicLink`] takes a link with a compare-exchange, so that two threads may try to put one
//! object into two lists. Nobody does here: an object is put into a list by who has it in hand, or under the
//! one lock that all its lists have. So a look and a store will do, which cost a tenth; a connection takes
//! three links on its way from SYN to accept.

use core::ptr::NonNull;
use intrusive_collections::linked_list::{AtomicLink, AtomicLinkOps, LinkedListOps};
use intrusive_collections::singly_linked_list::SinglyLinkedListOps;
use intrusive_collections::{DefaultLinkOps, LinkOps};

/// Links an object into one list at a time, of one direction or of two.
#[repr(transparent)]
pub(crate) struct Link(AtomicLink);

impl Link {
    /// In no list.
    pub(crate) const fn new() -> Self {
        Self(AtomicLink::new())
    }

    /// Tells whether it is in a list; a moment's value, unless the list's lock is held.
    #[inline]
    pub(crate) fn is_linked(&self) -> bool {
        self.0.is_linked()
    }
}

impl DefaultLinkOps for Link {
    type Ops = Ops;
    const NEW: Self::Ops = Ops(AtomicLinkOps);
}

/// The library's operations, but for how a link is taken.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ops(AtomicLinkOps);

type LinkPtr = NonNull<AtomicLink>;

// SAFETY: what is taken was not linked, by the look, and nobody takes it between the look and the store: who
// adds to a list has in hand what is added, or holds the lock that all its lists have.
unsafe impl LinkOps for Ops {
    type LinkPtr = LinkPtr;

    #[inline]
    unsafe fn acquire_link(&mut self, link: LinkPtr) -> bool {
        // SAFETY: a list hands over links of objects that are there.
        unsafe {
            let free = !link.as_ref().is_linked();
            if free {
                LinkedListOps::set_next(&mut self.0, link, None);
            }
            free
        }
    }

    #[inline]
    unsafe fn release_link(&mut self, link: LinkPtr) {
        // SAFETY: as above.
        unsafe { self.0.release_link(link) }
    }
}

// SAFETY: the library's own operations.
unsafe impl LinkedListOps for Ops {
    #[inline]
    unsafe fn next(&self, link: LinkPtr) -> Option<LinkPtr> {
        // SAFETY: a list hands over links of objects that are in it.
        unsafe { LinkedListOps::next(&self.0, link) }
    }

    #[inline]
    unsafe fn prev(&self, link: LinkPtr) -> Option<LinkPtr> {
        // SAFETY: as above.
        unsafe { self.0.prev(link) }
    }

    #[inline]
    unsafe fn set_next(&mut self, link: LinkPtr, next: Option<LinkPtr>) {
        // SAFETY: as above.
        unsafe { LinkedListOps::set_next(&mut self.0, link, next) }
    }

    #[inline]
    unsafe fn set_prev(&mut self, link: LinkPtr, prev: Option<LinkPtr>) {
        // SAFETY: as above.
        unsafe { self.0.set_prev(link, prev) }
    }
}

// SAFETY: the library's own operations: a list of one direction does not look at the other.
unsafe impl SinglyLinkedListOps for Ops {
    #[inline]
    unsafe fn next(&self, link: LinkPtr) -> Option<LinkPtr> {
        // SAFETY: a list hands over links of objects that are in it.
        unsafe { SinglyLinkedListOps::next(&self.0, link) }
    }

    #[inline]
    unsafe fn set_next(&mut self, link: LinkPtr, next: Option<LinkPtr>) {
        // SAFETY: as above.
        unsafe { SinglyLinkedListOps::set_next(&mut self.0, link, next) }
    }
}
