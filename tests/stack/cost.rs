//! H1: what a close costs, counted in everything that a back end does: locks and atomic accesses.

use super::*;
use rskq::sync::{AtomicU32, Backend, Canary, Lock, LockTag, Nesting};
use std::cell::Cell;
use std::sync::atomic::{self, AtomicBool, Ordering};

/// What a thread did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Acquisitions of a lock.
    pub(super) locks: u32,
    /// Slots that were taken from a slab or given back: each takes the slab's lock.
    slots: u32,
    /// Accesses to atomics, reference counts among them.
    atomics: u32,
    /// Looks at what a lock protects and no atomic is, such as the address of each socket of a chain.
    pub(super) looks: u32,
}

thread_local! {
    static SO_FAR: Cell<Cost> = const { Cell::new(Cost { locks: 0, slots: 0, atomics: 0, looks: 0 }) };
}

fn count(what: impl FnOnce(&mut Cost)) {
    let mut cost = SO_FAR.get();
    what(&mut cost);
    SO_FAR.set(cost);
}

/// Returns what `f` costs.
pub(super) fn cost<R>(f: impl FnOnce() -> R) -> (Cost, R) {
    SO_FAR.set(Cost::default());
    let result = f();
    (SO_FAR.get(), result)
}

/// The back end that ships, counted.
pub(super) struct Counting;

impl Backend for Counting {
    type AtomicU32 = Counted;
    type PieceAtomicU32 = Counted;
    type Count = Counted;
    type Stat = Counted;
    type Lock = CountedLock<false>;
    type PieceLock = CountedLock<true>;
    type Canary = ();
    type PieceCanary = CountedLooks;

    const SOCKS_SHIFT: u32 = <DefaultBackend as Backend>::SOCKS_SHIFT;
}

/// A canary that counts who looks.
pub(super) struct CountedLooks;

impl Canary for CountedLooks {
    const INIT: Self = CountedLooks;
    fn place(&mut self) {}
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        count(|cost| cost.looks += 1);
        f()
    }
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

pub(super) struct Counted(atomic::AtomicU32);

impl Counted {
    fn counted(&self) -> &atomic::AtomicU32 {
        count(|cost| cost.atomics += 1);
        &self.0
    }
}

impl AtomicU32 for Counted {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Counted(atomic::AtomicU32::new(0));

    fn place(&mut self, value: u32) {
        *self.0.get_mut() = value;
    }
    fn load(&self, order: Ordering) -> u32 {
        self.counted().load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.counted().store(value, order);
    }
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.counted().fetch_add(n, order)
    }
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        self.counted().fetch_sub(n, order)
    }
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.counted().compare_exchange(current, new, ok, err)
    }
    fn peek(&self) -> u32 {
        self.counted().load(Ordering::Relaxed)
    }
}

/// A lock, of a slab or not.
pub(super) struct CountedLock<const SLAB: bool>(AtomicBool);

// SAFETY: the swap from `false` to `true` succeeds once between two unlocks, with acquire ordering, and
// `unlock` stores `false` with release ordering.
unsafe impl<const SLAB: bool> Lock for CountedLock<SLAB> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = CountedLock(AtomicBool::new(false));
    type GuardState = ();

    fn place(&mut self) {}

    fn lock(&self, _tag: LockTag, _nesting: Nesting) {
        count(|cost| if SLAB { cost.slots += 1 } else { cost.locks += 1 });
        assert!(!self.0.swap(true, Ordering::Acquire), "there is one thread, which would wait for itself");
    }

    unsafe fn unlock(&self, _tag: LockTag, (): ()) {
        self.0.store(false, Ordering::Release);
    }
}

pub(super) type CountedStack = Stack<'static, u32, Counting>;
type CountedListener = ListenerId<u32, Counting>;

/// What a listener holds.
#[derive(Clone, Copy, Debug, Default)]
struct Holds {
    waiting: u32,
    half_open: u32,
    fast: u32,
}

