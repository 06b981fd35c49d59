//! Queues under their locks, and beside each the list alone.

use super::model::{BEGIN, Model};
use super::{Op, QUEUES, REQUESTS, Said, other};
use crate::common::TestBackend;
use rskq::listener::Listener;
use rskq::lockdep::{Held, Nothing};
use rskq::queue::{AcceptQueue, Charges, Detached, RequestSockQueue};
use rskq::request::{RequestSock, RequestState};
use rskq::slab::{Fresh, Ref, Slab, Stable, Store};
use rskq::{Here, Storage};
use std::collections::VecDeque;

type Request = RequestSock<u32, TestBackend>;
type RequestRef<'a> = Ref<'a, Request, Room>;

/// Where requests and queues live.
pub(super) struct Room {
    requests: Slab<'static, Request, TestBackend>,
    listeners: [Listener<u32, TestBackend>; QUEUES],
    /// The requests of the lists alone, by slot.
    plain: [Request; REQUESTS],
}

impl Store<Request> for Room {
    type Backend = TestBackend;

    fn slab(&self) -> &Slab<'_, Request, TestBackend> {
        &self.requests
    }

    fn retire(&self, _request: &Request) -> Option<u32> {
        None
    }
}

fn placed<T: Stable, const N: usize>() -> [T; N] {
    let mut all = [const { T::INIT }; N];
    (0..).zip(&mut all).for_each(|(index, one)| one.place(index));
    all
}

impl Room {
    pub(super) fn new() -> Self {
        Self { requests: Slab::new(Storage::boxed(REQUESTS), 0), listeners: placed(), plain: placed() }
    }
}

fn nothing_held<'t>() -> Held<'t, Nothing> {
    // SAFETY: an input runs on one thread, and takes a lock under another one only where both are taken in one
    // call.
    unsafe { Held::nothing() }
}

/// The queues in a room, and what is out of them.
pub(super) struct Queues<'a> {
    room: &'a Room,
    plain: [AcceptQueue<u32, TestBackend>; QUEUES],
    detached: VecDeque<(Detached<u32, TestBackend>, AcceptQueue<u32, TestBackend>)>,
    hand: Vec<RequestRef<'a>>,
    now: u64,
}

impl<'a> Queues<'a> {
    pub(super) fn new(room: &'a Room) -> Self {
        let plain = [const { AcceptQueue::new() }; QUEUES];
        Self { room, plain, detached: VecDeque::new(), hand: Vec::new(), now: BEGIN }
    }

