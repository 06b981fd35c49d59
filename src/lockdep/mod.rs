//! Lock classes, the one order table, and the mutex that every lock of the crate is.
//!
//! The order is declared once, in [`order`], outermost first. From that table come the ranks that
//! the model checkers' locks assert at every acquisition. Two locks of one class are taken only
//! together, in one call, by ascending key ([`Mutex::lock_pair`]): a listener's id, never an
//! address, which would change between runs and make a model meaningless.

mod checked;
mod embedder;
mod held;
mod mutex;
pub mod order;
mod raw_mutex;
pub mod validator;

pub use checked::{Checked, CheckedLock};
pub use embedder::{Class, Embedder, Key};
pub use held::{Before, Held, Nothing};
pub use mutex::{GuardPair, Mutex, MutexGuard};
pub use order::LockClass;
pub use raw_mutex::{Keyed, KeyedGuard, Validated, lock_pair};
