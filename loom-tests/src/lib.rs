//! rskq under loom: scenarios, properties, verdicts.
//!
//! A [`scenario`] is a small world and two or three threads with a few operations each. [`explore`]
//! runs it under a design in every interleaving, with [`observer`] looking at every step, and gives
//! a [`verdict`] for each property. [`matrix`] is all of that in one table, [`story`] one
//! interleaving in columns and [`picture`] the same as a drawing; [`order`] draws which locks are
//! taken under which; [`seeded`] plants bugs and looks which checker finds each; [`schedule`] runs one
//! execution under another checker; [`figures`] keeps what long runs printed.

pub mod artifact;
pub mod designs;
pub mod example;
pub mod exhaust;
pub mod expected;
pub mod explore;
pub mod faults;
pub mod figures;
pub mod matrix;
pub mod nesting;
pub mod observer;
pub mod order;
pub mod picture;
pub mod progress;
pub mod property;
pub mod readme;
pub mod reference;
pub mod scenario;
pub mod schedule;
pub mod seeded;
pub mod speed;
pub mod story;
pub mod verdict;
pub mod world;
