//! A run-time lock validator: finds lock orders that could deadlock, from runs that did not.
//!
//! Every lock belongs to a *class*, and every *context* (a CPU, a thread, an explicit handle) keeps
//! the stack of what it holds. Whoever waits for a lock adds an order from each class held to the
//! class wanted; an order that closes a cycle is a [`Violation`], and so is a second lock of one class
//! that is not taken as an ordered pair, a lock taken twice, and a lock of interrupt handlers that is
//! held while they may come. One run of each half of a deadlock is enough, at whatever distance in
//! time, on one CPU.
//!
//! * No allocation, no `std`, less than 20 KiB for the tables and 2.5 KiB a context.
//! * What is looked at is looked at *before* the caller waits, so that the report comes out.
//! * A violation is a value. What becomes of it is the embedder's [`Policy`]; the validator goes on.
//! * Once an order is known, taking a lock reads at most three words of its class and writes nothing shared.
//! * A table that is full is reported and counted. The orders themselves never run out of room.
//! * Under a model checker it is a piece with models of its own: fine models see each of its steps,
//!   coarse ones none.
//!
//! Use it for locks of a kernel or of a library that cannot afford a deadlock in the field. Do not use
//! it for locks whose order changes while the program runs, such as one per object of a graph that is
//! walked in every direction: a class has one place.
//!
//! [`Validated`](super::Validated) and [`Checked`](super::Checked) call all this for you. By hand:
//!
//! ```
//! use rskq::lockdep::validator::{Acquisition, Context, Kind, Policy, Validator};
//! use rskq::sync::{Core, Nesting};
//!
//! static VALIDATOR: Validator<Core<spin::Mutex<()>>> = Validator::new(&[], Policy::Record);
//! let (inode, page) = (VALIDATOR.register("inode")?, VALIDATOR.register("page")?);
//! let (i, p, cpu) = (spin::Mutex::new(()), spin::Mutex::new(()), Context::new());
//!
//! let in_order = |first, second| {
//!     VALIDATOR.before_lock(&cpu, first, Nesting::None)?;
//!     VALIDATOR.locked(&cpu, first)?;
//!     let verdict = VALIDATOR.before_lock(&cpu, second, Nesting::None);
//!     VALIDATOR.unlocked(&cpu, first)?;
//!     verdict
//! };
//! let (i, p) = (Acquisition::of(&i, inode, 0), Acquisition::of(&p, page, 0));
//! in_order(i, p)?;
//! let violation = in_order(p, i).unwrap_err();
//! assert_eq!(violation.kind, Kind::Cycle);
//! println!("{}", VALIDATOR.report(violation));
//! # Ok::<(), rskq::lockdep::validator::Violation>(())
//! ```

mod class;
mod context;
mod graph;
mod irq;
mod per_cpu;
mod policy;
mod report;
mod schedule;
mod tables;
#[cfg(all(test, feature = "spin"))]
mod tests;
mod violation;

pub use class::{ClassId, ClassKey, MAX_CLASSES};
pub use context::{Acquisition, Context, Interrupted, MAX_HELD};
pub use irq::Irq;
pub use per_cpu::PerCpu;
pub use policy::Policy;
pub use report::Report;
pub use tables::{Counts, Edge, MAX_EDGES, MAX_VIOLATIONS};
pub use violation::{Kind, Table, Violation};

use crate::sync::{Backend, Cell, Lock, LockTag, Nesting};
use class::ClassSet;
use core::panic::Location;
use graph::Graph;
use irq::{Usage, Usages};
use tables::Tables;

/// Sees every acquisition of the locks that it is told of, and says which could deadlock.
///
/// Usually a `static`. `B` says which lock guards its tables: one of the embedder's, which nothing
/// validates. If locks are taken in interrupt handlers, that lock has to keep interrupts out, which
/// a [`RawLock`](crate::sync::RawLock) with saved flags does.
pub struct Validator<B: Backend> {
    graph: Graph<B>,
    lock: B::PieceLock,
    tables: Cell<Tables, B::PieceCanary>,
    policy: Policy<B>,
}

/// The validator's own lock: innermost of all.
const TAG: LockTag = LockTag { class: "validator", rank: u8::MAX, key: 0 };

