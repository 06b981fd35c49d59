//! A token that was given away is gone, and one that was lent is lent.

use rskq::lockdep::{Held, Nothing};

fn out_of_a_loan(held: &mut Held<'_, Nothing>) {
    let _copy: Held<'_, Nothing> = *held; //~ E0507 cannot move out of `*held`
    //~ instead: let _same: Held<'_, Nothing> = held.reborrow();
}

fn twice(held: Held<'_, Nothing>) {
    let one = held;
    let other = held; //~ E0382 use of moved value: `held`
    //~ instead: let other = 0;
    drop((one, other));
}

fn lent_twice(held: &mut Held<'_, Nothing>) {
    let one = held.reborrow();
    let other = held.reborrow(); //~ E0499 cannot borrow `*held` as mutable more than once at a time
    //~ instead: let other = 0;
    drop((one, other));
}
