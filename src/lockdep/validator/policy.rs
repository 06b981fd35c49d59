//! What becomes of a violation; the calls that see to it themselves.

use super::{Acquisition, ClassId, Context, Report, Validator, Violation};
use crate::sync::{Backend, Nesting};
use core::panic::Location;

/// What becomes of a violation, beside being kept for [`Validator::violation`].
pub enum Policy<B: Backend> {
    /// Nothing.
    Record,
    /// Each distinct one is handed to a function, once, with no lock of the validator held.
    Report(fn(Report<'_, B>)),
    /// Each one panics with its report.
    Panic,
}

impl<B: Backend> Validator<B> {
    /// Does with a violation what the policy says.
    ///
    /// # Panics
    ///
    /// With the report, if that is the policy.
    #[inline]
    pub fn obey(&self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.act(violation);
        }
    }

    /// [`before_lock`](Self::before_lock) and [`locked`](Self::locked) in one, and the policy obeyed: what
    /// a wrapper of a lock calls before it waits.
    ///
    /// # Panics
    ///
    /// With the report, if that is the policy; the lock then is not held.
    #[inline(always)]
    pub fn lock(&self, context: &Context, wanted: Acquisition, nesting: Nesting) {
        let level = context.here();
        if !self.graph.knows(wanted.class, level.classes(), context.usages()) {
            let Acquisition { class, key, address, at } = wanted;
            self.lock_slow(context, class, key, address, at, nesting);
        }
        if !level.push(wanted) {
            let Acquisition { class, key, address, at } = wanted;
            self.lock_unseen(class, key, address, at);
        }
    }

    /// [`unlocked`](Self::unlocked), and the policy obeyed: what a wrapper calls before it releases.
    ///
    /// # Panics
    ///
    /// With the report, if that is the policy.
    #[inline(always)]
    pub fn unlock(&self, context: &Context, lock: Acquisition) {
        if !context.here().pop(lock) {
            let Acquisition { class, key, address, at } = lock;
            self.unlock_slow(context, class, key, address, at);
        }
    }

    // What is cold takes an acquisition in pieces: a pointer to one would keep it in memory on the
    // way that is not cold.

    #[cold]
    #[inline(never)]
    fn lock_slow(
        &self,
        context: &Context,
        class: ClassId,
        key: u32,
        address: usize,
        at: &'static Location<'static>,
        nesting: Nesting,
    ) {
        self.obey(self.look(context, Acquisition { class, key, address, at }, nesting));
    }

    #[cold]
    #[inline(never)]
    fn lock_unseen(&self, class: ClassId, key: u32, address: usize, at: &'static Location<'static>) {
        self.obey(self.unseen(Acquisition { class, key, address, at }));
    }

    #[cold]
    #[inline(never)]
    fn unlock_slow(
        &self,
        context: &Context,
        class: ClassId,
        key: u32,
        address: usize,
        at: &'static Location<'static>,
    ) {
        self.obey(self.not_last(context, Acquisition { class, key, address, at }));
    }

    #[cold]
    #[inline(never)]
    fn act(&self, violation: Violation) {
        match self.policy {
            Policy::Record => (),
            Policy::Report(report) if violation.seen == 1 => report(self.report(violation)),
            Policy::Report(_) => (),
            Policy::Panic => panic!("{}", self.report(violation)),
        }
    }
}