    fn queue(&self, queue: usize) -> &'a RequestSockQueue<u32, TestBackend> {
        &self.room.listeners[queue].accept_queue
    }

    fn here(&self) -> Here {
        Here { now: self.now, ..Here::default() }
    }

    fn take(&mut self, hand: usize) -> Option<RequestRef<'a>> {
        match hand % (self.hand.len() + 1) {
            fresh if fresh == self.hand.len() => Some(Fresh::alloc(self.room)?.publish()),
            held => Some(self.hand.swap_remove(held)),
        }
    }

    fn back(&mut self, request: Option<RequestRef<'a>>) -> Said {
        let request = request?;
        assert_eq!(request.state(), RequestState::InHand);
        let slot = request.index();
        self.hand.push(request);
        Some((slot, true))
    }

    /// What a list did with a request.
    fn pushed(&mut self, slot: u32, pushed: Result<(), RequestRef<'a>>, state: RequestState) -> Said {
        let done = pushed.is_ok();
        if let Err(request) = pushed {
            assert_eq!(request.index(), slot);
            self.hand.push(request);
        } else {
            assert_eq!(self.room.state_of(slot), state);
        }
        Some((slot, done))
    }

    fn splice(&mut self, queue: usize, by: usize, head: bool) {
        let mut held = nothing_held();
        let (mut to, mut from) =
            self.queue(queue).lock_both_unordered(self.queue(other(queue, by)), &mut held);
        let [plain_to, plain_from] =
            self.plain.get_disjoint_mut([queue, other(queue, by)]).expect("two queues");
        if head {
            to.splice_head(&mut from);
            plain_to.splice_head(plain_from);
        } else {
            to.splice_tail(&mut from);
            plain_to.splice_tail(plain_from);
        }
        assert!(from.is_empty() && plain_from.is_empty());
        assert_eq!(from.len(), 0);
    }

    pub(super) fn apply(&mut self, op: Op) -> Said {
        match op {
            Op::Push { queue, hand } => return self.push(queue, hand),
            Op::Pop { queue } => {
                // SAFETY: a room has one store.
                let request = unsafe { self.queue(queue).lock(&mut nothing_held()).pop(self.room) };
                let plain = self.plain[queue].pop().map(|request| request.index());
                assert_eq!(request.as_ref().map(RequestRef::index), plain, "the list alone");
                return self.back(request);
            }
            Op::Get { slot } => {
                let request = RequestRef::try_get(self.room, slot as u32)?;
                self.hand.push(request);
                return Some((slot as u32, true));
            }
            Op::Put { hand } => return Some((self.take(hand)?.index(), true)),
            Op::SpliceHead { queue, by } => self.splice(queue, by, true),
            Op::SpliceTail { queue, by } => self.splice(queue, by, false),
            Op::Detach { queue, all } => {
                let mut held = nothing_held();
                let mut locked = self.queue(queue).lock(&mut held);
                let detached = if all { locked.detach_all() } else { locked.detach() };
                drop(locked);
                self.detached.push_back((detached, self.plain[queue].take()));
            }
            Op::Append { queue } => {
                if let Some((detached, mut plain)) = self.detached.pop_front() {
                    self.queue(queue).lock(&mut nothing_held()).append(detached);
                    self.plain[queue].splice_tail(&mut plain);
                }
            }
            Op::Prepend { queue } => {
                if let Some((detached, mut plain)) =
                    self.detached.pop_front_if(|(detached, _)| detached.charges().is_none())
                {
                    self.queue(queue).lock(&mut nothing_held()).prepend(detached);
                    self.plain[queue].splice_head(&mut plain);
                }
            }
            Op::Charge { queue, qlen, young } => {
                let change = Charges { qlen: qlen.into(), young: young.into() };
                self.queue(queue).lock(&mut nothing_held()).charge(change);
            }
            Op::PushReset { queue, hand } => {
                let request = self.take(hand)?;
                let (slot, here) = (request.index(), self.here());
                let mut held = nothing_held();
                // SAFETY: requests and queues are fields of one room; a request that is in a list is refused.
                let pushed = unsafe { self.queue(queue).fastopenq.lock(&mut held).push_reset(request, here) };
                return self.pushed(slot, pushed, RequestState::ResetListed);
            }
            Op::PopReset { queue } => {
                // SAFETY: a room has one store.
                let request =
                    unsafe { self.queue(queue).fastopenq.lock(&mut nothing_held()).pop_reset(self.room) };
                return self.back(request);
            }
            Op::EvictReset { queue } => {
                let mut held = nothing_held();
                let mut locked = self.queue(queue).fastopenq.lock(&mut held);
                // SAFETY: a room has one store.
                let request = unsafe { locked.evict_reset(self.room, self.here()) };
                drop(locked);
                return self.back(request);
            }
            Op::FastCharge { queue, change } => {
                self.queue(queue).fastopenq.lock(&mut nothing_held()).charge(change.into());
            }
            Op::Limit { queue, limit } => {
                self.queue(queue).fastopenq.lock(&mut nothing_held()).set_max_qlen(limit);
            }
            Op::FastAppend { queue, by } => {
                let pending = self.queue(other(queue, by)).fastopenq.lock(&mut nothing_held()).detach();
                self.queue(queue).fastopenq.lock(&mut nothing_held()).append(pending);
            }
            Op::Pass { after } => self.now += u64::from(after),
        }
        None
    }

    fn push(&mut self, queue: usize, hand: usize) -> Said {
        let request = self.take(hand)?;
        let slot = request.index();
        // SAFETY: requests and queues are fields of one room.
        let pushed = unsafe { self.queue(queue).lock(&mut nothing_held()).push(request) };
        // What is in a reset list is in no list alone.
        if pushed.is_ok() || self.room.state_of(slot) != RequestState::ResetListed {
            // SAFETY: as above.
            let plain = unsafe { self.plain[queue].push(&self.room.plain[slot as usize]) };
            assert_eq!(plain.is_ok(), pushed.is_ok(), "the list alone");
        }
        self.pushed(slot, pushed, RequestState::Queued)
    }

    /// Compares what can be seen of the queues with what ought to be.
    pub(super) fn compare(&self, model: &Model) {
        for (index, expected) in model.queues.iter().enumerate() {
            let queue = self.queue(index);
            let plain = self.plain[index].iter().map(Request::index);
            assert!(plain.eq(expected.waiting.iter().copied()), "queue {index}");
            assert_eq!(queue.len() as usize, expected.waiting.len(), "sk_ack_backlog of {index}");
            assert_eq!(queue.is_empty(), expected.waiting.is_empty());
            assert_eq!(queue.charges(), expected.charges(), "charges of {index}");
            let mut held = nothing_held();
            let (locked, mut held) = queue.lock_and(&mut held);
            assert_eq!(locked.is_empty(), expected.waiting.is_empty());
            assert_eq!(locked.qlen(), expected.charges.0.max(0) as u32);
            let fast = queue.fastopenq.lock(&mut held);
            assert_eq!(
                (fast.qlen(), fast.max_qlen()),
                (expected.qlen, expected.limit),
                "fast open of {index}"
            );
            assert_eq!(fast.has_room(), i64::from(expected.qlen) < i64::from(expected.limit));
        }
        for ((detached, plain), (list, charges)) in self.detached.iter().zip(&model.detached) {
            assert_eq!((detached.len() as usize, detached.is_empty()), (list.len(), list.is_empty()));
            assert_eq!(detached.charges(), Charges { qlen: charges.0, young: charges.1 });
            assert!(plain.iter().map(Request::index).eq(list.iter().copied()), "what was taken");
        }
        assert_eq!(self.room.requests.available(), model.available(), "free slots");
    }

    /// Takes all out again, in order, until no slot is used.
    pub(super) fn empty(mut self, model: &mut Model) {
        for op in [Op::Append { queue: 0 }].into_iter().cycle().take(self.detached.len()) {
            assert_eq!(self.apply(op), model.apply(op));
        }
        for queue in 0..QUEUES {
            for op in [Op::Pop { queue }, Op::PopReset { queue }] {
                while model.apply(op).is_some_and(|said| {
                    assert_eq!(self.apply(op), Some(said), "{op:?} at the end");
                    true
                }) {}
                assert_eq!(self.apply(op), None, "{op:?} at the end");
            }
        }
        self.hand.clear();
        assert_eq!(self.room.requests.available(), REQUESTS);
    }
}

impl Room {
    /// Where the request in a slot is that somebody has a reference to.
    fn state_of(&self, slot: u32) -> RequestState {
        RequestRef::try_get(self, slot).map_or(RequestState::Free, |request| request.state())
    }
}
