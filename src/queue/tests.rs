//! The queue, without and with its lock, against `VecDeque`.

use super::{AcceptQueue, AlreadyQueued, Charges, RequestSockQueue};
use crate::event::Here;
use crate::net::{Net, RequestRef};
use crate::request::{RequestSock, RequestState};
use crate::slab::{Stable, Store};
use crate::testing::{B, Memory, TestNet, nothing_held, request as fresh};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec::Vec;

const QUEUES: usize = 3;
const REQUESTS: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Op {
    Push { queue: usize, request: usize },
    Pop { queue: usize },
    SpliceHead { to: usize, from: usize },
    SpliceTail { to: usize, from: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let pair = (0..QUEUES, 1..QUEUES).prop_map(|(to, by)| (to, (to + by) % QUEUES));
    prop_oneof![
        4 => (0..QUEUES, 0..REQUESTS).prop_map(|(queue, request)| Op::Push { queue, request }),
        2 => (0..QUEUES).prop_map(|queue| Op::Pop { queue }),
        1 => pair.clone().prop_map(|(to, from)| Op::SpliceHead { to, from }),
        1 => pair.prop_map(|(to, from)| Op::SpliceTail { to, from }),
    ]
}

/// What the queues ought to hold.
#[derive(Default)]
struct Reference([VecDeque<u32>; QUEUES]);

impl Reference {
    fn holds(&self, request: u32) -> bool {
        self.0.iter().any(|queue| queue.contains(&request))
    }

    fn splice(&mut self, to: usize, from: usize, head: bool) {
        let mut moved = std::mem::take(&mut self.0[from]);
        if head {
            moved.append(&mut self.0[to]);
            self.0[to] = moved;
        } else {
            self.0[to].append(&mut moved);
        }
    }
}

fn requests() -> [RequestSock<u32, B>; REQUESTS] {
    let mut requests = [const { RequestSock::INIT }; REQUESTS];
    (0..).zip(&mut requests).for_each(|(index, request)| request.place(index));
    requests
}

fn contents(queue: &AcceptQueue<u32, B>) -> Vec<u32> {
    queue.iter().map(RequestSock::index).collect()
}

fn both<T>(all: &mut [T; QUEUES], to: usize, from: usize) -> (&mut T, &mut T) {
    let [to, from] = all.get_disjoint_mut([to, from]).unwrap();
    (to, from)
}

/// Pushes a request of `requests`, which outlives the queue.
fn push(queue: &mut AcceptQueue<u32, B>, request: &RequestSock<u32, B>) -> Result<(), AlreadyQueued> {
    // SAFETY: every test's requests stay where they are as long as its queues, on one thread.
    unsafe { queue.push(request) }
}

proptest! {
    #[test]
    fn the_list_behaves_like_a_deque(ops in prop::collection::vec(op(), 1..60)) {
        let requests = requests();
        let mut queues: [_; QUEUES] = std::array::from_fn(|_| AcceptQueue::<u32, B>::new());
        let mut reference = Reference::default();
        for op in ops {
            match op {
                Op::Push { queue, request } => {
                    let pushed = push(&mut queues[queue], &requests[request]);
                    if reference.holds(request as u32) {
                        prop_assert_eq!(pushed, Err(AlreadyQueued));
                    } else {
                        prop_assert_eq!(pushed, Ok(()));
                        reference.0[queue].push_back(request as u32);
                    }
                }
                Op::Pop { queue } => {
                    let popped = queues[queue].pop().map(|request| request.index());
                    prop_assert_eq!(popped, reference.0[queue].pop_front());
                }
                Op::SpliceHead { to, from } => {
                    let (queue, other) = both(&mut queues, to, from);
                    queue.splice_head(other);
                    reference.splice(to, from, true);
                }
                Op::SpliceTail { to, from } => {
                    let (queue, other) = both(&mut queues, to, from);
                    queue.splice_tail(other);
                    reference.splice(to, from, false);
                }
            }
            for (queue, expected) in queues.iter().zip(&reference.0) {
                prop_assert!(contents(queue).iter().eq(expected));
                prop_assert_eq!(queue.is_empty(), expected.is_empty());
            }
        }
    }
}

fn filled(queue: &mut AcceptQueue<u32, B>, requests: &[RequestSock<u32, B>]) {
    requests.iter().for_each(|request| push(queue, request).unwrap());
}

#[test]
fn the_tail_takes_more_after_every_kind_of_splice() {
    for head in [false, true] {
        for (mine, theirs) in [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)] {
            let requests = requests();
            let (mut queue, mut other) = (AcceptQueue::new(), AcceptQueue::new());
            filled(&mut queue, &requests[..mine]);
            filled(&mut other, &requests[mine..mine + theirs]);
            if head {
                queue.splice_head(&mut other)
            } else {
                queue.splice_tail(&mut other)
            }
            assert!(other.is_empty());
            filled(&mut queue, &requests[4..5]);
            filled(&mut other, &requests[5..6]);
            let first = if head { mine..mine + theirs } else { 0..mine };
            let second = if head { 0..mine } else { mine..mine + theirs };
            let expected: Vec<_> = first.chain(second).chain(4..5).map(|index| index as u32).collect();
            assert_eq!(contents(&queue), expected);
            assert_eq!(contents(&other), [5]);
        }
    }
}

