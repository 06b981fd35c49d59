//! Seeded bugs: what shipped elsewhere, or was caught before it did, planted here, and who finds it.
//!
//! | module | what it is for |
//! |---|---|
//! | [`rows`] | the table: each bug, and what stands for it here |
//! | [`decision`] | why some of them cannot be planted |
//! | [`checker`] | one run of one checker, with a fault or without |
//! | [`tools`] | the checkers' programs, which are built first |
//! | [`process`] | a program that is stopped when it has said enough, or takes too long |
//! | [`hints`] | where to look first |
//! | [`search`] | one checker after the other, until one finds it |
//! | [`report`] | what came of it, as a table and as JSON |
//!
//! No checker knows what is planted: the models, the replay of the oracle and the tests are those that run
//! without a fault, too. Where to look first is a hint that a search begins with, and no more; and whatever
//! finds something is run once more without the fault, and has to find nothing.

pub mod checker;
pub mod decision;
pub mod hints;
pub mod process;
pub mod report;
pub mod rows;
pub mod search;
pub mod tools;