impl Holds {
    /// A stack of two listeners, of which the first holds all this.
    fn stack(self, design: Design) -> (CountedStack, [CountedListener; 2]) {
        let Self { waiting, half_open, fast } = self;
        let requests = (waiting + half_open + fast) as usize;
        let resources = Resources {
            listeners: Storage::boxed(2),
            requests: Storage::boxed(requests),
            owners: Storage::boxed(3),
            groups: Storage::boxed(2),
            socks: Storage::boxed(2 * Member::<Counting>::count_for(2)),
            ports: Storage::boxed(1),
            buckets: Storage::boxed(1),
            ehash: Storage::boxed(half_open as usize + 1),
        };
        let stack = CountedStack::new(resources, Config::migrating(design));
        stack.set_sysctl(Sysctl { somaxconn: u32::MAX, ..stack.sysctl() });
        let [a, b] = std::array::from_fn(|_| stack.listen_at(addr(), u32::MAX, true).unwrap());
        stack.set_fastopen(a, u32::MAX).unwrap();
        // Half of the fast ones were accepted and reset, the other half were accepted.
        for client in 0..fast {
            let opened =
                stack.syn_fastopen(arrival(client), HERE, client).map_err(|refused| refused.why).unwrap();
            assert_eq!(stack.accept(a), Ok(Some(client)));
            if client.is_multiple_of(2) {
                stack.fastopen_remove(opened.handshake, HandshakeEnd::Reset, HERE).unwrap();
            }
        }
        for client in 0..half_open {
            assert!(matches!(stack.syn(arrival(client), HERE), Ok(Syn::New { .. })));
        }
        for client in 0..waiting {
            let delivered =
                stack.deliver(arrival(client), HERE, client).map_err(|refused| refused.why).unwrap();
            assert!(delivered.listener == a);
        }
        (stack, [a, b])
    }
}

/// Returns what it costs to close, and to shut down, who holds all this, every step taken.
fn costs(design: Design, holds: Holds) -> [Cost; 2] {
    let (stack, [a, b]) = holds.stack(design);
    let (closed, steps) = cost(|| stack.close(a, HERE).unwrap().count());
    assert!(steps > 0);
    if design == Design::Handover {
        (0..holds.waiting).for_each(|child| assert_eq!(stack.accept(b), Ok(Some(child))));
    }
    let (stack, [a, _]) = holds.stack(design);
    let (shut, steps) = cost(|| stack.shutdown(a, HERE).unwrap().count());
    assert!(steps > 0);
    [closed, shut]
}

#[test]
fn a_handover_costs_the_same_however_much_is_handed_over() {
    const MANY: u32 = 65_536;
    let one = Holds { waiting: 1, half_open: 1, fast: 2 };
    for (few, many) in [
        (Holds { half_open: 0, fast: 0, ..one }, Holds { waiting: MANY, half_open: 0, fast: 0 }),
        (Holds { waiting: 0, fast: 0, ..one }, Holds { waiting: 0, half_open: MANY, fast: 0 }),
        (Holds { waiting: 0, half_open: 0, ..one }, Holds { waiting: 0, half_open: 0, fast: 1_024 }),
        (one, Holds { waiting: MANY, half_open: MANY, fast: 1_024 }),
    ] {
        let [closed, shut] = costs(Design::Handover, few);
        assert_eq!(costs(Design::Handover, many), [closed, shut], "{many:?}");
        // Who closes gives its own slot back, who shuts down takes an owner's, and that is all.
        assert_eq!((closed.slots, shut.slots), (1, 1), "{few:?}");
    }
}

#[test]
fn the_other_designs_pay_for_each_connection() {
    for design in [Design::Abort, Design::Requeue] {
        let of = |waiting| costs(design, Holds { waiting, ..Holds::default() });
        for ((one, two), three) in of(1).into_iter().zip(of(2)).zip(of(3)) {
            assert!(two.locks > one.locks && two.atomics > one.atomics, "{design:?}: {one:?}, {two:?}");
            assert_eq!(three.locks - two.locks, two.locks - one.locks, "{design:?}");
        }
    }
}

/// Who listens at the address is looked up once for all: each one is taken from a queue and put in another.
#[test]
fn a_requeue_looks_up_once_who_gets_the_connections() {
    let of = |waiting| costs(Design::Requeue, Holds { waiting, ..Holds::default() });
    for (few, many) in of(1).into_iter().zip(of(101)) {
        assert_eq!(many.locks - few.locks, 2 * 100);
    }
}

#[test]
fn many_are_accepted_under_one_lock() {
    const MANY: usize = 16;
    let holds = Holds { waiting: MANY as u32, ..Holds::default() };
    let (stack, [a, _]) = holds.stack(Design::Handover);
    let (together, accepted) = cost(|| stack.accept_many::<MANY>(a).unwrap().count());
    let (stack, [a, _]) = holds.stack(Design::Handover);
    let (singly, _) = cost(|| while stack.accept(a).unwrap().is_some() {});
    assert_eq!((accepted, together.locks), (MANY, 1));
    assert!(singly.locks >= MANY as u32 && together.slots == singly.slots, "{singly:?}, {together:?}");
}
