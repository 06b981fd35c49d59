//! The test that each lock passes: open, SYN, ACK, accept, close with migration.

use crate::cpu;
use crate::watch::Watched;
use rskq::sync::{Core, RawLock};
use rskq::*;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

type Backend<R> = Core<Watched<R>>;
type LockStack<R> = Stack<'static, u32, Backend<R>>;
type Listener<R> = ListenerId<u32, Backend<R>>;

const HERE: Here = Here { cpu: 0, now: 0 };
const LISTENERS: usize = 3;
const WORKERS: u32 = 3;
/// Handshakes of each worker, and closes.
const ROUNDS: u32 = 1_000;

fn local() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 80).into()
}

fn stack<R: RawLock>(design: Design) -> LockStack<R> {
    let resources = Resources {
        listeners: Storage::boxed(2 * LISTENERS),
        requests: Storage::boxed(64),
        owners: Storage::boxed(2 * LISTENERS + 2),
        groups: Storage::boxed(2),
        socks: Storage::boxed(2 * Member::<Backend<R>>::count_for(2 * LISTENERS as u32)),
        ports: Storage::boxed(2),
        buckets: Storage::boxed(2),
        ehash: Storage::boxed(4),
    };
    Stack::new(resources, Config::migrating(design))
}

/// What arrives from client `number`, with hashes that spread.
fn arrival(number: u32) -> Arrival {
    let hash = number.wrapping_mul(0x9e37_79b1);
    let remote = (Ipv4Addr::from_bits(0x0a00_0000 + number), 40_000).into();
    Arrival { tuple: Tuple { local: local(), remote }, hashes: Hashes { syn_hash: hash, sk_hash: hash } }
}

fn ack<R: RawLock>(stack: &LockStack<R>, number: u32) -> Result<Listener<R>, Refusal> {
    let acked = stack.ack(&arrival(number).tuple, Payload::None, HERE, number);
    acked.map(|delivered| delivered.listener).map_err(|refused| refused.why)
}

/// Takes the steps of a close; returns what was aborted.
fn closed<R: RawLock>(stack: &LockStack<R>, id: Listener<R>) -> Vec<u32> {
    let steps = stack.close(id, HERE).unwrap();
    let aborted = steps.filter_map(|outcome| match outcome {
        Outcome::Aborted(child) => Some(child),
        Outcome::Moved { .. } | Outcome::Spliced { .. } | Outcome::HandedOver { .. } => None,
    });
    aborted.collect()
}

fn accept_all<R: RawLock>(stack: &LockStack<R>, id: Listener<R>) -> Vec<u32> {
    std::iter::from_fn(|| stack.accept(id).unwrap()).collect()
}

/// Each operation once, under every policy that keeps everything.
pub(crate) fn in_one_thread<R: RawLock>() {
    for design in [Design::Linux, Design::Requeue, Design::Handover] {
        let mut stack = stack::<R>(design);
        let open = |stack: &LockStack<R>| {
            let id = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
            stack.bind(id, local()).unwrap();
            stack.listen(id, 64).unwrap();
            id
        };
        let (a, b) = (open(&stack), open(&stack));
        for number in 0..16 {
            assert!(matches!(stack.syn(arrival(number), HERE), Ok(Syn::New { .. })));
            assert!(matches!(stack.syn(arrival(number), HERE), Ok(Syn::Duplicate(_))));
        }
        for number in 0..8 {
            ack(&stack, number).unwrap();
        }
        assert_eq!(ack(&stack, 0), Err(Refusal::NoRequest));
        let first = stack.accept(a).unwrap().unwrap();
        assert_eq!(stack.reset(&arrival(15).tuple), Ok(()));
        assert_eq!(closed(&stack, a), []);
        assert_eq!(stack.accept(a), Err(SockError::Stale));
        for number in 8..15 {
            assert_eq!(ack(&stack, number), Ok(b), "what was half open at the closed one, too");
        }
        assert_eq!(stack.graph_mut().violations(), []);
        let mut accepted = accept_all(&stack, b);
        accepted.push(first);
        accepted.sort_unstable();
        assert_eq!(accepted, (0..15).collect::<Vec<_>>());
        assert!(stack.syn(arrival(16), HERE).is_ok());
        while stack.poll(Here { now: 1 << 40, ..HERE }).is_some() {}
        assert_eq!(closed(&stack, b), []);
        assert_eq!(stack.graph_mut().violations(), []);
    }
}

