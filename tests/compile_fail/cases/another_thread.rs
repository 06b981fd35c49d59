//! What one context holds is no other context's business.

use rskq::DefaultBackend;
use rskq::lockdep::{Held, Mutex, Nothing, order};
use std::thread::scope;

type Rskq = Mutex<u32, order::Rskq, DefaultBackend>;

fn lend_a_token(held: &mut Held<'_, Nothing>, lock: &Rskq) {
    let parent = held;
    scope(|threads| threads.spawn(|| drop(lock.lock(parent))).join()); //~ E0277 `*mut ()` cannot be sent between threads safely
    //~ instead: drop(lock.lock(parent));
}

fn give_a_token_away(held: &mut Held<'_, Nothing>, lock: &Rskq) {
    let mut mine = held.reborrow();
    scope(|threads| threads.spawn(move || drop(lock.lock(&mut mine))).join()); //~ E0277 `*mut ()` cannot be sent between threads safely
    //~ instead: drop(lock.lock(&mut mine));
}

fn show_a_token(held: &mut Held<'_, Nothing>) {
    let shown = &*held;
    scope(|threads| threads.spawn(|| size_of_val(shown)).join()); //~ E0277 `*mut ()` cannot be shared between threads safely
    //~ instead: let _ = size_of_val(shown);
}

/// The raw lock is released by the context that took it.
fn give_a_guard_away(held: &mut Held<'_, Nothing>, lock: &Rskq) {
    let guard = lock.lock(held);
    scope(|threads| threads.spawn(move || drop(guard)).join()); //~ E0277 `*mut u32` cannot be sent between threads safely
    //~ instead: drop(guard);
}

fn a_token_each(lock: &Rskq) {
    let own = || {
        // SAFETY: a thread that begins holds nothing.
        let mut held = unsafe { Held::nothing() };
        *lock.lock(&mut held) += 1;
    };
    scope(|threads| [threads.spawn(own), threads.spawn(own)].map(|thread| thread.join().is_ok()));
}
