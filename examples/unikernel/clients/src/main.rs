//! Clients of the unikernel: they connect as fast as they can, and count how each connection ended.

mod client;
mod load;

use clap::{Parser, ValueEnum};
use client::{Ask, connect, get};
use load::Ended;
use serde::Serialize;
use std::net::SocketAddr;
use std::process::ExitCode;

/// Whether the image that is loaded lets connections migrate.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Migration {
    /// No connection may be lost.
    On,
    /// Some have to be, or the check would not notice any.
    Off,
}

/// Loads the unikernel at an address and checks what its clients see.
#[derive(Parser)]
struct Arguments {
    /// Where it serves.
    server: SocketAddr,
    /// What is expected of it.
    #[arg(long, value_enum, required_unless_present = "measure")]
    migration: Option<Migration>,
    /// Expects everybody to be answered, and prints, as lines of JSON, how long that takes; whose it is.
    #[arg(long, conflicts_with = "migration")]
    measure: Option<String>,
    /// A process whose time on the processors is told as well: the machine that is emulated.
    #[arg(long, value_name = "PID", requires = "measure")]
    process: Option<u32>,
    /// Bursts of simultaneous connections.
    #[arg(long, default_value_t = 5)]
    bursts: usize,
    /// Connections of a burst.
    #[arg(long, default_value_t = 200)]
    burst: usize,
    /// Requests while a listener is taken offline and back.
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// Clients that make them, each one request after the other.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Prints the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Requests, and connections, that are measured in a run.
const MEASURED: usize = 2_000;

/// What was seen.
#[derive(Serialize)]
struct Figures {
    bursts: Vec<Ended>,
    restarts: Ended,
    times_offline: usize,
    requests_per_second: f64,
}

/// Prints what a request and a connection take; and, of the time on the processors, a process meanwhile.
fn measure(server: SocketAddr, who: &str, clients: usize, process: Option<u32>) -> ExitCode {
    for (case, ask) in [("requests", get as Ask), ("connections", connect)] {
        // What is cold is not measured.
        load::steady(server, ask, 10 * clients, clients);
        let before = process.map(computed);
        let (ended, seconds) = load::steady(server, ask, MEASURED, clients);
        let after = process.map(computed);
        if ended.answered != MEASURED {
            eprintln!("{case}, {who}: {ended}");
            return ExitCode::FAILURE;
        }
        print_each(case, who, seconds * 1e9);
        if let (Some(before), Some(after)) = (before, after) {
            print_each(&format!("{case}, processor time"), who, (after - before) as f64);
        }
    }
    ExitCode::SUCCESS
}

fn print_each(case: &str, who: &str, ns: f64) {
    println!("{}", serde_json::json!({ "case": case, "who": who, "ns": ns / MEASURED as f64 }));
}

/// Nanoseconds that the threads of a process have been on a processor.
fn computed(process: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.filter_map(of).sum()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let server = arguments.server;
    if let Some(who) = &arguments.measure {
        return measure(server, who, arguments.clients, arguments.process);
    }
    let bursts: Vec<_> = (0..arguments.bursts).map(|_| load::burst(server, arguments.burst)).collect();
    let (restarts, times_offline, seconds) =
        load::while_restarting(server, arguments.requests, arguments.clients);
    let requests_per_second = arguments.requests as f64 / seconds;
    let figures = Figures { bursts, restarts, times_offline, requests_per_second };
    if arguments.json {
        println!("{}", serde_json::to_string(&figures).expect("plain figures"));
    } else {
        for burst in &figures.bursts {
            println!("{} at once: {burst}", arguments.burst);
        }
        println!(
            "{} while a listener went {times_offline} times: {}, {requests_per_second:.0} requests/s",
            arguments.requests, figures.restarts
        );
    }
    let whole = figures.bursts.iter().all(|burst| burst.answered == arguments.burst);
    let as_expected = match arguments.migration {
        Some(Migration::On) | None => figures.restarts.answered == arguments.requests,
        Some(Migration::Off) => figures.restarts.reset > 0,
    };
    if whole && as_expected && times_offline > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
