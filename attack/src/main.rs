//! `attack`: attacks stacks, and shows that it would notice.

use attack::attacks::{Attack, Size};
use attack::controls::CONTROLS;
use attack::{Host, Report, Seeded, Slip, Unpublished, Yielding};
use clap::{Parser, Subcommand, ValueEnum};
use rskq::DefaultBackend;
use rskq::sync::Core;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Attacks a stack as it ships, and says what was counted and what does not hold.
    ///
    /// Exit code: 0 it withstood, 1 it did not.
    Run {
        /// Which attacks; all, if none is named.
        attacks: Vec<Attack>,
        /// As much as a verdict takes, and not only a test.
        #[arg(long)]
        full: bool,
        /// How long clients are attacked, each time, in seconds.
        #[arg(long)]
        seconds: Option<f64>,
        /// How many connections arrive, each time.
        #[arg(long)]
        connections: Option<u64>,
        /// Threads give way now and then before they take a lock.
        #[arg(long)]
        yielding: bool,
        /// One JSON object an attack on standard output, and nothing else there.
        #[arg(long)]
        json: bool,
    },
    /// Plants each fault in turn, and tells whether the attack that is for it notices.
    ///
    /// Exit code: 0 all are noticed, 1 one is not.
    Controls,
    /// Does something that a sanitizer is to find, in a close storm.
    ///
    /// Exit code: that of the sanitizer; 0 if it finds nothing.
    Broken {
        /// What.
        how: Broken,
        /// How many connections arrive, each time.
        #[arg(long, default_value_t = Size::SMALL.connections)]
        connections: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Broken {
    /// The stack's lock excludes and does not publish.
    Race,
    /// The embedder looks at connections that it has dropped.
    UseAfterFree,
    /// The embedder loses connections.
    Leak,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { attacks, full, seconds, connections, yielding, json } => {
            let size = if full { Size::FULL } else { Size::SMALL };
            let size = Size {
                time: seconds.map_or(size.time, Duration::from_secs_f64),
                connections: connections.unwrap_or(size.connections),
            };
            let attacks = if attacks.is_empty() { Attack::ALL.to_vec() } else { attacks };
            let run = if yielding { run::<Core<Yielding>> } else { run::<DefaultBackend> };
            run(&attacks, size, json)
        }
        Command::Controls => controls(),
        Command::Broken { how, connections } => {
            let size = Size { connections, ..Size::SMALL };
            match how {
                Broken::Race => storm::<Core<Unpublished>>(size),
                Broken::UseAfterFree => {
                    Seeded::slip(Some(Slip::ChildUsedLate));
                    storm::<Seeded>(size);
                }
                Broken::Leak => {
                    Seeded::slip(Some(Slip::ChildLost));
                    storm::<Seeded>(size);
                }
            }
            ExitCode::SUCCESS
        }
    }
}

fn run<B: Host>(attacks: &[Attack], size: Size, json: bool) -> ExitCode {
    let mut holds = true;
    for report in attacks.iter().flat_map(|attack| attack.run::<B>(size)) {
        holds &= report.holds();
        if json {
            println!("{}", serde_json::to_string(&report).expect("it is made of words and numbers"));
        } else {
            println!("{report}");
        }
    }
    ExitCode::from(u8::from(!holds))
}

fn controls() -> ExitCode {
    let mut all = true;
    for control in CONTROLS {
        let (attack, seed) = (control.attack, control.seed);
        let found = control.planted(Size::SMALL);
        all &= found.is_some();
        let says = |Report { name, broken, .. }: Report| {
            let notice = broken.into_iter().find(|broken| broken.contains(control.notices));
            format!("{name}: {}", notice.unwrap_or_default())
        };
        println!("{attack:?} with {seed:?}: {}", found.map_or("NOT NOTICED".into(), says));
    }
    ExitCode::from(u8::from(!all))
}

fn storm<B: Host>(size: Size) {
    Attack::CloseStorm.run::<B>(size).for_each(|report| println!("{report}"));
}
