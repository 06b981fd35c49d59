//! A token is of no use beyond what it was made for.

use rskq::DefaultBackend;
use rskq::lockdep::{Held, Mutex, MutexGuard, Nothing, order};

type Outer = Mutex<u32, order::ListenBucket, DefaultBackend>;
type Inner = Mutex<u32, order::Rskq, DefaultBackend>;

/// The inner token may outlive its guard, and then says more than is held; it ends when the outer one is
/// used again.
fn after_the_outer_one_is_used(held: &mut Held<'_, Nothing>, outer: &Outer, inner: &Inner) {
    let (first, mut deeper) = outer.lock_and(held);
    drop(first);
    let again = outer.lock(held); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let again = 0;
    let second = inner.lock(&mut deeper);
    drop((again, second));
}

fn out_of_the_scope_of_its_parent(held: &mut Held<'_, Nothing>, outer: &Outer, inner: &Inner) {
    let mut kept = {
        let mut parent = held.reborrow();
        let (_first, deeper) = outer.lock_and(&mut parent); //~ E0597 `parent` does not live long enough
        //~ instead: let (_first, deeper) = outer.lock_and(held);
        deeper
    };
    drop(inner.lock(&mut kept));
}

/// A guard of the root token's ends with it.
fn a_guard<'a>(token: &'a mut Held<'_, Nothing>, inner: &'a Inner) -> MutexGuard<'a, u32, order::Rskq, DefaultBackend> {
    // SAFETY: nothing is held.
    let mut held = unsafe { Held::nothing() };
    //~ instead: let held = token;
    inner.lock(&mut held) //~ E0515 cannot return value referencing local variable `held`
    //~ instead: inner.lock(held)
}

fn for_ever(held: &mut Held<'_, Nothing>, inner: &Inner) -> Held<'static, order::Rskq> {
    //~ instead: fn for_ever<'a>(held: &'a mut Held<'_, Nothing>, inner: &'a Inner) -> Held<'a, order::Rskq> {
    let (_guard, kept) = inner.lock_and(held);
    kept //~ - lifetime may not live long enough
    //~ instead: kept
}
