//! The command line of the models: the matrix, single interleavings, the controls.

use clap::{Args, Parser, Subcommand};
use loom_tests::designs::{self, COLUMNS, Column};
use loom_tests::explore::{Exploration, Settings, explore};
use loom_tests::faults::CONTROLS;
use loom_tests::matrix::{self, Cell, Depth, Selection};
use loom_tests::property::Property;
use loom_tests::scenario::{self, SCENARIOS};
use loom_tests::{example, expected, story};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "Model checks rskq: designs, scenarios, properties, verdicts")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole show: the example of the patch, the matrix, its interleavings, the trace replay.
    Run,
    /// The verdict matrix. Fails if a verdict is not the expected one.
    Matrix(MatrixArgs),
    /// The most readable interleaving for each property that a scenario breaks under a design.
    Explain {
        /// The design, as in `list`.
        design: String,
        /// The scenario, as in `list`.
        scenario: String,
    },
    /// Plants each seeded fault and shows that its property notices. Fails if one does not.
    Controls,
    /// The designs and the scenarios, with their schedules.
    List,
}

#[derive(Args)]
struct MatrixArgs {
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Explore without a bound also what takes minutes.
    #[arg(long)]
    full: bool,
    /// Only this design; may be given several times.
    #[arg(long)]
    design: Vec<String>,
    /// Only this scenario; may be given several times.
    #[arg(long)]
    scenario: Vec<String>,
    /// At most so many preemptions, in place of the scenarios' own bounds.
    #[arg(long, value_name = "PREEMPTIONS", conflicts_with = "full")]
    bound: Option<u8>,
    /// Stop each exploration after so many seconds; what was stopped says so.
    #[arg(long, value_name = "SECONDS")]
    max_time: Option<u64>,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run => run(),
        Command::Matrix(args) => matrix(&args),
        Command::Explain { design, scenario } => explain(&design, &scenario),
        Command::Controls => Ok(controls()),
        Command::List => Ok(list()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn selected<T: Copy>(names: &[String], all: Vec<T>, find: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    if names.is_empty() {
        return Ok(all);
    }
    names.iter().map(|name| find(name).ok_or_else(|| format!("there is no {name}; see `list`"))).collect()
}

fn in_matrix() -> Vec<Column> {
    COLUMNS.iter().copied().filter(|c| c.in_matrix).collect()
}

fn matrix(args: &MatrixArgs) -> Result<ExitCode, String> {
    let selection = Selection {
        columns: selected(&args.design, in_matrix(), designs::by_name)?,
        scenarios: selected(&args.scenario, SCENARIOS.to_vec(), scenario::by_name)?,
        depth: match (args.full, args.bound) {
            (_, Some(bound)) => Depth::Bounded(bound),
            (true, None) => Depth::Full,
            (false, None) => Depth::Quick,
        },
        max_time: args.max_time.map(Duration::from_secs),
    };
    let explorations = matrix::run(&selection);
    if args.json {
        for line in explorations.iter().flat_map(matrix::lines) {
            println!("{}", serde_json::to_string(&line).map_err(|error| error.to_string())?);
        }
    } else {
        print_matrix(&explorations, &selection.columns);
    }
    Ok(as_expected(&explorations))
}

fn print_matrix(explorations: &[Exploration], columns: &[Column]) {
    println!("{}", matrix::table(explorations, columns));
    println!("ok: holds in so many interleavings; x: broken in so many of so many.");
    for note in matrix::footnotes(explorations) {
        println!("{note}");
    }
    println!("Reference counts and slab free lists run as single steps: they have models of their own.");
}

fn as_expected(explorations: &[Exploration]) -> ExitCode {
    let differences = expected::differences(explorations);
    for difference in &differences {
        eprintln!("unexpected: {difference}");
    }
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run() -> Result<ExitCode, String> {
    let columns = in_matrix();
    println!("\nFour listeners of one group, two connections waiting on each, closed by turns\n");
    println!("{}", example::table(&columns));

    let begin = Instant::now();
    let scenarios = SCENARIOS.to_vec();
    let selection = Selection { columns: columns.clone(), scenarios, depth: Depth::Quick, max_time: None };
    let explorations = matrix::run(&selection);
    let controls = CONTROLS.iter().find(|c| c.breaks == Property::Deadlock);
    let control = controls.ok_or("there is no control of the deadlock check")?.planted();

    println!("\nThe verdict matrix over {} scenarios\n", SCENARIOS.len());
    print_matrix(&explorations, &columns);
    let total: u64 = explorations.iter().map(|e| e.interleavings).sum();
    println!("{total} interleavings in {:.1} s\n", begin.elapsed().as_secs_f64());

    println!("\nFor each property that does not hold, the interleaving that is easiest to read\n");
    for column in &columns {
        for property in Property::ALL {
            let cell = Cell::of(&explorations, column.name, property);
            if let Some((exploration, _)) = cell.counterexample() {
                print_story(exploration, property);
            }
        }
    }
    println!("And with what protects the splice taken away, as a negative control:\n");
    print_story(&control, Property::Deadlock);

    let replayed = linux_oracle::embedded::replay_all().map_err(|error| error.to_string())?;
    let totals: linux_oracle::Totals = replayed.iter().map(|(_, summary)| summary.totals()).sum();
    println!("trace replay: {totals}");
    let replay_agrees = totals.divergences == 0;
    let code = as_expected(&explorations);
    Ok(if replay_agrees && control.verdict(Property::Deadlock).is_broken() {
        code
    } else {
        ExitCode::FAILURE
    })
}

fn print_story(exploration: &Exploration, property: Property) {
    let verdict = exploration.verdict(property);
    if let Some(interleaving) = verdict.interleaving() {
        println!(
            "{}: {} ({}), {}",
            exploration.column.title,
            property.title(),
            property.name(),
            exploration.scenario.name
        );
        println!("{}\n", story::tell(&exploration.scenario, interleaving));
    }
}

fn explain(design: &str, scenario: &str) -> Result<ExitCode, String> {
    let column =
        designs::by_name(design).ok_or_else(|| format!("there is no design {design}; see `list`"))?;
    let scenario =
        scenario::by_name(scenario).ok_or_else(|| format!("there is no scenario {scenario}; see `list`"))?;
    let exploration =
        explore(column, scenario, Settings { bound: scenario.quick_bound, ..Settings::default() });
    println!("{} under {}\n{}\n", scenario.name, column.title, scenario.schedule.trim_start_matches('\n'));
    for (property, verdict) in &exploration.verdicts {
        println!("{:10} {} ({} interleavings)", property.name(), verdict.name(), verdict.interleavings());
    }
    println!();
    for (property, _) in &exploration.verdicts {
        print_story(&exploration, *property);
    }
    Ok(ExitCode::SUCCESS)
}

fn controls() -> ExitCode {
    let mut missed = 0;
    for control in CONTROLS {
        let without = control.unplanted();
        let with = control.planted();
        let caught = with.verdict(control.breaks).is_broken() && without.verdict(control.breaks).holds();
        missed += usize::from(!caught);
        println!(
            "{:8} {:62} {} (after {} interleavings of {} under {})",
            control.breaks.name(),
            control.title,
            if caught { "caught" } else { "NOT CAUGHT" },
            with.interleavings,
            control.scenario,
            control.design
        );
    }
    println!("{} of {} seeded faults caught", CONTROLS.len() - missed, CONTROLS.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn list() -> ExitCode {
    for column in COLUMNS {
        println!("{:18} {}", column.name, column.title);
    }
    for scenario in SCENARIOS {
        println!("\n{}{}", scenario.name, scenario.schedule);
    }
    ExitCode::SUCCESS
}
