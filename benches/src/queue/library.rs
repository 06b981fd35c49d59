//! Queues of the standard library and of others.

use super::{AcceptQueue, BACKLOG, child, number_of};
use crate::Child;
use crossbeam_queue::ArrayQueue;
use std::collections::{LinkedList, VecDeque};
use std::sync::Mutex;

/// A connection and what a request has besides.
struct Request {
    child: Child,
    /// Links, a timer, the ends of the connection.
    _rest: [u64; 20],
}

macro_rules! under_a_mutex {
    ($(#[$doc:meta])* $name:ident, $queue:ident<$item:ty>, |$number:ident| $make:expr, |$found:ident| $read:expr) => {
        $(#[$doc])*
        pub struct $name(Mutex<$queue<$item>>);

        impl AcceptQueue for $name {
            fn empty() -> Self {
                Self(Mutex::default())
            }

            #[inline(never)]
            fn push(&self, $number: u64) -> bool {
                let item = $make;
                let mut queue = self.0.lock().expect("nobody panics");
                let room = queue.len() <= BACKLOG;
                if room {
                    queue.push_back(item);
                }
                room
            }

            #[inline(never)]
            fn pop(&self) -> Option<u64> {
                let $found = self.0.lock().expect("nobody panics").pop_front()?;
                Some($read)
            }
        }
    };
}

under_a_mutex! {
    /// `Mutex<VecDeque>`.
    ByValue, VecDeque<Child>, |number| child(number), |found| number_of(&found)
}
under_a_mutex! {
    /// `Mutex<LinkedList>`, with a node from the allocator for each connection.
    LinkedValue, LinkedList<Child>, |number| child(number), |found| number_of(&found)
}
under_a_mutex! {
    /// `Mutex<VecDeque>` of requests from the allocator.
    Boxed, VecDeque<Box<Request>>, |number| Box::new(Request { child: child(number), _rest: [0; 20] }),
    |found| number_of(&found.child)
}

/// crossbeam's `ArrayQueue`, which takes no lock.
pub struct Array(ArrayQueue<Child>);

impl AcceptQueue for Array {
    fn empty() -> Self {
        Self(ArrayQueue::new(BACKLOG + 1))
    }

    #[inline(never)]
    fn push(&self, number: u64) -> bool {
        self.0.push(child(number)).is_ok()
    }

    #[inline(never)]
    fn pop(&self) -> Option<u64> {
        self.0.pop().map(|child| number_of(&child))
    }
}

/// heapless' queue of many producers and consumers, which takes no lock.
pub struct Heapless(heapless::mpmc::Queue<Child, { BACKLOG + 1 }>);

impl AcceptQueue for Heapless {
    #[allow(deprecated)] // that it may go on for ever where a thread is held up in it is its own to say
    fn empty() -> Self {
        Self(heapless::mpmc::Queue::new())
    }

    #[inline(never)]
    fn push(&self, number: u64) -> bool {
        self.0.enqueue(child(number)).is_ok()
    }

    #[inline(never)]
    fn pop(&self) -> Option<u64> {
        self.0.dequeue().map(|child| number_of(&child))
    }
}
