//! Levels may be skipped inward. What was skipped is out of reach until the inner lock is released.

use rskq::DefaultBackend;
use rskq::lockdep::{Held, Mutex, Nothing, order};

fn back_out(
    held: &mut Held<'_, Nothing>,
    outer: &Mutex<u32, order::ListenBucket, DefaultBackend>,
    skipped: &Mutex<u32, order::EstablishedBucket, DefaultBackend>,
    inner: &Mutex<u32, order::Rskq, DefaultBackend>,
) {
    let (_outer, mut held) = outer.lock_and(held);
    let (_inner, mut deeper) = inner.lock_and(&mut held);
    //~ instead: drop(inner.lock(&mut held));
    let _late = skipped.lock(&mut deeper); //~ E0277 lock order violation: `EstablishedBucket` may not be taken while `Rskq` is held
    //~ instead: let _late = skipped.lock(&mut held);
}

/// To say that more is held than is held does not help either.
fn pretend(held: &mut Held<'_, Nothing>, skipped: &Mutex<u32, order::EstablishedBucket, DefaultBackend>) {
    let mut deeper = held.at::<order::Timer>();
    //~ instead: let mut deeper = held.at::<order::Reuseport>();
    let _late = skipped.lock(&mut deeper); //~ E0277 lock order violation: `EstablishedBucket` may not be taken while `Timer` is held
    //~ instead: let _late = skipped.lock(&mut deeper);
}

fn pretend_less(held: &mut Held<'_, order::Timer>) {
    let _outward = held.at::<order::Reuseport>(); //~ E0277 lock order violation: `Reuseport` may not be taken while `Timer` is held
    //~ instead: let _outward = held.at::<order::Rskq>();
}
