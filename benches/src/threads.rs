//! Item 2: push and pop by two threads, over 1 to 16 listeners.
//!
//! Both threads go over all queues, each in its own place, so that the fewer there are the more often they
//! meet. heapless' queue is not among the contenders: a push fails there though it has room, and a pop though
//! it is not empty, once a thread was held up in one.

use crate::measure::{Make, Measured, Routine, number, timed};
use crate::queue::{AcceptQueue, Array, Boxed, ByValue, CLink, CReal, Link, LinkedValue, Real, check};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Of one listener; apart from the next one's, so that what threads share is what they ask for.
#[repr(align(256))]
struct Apart<Q>(Q);

/// Returns the time and the sum of what was popped, which is that of what was pushed.
fn run<Q: AcceptQueue>(queues: &[Apart<Q>], iters: u64) -> Duration {
    let barrier = Barrier::new(2);
    let thread = |mine: u64| {
        let at = mine as usize * queues.len() / 2;
        let mut balance = 0u64;
        let mut misses = 0;
        barrier.wait();
        let start = Instant::now();
        timed(iters, |i| {
            let queue = &queues[(at + i as usize) % queues.len()].0;
            let pushed = mine << 5 | (i & 31);
            if queue.push(pushed) {
                balance = balance.wrapping_add(pushed);
            } else {
                misses += 1;
            }
            match queue.pop() {
                Some(popped) => balance = balance.wrapping_sub(popped),
                None => misses += 1,
            }
        });
        (start, Instant::now(), balance, misses)
    };
    let [first, second] = std::thread::scope(|scope| {
        let second = scope.spawn(|| thread(1));
        [thread(0), second.join().expect("nobody panics")]
    });
    assert_eq!(first.2.wrapping_add(second.2), 0, "what was popped is not what was pushed");
    assert_eq!(first.3 + second.3, 0, "a push or a pop failed");
    assert!(queues.iter().all(|queue| queue.0.pop().is_none()), "something was left");
    first.1.max(second.1) - first.0.min(second.0)
}

fn make<Q: AcceptQueue>(case: &str) -> Routine {
    let queues: Vec<_> = (0..number(case)).map(|_| Apart(Q::empty())).collect();
    queues.iter().for_each(|queue| check(&queue.0).expect("an accept queue"));
    Box::new(move |iters| run(&queues, iters))
}

pub(crate) fn measured() -> Vec<Measured> {
    let listeners = [1, 2, 4, 16];
    let of = |item, contenders: &[(&'static str, Make)]| -> Vec<Measured> {
        let case =
            |listeners| contenders.iter().map(move |&(who, make)| Measured::new(item, listeners, who, make));
        listeners.into_iter().flat_map(case).collect()
    };
    let mut all = of(
        "2 two threads, 32 bytes",
        &[
            ("rskq", make::<Link>),
            ("C", make::<CLink>),
            ("Mutex<VecDeque>", make::<ByValue>),
            ("Mutex<LinkedList>", make::<LinkedValue>),
            ("ArrayQueue", make::<Array>),
        ],
    );
    let requests: &[(_, Make)] =
        &[("rskq", make::<Real>), ("C", make::<CReal>), ("Mutex<VecDeque<Box>>", make::<Boxed>)];
    all.extend(of("2 two threads, requests", requests));
    all
}