impl<B: Backend> Validator<B> {
    /// A validator that knows the classes of `order`, each to be taken before those after it, and
    /// learns every other class and order from what it sees.
    ///
    /// The [`order::ORDER`](super::order::ORDER) of this crate, or one that begins with it, makes it the
    /// validator of a [`Stack`](crate::Stack).
    ///
    /// # Panics
    ///
    /// With more than [`MAX_CLASSES`] classes: when it is compiled, in a `static`.
    pub const fn new(order: &'static [&'static str], policy: Policy<B>) -> Self {
        assert!(order.len() <= MAX_CLASSES, "a validator has 64 classes");
        Self {
            graph: Graph::new(order.len()),
            lock: B::PieceLock::INIT,
            tables: Cell::new(Tables::new(order)),
            policy,
        }
    }

    /// Prepares the validator of a model, before it is shared.
    pub fn place(&mut self) {
        self.graph.place();
        self.lock.place();
        self.tables.place();
    }

    fn with_tables<R>(&self, f: impl FnOnce(&mut Tables) -> R) -> R {
        let state = self.lock.lock(TAG, Nesting::None);
        // SAFETY: only this function touches the cell, with the lock held; no `f` comes back here.
        let result = unsafe { self.tables.with_mut(f) };
        // SAFETY: `state` is of the acquisition above, in this context.
        unsafe { self.lock.unlock(TAG, state) };
        result
    }

    /// Returns the class called `name`, new or known. Any context, O(classes), takes the lock.
    ///
    /// # Errors
    ///
    /// [`Kind::Full`] if the name is new and there are [`MAX_CLASSES`] already.
    pub fn register(&self, name: &'static str) -> Result<ClassId, Violation> {
        self.with_tables(|tables| tables.register(name))
    }

    /// To be called before waiting for a lock: says what is wrong with it, having kept that.
    ///
    /// O(1), no shared write, if the order is known; else takes the validator's lock, O(classes³). The
    /// orders that are right are learned, those that are not are not.
    ///
    /// # Errors
    ///
    /// The first violation, if there are several. The caller may go on and take the lock.
    #[inline]
    pub fn before_lock(
        &self,
        context: &Context,
        wanted: Acquisition,
        nesting: Nesting,
    ) -> Result<(), Violation> {
        // A class is not known to come before itself, so that two of one class are always looked at.
        if self.graph.knows(wanted.class, context.here().classes(), context.usages()) {
            return Ok(());
        }
        self.look(context, wanted, nesting)
    }

    #[cold]
    #[inline(never)]
    fn look(&self, context: &Context, wanted: Acquisition, nesting: Nesting) -> Result<(), Violation> {
        let (held, usages) = (context.here().classes(), context.usages());
        let against = context.against_own_class(wanted, nesting);
        let others = held.without(ClassSet::of(wanted.class));
        if against.is_none() && self.graph.knows(wanted.class, others, usages) {
            return Ok(());
        }
        self.with_tables(|tables| {
            let own = match against {
                Some((kind, held)) => Err(tables.record(Violation::new(kind, Some(wanted), Some(held)))),
                None => Ok(()),
            };
            own.and(self.learn_usages(tables, wanted, usages)).and(self.learn(tables, context, wanted))
        })
    }

    /// Adds the orders from what is held to `wanted`, as far as they are new and right.
    fn learn(&self, tables: &mut Tables, context: &Context, wanted: Acquisition) -> Result<(), Violation> {
        let mut result = Ok(());
        for held in context.held().filter(|held| held.class != wanted.class) {
            if self.graph.seen_before(wanted.class).has(held.class) {
                continue;
            }
            let cycle = self.graph.next(wanted.class, held.class, true).map(|_| Kind::Cycle);
            let against = cycle.or_else(|| self.graph.against_irq_order(held.class, wanted.class));
            result = result.and(match against {
                Some(kind) => Err(tables.record(Violation::new(kind, Some(wanted), Some(held)))),
                None => {
                    self.graph.add(held.class, wanted.class);
                    tables.add_edge(held, wanted)
                }
            });
        }
        result
    }

    /// Adds how `lock` is used, as far as that is new and right.
    fn learn_usages(&self, tables: &mut Tables, lock: Acquisition, usages: Usages) -> Result<(), Violation> {
        if tables.name(lock.class).is_none() {
            return Err(tables.record(Violation::new(Kind::UnknownClass, Some(lock), None)));
        }
        self.graph.add_usages(lock.class, Usages::TAKEN);
        let mut result = Ok(());
        for usage in usages.besides(self.graph.usages(lock.class)) {
            match self.graph.against_usage(lock.class, usage) {
                Some(kind) => {
                    let violation = tables.record(Violation::new(kind, Some(lock), None));
                    result = result.and(Err(violation));
                }
                None => {
                    self.graph.add_usages(lock.class, Usages::of(usage));
                    tables.add_usage(lock, usage);
                }
            }
        }
        result
    }

    /// To be called when the context has, or is about to wait for, a lock that was looked at. O(1).
    ///
    /// # Errors
    ///
    /// [`Kind::Full`] if the context holds [`MAX_HELD`] locks at this level already.
    #[inline]
    pub fn locked(&self, context: &Context, lock: Acquisition) -> Result<(), Violation> {
        if context.here().push(lock) { Ok(()) } else { self.unseen(lock) }
    }

    #[cold]
    #[inline(never)]
    fn unseen(&self, lock: Acquisition) -> Result<(), Violation> {
        Err(self.with_tables(|tables| tables.held_unseen(lock)))
    }

    /// To be called instead of the other two when a lock was taken without waiting for it.
    ///
    /// It adds no order from what is held, since nobody waited; what is waited for while it is held
    /// comes after it like after any other. O(1) like [`before_lock`](Self::before_lock).
    ///
    /// # Errors
    ///
    /// As [`locked`](Self::locked); and the lock may be held while interrupts come whose handlers wait
    /// for it.
    #[inline]
    pub fn try_locked(&self, context: &Context, lock: Acquisition) -> Result<(), Violation> {
        let exposed = self.exposed(context, lock);
        exposed.and(self.locked(context, lock))
    }

    #[inline]
    fn exposed(&self, context: &Context, lock: Acquisition) -> Result<(), Violation> {
        let usages = context.usages().of_holding();
        if self.graph.knows(lock.class, ClassSet::EMPTY, usages) {
            return Ok(());
        }
        self.with_tables(|tables| self.learn_usages(tables, lock, usages))
    }

    /// To be called when a lock is released, in whatever order. O(1) for the lock taken last.
    ///
    /// # Errors
    ///
    /// [`Kind::NotHeld`] if the context, at this level of interruption, does not hold it.
    #[inline]
    pub fn unlocked(&self, context: &Context, lock: Acquisition) -> Result<(), Violation> {
        if context.here().pop(lock) { Ok(()) } else { self.not_last(context, lock) }
    }

    #[cold]
    #[inline(never)]
    fn not_last(&self, context: &Context, lock: Acquisition) -> Result<(), Violation> {
        if context.here().remove(lock) {
            return Ok(());
        }
        Err(self.with_tables(|tables| tables.record(Violation::new(Kind::NotHeld, Some(lock), None))))
    }

    /// Declares that interrupts of this kind are on again, also for what the context holds by now.
    ///
    /// # Errors
    ///
    /// A lock that is held is waited for by handlers that may come from now on.
    #[track_caller]
    pub fn irqs_on(&self, context: &Context, irq: Irq) -> Result<(), Violation> {
        let at = Location::caller();
        context.switch(irq, true);
        let exposed = |held| self.exposed(context, Acquisition { at, ..held });
        context.held().map(exposed).fold(Ok(()), Result::and)
    }

    /// Returns what can be printed about `violation`. Printing takes the validator's lock for short.
    pub fn report(&self, violation: Violation) -> Report<'_, B> {
        Report::new(self, violation)
    }

    /// Returns the `index`th distinct violation, with how often it was seen. Takes the lock.
    pub fn violation(&self, index: usize) -> Option<Violation> {
        self.with_tables(|tables| tables.violation_at(index))
    }

    /// Returns the `index`th order that was seen, with its sites. Takes the lock.
    pub fn edge(&self, index: usize) -> Option<Edge> {
        self.with_tables(|tables| tables.edge_at(index))
    }

    /// Returns how full the tables are. Takes the lock.
    pub fn counts(&self) -> Counts {
        self.with_tables(|tables| tables.counts())
    }

    /// Returns the name of a class, `"?"` if nobody registered it. Takes the lock.
    pub fn name(&self, class: ClassId) -> &'static str {
        self.with_tables(|tables| tables.name(class)).unwrap_or("?")
    }

    /// The next order on a shortest way from one class to another; `None` if they are the same.
    fn hop(&self, from: ClassId, to: ClassId, declared: bool) -> Option<Hop> {
        self.with_tables(|tables| {
            let next = self.graph.next(from, to, declared).filter(|_| from != to)?;
            let sites = tables.edge(from, next);
            let declared = self.graph.declares(from, next);
            Some(Hop { from, to: next, sites, declared })
        })
    }

    fn usage_site(&self, class: ClassId, usage: Usage) -> Option<&'static Location<'static>> {
        self.with_tables(|tables| tables.usage(class, usage))
    }
}

/// One order on a way from class to class.
#[derive(Clone, Copy)]
struct Hop {
    from: ClassId,
    to: ClassId,
    /// Where it was first seen, if that is known.
    sites: Option<Edge>,
    /// It is declared, whether it was seen or not.
    declared: bool,
}
