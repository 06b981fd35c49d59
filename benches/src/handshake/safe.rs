//! What one would write in safe Rust: a `HashMap` of half-open connections, a `VecDeque` of those that wait,
//! and a `BTreeMap` of deadlines.

use super::{LIVES, ListenSide};
use crate::Child;
use crate::world::{local, tuple};
use fnv::FnvBuildHasher;
use rskq::Tuple;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

struct HalfOpen {
    listener: Arc<Listener>,
    /// Its key among the deadlines.
    deadline: (u64, u64),
    number: u64,
}

#[derive(Default)]
struct Listener {
    queue: Mutex<VecDeque<Child>>,
}

/// Half-open connections by their tuple, and when they go.
#[derive(Default)]
struct Table {
    half_open: HashMap<Tuple, HalfOpen, FnvBuildHasher>,
    deadlines: BTreeMap<(u64, u64), Tuple>,
    armed: u64,
}

/// The listen side in safe Rust.
pub struct Safe {
    listeners: Mutex<HashMap<SocketAddr, Arc<Listener>, FnvBuildHasher>>,
    table: Mutex<Table>,
    /// What accepts.
    listener: Arc<Listener>,
}

impl ListenSide for Safe {
    fn with_room(half_open: usize) -> Self {
        let listener = Arc::<Listener>::default();
        let mut table = Table::default();
        table.half_open.reserve(half_open);
        let listeners = HashMap::from_iter([(local(), Arc::clone(&listener))]);
        Self { listeners: Mutex::new(listeners), table: Mutex::new(table), listener }
    }

    #[inline(never)]
    fn syn(&self, number: u64, now: u64) -> bool {
        let tuple = tuple(number);
        let listener = {
            let listeners = self.listeners.lock().expect("nobody panics");
            Arc::clone(listeners.get(&tuple.local).expect("somebody listens"))
        };
        let Table { half_open, deadlines, armed } = &mut *self.table.lock().expect("nobody panics");
        *armed += 1;
        let deadline = (now + LIVES, *armed);
        if let Some(known) = half_open.get_mut(&tuple) {
            deadlines.remove(&known.deadline);
            deadlines.insert(deadline, tuple);
            known.deadline = deadline;
            return false;
        }
        deadlines.insert(deadline, tuple);
        half_open.insert(tuple, HalfOpen { listener, deadline, number });
        true
    }

    #[inline(never)]
    fn ack(&self, number: u64, _: u64) -> bool {
        let known = {
            let Table { half_open, deadlines, .. } = &mut *self.table.lock().expect("nobody panics");
            let Some(known) = half_open.remove(&tuple(number)) else { return false };
            deadlines.remove(&known.deadline);
            known
        };
        known.listener.queue.lock().expect("nobody panics").push_back([number; 4]);
        true
    }

    #[inline(never)]
    fn accept(&self) -> Option<u64> {
        let child = self.listener.queue.lock().expect("nobody panics").pop_front()?;
        Some(child[0])
    }

    #[inline(never)]
    fn expire(&self, now: u64) -> Option<u64> {
        let Table { half_open, deadlines, .. } = &mut *self.table.lock().expect("nobody panics");
        let first = deadlines.first_entry().filter(|first| first.key().0 <= now)?;
        Some(half_open.remove(&first.remove()).expect("who has a deadline is half open").number)
    }
}
