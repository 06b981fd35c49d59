//! What happens to groups: who joins, leaves, comes back, and who is selected.
//!
//! Writers hold the one global reuseport lock. Selection reads without a lock: `num_socks`, the tree and a
//! slot of `socks[]` are not a snapshot, so a reader takes a reference on the member unless there is none,
//! and then looks again whether it got a member of the group that it came for. Growth does not get in its
//! way: what was there before is there at every moment of it. Only a member that leaves does.

mod closed;
mod members;
mod migrate_tmp;
#[cfg(feature = "designs")]
mod pick;
mod select;
pub(crate) use migrate_tmp::*;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub(crate) use members::{CannotAdd, Detached};
#[cfg(feature = "designs")]
pub(crate) use pick::Migration;
pub(crate) use select::Selecting;
