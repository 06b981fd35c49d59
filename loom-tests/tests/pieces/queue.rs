//! The accept queue under its lock.

use crate::wrong::Unlocked;
use crate::{Body, Race, expect, nothing_held, outcome, threads};
use rskq::Storage;
use rskq::listener::Listener;
use rskq::queue::RequestSockQueue;
use rskq::request::RequestSock;
use rskq::slab::{Fresh, Ref, Slab, Stable, Store};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault};
use std::sync::{Arc, Mutex};

type Request<B> = RequestSock<u32, B>;
type RequestRef<'a, B> = Ref<'a, Request<B>, Room<B>>;

/// Two accept queues, and requests that are told apart by their slots.
struct Room<B: Backend> {
    requests: Slab<'static, Request<B>, B>,
    listeners: [Listener<u32, B>; 2],
    popped: Mutex<Vec<u32>>,
}

impl<B: Backend> Store<Request<B>> for Room<B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Request<B>, B> {
        &self.requests
    }

    fn retire(&self, _request: &Request<B>) -> Option<u32> {
        None
    }
}

impl<B: Backend> Room<B> {
    fn new(requests: u32) -> Arc<Self> {
        let room = Self {
            requests: Slab::new(Storage::boxed(requests as usize), 0),
            listeners: [0, 1].map(|key| {
                let mut listener = Listener::INIT;
                listener.place(key);
                listener
            }),
            popped: Mutex::default(),
        };
        for slot in 0..requests {
            let made = Fresh::alloc(&room).expect("there is a slot for each").publish().into_raw();
            assert_eq!(made, slot, "slots are given in order");
        }
        Arc::new(room)
    }

    fn queue(&self, queue: usize) -> &RequestSockQueue<u32, B> {
        &self.listeners[queue].accept_queue
    }

    fn push(&self, queue: usize, slot: u32) {
        // SAFETY: `new` stored the reference, and each model pushes each request once.
        let request = unsafe { RequestRef::from_raw(self, slot) };
        // SAFETY: requests and queues are fields of one room.
        let pushed =
            unsafe { self.queue(queue).lock(&mut nothing_held()).push(request) }.map_err(Ref::into_raw);
        assert!(pushed.is_ok(), "the request is in no queue");
    }

    /// Takes the head; the reference stays with the slot.
    fn pop(&self, queue: usize) -> Option<u32> {
        // SAFETY: a room has one store.
        unsafe { self.queue(queue).lock(&mut nothing_held()).pop(self) }.map(Ref::into_raw)
    }

    /// At the end: empties a queue, having compared its length with its counter.
    fn drain(&self, queue: usize) -> Vec<u32> {
        let counted = self.queue(queue).len();
        let drained: Vec<_> = std::iter::from_fn(|| self.pop(queue)).collect();
        expect("backlog", counted as usize == drained.len(), || {
            format!("sk_ack_backlog is {counted}, the queue was {drained:?}")
        });
        let left = self.queue(queue).len();
        expect("backlog", left == 0, || format!("sk_ack_backlog of an empty queue is {left}"));
        drained
    }
}

fn each_once(mut requests: Vec<u32>, count: u32) {
    requests.sort_unstable();
    let all: Vec<_> = (0..count).collect();
    expect("once", requests == all, || format!("{requests:?} came out"));
}

fn in_order(requests: &[u32], first: u32, second: u32) {
    let place = |request| requests.iter().position(|r| *r == request);
    if let (Some(a), Some(b)) = (place(first), place(second)) {
        expect("fifo", a < b, || format!("{second} overtook {first}: {requests:?}"));
    }
}

fn push_and_pop<B: Backend>() {
    let room = Room::<B>::new(4);
    let pusher = |requests: [u32; 2]| -> Body {
        let room = Arc::clone(&room);
        Box::new(move || requests.map(|request| room.push(0, request)).into_iter().collect())
    };
    let popper = {
        let room = Arc::clone(&room);
        Box::new(move || {
            for _ in 0..2 {
                let popped = room.pop(0);
                outcome(if popped.is_some() { "popped" } else { "empty" });
                room.popped.lock().expect("nobody panics with it").extend(popped);
            }
        })
    };
    threads([pusher([0, 1]), pusher([2, 3]), popper]);
    let mut requests = room.popped.lock().expect("nobody panics with it").clone();
    requests.extend(room.drain(0));
    in_order(&requests, 0, 1);
    in_order(&requests, 2, 3);
    each_once(requests, 4);
}

/// 1. T1 pushes requests 0 and 1, T2 pushes 2 and 3.
/// 2. T3 pops twice: what was pushed first, or nothing.
/// 3. Nothing is lost or there twice, 0 came before 1 and 2 before 3, `sk_ack_backlog` is the length.
#[test]
fn pushers_against_popper() {
    Race::named("pushers_against_popper").explore(push_and_pop::<Loom<Fine>>).holds(&["empty", "popped"]);
}

/// The same with a push to the head, a push that does not count, and without the lock.
#[test]
fn pushers_against_popper_controls() {
    let planted = |name, faults| Race { name, faults, ..Race::default() }.explore(push_and_pop::<Loom<Fine>>);
    planted("control: push to the head", &[Fault::PushToHead]).notices("fifo");
    planted("control: push without counting", &[Fault::BacklogNotCounted]).notices("backlog");
    Race::named("control: queue without its lock").races(push_and_pop::<Unlocked>);
}

/// Which end of queue 1 takes queue 0.
#[derive(Clone, Copy)]
enum End {
    Head,
    Tail,
}

fn splice<B: Backend>(end: End) -> impl Fn() + Send + Sync {
    move || {
        let room = Room::<B>::new(4);
        room.push(0, 0);
        room.push(1, 1);
        let splicer = {
            let room = Arc::clone(&room);
            Box::new(move || {
                let held = &mut nothing_held();
                let (mut from, mut to) = room.queue(0).lock_both_unordered(room.queue(1), held);
                match end {
                    End::Head => to.splice_head(&mut from),
                    End::Tail => to.splice_tail(&mut from),
                }
                expect("empty", (from.is_empty(), from.len()) == (true, 0), || {
                    "a spliced queue is not empty".into()
                });
            })
        };
        let pusher = |queue, request| -> Body {
            let room = Arc::clone(&room);
            Box::new(move || room.push(queue, request))
        };
        threads([splicer, pusher(0, 2), pusher(1, 3)]);
        let (left, mut requests) = (room.drain(0), room.drain(1));
        outcome(if left.is_empty() { "moved with the rest" } else { "stayed behind" });
        expect("left", left.is_empty() || left == [2], || format!("{left:?} stayed behind"));
        // Within each of the two queues nobody overtakes; whose come first, the end decides.
        in_order(&requests, 0, 2);
        in_order(&requests, 1, 3);
        match end {
            End::Head => in_order(&requests, 0, 1),
            End::Tail => in_order(&requests, 1, 0),
        }
        requests.extend(left);
        each_once(requests, 4);
    }
}

/// 1. Request 0 waits in queue 0, request 1 in queue 1.
/// 2. T1 takes both locks and puts all of queue 0 before (behind) all of queue 1.
/// 3. T2 pushes request 2 to queue 0: it moves with the rest, or comes later and stays.
/// 4. T3 pushes request 3 to queue 1, before or after the splice.
#[test]
fn splice_against_pushers() {
    for (name, end) in
        [("splice_against_pushers, before", End::Head), ("splice_against_pushers, behind", End::Tail)]
    {
        Race::named(name).explore(splice::<Loom<Fine>>(end)).holds(&["moved with the rest", "stayed behind"]);
    }
}

/// The same with pushes that do not count or go to the head, and without the locks.
#[test]
fn splice_against_pushers_controls() {
    let planted =
        |name, faults| Race { name, faults, ..Race::default() }.explore(splice::<Loom<Fine>>(End::Head));
    planted("control: splice, push without counting", &[Fault::BacklogNotCounted]).notices("backlog");
    planted("control: splice, push to the head", &[Fault::PushToHead]).notices("fifo");
    Race::named("control: splice without locks").races(splice::<Unlocked>(End::Head));
}
