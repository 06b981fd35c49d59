//! Times everything, ten times over: `cargo bench -p rskq-bench --bench times`. What is measured is read by
//! `rskq-bench report`.

use criterion::{BenchmarkId, Criterion, SamplingMode};
use rskq_bench::{everything, figures};
use std::time::Duration;

fn main() {
    let all = everything();
    for run in 0..figures::RUNS {
        let mut criterion = Criterion::default()
            .configure_from_args()
            .without_plots()
            .sample_size(10)
            .nresamples(1_000)
            .warm_up_time(Duration::from_millis(10))
            .measurement_time(Duration::from_millis(40))
            .save_baseline(figures::baseline(run));
        // The contenders of one case follow each other, so that what the machine does meanwhile it does to all.
        for measured in &all {
            let mut group = criterion.benchmark_group(measured.item);
            group.sampling_mode(SamplingMode::Flat);
            // Made once, not for each sample: to fill a table takes longer than what is measured.
            let mut routine = None;
            group.bench_function(BenchmarkId::new(measured.who, &measured.case), |bencher| {
                bencher.iter_custom(routine.get_or_insert_with(|| (measured.make)(&measured.case)));
            });
            group.finish();
        }
        println!("run {} of {}", run + 1, figures::RUNS);
    }
}
