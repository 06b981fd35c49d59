//! What the run-time validator costs: beside the raw lock, and beside `tracing-mutex`.
//!
//! `cargo bench -p rskq --features lockdep --bench lockdep`

use divan::{Bencher, black_box};
use rskq::DefaultBackend;
use rskq::lockdep::validator::{Acquisition, Context, Policy, Validator};
use rskq::lockdep::{Embedder, Validated};
use rskq::sync::Nesting;
use std::sync::Mutex as StdMutex;
use tracing_mutex::stdsync::tracing::Mutex as TracingMutex;

fn main() {
    divan::main();
}

struct Program;
static VALIDATOR: Validator<DefaultBackend> = Validator::new(&[], Policy::Panic);
std::thread_local!(static CONTEXT: Context = const { Context::new() });

impl Embedder for Program {
    type Backend = DefaultBackend;
    #[inline(always)]
    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
        CONTEXT.with(|context| f(&VALIDATOR, context))
    }
}

rskq::lock_class! {
    C0 = "0" of Program;
    C1 = "1" of Program;
    C2 = "2" of Program;
    C3 = "3" of Program;
    C4 = "4" of Program;
    C5 = "5" of Program;
    C6 = "6" of Program;
    C7 = "7" of Program;
}

type SpinMutex = lock_api::Mutex<spin::Mutex<()>, u64>;
type ValidatedMutex<K> = lock_api::Mutex<Validated<spin::Mutex<()>, K>, u64>;

/// Eight locks, taken one in another, from the first.
trait Locks: Default + Sync + 'static {
    fn one(&self);
    fn two(&self);
    fn eight(&self);
}

macro_rules! locks {
    ($name:ident, $lock:ident, [$($mutex:ty),+]) => {
        #[derive(Default)]
        struct $name($($mutex),+);

        impl Locks for $name {
            #[inline(always)]
            fn one(&self) {
                *$lock(&self.0) += 1;
            }
            #[inline(always)]
            fn two(&self) {
                let (mut outer, mut inner) = ($lock(&self.0), $lock(&self.1));
                *outer += 1;
                *inner += 1;
            }
            #[inline(always)]
            fn eight(&self) {
                let (l0, l1, l2, l3) = ($lock(&self.0), $lock(&self.1), $lock(&self.2), $lock(&self.3));
                let (l4, l5, l6, mut l7) = ($lock(&self.4), $lock(&self.5), $lock(&self.6), $lock(&self.7));
                *l7 += *l0 + *l1 + *l2 + *l3 + *l4 + *l5 + *l6;
            }
        }
    };
}

fn lock<R: lock_api::RawMutex>(mutex: &lock_api::Mutex<R, u64>) -> lock_api::MutexGuard<'_, R, u64> {
    mutex.lock()
}

fn lock_tracing(mutex: &TracingMutex<u64>) -> tracing_mutex::stdsync::tracing::MutexGuard<'_, u64> {
    mutex.lock().expect("nobody panics")
}

locks!(Spin, lock, [SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex]);
locks!(Rskq, lock, [
    ValidatedMutex<C0>, ValidatedMutex<C1>, ValidatedMutex<C2>, ValidatedMutex<C3>,
    ValidatedMutex<C4>, ValidatedMutex<C5>, ValidatedMutex<C6>, ValidatedMutex<C7>
]);
type T = TracingMutex<u64>;
locks!(Tracing, lock_tracing, [T, T, T, T, T, T, T, T]);

#[divan::bench(types = [Spin, Rskq, Tracing], sample_size = 10_000)]
fn a_1_lock<L: Locks>(bencher: Bencher<'_, '_>) {
    let locks = L::default();
    bencher.bench_local(|| black_box(&locks).one());
}

#[divan::bench(types = [Spin, Rskq, Tracing], sample_size = 10_000)]
fn b_2_nested<L: Locks>(bencher: Bencher<'_, '_>) {
    let locks = L::default();
    bencher.bench_local(|| black_box(&locks).two());
}

#[divan::bench(types = [Spin, Rskq, Tracing], sample_size = 10_000)]
fn c_8_nested<L: Locks>(bencher: Bencher<'_, '_>) {
    let locks = L::default();
    bencher.bench_local(|| black_box(&locks).eight());
}

/// Two nested; each thread has locks of its own, which share nothing but their classes.
#[divan::bench(types = [Spin, Rskq, Tracing], threads = [1, 2], sample_size = 200_000)]
fn d_2_nested_disjoint<L: Locks>(bencher: Bencher<'_, '_>) {
    #[repr(align(256))]
    struct Apart<L>(L);
    static NEXT: StdMutex<Vec<usize>> = StdMutex::new(Vec::new());
    let each = [(); 2].map(|()| Apart(L::default()));
    // A thread's place is that of its first call here.
    let place = || {
        std::thread_local!(static PLACE: usize = {
            let mut next = NEXT.lock().expect("nobody panics");
            next.push(0);
            next.len()
        });
        PLACE.with(|place| place % 2)
    };
    bencher.with_inputs(|| &each[place()].0).bench_values(|locks| black_box(locks).two());
}

/// Two nested, the same two for all threads: shows that the threads of the bench above do meet.
#[divan::bench(types = [Spin, Rskq, Tracing], threads = [1, 2], sample_size = 200_000)]
fn d_2_nested_shared<L: Locks>(bencher: Bencher<'_, '_>) {
    let locks = L::default();
    bencher.bench(|| black_box(&locks).two());
}

/// An order that nobody saw before, as it is learned.
#[divan::bench(sample_size = 100)]
fn e_first_sight_rskq(bencher: Bencher<'_, '_>) {
    let context = Context::new();
    context.irqs_off(rskq::lockdep::validator::Irq::Hard);
    let fresh = || {
        let validator = Box::new(Validator::<DefaultBackend>::new(&[], Policy::Record));
        let classes = ["outer", "inner"].map(|name| validator.register(name).expect("there is room"));
        (validator, classes)
    };
    let (outer, inner) = (SpinMutex::default(), SpinMutex::default());
    bencher.with_inputs(fresh).bench_local_refs(|(validator, classes)| {
        let locks = [Acquisition::of(&outer, classes[0], 0), Acquisition::of(&inner, classes[1], 0)];
        for lock in locks {
            validator.obey(validator.before_lock(&context, lock, Nesting::None));
            validator.obey(validator.locked(&context, lock));
        }
        let guards = (outer.lock(), inner.lock());
        for lock in locks.iter().rev() {
            validator.obey(validator.unlocked(&context, *lock));
        }
        drop(guards);
    });
}

/// The same, with two mutexes that were never locked.
#[divan::bench(sample_size = 100)]
fn e_first_sight_tracing(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| (T::default(), T::default())).bench_local_refs(|(outer, inner)| {
        let _guards = (lock_tracing(outer), lock_tracing(inner));
    });
}
