//! Runs one execution under shuttle, as [`explore`](crate::explore) runs all of them under loom.

use crate::observer;
use crate::scenario::Op;
use crate::world::World;
use rskq::sync::ModelBackend;
use rskq::sync::model::{self, MAIN};
use shuttle::{Config, MaxSteps};
use std::sync::Arc;

/// Returns shuttle's settings for runs of which none passes for having been cut short.
#[must_use]
pub fn config() -> Config {
    let mut config = Config::new();
    // A world is walked and a report formatted on it.
    config.stack_size = 256 << 10;
    // Too many steps and too little time are no passes.
    config.max_steps = MaxSteps::FailAfter(1_000_000);
    config.max_time = None;
    // That orderings weaker than sequential consistency are not explored: loom does that.
    config.silence_warnings = true;
    config
}

/// Runs a staged world's threads, each with its operations, and looks at the end. Returns what became of
/// everybody.
///
/// # Panics
///
/// With whatever a thread panics with.
pub fn execute<M: ModelBackend>(world: &Arc<World<M>>, threads: impl IntoIterator<Item = Vec<Op>>) -> String {
    let begin = |(thread, ops): (u8, Vec<Op>)| {
        let world = Arc::clone(world);
        shuttle::thread::spawn(move || {
            model::enter(thread);
            world.run_all(&ops);
        })
    };
    let threads: Vec<_> = (MAIN + 1..).zip(threads).map(begin).collect();
    for thread in threads {
        thread.join().expect("a panic in a thread ends the run");
        model::enter(MAIN);
    }
    observer::end(world);
    world.outcome()
}
