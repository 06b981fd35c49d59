//! A real kernel as the oracle, operation by operation.

pub mod kernel;
