//! Who is in a group and where: everything here holds the global reuseport lock.

use crate::group::{MAX_SOCKS, SockReuseport};
use crate::listener::Listener;
use crate::lockdep::Held;
#[cfg(feature = "designs")]
use crate::lockdep::{Before, order::Reuseport};
use crate::net::ListenerRef;
use crate::net::{GroupRef, Net, ReuseportLocked};
use crate::slab::{NONE, Slab, Store};
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// The group is full and has no closed member to evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupFull;

/// What a detached member left: where it was, and how many listen now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detached {
    /// Its place in `socks[]`, where the last member is now, unless it was the last.
    pub(crate) place: u32,
    /// Members that listen now.
    pub(crate) num_socks: u32,
}

impl Detached {
    /// Returns where the moved member is: in the place that became free, or, if that was the last, to
    /// its left.
    pub(crate) fn moved(self) -> Option<u32> {
        if self.num_socks == 0 {
            None
        } else if self.place == self.num_socks {
            self.place.checked_sub(1)
        } else {
            Some(self.place)
        }
    }
}

// What only holders of the reuseport lock write, they read with `peek`: an atomic load by who then
// stores would be one more access to it, and of two loads loom remembers the later one only, so that
// it would not try the store before another thread's load.
impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Returns how many members each group has room for.
    pub(crate) fn max_socks(&self) -> u32 {
        let each = self.socks.len() / self.groups.capacity().max(1);
        u32::try_from(each).map_or(MAX_SOCKS, |each| each.min(MAX_SOCKS))
    }

    /// Returns `socks[place]` of `group`. Places come from within the group's part.
    pub(crate) fn sock_at(&self, group: &SockReuseport<B>, place: u32) -> &B::PieceAtomicU32 {
        &self.socks[group.index() as usize * self.max_socks() as usize + place as usize].0
    }

    /// Returns the listener whose slot `socks[place]` names.
    fn member(&self, group: &SockReuseport<B>, place: u32) -> Option<&Listener<C, B>> {
        self.listeners.get(self.sock_at(group, place).peek())
    }

    /// Takes a reference on the member at `place`.
    pub(crate) fn sock_ref(&self, group: &SockReuseport<B>, place: u32) -> Option<ListenerRef<'_, 's, C, B>> {
        ListenerRef::try_get(self, self.sock_at(group, place).load(Ordering::Acquire))
    }

    /// Takes a reference on the member that would be chosen if `listener` left now: without its
    /// leaving, what it finds means nothing. Only the negative control asks.
    #[cfg(feature = "designs")]
    pub(crate) fn neighbour_of<H: Before<Reuseport>>(
        &self,
        listener: &Listener<C, B>,
        held: &mut Held<'_, H>,
    ) -> Option<ListenerRef<'_, 's, C, B>> {
        let group = self.group_of(listener)?;
        let _lock = self.reuseport_lock(held);
        let last = group.num_socks.peek().checked_sub(1)?;
        let place = listener.socks_index.load(Ordering::Relaxed);
        self.sock_ref(group, if place == last { last.checked_sub(1)? } else { last })
    }

    fn put_at(&self, group: &SockReuseport<B>, place: u32, listener: &Listener<C, B>) {
        listener.socks_index.store(place, Ordering::Relaxed);
        // Release: who finds the listener here also sees it as it was when it joined.
        self.sock_at(group, place).store(listener.index(), Ordering::Release);
    }

    /// Returns the group that `listener` is in.
    ///
    /// Under the reuseport lock it stays in it, or, if it listens, under its own `sock`. Without
    /// either the group may have gone meanwhile: whoever reads it has to look again.
    #[cfg(any(test, feature = "designs"))]
    pub(crate) fn group_of(&self, listener: &Listener<C, B>) -> Option<&SockReuseport<B>> {
        self.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire))
    }

    /// Tells whether a listener can join `group`: there is room, or a closed member to evict.
    pub(crate) fn has_room(&self, group: &SockReuseport<B>, _lock: &ReuseportLocked<'_, B>) -> bool {
        group.num_socks.peek() < self.max_socks()
    }

    /// Adds a listening member. O(1). (Linux: `__reuseport_add_sock()`, and `reuseport_grow()` at
    /// its limit: a closed member gives way, and no longer belongs to the group.)
    ///
    /// The members share one reference on their group, which the first one brings.
    pub(crate) fn add_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        lock: &ReuseportLocked<'_, B>,
    ) -> Result<(), GroupFull> {
        let num = group.num_socks.peek();
        let closed = group.num_closed_socks.load(Ordering::Relaxed);
        if num + closed == self.max_socks() {
            if closed == 0 {
                return Err(GroupFull);
            }
            if let Some(newest) = self.member(group, self.max_socks() - closed) {
                self.detach_closed_sock(group, newest, lock);
                newest.sk_reuseport_cb.store(NONE, Ordering::Release);
            }
        }
        self.put_at(group, num, listener);
        listener.sk_reuseport_cb.store(group.index(), Ordering::Release);
        // Release: who reads the new number finds the member in its place. (Linux: `smp_wmb()`.)
        group.num_socks.store(num + 1, Ordering::Release);
        Ok(())
    }

    /// Removes a listening member; the last one takes its place. O(1): the member knows its place.
    /// (Linux: `__reuseport_detach_sock()`, which searches for it.)
    pub(crate) fn detach_listening_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        _lock: &ReuseportLocked<'_, B>,
    ) -> Detached {
        let place = listener.socks_index.load(Ordering::Relaxed);
        let num_socks = group.num_socks.peek() - 1;
        if let Some(last) = self.member(group, num_socks) {
            self.put_at(group, place, last);
        }
        if !B::planted(Fault::MemberStillCounted) {
            group.num_socks.store(num_socks, Ordering::Release);
        }
        B::trace(Event::LeftGroup { listener: listener.index() });
        Detached { place, num_socks }
    }

    /// Adds a member to the closed section. O(1). (Linux: `__reuseport_add_closed_sock()`.)
    pub(crate) fn add_closed_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        _lock: &ReuseportLocked<'_, B>,
    ) {
        let closed = group.num_closed_socks.load(Ordering::Relaxed) + 1;
        self.put_at(group, self.max_socks() - closed, listener);
        group.num_closed_socks.store(closed, Ordering::Relaxed);
    }

    /// Removes a member from the closed section; the newest takes its place. O(1).
    /// (Linux: `__reuseport_detach_closed_sock()`.)
    fn detach_closed_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        _lock: &ReuseportLocked<'_, B>,
    ) {
        let place = listener.socks_index.load(Ordering::Relaxed);
        let closed = group.num_closed_socks.load(Ordering::Relaxed);
        if let Some(newest) = self.member(group, self.max_socks() - closed) {
            self.put_at(group, place, newest);
        }
        group.num_closed_socks.store(closed - 1, Ordering::Relaxed);
    }

    /// Takes a closed member out of whatever group it is in; the group's last member takes the
    /// group with it.
    pub(crate) fn leave_closed(&self, listener: &Listener<C, B>, lock: &ReuseportLocked<'_, B>) {
        let Some(group) = self.groups.get(listener.sk_reuseport_cb.peek()) else { return };
        self.detach_closed_sock(group, listener, lock);
        listener.sk_reuseport_cb.store(NONE, Ordering::Release);
        self.put_if_empty(group, lock);
    }

    /// Puts the reference that the members share, if there are none left.
    pub(crate) fn put_if_empty(&self, group: &SockReuseport<B>, _lock: &ReuseportLocked<'_, B>) {
        let members = group.num_socks.peek() + group.num_closed_socks.load(Ordering::Relaxed);
        if members == 0 && !B::planted(Fault::GroupLeaked) {
            // SAFETY: `hash` stored this reference for the first member, and there is no member left
            // that it could be put for again.
            drop(unsafe { GroupRef::from_raw(self, group.index()) });
        }
    }
}

impl<C: Send + 'static, B: Backend> Store<Listener<C, B>> for Net<'_, C, B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Listener<C, B>, B> {
        &self.listeners
    }

    /// The descriptor is closed and no request names the listener: it leaves the closed section.
    /// (Linux: `reuseport_detach_sock()` at destruction.)
    fn retire(&self, listener: &Listener<C, B>) -> Option<u32> {
        if listener.sk_reuseport_cb.load(Ordering::Acquire) != NONE {
            // SAFETY: a last reference is not dropped under `Reuseport` or an inner lock: see `Ref`.
            let mut held = unsafe { Held::nothing() };
            let lock = self.reuseport_lock(&mut held);
            self.leave_closed(listener, &lock);
        }
        None
    }
}
