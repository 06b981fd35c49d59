//! The closed section of a group: members that stopped and may still find those that listen.
//!
//! A list through the listeners, newest first. In Linux's array it is `socks[max_socks - num_closed_socks ..
//! max_socks)`, and the order is the same: a member that leaves has the newest in its place.

use crate::group::SockReuseport;
use crate::listener::Listener;
use crate::net::{Net, ReuseportLocked};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

impl<C: Send + 'static, B: Backend> Net<'_, C, B> {
    /// Adds a member to the closed section, as the newest. O(1). (Linux: `__reuseport_add_closed_sock()`.)
    pub(crate) fn add_closed_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        _lock: &ReuseportLocked<'_, B>,
    ) {
        self.link_closed(group, listener, group.newest_closed.load(Ordering::Relaxed), NONE);
        group.num_closed_socks.fetch_add(1, Ordering::Relaxed);
    }

    /// Removes a member from the closed section; the newest takes its place. O(1).
    /// (Linux: `__reuseport_detach_closed_sock()`.)
    fn detach_closed_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        _lock: &ReuseportLocked<'_, B>,
    ) {
        let Some(newest) = self.newest_closed(group) else { return };
        let next = newest.closed.older.load(Ordering::Relaxed);
        group.newest_closed.store(next, Ordering::Relaxed);
        if let Some(next) = self.listeners.get(next)
            && !B::planted(Fault::ClosedNeighbourForgotten)
        {
            next.closed.newer.store(NONE, Ordering::Relaxed);
        }
        if newest.index() != listener.index() {
            let older = listener.closed.older.load(Ordering::Relaxed);
            let newer = listener.closed.newer.load(Ordering::Relaxed);
            self.link_closed(group, newest, older, newer);
        }
        group.num_closed_socks.fetch_sub(1, Ordering::Relaxed);
    }

    /// Links a member between two others, or makes it the newest if nobody is newer.
    fn link_closed(&self, group: &SockReuseport<B>, listener: &Listener<C, B>, older: u32, newer: u32) {
        listener.closed.older.store(older, Ordering::Relaxed);
        listener.closed.newer.store(newer, Ordering::Relaxed);
        if let Some(older) = self.listeners.get(older) {
            older.closed.newer.store(listener.index(), Ordering::Relaxed);
        }
        let newest = self.listeners.get(newer).map_or(&group.newest_closed, |newer| &newer.closed.older);
        newest.store(listener.index(), Ordering::Relaxed);
    }

    fn newest_closed(&self, group: &SockReuseport<B>) -> Option<&Listener<C, B>> {
        self.listeners.get(group.newest_closed.load(Ordering::Relaxed))
    }

    /// Returns the closed members, newest first, to who holds the reuseport lock, or to a checker.
    #[cfg(feature = "alloc")]
    pub(crate) fn closed_socks(&self, group: &SockReuseport<B>) -> impl Iterator<Item = &Listener<C, B>> {
        let older = |listener: &&Listener<C, B>| self.listeners.get(listener.closed.older.peek());
        // Of a broken list no more than there can be.
        core::iter::successors(self.newest_closed(group), older).take(self.listeners.capacity())
    }

    /// Makes the newest closed member, if there is one, leave the group for one that joins. O(1).
    pub(super) fn evict_closed_sock(&self, group: &SockReuseport<B>, lock: &ReuseportLocked<'_, B>) {
        if let Some(newest) = self.newest_closed(group) {
            self.detach_closed_sock(group, newest, lock);
            self.part(group, newest);
        }
    }

    /// Takes a closed member out of whatever group it is in; the group's last member takes the
    /// group with it. O(1).
    pub(crate) fn leave_closed(&self, listener: &Listener<C, B>, lock: &ReuseportLocked<'_, B>) {
        let Some(group) = self.groups.get(listener.sk_reuseport_cb.peek()) else { return };
        self.detach_closed_sock(group, listener, lock);
        self.part(group, listener);
        self.put_if_empty(group, lock);
    }
}
