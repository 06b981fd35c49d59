//! While a guard lives, what it was taken with is out of reach.

use rskq::DefaultBackend;
use rskq::lockdep::{Held, Mutex, Nothing, order};

type Outer = Mutex<u32, order::ListenBucket, DefaultBackend>;
type Inner = Mutex<u32, order::Rskq, DefaultBackend>;

fn beside_a_guard(held: &mut Held<'_, Nothing>, outer: &Outer, inner: &Inner) {
    let first = inner.lock(held);
    //~ instead: let first = outer.lock(held);
    drop(first);
    let first = inner.lock(held);
    //~ instead: let (first, mut held) = outer.lock_and(held);
    let second = outer.lock(held); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let second = inner.lock(&mut held);
    drop((first, second));
}

fn beside_a_guard_with_a_token(held: &mut Held<'_, Nothing>, outer: &Outer, inner: &Inner) {
    let (first, mut deeper) = outer.lock_and(held);
    let second = inner.lock(held); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let second = inner.lock(&mut deeper);
    drop((first, second));
}

/// To let go of the inner token does not bring the outer one back.
fn without_the_inner_token(held: &mut Held<'_, Nothing>, outer: &Outer, inner: &Inner) {
    let (first, deeper) = outer.lock_and(held);
    drop(deeper);
    //~ instead: drop((first, deeper));
    let second = outer.lock(held); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let second = outer.lock(held);
    drop((first, second));
    //~ instead: drop(second);
}

fn one_lock_twice(held: &mut Held<'_, Nothing>, inner: &Inner) {
    let mut first = inner.lock(held);
    let again = inner.lock(held); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let again = &mut first;
    drop(again);
    //~ instead: **again += 1;
    drop(first);
}