#[test]
fn a_whole_queue_is_detached_by_a_splice_into_an_empty_one() {
    let requests = requests();
    let (mut queue, mut detached) = (AcceptQueue::new(), AcceptQueue::new());
    filled(&mut queue, &requests[..3]);
    detached.splice_tail(&mut queue);
    assert_eq!(contents(&detached), [0, 1, 2]);
    assert!(queue.pop().is_none());
}

#[test]
fn the_planted_push_to_the_head_keeps_the_tail() {
    let requests = requests();
    let mut queue = AcceptQueue::new();
    filled(&mut queue, &requests[..2]);
    // SAFETY: as in `push`.
    assert_eq!(unsafe { queue.push_front(&requests[2]) }, Ok(()));
    // SAFETY: as in `push`.
    assert_eq!(unsafe { queue.push_front(&requests[0]) }, Err(AlreadyQueued));
    filled(&mut queue, &requests[3..4]);
    assert_eq!(contents(&queue), [2, 0, 1, 3]);
}

/// Queues under their locks, of requests in a slab.
struct Locked {
    queues: [RequestSockQueue<u32, B>; QUEUES],
}

impl Locked {
    fn new() -> Self {
        let mut queues: [_; QUEUES] = std::array::from_fn(|_| RequestSockQueue::new());
        (0..).zip(&mut queues).for_each(|(key, queue)| queue.place(key));
        Self { queues }
    }

    fn push<'a, 's>(
        &self,
        queue: usize,
        request: RequestRef<'a, 's, u32, B>,
    ) -> Result<(), RequestRef<'a, 's, u32, B>> {
        // SAFETY: the requests' memory outlives the queues of each test.
        unsafe { self.queues[queue].lock(&mut nothing_held()).push(request) }
    }

    /// Takes one out of a queue, for good, and says which it was.
    fn pop(&self, queue: usize, net: &TestNet<'_>) -> Option<u32> {
        // SAFETY: each test has one store.
        let request = unsafe { self.queues[queue].lock(&mut nothing_held()).pop(net) }?;
        assert_eq!(request.state(), RequestState::InHand);
        Some(request.index())
    }

    #[cfg(feature = "designs")]
    fn splice(&self, to: usize, from: usize, head: bool) {
        let mut held = nothing_held();
        let (mut to, mut from) = self.queues[to].lock_both_unordered(&self.queues[from], &mut held);
        if head {
            to.splice_head(&mut from)
        } else {
            to.splice_tail(&mut from)
        }
        assert!(from.is_empty());
        assert_eq!(from.len(), 0);
    }

    fn empty(&self, net: &TestNet<'_>) {
        (0..QUEUES).for_each(|queue| while self.pop(queue, net).is_some() {});
    }
}

