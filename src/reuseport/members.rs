//! Who listens in a group, and where: everything here holds the global reuseport lock.

use crate::group::SockReuseport;
use crate::listener::Listener;
use crate::lockdep::Held;
#[cfg(feature = "designs")]
use crate::lockdep::{Before, order::Reuseport};
use crate::net::ListenerRef;
use crate::net::{GroupRef, Net, ReuseportLocked};
use crate::slab::{NONE, Slab, Store};
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// Why a group cannot take one more member that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CannotAdd {
    /// It has as many as it may, and no closed member to evict.
    GroupFull,
    /// It has to grow, and there are no chunks.
    SocksFull,
}

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
    /// Returns the listener whose slot `socks[place]` names.
    fn member(&self, group: &SockReuseport<B>, place: u32) -> Option<&Listener<C, B>> {
        self.listeners.get(self.socks.at(&group.socks, place)?.peek())
    }

    /// Takes a reference on the member at `place`. Without the reuseport lock it may be anybody, if a member
    /// left meanwhile: who asks has to look at its `sk_reuseport_cb`.
    pub(crate) fn sock_ref(&self, group: &SockReuseport<B>, place: u32) -> Option<ListenerRef<'_, 's, C, B>> {
        ListenerRef::try_get(self, self.socks.load(&group.socks, place)?)
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
        let Some(sock) = self.socks.at(&group.socks, place) else { return };
        listener.socks_index.store(place, Ordering::Relaxed);
        // Release: who finds the listener here also sees it as it was when it joined.
        sock.store(listener.index(), Ordering::Release);
    }

    /// Returns the group that `listener` is in.
    ///
    /// Under the reuseport lock it stays in it, or, if it listens, under its own `sock`. Without
    /// either the group may have gone meanwhile: whoever reads it has to look again.
    #[cfg(any(all(test, feature = "alloc"), feature = "designs"))]
    pub(crate) fn group_of(&self, listener: &Listener<C, B>) -> Option<&SockReuseport<B>> {
        self.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire))
    }

    /// Tells whether a listener can join `group`, which takes the place of a closed member if it has to.
    pub(crate) fn can_add(
        &self,
        group: &SockReuseport<B>,
        _lock: &ReuseportLocked<'_, B>,
    ) -> Result<(), CannotAdd> {
        match group.num_socks.peek() {
            num if num >= self.max_socks => Err(CannotAdd::GroupFull),
            num if !self.socks.has_room(num) => Err(CannotAdd::SocksFull),
            _ => Ok(()),
        }
    }

    /// Adds a listening member. O(1): the tree that may have to grow is at most three chunks high. (Linux:
    /// `__reuseport_add_sock()`, and `reuseport_grow()`, at whose limit a closed member gives way, and no
    /// longer belongs to the group.)
    ///
    /// The members share one reference on their group, which the first one brings.
    pub(crate) fn add_sock(
        &self,
        group: &SockReuseport<B>,
        listener: &Listener<C, B>,
        lock: &ReuseportLocked<'_, B>,
    ) -> Result<(), CannotAdd> {
        self.can_add(group, lock)?;
        let num = group.num_socks.peek();
        if num + group.num_closed_socks.load(Ordering::Relaxed) == self.max_socks {
            self.evict_closed_sock(group, lock);
        }
        self.socks.grow(&group.socks, num).ok_or(CannotAdd::SocksFull)?;
        match self.member(group, 0).filter(|_| num > 0 && B::planted(Fault::JoinsFirst)) {
            Some(first) => {
                self.put_at(group, num, first);
                self.put_at(group, 0, listener);
            }
            None => self.put_at(group, num, listener),
        }
        if !B::planted(Fault::GroupNotNamed) {
            listener.sk_reuseport_cb.store(group.index(), Ordering::Release);
        }
        if listener.is_for_a_cpu() {
            group.incoming_cpu.fetch_add(1, Ordering::Relaxed);
        }
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
        let first = B::planted(Fault::FirstLeaves);
        let place = if first { 0 } else { listener.socks_index.load(Ordering::Relaxed) };
        let num_socks = group.num_socks.peek() - 1;
        if let Some(last) = self.member(group, num_socks) {
            let swaps = B::planted(Fault::SwapsWithFirst) && place < num_socks;
            if let Some(first) = self.member(group, 0).filter(|_| swaps && place > 0) {
                self.put_at(group, place, first);
            }
            self.put_at(group, if swaps { 0 } else { place }, last);
        }
        if !B::planted(Fault::MemberStillCounted) {
            group.num_socks.store(num_socks, Ordering::Release);
            let _ = self.socks.shrink(&group.socks, num_socks);
        }
        B::trace(Event::LeftGroup { listener: listener.index() });
        Detached { place, num_socks }
    }

    /// Takes away what names the group of a member that has left its section. Under the reuseport lock.
    pub(crate) fn part(&self, group: &SockReuseport<B>, listener: &Listener<C, B>) {
        listener.sk_reuseport_cb.store(NONE, Ordering::Release);
        if listener.is_for_a_cpu() && !B::planted(Fault::CpuCountKept) {
            group.incoming_cpu.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells whether a socket that does not listen is in a group of its own: one that a program was attached
    /// to it with. There it is in the place of a member that listens.
    pub(crate) fn is_in_own_group(&self, listener: &Listener<C, B>) -> bool {
        let group = self.groups.get(listener.sk_reuseport_cb.peek());
        group.is_some_and(|group| group.num_closed_socks.load(Ordering::Relaxed) == 0)
    }

    /// Takes a socket that does not listen out of whatever group it is in; the group's last member takes the
    /// group with it. O(1).
    pub(crate) fn leave(&self, listener: &Listener<C, B>, lock: &ReuseportLocked<'_, B>) {
        if !self.is_in_own_group(listener) {
            return self.leave_closed(listener, lock);
        }
        let Some(group) = self.groups.get(listener.sk_reuseport_cb.peek()) else { return };
        self.detach_listening_sock(group, listener, lock);
        self.part(group, listener);
        self.put_if_empty(group, lock);
    }

    /// Says which CPU's connections a listener is for; [`NONE`] is none. (Linux:
    /// `reuseport_update_incoming_cpu()`.)
    pub(crate) fn set_incoming_cpu(
        &self,
        listener: &Listener<C, B>,
        cpu: u32,
        _lock: &ReuseportLocked<'_, B>,
    ) {
        let was = listener.is_for_a_cpu();
        listener.sk_incoming_cpu.store(cpu.wrapping_add(1), Ordering::Relaxed);
        if let Some(group) = self.groups.get(listener.sk_reuseport_cb.peek()) {
            let change = u32::from(listener.is_for_a_cpu()).wrapping_sub(u32::from(was));
            group.incoming_cpu.fetch_add(change, Ordering::Relaxed);
        }
    }

    /// Returns the CPU that the member at `place` is for. Without the reuseport lock it may be anybody.
    pub(super) fn incoming_cpu_at(&self, group: &SockReuseport<B>, place: u32) -> Option<u32> {
        let member = self.listeners.get(self.socks.load(&group.socks, place)?)?;
        member.sk_incoming_cpu.load(Ordering::Relaxed).checked_sub(1)
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
            self.leave(listener, &lock);
        }
        None
    }
}
