//! A real kernel as the oracle, operation by operation.
//!
//! | module | what it is for |
//! |---|---|
//! | [`kernel`] | the kernel: doing operations, observing everything |
//! | [`generator`] | random operations that make sense where they stand |
//! | [`run`] | both sides, compared after every operation |
//! | [`shrink`] | the shortest episode that still differs |

mod book;
pub mod generator;
pub mod kernel;
pub mod run;
mod scope;
pub mod shrink;
