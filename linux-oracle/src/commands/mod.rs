//! The commands that drive this system's kernel.

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use linux_oracle::engine::LINUX;
use linux_oracle::live::generator::Generator;
use linux_oracle::live::kernel::{Kernel, NotAllowed, Setup, StepError};
use linux_oracle::live::run::{Counts, Diverging, Live};
use linux_oracle::live::shrink::shrink;
use linux_oracle::trace::{EpisodeStart, Line};
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use thiserror::Error;

/// What `live` is told.
#[derive(Args)]
pub(crate) struct LiveArguments {
    /// How many operations, for each seed; the last episode is brought to its end.
    #[arg(long, default_value_t = 100_000)]
    ops: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Without selection programs, which take CAP_BPF.
    #[arg(long)]
    no_programs: bool,
    /// Goes on after a divergence, with the next episode.
    #[arg(long)]
    keep_going: bool,
    /// Where shrunk episodes are written that diverge.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The figures as a JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What `record` is told.
#[derive(Args)]
pub(crate) struct RecordArguments {
    /// How many operations; the last episode is brought to its end.
    #[arg(long, default_value_t = 20_000)]
    ops: u64,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Without selection programs, which take CAP_BPF.
    #[arg(long)]
    no_programs: bool,
    /// The trace; compressed if its name ends in `.gz`.
    file: PathBuf,
}

#[derive(Debug, Error)]
enum Failed {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("an operation cannot be done: {0}")]
    Step(#[from] StepError),
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl Failed {
    fn exit(self) -> ExitCode {
        eprintln!("{self}");
        ExitCode::from(if let Failed::NotAllowed(_) = self { 77 } else { 2 })
    }
}

/// Compares with the kernel.
pub(crate) fn live(arguments: &LiveArguments) -> ExitCode {
    match compare(arguments) {
        Ok(counts) => ExitCode::from(u8::from(counts.divergences > 0)),
        Err(failed) => failed.exit(),
    }
}

fn compare(arguments: &LiveArguments) -> Result<Counts, Failed> {
    let LiveArguments { ops, seed, seeds, no_programs, keep_going, .. } = *arguments;
    let mut live = start(seed, !no_programs)?;
    let begin = Instant::now();
    'all: for seed in seed..seed.saturating_add(seeds) {
        let until = live.counts.operations.saturating_add(ops);
        let mut generator = generator(&mut live, seed)?;
        while live.counts.operations < until {
            if let Some(diverging) = live.episode(&mut generator)? {
                diverged(&mut live, seed, diverging, arguments.out.as_deref())?;
                if !keep_going {
                    break 'all;
                }
            }
        }
    }
    let (seconds, counts) = (begin.elapsed().as_secs_f64(), &live.counts);
    let header = live.kernel.header();
    if arguments.json {
        println!("{}", json!({ "seconds": seconds, "header": header, "counts": counts }));
    } else {
        println!(
            "Linux {}: {} operations, {} divergences, {} episodes, {seeds} seeds from {seed}, {:.0} operations/s",
            header.kernel,
            counts.operations,
            counts.divergences,
            counts.episodes,
            counts.operations as f64 / seconds
        );
        for (title, by) in
            [("operations", &counts.kinds), ("results", &counts.results), ("counters", &counts.counters)]
        {
            let each: Vec<String> = by.iter().map(|(name, count)| format!("{name} {count}")).collect();
            println!("  {title}: {}", each.join(", "));
        }
    }
    Ok(live.counts)
}

/// Shrinks an episode that diverges, shows and writes it.
fn diverged(live: &mut Live, seed: u64, diverging: Diverging, out: Option<&Path>) -> Result<(), Failed> {
    let least = shrink(live, diverging)?;
    let directory = out.map_or_else(std::env::temp_dir, Path::to_path_buf);
    fs::create_dir_all(&directory)?;
    let number = live.counts.divergences;
    let file = directory.join(format!("diverging-seed{seed}-{number}.jsonl"));
    let text = least.trace(live.kernel.header());
    fs::write(&file, &text)?;
    eprintln!("the stack and the kernel differ: {}", file.display());
    for line in text.lines().skip(1) {
        eprintln!("  {line}");
    }
    for field in &least.fields {
        eprintln!("  {}: expected {}, got {}", field.field, field.expected, field.got);
    }
    Ok(())
}

/// Writes what the kernel shows.
pub(crate) fn record(arguments: &RecordArguments) -> ExitCode {
    match record_to(arguments) {
        Ok(counts) => {
            println!(
                "{}: {} operations, {} episodes",
                arguments.file.display(),
                counts.operations,
                counts.episodes
            );
            ExitCode::SUCCESS
        }
        Err(failed) => failed.exit(),
    }
}

fn record_to(arguments: &RecordArguments) -> Result<Counts, Failed> {
    let mut live = start(arguments.seed, !arguments.no_programs)?;
    let mut generator = generator(&mut live, arguments.seed)?;
    let file = BufWriter::new(File::create(&arguments.file)?);
    let mut out: Box<dyn Write> = if arguments.file.extension().is_some_and(|extension| extension == "gz") {
        Box::new(GzEncoder::new(file, Compression::best()))
    } else {
        Box::new(file)
    };
    writeln!(out, "{}", Line::Header(live.kernel.header().clone()))?;
    while live.counts.operations < arguments.ops {
        for line in live.record(&mut generator)? {
            writeln!(out, "{line}")?;
        }
    }
    // Dropping the encoder ends the stream, and would not say that it failed.
    out.flush()?;
    Ok(live.counts)
}

fn start(seed: u64, programs: bool) -> Result<Live, Failed> {
    let address = Ipv4Addr::LOCALHOST.into();
    let kernel = Kernel::start(Setup { address, port: 7000, cpu: 0, syncookies: 1, seed, programs })?;
    Ok(Live { kernel, design: LINUX, counts: Counts::default() })
}

fn generator(live: &mut Live, seed: u64) -> Result<Generator, Failed> {
    let generator = Generator::new(live.kernel.header(), live.kernel.programs(), seed);
    // Nothing is left of the seed before.
    live.kernel.episode(EpisodeStart { migrate_req: false })?;
    generator.measure(&mut live.kernel)?;
    Ok(generator)
}
