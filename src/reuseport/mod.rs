//! What happens to groups: who joins, leaves, comes back, and who is selected.
//!
//! Writers hold the one global reuseport lock. Selection reads without a lock: `num_socks` and a slot
//! of `socks[]` are not a snapshot, so a reader takes a reference on the member unless there is none,
//! and then looks again whether it got a member of the group that it came for.

mod members;
#[cfg(feature = "designs")]
mod pick;
mod select;
mod migrate_tmp;
pub(crate) use migrate_tmp::*;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub(crate) use members::{Detached, GroupFull};
#[cfg(feature = "designs")]
pub(crate) use pick::Migration;
pub(crate) use select::Selecting;
