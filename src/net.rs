//! What the listeners of one stack share: the slabs, the global reuseport lock, the switch.

#[cfg(feature = "designs")]
mod picking;
mod root;
mod sysctl;
#[cfg(all(test, feature = "spin", feature = "designs"))]
mod tests;

#[cfg(feature = "designs")]
pub use picking::{Picker, Picking, Program as PostedProgram};
pub use sysctl::{Syncookies, Sysctl};

use crate::counters::Counters;
use crate::group::{MAX_SOCKS, MapEntry, Member, Program, SockReuseport, Socks};
use crate::listener::Listener;
use crate::lockdep::{Before, Held, Mutex, MutexGuard, Nothing, order::Reuseport};
use crate::request::{Link, Owner, RequestSock};
use crate::slab::{Fresh, NONE, Ref, Slab, Slot, Storage, Store};
use crate::sync::{AtomicU32, Backend, Fault};
use sysctl::Sysctls;

/// What is shared by the listeners of one stack. (Linux: `struct net`, the part of it that concerns
/// listeners, and the global `reuseport_lock`.)
pub struct Net<'s, C, B: Backend> {
    pub(crate) listeners: Slab<'s, Listener<C, B>, B>,
    pub(crate) requests: Slab<'s, RequestSock<C, B>, B>,
    pub(crate) owners: Slab<'s, Owner<B>, B>,
    pub(crate) groups: Slab<'s, SockReuseport<B>, B>,
    pub(crate) socks: Socks<'s, B>,
    /// Most members of a group. (Linux: `max_socks`, when it grows no more.)
    pub(crate) max_socks: u32,
    reuseport_lock: Mutex<(), Reuseport, B>,
    pub(crate) sysctl: Sysctls<B>,
    /// The programs that groups may have.
    pub(crate) programs: &'s [&'s dyn Program],
    /// What they select from.
    pub(crate) map: Storage<'s, MapEntry<B>>,
    /// Who picks a target in the designs of the discussion.
    #[cfg(feature = "designs")]
    pub(crate) picking: Picking<B>,
    pub(crate) counters: Counters<B>,
}

/// Shows that the global reuseport lock is held.
pub(crate) type ReuseportLocked<'a, B> = MutexGuard<'a, (), Reuseport, B>;

pub(crate) type ListenerRef<'a, 's, C, B> = Ref<'a, Listener<C, B>, Net<'s, C, B>>;
pub(crate) type RequestRef<'a, 's, C, B> = Ref<'a, RequestSock<C, B>, Net<'s, C, B>>;
pub(crate) type OwnerRef<'a, 's, C, B> = Ref<'a, Owner<B>, Net<'s, C, B>>;
pub(crate) type GroupRef<'a, 's, C, B> = Ref<'a, SockReuseport<B>, Net<'s, C, B>>;

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    pub(crate) fn new(
        listeners: Storage<'s, Slot<Listener<C, B>, B>>,
        requests: Storage<'s, Slot<RequestSock<C, B>, B>>,
        owners: Storage<'s, Slot<Owner<B>, B>>,
        groups: Storage<'s, Slot<SockReuseport<B>, B>>,
        socks: Storage<'s, Member<B>>,
        max_socks: u32,
        sysctl: Sysctl,
    ) -> Self {
        let mut reuseport_lock = Mutex::new(());
        reuseport_lock.place(0);
        Self {
            listeners: Slab::new(listeners, 0),
            requests: Slab::new(requests, 1),
            owners: Slab::new(owners, 2),
            groups: Slab::new(groups, 3),
            socks: Socks::new(socks),
            max_socks: max_socks.min(MAX_SOCKS),
            reuseport_lock,
            sysctl: Sysctls::new(sysctl),
            programs: &[],
            map: (&mut []).into(),
            #[cfg(feature = "designs")]
            picking: Picking::new(),
            counters: Counters::new(),
        }
    }

    /// Takes the global reuseport lock.
    #[track_caller]
    pub(crate) fn reuseport_lock<'a, H: Before<Reuseport>>(
        &'a self,
        held: &'a mut Held<'_, H>,
    ) -> ReuseportLocked<'a, B> {
        self.reuseport_lock.lock(held)
    }

    /// Takes a listener and the owner whose home it is, both or neither.
    pub(crate) fn alloc_listener(&self, held: &mut Held<'_, Nothing>) -> Option<ListenerRef<'_, 's, C, B>> {
        let listener = Fresh::<Listener<C, B>, _>::alloc(self)?;
        let Some(owner) = Fresh::<Owner<B>, _>::alloc(self) else {
            if B::planted(Fault::BailoutLeaks) {
                let _ = listener.publish().into_raw();
            }
            return None;
        };
        let listener = listener.publish();
        let home = Self::home_of(&listener, owner);
        #[cfg(feature = "designs")]
        {
            listener.home.store(home.index(), core::sync::atomic::Ordering::Relaxed);
        }
        {
            let (mut queue, mut held) = listener.accept_queue.lock_and(held);
            listener.set_rskq_defer_accept(0);
            listener.sk_incoming_cpu.store(0, core::sync::atomic::Ordering::Relaxed);
            let before = queue.set_home(home.into_raw());
            debug_assert_eq!(before, NONE);
            // What the slot's socket before had asked for is not this one's.
            listener.accept_queue.fastopenq.lock(&mut held).set_max_qlen(0);
        }
        Some(listener)
    }

    /// Makes a fresh owner lead to `listener`.
    pub(crate) fn home_of<'a>(
        listener: &ListenerRef<'a, 's, C, B>,
        owner: Fresh<'a, Owner<B>, Self>,
    ) -> OwnerRef<'a, 's, C, B> {
        let link = owner.set_link(Link::Home(listener.clone().into_raw()));
        debug_assert_eq!(link, Link::Vacant);
        owner.publish()
    }

    /// Puts an owner reference that was stored in a request, a listener or another owner.
    pub(crate) fn put_owner(&self, stored: u32) {
        if stored != NONE {
            // SAFETY: `stored` was put there by `into_raw`, and its place holds another value now.
            drop(unsafe { OwnerRef::from_raw(self, stored) });
        }
    }

    /// Puts the reference that a link carried.
    pub(crate) fn put_link(&self, link: Link) {
        match link {
            Link::Vacant => {}
            // SAFETY: a link carries a reference stored by `into_raw`, and its owner has another
            // link now.
            Link::Home(listener) => drop(unsafe { ListenerRef::from_raw(self, listener) }),
            Link::Handed(owner) => self.put_owner(owner),
        }
    }
}

impl<C: Send + 'static, B: Backend> Store<RequestSock<C, B>> for Net<'_, C, B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, RequestSock<C, B>, B> {
        &self.requests
    }

    fn retire(&self, request: &RequestSock<C, B>) -> Option<u32> {
        let owner = request.set_owner(NONE);
        if !B::planted(Fault::OwnerReferenceLeaked) {
            self.put_owner(owner);
        }
        request.set_state(crate::request::RequestState::Free);
        None
    }
}

impl<C: Send + 'static, B: Backend> Store<Owner<B>> for Net<'_, C, B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Owner<B>, B> {
        &self.owners
    }

    fn retire(&self, owner: &Owner<B>) -> Option<u32> {
        match owner.set_link(Link::Vacant) {
            Link::Handed(next) => Some(next),
            link => {
                self.put_link(link);
                None
            }
        }
    }
}

impl<C: Send + 'static, B: Backend> Store<SockReuseport<B>> for Net<'_, C, B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, SockReuseport<B>, B> {
        &self.groups
    }

    fn retire(&self, group: &SockReuseport<B>) -> Option<u32> {
        // The group that has this slot next has no program and sent no cookies.
        group.prog.store(0, core::sync::atomic::Ordering::Relaxed);
        group.synq_overflow_ts.store(0, core::sync::atomic::Ordering::Relaxed);
        None
    }
}
