//! Safe code makes no token.

use rskq::lockdep::{Before, Held, Nothing, order};

fn by_its_constructor() {
    let _forged = Held::<'_, order::Rskq>::new(); //~ E0624 associated function `new` is private
    //~ instead:
}

fn by_default() {
    let _forged = Held::<'_, Nothing>::default(); //~ E0599 named `default` found
    //~ instead:
}

/// Not even unsafe code says that it holds something that nobody took.
fn of_a_class() {
    // SAFETY: none.
    let _forged = unsafe { Held::<'_, order::Rskq>::nothing() }; //~ E0599 named `nothing` found
    //~ instead: let _honest = unsafe { Held::<'_, Nothing>::nothing() };
}

/// The order of the table is the table's alone.
impl Before<order::ListenBucket> for order::Rskq {} //~ E0117 only traits defined in the current crate can be implemented
//~ instead:
