//! Every pair of classes, from the table itself.

use crate::case::Case;
use rskq::lockdep::order::ORDER;
use std::fmt::Write;

const HEAD: &str = "use rskq::DefaultBackend;\nuse rskq::lockdep::{Held, Mutex, Nothing, order};\n\n";

/// A function that takes a lock of class `outer` and then one of class `inner`.
fn nested(program: &mut String, outer: &str, inner: &str, mark: &str) {
    let of = |class| format!("&Mutex<u32, order::{class}, DefaultBackend>");
    let name = format!("{outer}_then_{inner}").to_lowercase();
    let (first, second) = (of(outer), of(inner));
    write!(
        program,
        "fn {name}(held: &mut Held<'_, Nothing>, first: {first}, second: {second}) {{\n    \
             let (_first, mut held) = first.lock_and(held);\n    \
             let _second = second.lock(&mut held);{mark}\n\
         }}\n\n"
    )
    .unwrap();
}

/// The mark of a nesting that the order does not allow.
fn refused(outer: &str, inner: &str) -> String {
    format!(" //~ E0277 lock order violation: `{inner}` may not be taken while `{outer}` is held")
}

/// Every pair of two classes the wrong way round: neighbours, and those with classes between them.
/// Corrected, each is the right way round.
pub(crate) fn reversed() -> Case {
    let (mut program, mut corrected) = (HEAD.to_owned(), HEAD.to_owned());
    for (rank, outer) in ORDER.iter().enumerate() {
        for inner in &ORDER[rank + 1..] {
            nested(&mut program, inner, outer, &refused(inner, outer));
            nested(&mut corrected, outer, inner, "");
        }
    }
    Case::corrected("reversed", &program, &corrected)
}

/// Two locks of each class, one in the other. Corrected, they are taken together.
pub(crate) fn same_class() -> Case {
    let mut program = HEAD.to_owned();
    for class in ORDER {
        nested(&mut program, class, class, &refused(class, class));
    }
    let corrected = program
        .replace("let (_first, mut held) = first.lock_and(held);", "")
        .replace("let _second = second.lock(&mut held);", "let _pair = first.lock_pair(second, held);");
    Case::corrected("same_class", &program, &corrected)
}