/// What the threads of one run share.
struct World<R: RawLock> {
    stack: LockStack<R>,
    listeners: [Mutex<Listener<R>>; LISTENERS],
    /// How often each connection was accepted, aborted or refused.
    ends: Vec<AtomicU32>,
    done: AtomicBool,
}

impl<R: RawLock> World<R> {
    fn new() -> Self {
        let stack = stack::<R>(Design::Handover);
        let listeners = std::array::from_fn(|_| Mutex::new(stack.listen_at(local(), 16, true).unwrap()));
        let ends = (0..WORKERS * ROUNDS).map(|_| AtomicU32::new(0)).collect();
        Self { stack, listeners, ends, done: AtomicBool::new(false) }
    }

    fn listener(&self, which: usize) -> Listener<R> {
        *self.listeners[which].lock().unwrap()
    }

    fn ended(&self, number: u32) {
        self.ends[number as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn shake_hands(&self, worker: u32) {
        for number in (0..ROUNDS).map(|round| round * WORKERS + worker) {
            let refused = self.stack.syn(arrival(number), HERE).is_err() || ack(&self.stack, number).is_err();
            if refused {
                self.ended(number);
                // The request stays if the accept queue was full; a client would try again.
                let _ = self.stack.reset(&arrival(number).tuple);
            }
        }
    }

    fn accept(&self) {
        while !self.done.load(Ordering::Acquire) {
            for which in 0..LISTENERS {
                // An error is a listener that is being closed.
                while let Ok(Some(number)) = self.stack.accept(self.listener(which)) {
                    self.ended(number);
                }
            }
            thread::yield_now();
        }
    }

    fn close_and_reopen(&self) {
        for which in (0..ROUNDS as usize).map(|round| round % LISTENERS) {
            // Without room for another one the old one stays: connections still name those that closed.
            if let Ok(id) = self.stack.listen_at(local(), 16, true) {
                let old = std::mem::replace(&mut *self.listeners[which].lock().unwrap(), id);
                closed(&self.stack, old).into_iter().for_each(|number| self.ended(number));
            }
        }
    }
}

/// Workers, who accepts and who closes: each connection ends once, and nothing is out of place.
pub(crate) fn between_threads<R: RawLock>() {
    let world = World::<R>::new();
    thread::scope(|scope| {
        let accepts = scope.spawn(|| world.accept());
        let closer = scope.spawn(|| world.close_and_reopen());
        let workers = [0, 1, 2].map(|worker| {
            let world = &world;
            scope.spawn(move || world.shake_hands(worker))
        });
        let ended = workers.map(|worker| worker.join());
        let closed = closer.join();
        // Whatever became of them, or the last would go on for ever.
        world.done.store(true, Ordering::Release);
        let accepted = accepts.join();
        ended.into_iter().chain([closed, accepted]).for_each(|result| {
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    });
    let World { mut stack, listeners, ends, done: _ } = world;
    assert_eq!(stack.graph_mut().violations(), []);
    for id in listeners.map(|id| id.into_inner().unwrap()) {
        let waiting = accept_all(&stack, id);
        waiting.into_iter().chain(closed(&stack, id)).for_each(|number| {
            ends[number as usize].fetch_add(1, Ordering::Relaxed);
        });
    }
    for (number, ends) in ends.iter().enumerate() {
        assert_eq!(ends.load(Ordering::Relaxed), 1, "connection {number}");
    }
}

/// An interrupt arrives at every acquisition, and its handler calls the stack: SYN and final ACK.
pub(crate) fn with_interrupts<R: RawLock>() {
    let stack = Arc::new(stack::<R>(Design::Handover));
    let opened = [0; 2].map(|_| stack.listen_at(local(), 64, true).unwrap());
    let (next, in_handler) = (AtomicU32::new(1000), Arc::clone(&stack));
    let handler = move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if in_handler.syn(arrival(number), HERE).is_ok() && ack(&in_handler, number).is_err() {
            in_handler.reset(&arrival(number).tuple).unwrap();
        }
    };
    let of_task = Arc::clone(&stack);
    let handled = cpu::with_handler(handler, move || {
        for number in 0..200 {
            let known = of_task.syn(arrival(number), HERE).is_ok();
            assert!(!known || ack(&of_task, number).is_ok() || of_task.reset(&arrival(number).tuple).is_ok());
            for id in opened {
                accept_all(&of_task, id);
            }
        }
        for id in opened {
            closed(&of_task, id);
        }
    });
    assert!(handled > 200, "interrupts were handled {handled} times");
    let mut stack = Arc::into_inner(stack).unwrap();
    assert_eq!(stack.graph_mut().violations(), []);
}
