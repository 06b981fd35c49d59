//! The stack's memory: statics, handed over once and for good.

use crate::child::Child;
use crate::spin::Spin;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use rskq::group::{Member, SockReuseport};
use rskq::hash::{BindBucket, Bucket, EhashBucket};
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::{Resources, Slot, Stack};

/// What the image runs on: hardware atomics and its own lock.
pub(crate) type Backend = rskq::sync::Core<Spin>;
/// The stack of the image, in memory of lifetime `'s`.
pub(crate) type ImageStack<'s> = Stack<'s, Child, Backend>;
/// The name of a listener of the image.
pub(crate) type ListenerId = rskq::ListenerId<Child, Backend>;

/// Listeners, and owners of them.
pub(crate) const LISTENERS: usize = 4;
/// Connections that can wait.
pub(crate) const REQUESTS: usize = 4;
/// Addresses that can be listened at.
const GROUPS: usize = 2;
/// Members that a group may have.
pub(crate) const MEMBERS: usize = 2;
/// What a group takes for them.
const SOCKS_OF_A_GROUP: usize = Member::<Backend>::count_for(MEMBERS as u32);

/// A value that is given away once.
struct Handover<T> {
    given: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the only access to the value is the reference that `take` returns, to one caller; that
// moves the value to that caller's context, for which `Send` is enough.
unsafe impl<T: Send> Sync for Handover<T> {}

impl<T> Handover<T> {
    const fn new(value: T) -> Self {
        Self { given: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Gives the value away. Panics the second time.
    #[expect(clippy::mut_from_ref, reason = "the flag lets one caller through")]
    fn take(&'static self) -> &'static mut T {
        assert!(!self.given.swap(true, Ordering::Acquire));
        // SAFETY: the swap found `false` once, so that this reference is the only one there is.
        unsafe { &mut *self.value.get() }
    }
}

static LISTENER_SLOTS: Handover<[Slot<Listener<Child, Backend>, Backend>; LISTENERS]> =
    Handover::new([const { Slot::new() }; LISTENERS]);
static REQUEST_SLOTS: Handover<[Slot<RequestSock<Child, Backend>, Backend>; REQUESTS]> =
    Handover::new([const { Slot::new() }; REQUESTS]);
static OWNER_SLOTS: Handover<[Slot<Owner<Backend>, Backend>; LISTENERS]> =
    Handover::new([const { Slot::new() }; LISTENERS]);
static GROUP_SLOTS: Handover<[Slot<SockReuseport<Backend>, Backend>; GROUPS]> =
    Handover::new([const { Slot::new() }; GROUPS]);
static SOCKS: Handover<[Member<Backend>; GROUPS * SOCKS_OF_A_GROUP]> =
    Handover::new([const { Member::new() }; GROUPS * SOCKS_OF_A_GROUP]);
static PORTS: Handover<[BindBucket<Child, Backend>; 2]> = Handover::new([const { BindBucket::new() }; 2]);
static BUCKETS: Handover<[Bucket<Backend>; 2]> = Handover::new([const { Bucket::new() }; 2]);
static EHASH: Handover<[EhashBucket<Child, Backend>; 2]> = Handover::new([const { EhashBucket::new() }; 2]);

/// Returns the memory, as `&'static mut [..]` all of it. To be called once.
pub(crate) fn resources() -> Resources<'static, Child, Backend> {
    Resources {
        listeners: LISTENER_SLOTS.take().into(),
        requests: REQUEST_SLOTS.take().into(),
        owners: OWNER_SLOTS.take().into(),
        groups: GROUP_SLOTS.take().into(),
        socks: SOCKS.take().into(),
        ports: PORTS.take().into(),
        buckets: BUCKETS.take().into(),
        ehash: EHASH.take().into(),
    }
}

/// The memory of a small stack that does not live for ever. Two of each, as many connections as wait
/// in its scenario, and an owner more than listeners: what a handover by shutdown takes.
pub(crate) struct Memory {
    listeners: [Slot<Listener<Child, Backend>, Backend>; 2],
    requests: [Slot<RequestSock<Child, Backend>, Backend>; 2],
    owners: [Slot<Owner<Backend>, Backend>; 3],
    groups: [Slot<SockReuseport<Backend>, Backend>; 1],
    socks: [Member<Backend>; SOCKS_OF_A_GROUP],
    ports: [BindBucket<Child, Backend>; 1],
    buckets: [Bucket<Backend>; 1],
    ehash: [EhashBucket<Child, Backend>; 1],
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            listeners: [const { Slot::new() }; 2],
            requests: [const { Slot::new() }; 2],
            owners: [const { Slot::new() }; 3],
            groups: [const { Slot::new() }; 1],
            socks: [const { Member::new() }; SOCKS_OF_A_GROUP],
            ports: [const { BindBucket::new() }; 1],
            buckets: [const { Bucket::new() }; 1],
            ehash: [const { EhashBucket::new() }; 1],
        }
    }

    pub(crate) fn lend(&mut self) -> Resources<'_, Child, Backend> {
        let Self { listeners, requests, owners, groups, socks, ports, buckets, ehash } = self;
        Resources {
            listeners: listeners.into(),
            requests: requests.into(),
            owners: owners.into(),
            groups: groups.into(),
            socks: socks.into(),
            ports: ports.into(),
            buckets: buckets.into(),
            ehash: ehash.into(),
        }
    }
}
