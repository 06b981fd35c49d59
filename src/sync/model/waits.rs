//! Who holds which lock and who waits for which: the lock order asserted, cycles reported.

use super::super::{LockTag, Nesting};
use super::run::{self, What};
use alloc::{format, vec::Vec};
use core::fmt;
use core::panic::Location;

/// How many locks one thread may hold at once before the model itself is at fault.
const MAX_HELD: usize = 8;

/// A lock that a thread holds, and where it took it.
#[derive(Clone, Copy, Debug)]
struct Held {
    tag: LockTag,
    at: &'static Location<'static>,
}

#[derive(Default)]
struct Thread {
    held: heapless::Vec<Held, MAX_HELD>,
    wants: Option<Held>,
}

/// The wait-for graph of one execution, by thread number.
#[derive(Default)]
pub(super) struct Waits {
    threads: Vec<Thread>,
}

/// One thread of a deadlock.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// The thread.
    pub thread: u8,
    /// A lock it holds, that the thread before it in the cycle waits for.
    pub holds: LockTag,
    /// Where it took that lock.
    pub taken_at: &'static Location<'static>,
    /// The lock it waits for.
    pub wants: LockTag,
    /// Where it asked for that lock.
    pub asked_at: &'static Location<'static>,
}

/// Threads that wait for each other in a cycle.
///
/// The thread that would close the cycle panics with this as payload; the interleaving is in the
/// run's record.
#[derive(Clone, Debug)]
pub struct Deadlock {
    /// Each holds what the one before it wants; the last wants what the first holds.
    pub cycle: Vec<Waiter>,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for w in &self.cycle {
            writeln!(
                f,
                "thread {} holds {}({}) taken at {} and waits for {}({}) at {}",
                w.thread, w.holds.class, w.holds.key, w.taken_at, w.wants.class, w.wants.key, w.asked_at
            )?;
        }
        Ok(())
    }
}

impl Waits {
    pub(super) fn clear(&mut self) {
        self.threads.clear();
    }

    fn thread(&mut self, thread: u8) -> &mut Thread {
        let index = usize::from(thread);
        if self.threads.len() <= index {
            self.threads.resize_with(index + 1, Thread::default);
        }
        &mut self.threads[index]
    }

    fn owner(&self, tag: LockTag) -> Option<(u8, Held)> {
        self.threads
            .iter()
            .enumerate()
            .find_map(|(t, thread)| thread.held.iter().find(|h| h.tag == tag).map(|&h| (t as u8, h)))
    }

    /// Follows "wants, owned by" from `me` and returns the cycle if it comes back to `me`.
    fn cycle(&self, me: u8) -> Option<Vec<Waiter>> {
        let mut cycle = Vec::new();
        let mut waiter = me;
        loop {
            let wants = self.threads[usize::from(waiter)].wants?;
            let (owner, held) = self.owner(wants.tag)?;
            cycle.push((waiter, wants, held));
            if owner == me {
                break;
            }
            if cycle.len() > self.threads.len() {
                return None; // a cycle of others: its own members reported it
            }
            waiter = owner;
        }
        // Entry i says what thread i wants and what the next thread holds; a reader wants each
        // thread with the lock that it holds itself.
        let count = cycle.len();
        Some(
            (0..count)
                .map(|i| {
                    let (thread, wants, _) = cycle[i];
                    let holds = cycle[(i + count - 1) % count].2;
                    Waiter {
                        thread,
                        holds: holds.tag,
                        taken_at: holds.at,
                        wants: wants.tag,
                        asked_at: wants.at,
                    }
                })
                .collect(),
        )
    }

    /// Says what the order table has against taking `tag` now, if anything.
    fn against_order(&self, me: u8, tag: LockTag, nesting: Nesting) -> Option<Held> {
        let held = &self.threads.get(usize::from(me))?.held;
        held.iter().copied().find(|h| match h.tag.rank.cmp(&tag.rank) {
            core::cmp::Ordering::Less => false,
            core::cmp::Ordering::Greater => true,
            core::cmp::Ordering::Equal => nesting == Nesting::None || h.tag.key >= tag.key,
        })
    }
}

/// Before the model can block: asserts the order and looks for a cycle.
///
/// A lock taken against the order is a finding of property I22 and the run goes on, so that one
/// sees whether it also deadlocks.
#[track_caller]
pub(super) fn wants(tag: LockTag, nesting: Nesting) {
    let at = Location::caller();
    let me = run::current();
    run::record(What::Wants(tag));
    let above = run::with(|run| run.waits.against_order(me, tag, nesting));
    if let Some(h) = above {
        run::finding("I22", || {
            format!(
                "{}({}) is taken at {at} while {}({}) is held, taken at {}: against the lock order",
                tag.class, tag.key, h.tag.class, h.tag.key, h.at
            )
        });
    }
    let cycle = run::with(|run| {
        run.waits.thread(me).wants = Some(Held { tag, at });
        run.waits.cycle(me)
    });
    if let Some(cycle) = cycle {
        std::panic::panic_any(Deadlock { cycle });
    }
}

/// After the model gave the lock.
#[track_caller]
pub(super) fn gets(tag: LockTag) {
    let at = Location::caller();
    let me = run::current();
    run::record(What::Gets(tag));
    let full = run::with(|run| {
        let thread = run.waits.thread(me);
        thread.wants = None;
        thread.held.push(Held { tag, at }).is_err()
    });
    assert!(!full, "thread {me} holds more than {MAX_HELD} locks");
}

/// Before the model takes the lock back.
#[track_caller]
pub(super) fn releases(tag: LockTag) {
    let me = run::current();
    run::record(What::Releases(tag));
    run::with(|run| {
        let held = &mut run.waits.thread(me).held;
        if let Some(i) = held.iter().rposition(|h| h.tag == tag) {
            held.remove(i);
        }
    });
}

/// Tells whether nobody holds the lock.
pub(crate) fn is_free(tag: LockTag) -> bool {
    run::with(|run| run.waits.owner(tag).is_none())
}
