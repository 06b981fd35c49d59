//! Lock classes, the one order table, and the mutex that every lock of the crate is.
//!
//! The order is declared once, in [`order`], outermost first, by a macro that embedders use for classes of
//! their own, [`lock_order!`](crate::lock_order). From that one list come three checks:
//!
//! 1. at compile time, what a context holds is a type ([`Held`]), and a lock that may not be taken then is
//!    an error that names both and the order;
//! 2. at run time, [`Checked`] and [`Validated`] locks ask a [`validator`] before they wait, which knows the
//!    order, learns orders that were not declared, and tells a cycle with every site in it; it sees what
//!    types cannot: what a `Drop` takes, callbacks, interrupts;
//! 3. the model checkers' locks assert the ranks at every acquisition, and report threads that wait for
//!    each other as an interleaving.
//!
//! Two locks of one class are taken only
//! together, in one call, by ascending key ([`Mutex::lock_pair`]): a listener's id, never an
//! address, which would change between runs and make a model meaningless.

mod checked;
mod declare;
mod embedder;
mod held;
mod mutex;
pub mod order;
mod raw_mutex;
pub mod validator;

pub use checked::{Checked, CheckedLock};
pub use declare::LockClass;
pub use embedder::{Class, Embedder, Key};
pub use held::{Before, Held, Nothing};
pub use mutex::{GuardPair, Mutex, MutexGuard};
pub use raw_mutex::{Keyed, KeyedGuard, Validated, lock_pair};
