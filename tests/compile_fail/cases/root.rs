//! Who begins to hold says so, and takes the responsibility.

use rskq::lockdep::{Held, Nothing};

fn without_saying_so() {
    let _root: Held<'_, Nothing> = Held::nothing(); //~ E0133 call to unsafe function
    //~ instead: let _root: Held<'_, Nothing> = unsafe { Held::nothing() };
}
