//! Says which input it was, before a panic is told. A fuzzer ends the process in its own hook, which comes after.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::panic;
use std::sync::Once;

thread_local! {
    static RUNNING: RefCell<Option<Box<dyn Debug>>> = const { RefCell::new(None) };
}

/// Runs `f`; if it panics, `input` is printed first.
pub(crate) fn tell(input: &(impl Debug + Clone + 'static), f: impl FnOnce()) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(input) = RUNNING.take() {
                eprintln!("{input:?}");
            }
            next(info);
        }));
    });
    RUNNING.set(Some(Box::new(input.clone())));
    f();
    RUNNING.set(None);
}

/// Writes the test, for `fuzz/tests/regressions.rs`, that does the operations of an input of `target`, which is made
/// of `first` and them.
pub(crate) fn test<T: Debug>(
    f: &mut fmt::Formatter<'_>,
    target: &str,
    first: &str,
    ops: &[T],
) -> fmt::Result {
    writeln!(f, "#[test]\nfn found_by_fuzzing() {{\n    use {target}::{{Input, Op}};\n    let ops = [")?;
    for op in ops {
        writeln!(f, "        Op::{op:?},")?;
    }
    write!(f, "    ];\n    Input::new({first}&ops).run(None);\n}}")
}