fn available(net: &TestNet<'_>) -> usize {
    Store::<RequestSock<u32, B>>::slab(net).available()
}

proptest! {
    #[cfg(feature = "designs")]
    #[test]
    fn the_locked_queue_counts_what_it_holds(ops in prop::collection::vec(op(), 1..60)) {
        let mut memory = Memory::new(0, REQUESTS, 0, 0);
        let (net, _) = memory.lend();
        let locked = Locked::new();
        let mut reference = Reference::default();
        for op in ops {
            match op {
                // A request that waits already is pushed by a second reference.
                Op::Push { queue, request } => match RequestRef::try_get(&net, request as u32) {
                    Some(waiting) => {
                        let back = locked.push(queue, waiting).map_err(|back| back.index());
                        prop_assert_eq!(back, Err(request as u32));
                    }
                    None => if let Some(request) = fresh(&net) {
                        reference.0[queue].push_back(request.index());
                        prop_assert!(locked.push(queue, request).is_ok());
                    }
                },
                Op::Pop { queue } => {
                    prop_assert_eq!(locked.pop(queue, &net), reference.0[queue].pop_front());
                }
                Op::SpliceHead { to, from } => {
                    locked.splice(to, from, true);
                    reference.splice(to, from, true);
                }
                Op::SpliceTail { to, from } => {
                    locked.splice(to, from, false);
                    reference.splice(to, from, false);
                }
            }
            for (queue, expected) in locked.queues.iter().zip(&reference.0) {
                prop_assert!(contents(&queue.lock(&mut nothing_held()).inner.list).iter().eq(expected));
                prop_assert_eq!(queue.len() as usize, expected.len());
                prop_assert_eq!(queue.is_empty(), expected.is_empty());
            }
            let waiting: usize = reference.0.iter().map(VecDeque::len).sum();
            prop_assert_eq!(available(&net), REQUESTS - waiting);
        }
        locked.empty(&net);
        prop_assert_eq!(available(&net), REQUESTS);
    }
}

#[test]
fn a_request_that_waits_is_given_back_and_stays_where_it_is() {
    let mut memory = Memory::new(0, 2, 0, 0);
    let (net, _) = memory.lend();
    let locked = Locked::new();
    let request = fresh(&net).unwrap();
    let again = request.clone();
    assert!(locked.push(0, request).is_ok());
    for queue in [0, 1] {
        let back = locked.push(queue, again.clone()).unwrap_err();
        assert_eq!((back.index(), back.state()), (again.index(), RequestState::Queued));
    }
    assert_eq!((locked.queues[0].len(), locked.queues[1].len()), (1, 0));
    drop(again);
    assert_eq!(locked.pop(0, &net), Some(0));
    assert_eq!(available(&net), 2);
}

#[test]
fn a_request_can_wait_again_after_it_was_taken_out() {
    let mut memory = Memory::new(0, 1, 0, 0);
    let (net, _) = memory.lend();
    let locked = Locked::new();
    assert!(locked.push(0, fresh(&net).unwrap()).is_ok());
    // SAFETY: there is one store.
    let taken = unsafe { locked.queues[0].lock(&mut nothing_held()).pop(&net) }.unwrap();
    assert!(locked.push(1, taken).is_ok());
    assert_eq!(locked.pop(0, &net), None);
    assert_eq!(locked.pop(1, &net), Some(0));
}

#[test]
fn the_queue_holds_one_reference_of_each_request() {
    let mut memory = Memory::new(0, 1, 0, 0);
    let (net, _): (Net<'_, u32, B>, _) = memory.lend();
    let locked = Locked::new();
    assert!(locked.push(0, fresh(&net).unwrap()).is_ok());
    assert_eq!(available(&net), 0);
    let seen = RequestRef::try_get(&net, 0).unwrap();
    locked.empty(&net);
    // The second reference keeps the slot.
    assert_eq!((available(&net), seen.state()), (0, RequestState::InHand));
    drop(seen);
    assert_eq!(available(&net), 1);
}

#[test]
fn a_detached_queue_is_appended_whole_and_in_order() {
    let mut memory = Memory::new(0, REQUESTS, 0, 0);
    let (net, _) = memory.lend();
    let locked = Locked::new();
    for queue in [0, 0, 1] {
        assert!(locked.push(queue, fresh(&net).unwrap()).is_ok());
    }
    let detached = locked.queues[0].lock(&mut nothing_held()).detach();
    assert_eq!((detached.len(), detached.is_empty()), (2, false));
    assert!(locked.queues[0].is_empty() && locked.queues[0].lock(&mut nothing_held()).is_empty());
    locked.queues[1].lock(&mut nothing_held()).append(detached);
    assert_eq!(locked.queues[1].len(), 3);
    assert_eq!([0, 1, 2].map(|_| locked.pop(1, &net)), [Some(2), Some(0), Some(1)]);
    let nothing = locked.queues[0].lock(&mut nothing_held()).detach();
    assert!(nothing.is_empty());
    locked.queues[1].lock(&mut nothing_held()).append(nothing);
    assert_eq!(locked.pop(1, &net), None);
}

#[test]
fn charges_go_along_with_a_queue_that_is_detached_with_all() {
    let locked = Locked::new();
    let charges = |queue: usize| locked.queues[queue].charges();
    locked.queues[0].lock(&mut nothing_held()).charge(Charges { qlen: 3, young: 2 });
    locked.queues[1].lock(&mut nothing_held()).charge(Charges::one(true));
    let detached = locked.queues[0].lock(&mut nothing_held()).detach();
    assert_eq!(charges(0), Charges { qlen: 3, young: 2 }, "the queue alone leaves them");
    assert!(detached.charges().is_none());
    locked.queues[1].lock(&mut nothing_held()).append(detached);
    let all = locked.queues[0].lock(&mut nothing_held()).detach_all();
    assert!(charges(0).is_none());
    assert_eq!(all.charges(), Charges { qlen: 3, young: 2 });
    assert_eq!(all.charges() + Charges { qlen: 1, young: 5 }, Charges { qlen: 4, young: 7 });
    locked.queues[1].lock(&mut nothing_held()).append(all);
    assert_eq!(charges(1), Charges { qlen: 4, young: 3 });
    locked.queues[1].lock(&mut nothing_held()).charge(-Charges { qlen: 4, young: 3 });
    assert!(charges(1).is_none());
}

#[test]
fn reset_connections_count_and_are_taken_off_in_their_order_whoever_has_the_list() {
    let mut memory = Memory::new(0, 3, 0, 0);
    let (net, _) = memory.lend();
    let locked = Locked::new();
    let mut held = nothing_held();
    let [mine, theirs, _] = &locked.queues;
    for (queue, qlen) in [(mine, 1), (theirs, 1), (mine, 2)] {
        let mut list = queue.fastopenq.lock(&mut held);
        let request = fresh(&net).unwrap();
        let again = request.clone();
        // SAFETY: the requests' memory outlives the queues, and each is in hand.
        assert!(unsafe { list.push_reset(request, Here::default()) }.is_ok());
        // SAFETY: as above; that it is listed is found before it is linked.
        assert!(unsafe { list.push_reset(again, Here::default()) }.is_err(), "it is listed already");
        assert_eq!(list.qlen(), qlen);
    }
    theirs.fastopenq.lock(&mut held).charge(5);
    let pending = mine.fastopenq.lock(&mut held).detach();
    assert!(!pending.is_empty() && mine.fastopenq.lock(&mut held).detach().is_empty());
    let mut list = theirs.fastopenq.lock(&mut held);
    list.append(pending);
    assert_eq!(list.qlen(), 8);
    // SAFETY: there is one store.
    let mut pop = || unsafe { list.pop_reset(&net) }.map(|request| (request.index(), request.state()));
    let taken = [(); 4].map(|()| pop());
    assert_eq!(taken, [Some(1), Some(0), Some(2), None].map(|slot| Some((slot?, RequestState::InHand))));
    assert_eq!((list.qlen(), available(&net)), (5, 3));
}
