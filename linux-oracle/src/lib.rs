//! A recorded Linux kernel as the oracle of `rskq`.
//!
//! A trace holds operations on listeners that share an address, and everything the kernel showed
//! after each. [`replay`] does the same operations on an [`rskq::Stack`] and compares every field
//! after every one of them. Nothing here needs a kernel or a privilege.
//!
//! ```
//! let totals = linux_oracle::embedded::replay_all()?.iter().map(|(_, summary)| summary.totals()).sum();
//! let linux_oracle::Totals { replayed, operations, divergences } = totals;
//! assert!(replayed > 0 && replayed <= operations);
//! assert_eq!(divergences, 0);
//! println!("trace replay: {totals}"); // N of M operations, D divergences
//! # Ok::<(), linux_oracle::embedded::EmbeddedError>(())
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`trace`] | the format: what a line can say |
//! | [`lines`] | reading lines, compressed or not |
//! | [`error`] | why a trace cannot be replayed |
//! | [`episode`] | one episode: the stack, and the embedder's side of it |
//! | [`summary`] | what a replay found |
//! | [`engine`] | the loop: read, do, compare |
//! | [`live`] | a real kernel instead of a trace |
//! | [`embedded`] | the recorded traces, inside the library |

pub mod embedded;
pub mod engine;
pub mod episode;
pub mod error;
pub mod lines;
#[cfg(target_os = "linux")]
pub mod live;
pub mod summary;
pub mod trace;

pub use engine::{replay, replay_with};
pub use error::TraceError;
pub use summary::{Divergence, Summary, Totals};
