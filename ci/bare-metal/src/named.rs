//! What the scenario has no reason to call: public functions that a design of the discussion is for, and
//! those of the validator.

use crate::memory::Backend;
use crate::{child::Child, sys};
use core::fmt::{self, Write};
use core::hint::black_box;
use lock_api::Mutex;
use rskq::lockdep::validator::{Acquisition, ClassId, Context, Irq, PerCpu, Policy, Validator};
use rskq::lockdep::{Embedder, Validated, lock_pair, order};
use rskq::queue::{AcceptQueue, LockedQueue, RequestSockQueue};
use rskq::sync::{Fault, Nesting};

static VALIDATOR: Validator<Backend> = Validator::new(order::ORDER, Policy::Record);
static CONTEXTS: PerCpu<1> = PerCpu::new();

struct Image;

impl Embedder for Image {
    type Backend = Backend;
    fn with<R>(f: impl FnOnce(&Validator<Backend>, &Context) -> R) -> R {
        // SAFETY: there is one CPU, and no interrupt.
        unsafe { CONTEXTS.with(0, |context| f(&VALIDATOR, context)) }
    }
}

rskq::lock_class! {
    Page[u32] = "page" of Image;
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

pub(crate) fn run() {
    // Nobody outside can have a locked queue, so that these can be named and not called.
    black_box(LockedQueue::<Child, Backend>::prepend as fn(&mut _, _));
    black_box(LockedQueue::<Child, Backend>::splice_head as fn(&mut _, &mut _));
    black_box(LockedQueue::<Child, Backend>::splice_tail as fn(&mut _, &mut _));
    black_box(RequestSockQueue::<Child, Backend>::is_empty as fn(&_) -> _);
    let mut empty = [const { AcceptQueue::<Child, Backend>::new() }; 2];
    let [one, other] = &mut empty;
    one.splice_head(other);
    sys::expect(one.is_empty(), "splice_head: nothing");
    sys::expect(Fault::by_name(black_box("no such fault")).is_none(), "by_name: unknown");
    locks();
    by_hand();
}

fn locks() {
    let keyed = |key| Mutex::from_raw(Validated::<::spin::Mutex<()>, Page>::with_key(key), key);
    let (one, other) = (keyed(1), keyed(2));
    sys::expect(lock_pair(&one, &other).is_some(), "lock_pair: two keys");
}

fn by_hand() {
    Image::with(|validator, context| {
        let class = sys::must(validator.register("inode"), "register: a class");
        let lock = Acquisition::of(&VALIDATOR, class, 0);
        validator.obey(validator.before_lock(context, lock, Nesting::None));
        validator.obey(validator.locked(context, lock));
        sys::expect(context.held().count() == 1, "held: one");
        validator.obey(validator.unlocked(context, lock));
        validator.obey(validator.try_locked(context, lock));
        validator.unlock(context, lock);
        validator.lock(context, lock, Nesting::None);
        validator.lock(context, lock, Nesting::None); // reported
        let interrupted = context.enter(Irq::Soft);
        context.leave(interrupted);
        if context.irqs_off(Irq::Soft) {
            validator.obey(validator.irqs_on(context, Irq::Soft));
        }
        let _ = (validator.counts(), validator.edge(0), validator.name(ClassId::of_rank(0)));
        if let Some(violation) = validator.violation(0) {
            let report = validator.report(violation);
            let mut length = Length(0);
            sys::must(write!(length, "{report}"), "report: written");
            sys::expect(length.0 != 0 && report.violation() == violation, "report: of that violation");
        }
    });
    let mut validator = Validator::<Backend>::new(&[], Policy::Record);
    validator.place();
    let mut key = rskq::lockdep::validator::ClassKey::<Backend>::new("dentry");
    key.place();
    sys::must(key.id(&validator), "id: registered");
}
