//! There is one token for what is held.

use rskq::lockdep::{Held, Nothing};

fn by_clone(held: &mut Held<'_, Nothing>) {
    let _copy: Held<'_, Nothing> = (*held).clone(); //~ E0599 `clone` found
    //~ instead: let _same: Held<'_, Nothing> = held.reborrow();
}
