//! A token is not put together of its parts.

use rskq::lockdep::{Held, Nothing};
use std::marker::PhantomData;

fn by_its_fields() {
    let _root: Held<'_, Nothing> = Held { scope: PhantomData, class: PhantomData, context: PhantomData }; //~ E0451 are private
    //~ instead: let _root: PhantomData<Held<'_, Nothing>> = PhantomData;
}
