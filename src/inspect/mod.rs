//! The object graph as checkers see it.
//!
//! A [`Graph`] is taken without locks and without being an access, so that a model checker's
//! observer can look at every step of an interleaving. It says what *is*; what must hold of it is
//! in [`Graph::violations`], one set of checks for every checker.

mod check;

pub use check::Violation;

use crate::listener::{Descriptor, Listener};
use crate::queue::Charges;
use crate::request::{Link, RequestSock, RequestState, Tuple};
use crate::slab::NONE;
use crate::stack::Stack;
use crate::sync::{AtomicU32, Backend};
use alloc::vec::Vec;
use core::net::SocketAddr;

/// Every object of a stack at one moment.
#[derive(Clone, Debug, Default)]
pub struct Graph<C> {
    /// Listeners by slot, in use or not.
    pub listeners: Vec<ListenerView<C>>,
    /// Requests by slot, in use or not.
    pub requests: Vec<RequestView>,
    /// Owners by slot, in use or not.
    pub owners: Vec<OwnerView>,
    /// Groups by slot, in use or not.
    pub groups: Vec<GroupView>,
    /// How many slots of each slab are free.
    pub free_slots: FreeSlots,
    /// How many chunks the groups share for their `socks[]`.
    pub chunks: u32,
    /// Those that are free.
    pub free_chunks: Vec<u32>,
    /// The slots of the listeners in the map that programs select from.
    pub map: Vec<Option<u32>>,
    /// Whether the stack keeps the SYN-ACK timers.
    pub keeps_timers: bool,
}

/// How many slots of each slab are free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeSlots {
    /// Of listeners.
    pub listeners: u32,
    /// Of requests.
    pub requests: u32,
    /// Of owners.
    pub owners: u32,
    /// Of groups.
    pub groups: u32,
}

/// A listener.
#[derive(Clone, Debug)]
pub struct ListenerView<C> {
    /// Its reference count.
    pub refs: u32,
    /// Whether it is in LISTEN.
    pub listening: bool,
    /// Whether its socket is open: its descriptor holds a reference.
    pub opened: bool,
    /// Where it is bound.
    pub addr: Option<SocketAddr>,
    /// Its own owner's slot, while it has one.
    pub owner: Option<u32>,
    /// The slot of the owner that it handed on, until the steps of its stop are taken.
    pub estate: Option<u32>,
    /// Its group's slot, while it is in one.
    pub group: Option<u32>,
    /// The CPU that it is for, if it is for one.
    pub incoming_cpu: Option<u32>,
    /// The entry of the map that it is in, if it is in one.
    pub map_index: Option<u32>,
    /// Its accept queue, or `None` while somebody holds the `rskq_lock`.
    pub queue: Option<QueueView<C>>,
    /// Whether somebody will still deal with what is in its queue: it listens, or its closer has not
    /// looked for the last time.
    pub open: bool,
    /// Half-open requests charged to it.
    pub charges: Charges,
    /// Its fast-open queue, or `None` while somebody holds the lock.
    pub fastopenq: Option<FastOpenView>,
}

/// A fast-open queue whose lock is free.
#[derive(Clone, Debug)]
pub struct FastOpenView {
    /// Connections charged to it.
    pub qlen: i32,
    /// The slots of reset connections, oldest first.
    pub reset: Vec<u32>,
}

/// An accept queue whose lock is free.
#[derive(Clone, Debug)]
pub struct QueueView<C> {
    /// `sk_ack_backlog`.
    pub backlog: u32,

    /// What is linked, oldest first.
    pub requests: Vec<QueuedView<C>>,
}

/// A request in an accept queue.
#[derive(Clone, Debug)]
pub struct QueuedView<C> {
    /// Its slot.
    pub request: u32,
    /// The child in it.
    pub child: Option<C>,
    /// The listener that it resolves to.
    pub rsk_listener: Option<u32>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct RequestView {
    /// Its reference count.
    pub refs: u32,
    /// Where it is.
    pub state: RequestState,
    /// Its owner's slot, while it has one.
    pub owner: Option<u32>,
    /// The listener that it resolves to.
    pub rsk_listener: Option<u32>,
    /// Its tuple, while it is in use.
    pub tuple: Option<Tuple>,
    /// How often its SYN-ACK timer went off.
    pub num_timeout: u32,
    /// Whether it is a fast-open connection whose handshake has not ended.
    pub tfo_listener: bool,
    /// References held by what is in no list: a handshake that has not ended, an armed timer.
    pub kept: u32,
    /// Whether its timer is armed, where the stack or the design keeps it.
    pub armed: bool,
    /// How often it is in the established table.
    pub hashed: u32,
}

/// An owner.
#[derive(Clone, Debug)]
pub struct OwnerView {
    /// Its reference count.
    pub refs: u32,
    /// Where it leads.
    pub link: Link,
}

/// A group.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// Its reference count.
    pub refs: u32,
    /// Members that listen.
    pub num_socks: u32,
    /// Members that do not.
    pub num_closed_socks: u32,
    /// How many it may have together.
    pub max_socks: u32,
    /// How many of them are for some CPU.
    pub incoming_cpu: u32,
    /// Its program, if it has one.
    pub prog: Option<u32>,
    /// Where its members listen, while it is in the listening table.
    pub addr: Option<SocketAddr>,
    /// The slots of the members that listen, in order of `socks[]`.
    pub listening: Vec<u32>,
    /// The slots of the members that do not, newest first.
    pub closed: Vec<u32>,
    /// The chunks of its `socks[]`.
    pub chunks: Vec<u32>,
}

