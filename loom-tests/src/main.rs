//! The command line of the models: the matrix, single interleavings, pictures, the controls.

mod commands;

use clap::{Parser, Subcommand};
use commands::{controls, explain, figures, list, matrix, model, order, readme, seeded, show, speed};
use std::process::ExitCode;

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
    /// The verdict matrix. Fails if a verdict is not the expected one (1), or is missing (3).
    Matrix(matrix::Arguments),
    /// One model, for a matrix that explores it in a process of its own.
    #[command(hide = true)]
    Model(model::Arguments),
    /// The most readable interleaving for each property that a scenario breaks under a design, in
    /// words and as a picture.
    Explain(explain::Arguments),
    /// The lock-order graph, as declared and as the models take the locks.
    Order(order::Arguments),
    /// The matrix in the README, which is generated.
    Readme(readme::Arguments),
    /// Plants each seeded fault and shows that its property notices. Fails if one does not.
    Controls,
    /// Plants each bug of the table of seeded bugs and looks for a checker that finds it. Fails if none does.
    Seeded(seeded::Arguments),
    /// What an interleaving costs on the crate's back end, and on loom's own objects.
    Speed(speed::Arguments),
    /// Runs what takes long, one after the other, and keeps what each prints in docs/figures.
    Record(figures::RecordArguments),
    /// VERIFICATION.md, the figures of which are what is recorded.
    Verification(figures::Arguments),
    /// The designs and the scenarios, with their schedules.
    List,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run => show::run(),
        Command::Matrix(arguments) => matrix::run(&arguments),
        Command::Model(arguments) => model::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Order(arguments) => order::run(&arguments),
        Command::Readme(arguments) => readme::run(&arguments),
        Command::Controls => Ok(controls::run()),
        Command::Seeded(arguments) => seeded::run(&arguments),
        Command::Speed(arguments) => speed::run(&arguments),
        Command::Record(arguments) => figures::record(&arguments),
        Command::Verification(arguments) => figures::run(&arguments),
        Command::List => Ok(list::run()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
