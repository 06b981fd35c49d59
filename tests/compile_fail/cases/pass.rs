//! What the order allows.

use rskq::DefaultBackend;
use rskq::lockdep::{Before, Held, Mutex, MutexGuard, Nothing, order};

type Bucket = Mutex<u32, order::ListenBucket, DefaultBackend>;
type Reuseport = Mutex<u32, order::Reuseport, DefaultBackend>;
type Rskq = Mutex<u32, order::Rskq, DefaultBackend>;
type FastOpen = Mutex<u32, order::FastOpen, DefaultBackend>;

fn one_after_the_other_in_any_order(held: &mut Held<'_, Nothing>, bucket: &Bucket, rskq: &Rskq) {
    *rskq.lock(held) += 1;
    *bucket.lock(held) += 1;
    let guard = rskq.lock(held);
    drop(guard);
    let guard = bucket.lock(held);
    drop(guard);
}

fn nested_and_skipping(held: &mut Held<'_, Nothing>, bucket: &Bucket, rskq: &Rskq, fast: &FastOpen) {
    let (outer, mut held) = bucket.lock_and(held);
    {
        let (_inner, mut held) = rskq.lock_and(&mut held);
        *fast.lock(&mut held) += *outer;
    }
    // The inner one was released: what it skipped is in reach again.
    let innermost = fast.lock(&mut held);
    drop((outer, innermost));
}

fn between_two_that_are_nested(held: &mut Held<'_, Nothing>, bucket: &Bucket, between: &Reuseport, rskq: &Rskq) {
    let (_outer, mut held) = bucket.lock_and(held);
    drop(rskq.lock(&mut held));
    let (_between, mut held) = between.lock_and(&mut held);
    drop(rskq.lock(&mut held));
}

fn pairs(held: &mut Held<'_, Nothing>, bucket: &Bucket, one: &Rskq, other: &Rskq) {
    let (_outer, mut held) = bucket.lock_and(held);
    if let Some((mut mine, mut theirs)) = one.lock_pair(other, &mut held) {
        std::mem::swap(&mut *mine, &mut *theirs);
    }
    drop(other.lock(&mut held));
}

/// Whoever is called says what may be held.
fn anywhere_before<H: Before<order::Rskq>>(held: &mut Held<'_, H>, rskq: &Rskq) -> u32 {
    *rskq.lock(held)
}

fn calls(held: &mut Held<'_, Nothing>, bucket: &Bucket, between: &Reuseport, rskq: &Rskq) {
    anywhere_before(held, rskq);
    let (_outer, mut held) = bucket.lock_and(held);
    anywhere_before(&mut held, rskq);
    let (_between, mut held) = between.lock_and(&mut held);
    anywhere_before(&mut held, rskq);
    anywhere_before(&mut held.at::<order::Timer>(), rskq);
    anywhere_before(&mut held.reborrow(), rskq);
}

fn a_guard_is_returned_with_its_loan<'a>(
    held: &'a mut Held<'_, Nothing>,
    rskq: &'a Rskq,
) -> MutexGuard<'a, u32, order::Rskq, DefaultBackend> {
    rskq.lock(held)
}