fn stored(index: u32) -> Option<u32> {
    (index != NONE).then_some(index)
}

impl<C: Clone + Send + 'static, B: Backend> Stack<'_, C, B> {
    /// Looks at the object graph of a stack that nobody else uses.
    pub fn graph_mut(&mut self) -> Graph<C> {
        // SAFETY: the stack is borrowed exclusively.
        unsafe { self.graph(|_| true) }
    }

    /// Looks at the object graph in the middle of a model's execution.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn graph_now(&self) -> Graph<C>
    where
        B: crate::sync::ModelBackend,
    {
        // SAFETY: under a model back end no other thread runs before the next operation on a model's
        // object, and looking is none. Queues that are being changed are left out.
        unsafe {
            self.graph(|listener| {
                listener.accept_queue.is_free() && listener.accept_queue.fastopenq.is_free()
            })
        }
    }

    /// Looks at each accept queue whose lock is free, in the middle of a model's execution: its
    /// listener's slot, whether that listens, whether somebody will deal with the queue, and the queue.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn queues_now(&self, mut look: impl FnMut(u32, bool, bool, QueueView<C>))
    where
        B: crate::sync::ModelBackend,
    {
        for listener in self.net.listeners.objects().filter(|l| l.accept_queue.is_free()) {
            // SAFETY: as in `graph_now`, and the queue's lock is free.
            let (queue, (_, open)) = unsafe { (self.queue(listener), listener.accept_queue.peek_home()) };
            let listening = listener.peek().0;
            look(listener.index(), listening, listening || open, queue);
        }
    }

    /// Looks at each tuple that a look-up in the established table would find at this moment of a model's
    /// execution: those of half-open requests and, in designs that have them there, of their children.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn established_now(&self, mut look: impl FnMut(Tuple))
    where
        B: crate::sync::ModelBackend,
    {
        let mut tell = |request: &RequestSock<C, B>| {
            // SAFETY: as in `graph_now`; who changes a key has not put the request anywhere yet.
            if let Some(key) = unsafe { request.peek(|_, key| key.copied()) } {
                look(key.tuple);
            }
        };
        // SAFETY: as in `graph_now`: no thread is in the middle of a change of a chain.
        unsafe { self.ehash.peek(&mut tell) };
        #[cfg(feature = "designs")]
        self.net.requests.objects().filter(|r| r.posted.child_hashed.peek() != 0).for_each(tell);
    }

    /// Looks at each request's timer at this moment of a model's execution, if the stack keeps the timers and
    /// nobody holds their lock: tells the request, whether it is half open, whether its timer is armed, and
    /// whether nobody holds a bucket's lock.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn timers_now(&self, mut look: impl FnMut(u32, bool, bool, bool))
    where
        B: crate::sync::ModelBackend,
    {
        if !self.timers.as_ref().is_some_and(crate::timer::SynAckTimers::is_free) {
            return;
        }
        let settled = self.ehash.is_free();
        for (index, request) in (0..).zip(self.net.requests.objects()) {
            look(index, request.state() == RequestState::Hashed, request.is_armed(), settled);
        }
    }

