//! The run-time lock validator from outside: on a whole stack, and on an embedder's own locks.
#![cfg(all(feature = "alloc", feature = "designs", feature = "lockdep", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;
mod lock_api_users;
mod lock_api_waits;
mod others;
mod stack;
