//! What happens to groups: who joins, leaves, comes back, and who is selected.
//!
//! Writers hold the one global reuseport lock. Selection reads without a lock: `num_socks`, the tree and a
//! slot of `socks[]` are not a snapshot, so a reader takes a reference on the member unless there is none,
//! and then looks again whether it got a member of the group that it came for. Growth does not get in its
//! way: what was there before is there at every moment of it. Only a member that leaves does.

mod closed;
mod map;
mod members;
mod migrate;
#[cfg(feature = "designs")]
mod pick;
mod program;
mod select;
#[cfg(all(test, feature = "spin", feature = "alloc"))]
mod tests;

pub(crate) use members::{CannotAdd, Detached};
pub(crate) use migrate::Migration;
pub(crate) use select::{Selected, Selecting};
