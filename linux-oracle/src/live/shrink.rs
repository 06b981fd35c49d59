//! The shortest episode that still differs.

use super::kernel::StepError;
use super::run::{Diverging, Live};
use crate::trace::{EpisodeStart, Operation};

/// Deletes operations for as long as the sides still differ: halves of them first, single ones in the end, until
/// not one can be left out.
///
/// # Errors
///
/// If the system fails.
pub fn shrink(live: &mut Live, diverging: Diverging) -> Result<Diverging, StepError> {
    shrink_with(diverging, |start, operations| live.again(start, operations))
}

/// The same with whatever does operations and tells whether the sides differ.
///
/// # Errors
///
/// What `again` fails with.
pub fn shrink_with<E>(
    mut least: Diverging,
    mut again: impl FnMut(EpisodeStart, &[Operation]) -> Result<Option<Diverging>, E>,
) -> Result<Diverging, E> {
    let mut size = least.done.len() / 2;
    while size > 0 {
        let before = least.done.len();
        let mut from = 0;
        while from < least.done.len() {
            let to = (from + size).min(least.done.len());
            let kept = least.done[..from].iter().chain(&least.done[to..]);
            let operations: Vec<Operation> = kept.map(|(operation, _)| *operation).collect();
            match again(least.start, &operations)? {
                Some(smaller) => least = smaller,
                None => from = to,
            }
        }
        // What was deleted last may have been what an earlier operation was needed for.
        if size > 1 || least.done.len() == before {
            size /= 2;
        }
    }
    Ok(least)
}
