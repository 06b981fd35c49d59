//! `speed`: what an interleaving costs on the crate's back end, and on loom's own objects.

use super::Outcome;
use clap::Args;
use loom_tests::speed::{Explored, PAIRS, Pair, explored};
use serde_json::json;
use std::process::ExitCode;

/// How often, and how it is told.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Explores each model in so many runs.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// One JSON object a line instead of text.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut counts = Vec::new();
    for run in 0..arguments.runs {
        for Pair { case, ours, loom } in PAIRS {
            let [ours, loom] = [("rskq's back end", ours), ("loom alone", loom)].map(|(who, model)| {
                let Explored { interleavings, ns } = explored(model);
                if arguments.json {
                    println!("{}", json!({ "case": case, "who": who, "ns": ns }));
                } else {
                    println!("{case}, {who}: {:.0} interleavings/s", 1e9 / ns);
                }
                interleavings
            });
            if ours != loom {
                return Err(format!("{case}: {ours} interleavings, and {loom} on loom alone").into());
            }
            if run == 0 {
                counts.push(format!("{case}: {ours}"));
            }
        }
    }
    let says = format!("Interleavings of each model, the same of both: {}.", counts.join("; "));
    println!("{}", if arguments.json { json!({ "says": says }).to_string() } else { says });
    Ok(ExitCode::SUCCESS)
}