    /// # Safety
    ///
    /// Nobody may change the stack meanwhile, but for queues of which `is_free` says no.
    unsafe fn graph(&self, is_free: impl Fn(&Listener<C, B>) -> bool) -> Graph<C> {
        let net = &self.net;
        let listeners = (0..).zip(net.listeners.objects()).map(|(index, listener)| {
            let (listening, group) = listener.peek();
            // SAFETY: only its closer changes a listener's home, under the queue's lock.
            let (owner, open) = unsafe { listener.accept_queue.peek_home() };
            // SAFETY: the queue's lock is free and, by the caller's contract, stays so.
            let queue = is_free(listener).then(|| unsafe { self.queue(listener) });
            let refs = net.listeners.refs(index);
            let charges = listener.accept_queue.charges();
            // SAFETY: as for the queue.
            let fastopenq = is_free(listener).then(|| unsafe { Self::fastopenq(listener) });
            let owner = stored(owner);
            // SAFETY: nobody changes a descriptor meanwhile, by the caller's contract.
            let opened = unsafe { listener.sock.peek(|descriptor| *descriptor != Descriptor::Closed) };
            let group = stored(group);
            ListenerView {
                estate: stored(listener.estate.peek()),
                opened,
                // SAFETY: nobody binds meanwhile, by the caller's contract.
                addr: unsafe { listener.bind.peek(|bind| bind.addr.map(|addr| addr.socket_addr())) },
                refs,
                listening,
                owner,
                group,
                incoming_cpu: listener.sk_incoming_cpu.peek().checked_sub(1),
                map_index: stored(listener.map_index.peek()),
                queue,
                open,
                charges,
                fastopenq,
            }
        });
        let mut hashed = alloc::vec![0; net.requests.capacity()];
        // SAFETY: nobody changes a chain meanwhile, by the caller's contract.
        unsafe { self.ehash.peek(|request| hashed[request.index() as usize] += 1) };
        let requests = (0..).zip(net.requests.objects()).map(|(index, request)| RequestView {
            refs: net.requests.refs(index),
            state: request.state(),
            owner: stored(request.peek_owner()),
            rsk_listener: self.root_now(request.peek_owner()),
            // SAFETY: nobody changes a key meanwhile, by the caller's contract.
            tuple: unsafe { request.peek(|_, key| key.map(|key| key.tuple)) },
            num_timeout: request.num_timeout.peek(),
            tfo_listener: request.tfo_listener.peek() != 0,
            kept: self.keeps(request).0,
            armed: self.keeps(request).1,
            hashed: hashed[index as usize],
        });
        let owners = (0..)
            .zip(net.owners.objects())
            .map(|(index, owner)| OwnerView { refs: net.owners.refs(index), link: owner.peek() });
        let groups = (0..).zip(net.groups.objects()).map(|(index, group)| {
            let num_socks = group.num_socks.peek();
            let at = |place| net.socks.at(&group.socks, place).map_or(NONE, AtomicU32::peek);
            GroupView {
                refs: net.groups.refs(index),
                num_socks,
                num_closed_socks: group.num_closed_socks.peek(),
                max_socks: net.max_socks,
                incoming_cpu: group.incoming_cpu.peek(),
                prog: group.prog.peek().checked_sub(1),
                // SAFETY: nobody hashes a group meanwhile, by the caller's contract.
                addr: unsafe { group.addr.peek(|addr| addr.filter(|_| group.hashed.is_linked())) }
                    .map(|addr| addr.socket_addr()),
                listening: (0..num_socks.min(net.max_socks)).map(at).collect(),
                closed: net.closed_socks(group).map(Listener::index).collect(),
                chunks: net.socks.chunks_of(&group.socks, num_socks).collect(),
            }
        });
        // SAFETY: nobody takes or frees a slot meanwhile, by the caller's contract.
        let free_slots = unsafe {
            FreeSlots {
                listeners: net.listeners.peek_available(),
                requests: net.requests.peek_available(),
                owners: net.owners.peek_available(),
                groups: net.groups.peek_available(),
            }
        };
        Graph {
            listeners: listeners.collect(),
            requests: requests.collect(),
            owners: owners.collect(),
            groups: groups.collect(),
            free_slots,
            chunks: net.socks.chunks(),
            free_chunks: net.socks.free_chunks().collect(),
            keeps_timers: self.timers.is_some(),
            map: net.map.iter().map(|entry| stored(entry.0.peek())).collect(),
        }
    }

    /// Returns the references on a request that its handshake and its timer hold, and whether that is armed.
    fn keeps(&self, request: &RequestSock<C, B>) -> (u32, bool) {
        #[cfg(feature = "designs")]
        if self.is_posted() {
            let (handshake, timer) = request.posted.holders();
            return (u32::from(handshake) + u32::from(timer), timer);
        }
        (u32::from(request.tfo_listener.peek() != 0), request.is_armed())
    }

    /// # Safety
    ///
    /// Nobody may change the listener's queue or a request in it meanwhile.
    unsafe fn queue(&self, listener: &Listener<C, B>) -> QueueView<C> {
        let view = |request: &RequestSock<C, B>| QueuedView {
            request: request.index(),
            // SAFETY: a queued request's body is its queue's, by the caller's contract.
            child: unsafe { request.peek(|child, _| child.cloned()) },
            rsk_listener: self.root_now(request.peek_owner()),
        };
        // SAFETY: the caller's contract.
        unsafe {
            listener
                .accept_queue
                .peek(|list, backlog| QueueView { backlog, requests: list.iter().map(view).collect() })
        }
    }

    /// # Safety
    ///
    /// Nobody may change the listener's fast-open queue meanwhile.
    unsafe fn fastopenq(listener: &Listener<C, B>) -> FastOpenView {
        // SAFETY: the caller's contract.
        unsafe {
            listener.accept_queue.fastopenq.peek(|qlen, reset| FastOpenView {
                qlen,
                reset: reset.iter().map(RequestSock::index).collect(),
            })
        }
    }

    /// Follows a chain of owners to its listener.
    fn root_now(&self, mut owner: u32) -> Option<u32> {
        let owners = &self.net.owners;
        // A chain is at most as long as there are owners.
        for _ in 0..owners.capacity() {
            match owners.get(owner)?.peek() {
                Link::Vacant => return None,
                Link::Home(listener) => return Some(listener),
                Link::Handed(next) => owner = next,
            }
        }
        None
    }
}
