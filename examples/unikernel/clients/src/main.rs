//! Clients of the unikernel: they connect as fast as they can, and count how each connection ended.

mod client;
mod load;

use clap::{Parser, ValueEnum};
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
    #[arg(long, value_enum)]
    migration: Migration,
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

/// What was seen.
#[derive(Serialize)]
struct Figures {
    bursts: Vec<Ended>,
    restarts: Ended,
    times_offline: usize,
    requests_per_second: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let server = arguments.server;
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
        Migration::On => figures.restarts.answered == arguments.requests,
        Migration::Off => figures.restarts.reset > 0,
    };
    if whole && as_expected && times_offline > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
