//! What fuzz targets do with their bytes, as a library, so that tests can do the same.

mod codec;
mod common;
mod crash;
pub mod faults;
pub mod inputs;
pub mod queue;
#[path = "../../tests/reference/mod.rs"]
mod reference;
pub mod schedule;
pub mod slab;
pub mod stack;
pub mod trace;
pub mod validator;
