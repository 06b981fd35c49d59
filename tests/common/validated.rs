//! The validator of the tests' stacks: whatever it sees fails the test, but for what the v1 patch does.

use rskq::DefaultBackend;
use rskq::lockdep::validator::{Context, Kind, Policy, Report, Validator};
use rskq::lockdep::{Embedder, order};

/// The test program: one validator, a context a thread.
pub(crate) struct Program;

pub(crate) static VALIDATOR: Validator<DefaultBackend> = Validator::new(order::ORDER, Policy::Report(fail));
std::thread_local!(static CONTEXT: Context = const { Context::new() });

impl Embedder for Program {
    type Backend = DefaultBackend;
    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
        CONTEXT.with(|context| f(&VALIDATOR, context))
    }
}

/// `Design::Splice` takes two queues' locks in no order: the one thing that is to be found.
fn fail(report: Report<'_, DefaultBackend>) {
    let violation = report.violation();
    let class = violation.wanted.map(|lock| VALIDATOR.name(lock.class));
    let expected = violation.kind == Kind::SameClass && class == Some("Rskq");
    assert!(expected, "{report}");
}
