//! What queues ought to hold: deques, and numbers.

use super::{Op, QUEUES, REQUESTS, Said, other};
use rskq::queue::Charges;
use std::collections::VecDeque;
use std::mem;

/// When time begins, in milliseconds: the seconds go round in 32 bits soon.
pub(super) const BEGIN: u64 = ((1 << 32) - 100) * 1000;

/// One queue.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<u32>,
    pub(super) charges: (i32, i32),
    /// Those that were reset, and in which second.
    pub(super) reset: VecDeque<(u32, u64)>,
    pub(super) qlen: i32,
    pub(super) limit: u32,
}

/// All of them.
pub(super) struct Model {
    pub(super) queues: [Queue; QUEUES],
    /// What was taken, with its charges.
    pub(super) detached: VecDeque<(VecDeque<u32>, (i32, i32))>,
    /// References at hand, by slot.
    pub(super) hand: Vec<u32>,
    /// The free slots: what was put last is taken first.
    free: Vec<u32>,
    pub(super) now: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            queues: Default::default(),
            detached: VecDeque::new(),
            hand: Vec::new(),
            free: (0..REQUESTS as u32).rev().collect(),
            now: BEGIN,
        }
    }
}

impl Model {
    pub(super) fn available(&self) -> usize {
        self.free.len()
    }

    fn is_listed(&self, slot: u32) -> bool {
        let waits = self.queues.iter().any(|queue| queue.waiting.contains(&slot));
        let reset = self.queues.iter().any(|queue| queue.reset.iter().any(|&(one, _)| one == slot));
        waits || reset || self.detached.iter().any(|(list, _)| list.contains(&slot))
    }

    /// Takes a reference out of the hand, or a fresh request.
    fn take(&mut self, hand: usize) -> Option<u32> {
        match hand % (self.hand.len() + 1) {
            fresh if fresh == self.hand.len() => self.free.pop(),
            held => Some(self.hand.swap_remove(held)),
        }
    }

    fn put(&mut self, slot: u32) {
        if !self.hand.contains(&slot) && !self.is_listed(slot) {
            self.free.push(slot);
        }
    }

    /// Takes a reference back to hand, if there is one.
    fn back(&mut self, slot: Option<u32>) -> Said {
        self.hand.extend(slot);
        slot.map(|slot| (slot, true))
    }

    /// The reference goes to a list unless its request is in one.
    fn push(&mut self, hand: usize, list: impl FnOnce(&mut Self, u32)) -> Said {
        let slot = self.take(hand)?;
        let pushed = !self.is_listed(slot);
        if pushed {
            list(self, slot);
        } else {
            self.hand.push(slot);
        }
        Some((slot, pushed))
    }

    pub(super) fn apply(&mut self, op: Op) -> Said {
        match op {
            Op::Push { queue, hand } => {
                return self.push(hand, |model, slot| model.queues[queue].waiting.push_back(slot));
            }
            Op::Pop { queue } => {
                let slot = self.queues[queue].waiting.pop_front();
                return self.back(slot);
            }
            Op::Get { slot } => {
                let slot = slot as u32;
                let used = slot < REQUESTS as u32 && !self.free.contains(&slot);
                return self.back(used.then_some(slot));
            }
            Op::Put { hand } => {
                let slot = self.take(hand)?;
                self.put(slot);
                return Some((slot, true));
            }
            Op::SpliceHead { queue, by } => {
                let mut moved = mem::take(&mut self.queues[other(queue, by)].waiting);
                moved.append(&mut self.queues[queue].waiting);
                self.queues[queue].waiting = moved;
            }
            Op::SpliceTail { queue, by } => {
                let mut moved = mem::take(&mut self.queues[other(queue, by)].waiting);
                self.queues[queue].waiting.append(&mut moved);
            }
            Op::Detach { queue, all } => {
                let queue = &mut self.queues[queue];
                let charges = if all { mem::take(&mut queue.charges) } else { (0, 0) };
                self.detached.push_back((mem::take(&mut queue.waiting), charges));
            }
            Op::Append { queue } => {
                if let Some((mut list, (qlen, young))) = self.detached.pop_front() {
                    let queue = &mut self.queues[queue];
                    queue.waiting.append(&mut list);
                    queue.charges = (queue.charges.0 + qlen, queue.charges.1 + young);
                }
            }
            Op::Prepend { queue } => {
                if let Some((mut list, _)) = self.detached.pop_front_if(|(_, charges)| *charges == (0, 0)) {
                    list.append(&mut self.queues[queue].waiting);
                    self.queues[queue].waiting = list;
                }
            }
            Op::Charge { queue, qlen, young } => {
                let charges = &mut self.queues[queue].charges;
                *charges = (charges.0 + i32::from(qlen), charges.1 + i32::from(young));
            }
            Op::PushReset { queue, hand } => {
                return self.push(hand, |model, slot| {
                    let second = model.now / 1000;
                    model.queues[queue].reset.push_back((slot, second));
                    model.queues[queue].qlen += 1;
                });
            }
            Op::PopReset { queue } => return self.pop_reset(queue),
            Op::EvictReset { queue } => {
                let (_, second) = self.queues[queue].reset.front()?;
                return if self.now / 1000 >= second + 60 { self.pop_reset(queue) } else { None };
            }
            Op::FastCharge { queue, change } => self.queues[queue].qlen += i32::from(change),
            Op::Limit { queue, limit } => self.queues[queue].limit = limit,
            Op::FastAppend { queue, by } => {
                let from = &mut self.queues[other(queue, by)];
                let (qlen, mut reset) = (mem::take(&mut from.qlen), mem::take(&mut from.reset));
                self.queues[queue].qlen += qlen;
                self.queues[queue].reset.append(&mut reset);
            }
            Op::Pass { after } => self.now += u64::from(after),
        }
        None
    }

    fn pop_reset(&mut self, queue: usize) -> Said {
        let (slot, _) = self.queues[queue].reset.pop_front()?;
        self.queues[queue].qlen -= 1;
        self.back(Some(slot))
    }
}

impl Queue {
    pub(super) fn charges(&self) -> Charges {
        Charges { qlen: self.charges.0, young: self.charges.1 }
    }
}
