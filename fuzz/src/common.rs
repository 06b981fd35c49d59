//! What the reference of the tests asks for, on a back end that can break a rule.

#[path = "../../tests/common/stacks.rs"]
mod stacks;

pub(crate) use stacks::*;

pub(crate) type TestBackend = rskq::sync::seeded::Seeded<rskq::DefaultBackend>;
