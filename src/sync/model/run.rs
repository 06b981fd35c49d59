//! What happened in one execution: events, findings, planted faults.

use super::super::{Event, Fault, LockTag};
use super::waits::Waits;
use alloc::{rc::Rc, string::String, vec::Vec};
use core::cell::{Cell, RefCell};
use core::panic::Location;

/// The thread that sets a model up and looks at its end.
pub const MAIN: u8 = 0;

/// One line of an interleaving.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Which thread of the model.
    pub thread: u8,
    /// What it did.
    pub what: What,
    /// Where in the source.
    pub at: &'static Location<'static>,
}

/// What a thread did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It asks for a lock and may have to wait.
    Wants(LockTag),
    /// It has the lock.
    Gets(LockTag),
    /// It releases the lock.
    Releases(LockTag),
    /// It reached a step that the code names.
    Step(Event),
    /// The scenario says what it does now: a verb, a listener, a connection.
    Op(&'static str, Option<u32>, Option<u32>),
    /// The observer sees that a queue changed: the listener, and what waits now.
    Waiting(u32, Waiting),
}

/// The most connections of a model that wait in one queue.
const MOST_WAITING: usize = 15;

/// The connections in a queue, oldest first; in place, since a record is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    count: u8,
    connections: [u8; MOST_WAITING],
}

impl Waiting {
    /// Notes what waits.
    ///
    /// # Panics
    ///
    /// If a model is larger than its records allow for: more than 15 wait, or more than 256 exist.
    #[must_use]
    pub fn new(queue: &[u32]) -> Self {
        let mut connections = [0; MOST_WAITING];
        for (place, &connection) in connections[..queue.len()].iter_mut().zip(queue) {
            *place = u8::try_from(connection).expect("a model has few connections");
        }
        Self { count: queue.len() as u8, connections }
    }

    /// Returns the connections, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = u32> {
        self.connections[..usize::from(self.count)].iter().map(|&connection| connection.into())
    }
}

/// A property that did not hold, and where in the interleaving that was seen.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The property's name, such as `I5`.
    pub property: &'static str,
    /// What was seen.
    pub text: String,
    /// How many records the interleaving had by then.
    pub seen_at: usize,
}

static_assertions::const_assert!(Fault::ALL.len() <= u128::BITS as usize);

fn bit(fault: Fault) -> u128 {
    1 << fault as u8
}

#[derive(Default)]
pub(super) struct Run {
    pub(super) records: Vec<Record>,
    pub(super) findings: Vec<Finding>,
    pub(super) waits: Waits,
    /// A bit for each fault.
    planted: u128,
}

std::thread_local! {
    static RUN: RefCell<Run> = RefCell::default();
    static CURRENT: Cell<u8> = const { Cell::new(MAIN) };
    static OBSERVER: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    static OBSERVING: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn with<R>(f: impl FnOnce(&mut Run) -> R) -> R {
    RUN.with_borrow_mut(f)
}

/// Begins an execution on this OS thread: forgets the last one and plants `faults`.
pub fn begin(faults: &[Fault]) {
    enter(MAIN);
    OBSERVER.set(None);
    with(|run| {
        run.records.clear();
        run.findings.clear();
        run.waits.clear();
        run.planted = faults.iter().fold(0, |set, &fault| set | bit(fault));
    });
}

/// Says that model thread `thread` runs now: first thing in each thread, and after each join.
pub fn enter(thread: u8) {
    CURRENT.set(thread);
}

pub(super) fn current() -> u8 {
    CURRENT.get()
}

/// Has `observer` called after every write and every release of a lock, until the next [`begin`].
pub fn observe(observer: Rc<dyn Fn()>) {
    OBSERVER.set(Some(observer));
}

pub(super) fn notify() {
    if OBSERVING.get() {
        return;
    }
    let Some(observer) = OBSERVER.with_borrow(Clone::clone) else { return };
    OBSERVING.set(true);
    observer();
    OBSERVING.set(false);
}

pub(super) fn planted(fault: Fault) -> bool {
    let here = RUN.with_borrow(|run| run.planted & bit(fault) != 0);
    #[cfg(feature = "seeded")]
    let here = here || super::super::seeded::planted(fault);
    here
}

#[track_caller]
pub(super) fn record(what: What) {
    let record = Record { thread: current(), what, at: Location::caller() };
    with(|run| run.records.push(record));
}

/// Adds to the interleaving what the scenario does now.
#[track_caller]
pub fn op(verb: &'static str, listener: Option<u32>, connection: Option<u32>) {
    record(What::Op(verb, listener, connection));
}

/// Adds to the interleaving what waits in a queue now.
#[track_caller]
pub fn waiting(listener: u32, queue: &[u32]) {
    record(What::Waiting(listener, Waiting::new(queue)));
}

/// Records that `property` did not hold; only the first time counts in one execution.
pub fn finding(property: &'static str, text: impl FnOnce() -> String) {
    with(|run| {
        if !run.findings.iter().any(|f| f.property == property) {
            let seen_at = run.records.len();
            run.findings.push(Finding { property, text: text(), seen_at });
        }
    });
}

/// Returns how many records the interleaving has.
pub fn now() -> usize {
    RUN.with_borrow(|run| run.records.len())
}

/// Runs `f` with the interleaving so far.
pub fn records<R>(f: impl FnOnce(&[Record]) -> R) -> R {
    RUN.with_borrow(|run| f(&run.records))
}

/// Runs `f` with the interleaving and the findings so far, and forgets them.
pub fn take<R>(f: impl FnOnce(&[Record], &[Finding]) -> R) -> R {
    OBSERVER.set(None);
    OBSERVING.set(false);
    with(|run| {
        let result = f(&run.records, &run.findings);
        run.records.clear();
        run.findings.clear();
        result
    })
}
