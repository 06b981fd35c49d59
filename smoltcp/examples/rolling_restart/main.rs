//! Rolling restart: four listeners of a group are closed and opened again in turn, at full load, and every
//! client tells what became of it.
//!
//! Without privileges client and server are in this process, with a wire between them and a clock of their
//! own. With `--tap` the clients are this machine's: its kernel connects over a TAP device in a network
//! namespace of its own; and the kernel's own listening sockets are restarted in the same way, beside.

mod in_process;
mod plan;
mod server;
#[cfg(target_os = "linux")]
mod tap;
#[path = "../wire/mod.rs"]
mod wire;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use plan::Row;
use std::process::ExitCode;

/// What the kernel's own skip code says: the system does not allow it.
const SKIPPED: u8 = 77;

#[derive(Parser)]
/// Restarts four listeners of a group in turn, at full load, under each close policy. Ends with 1 if a policy
/// that moves connections lost one, or the one that does not lost none.
struct Cli {
    /// The machine's own clients, over a TAP device; and its own sockets beside. As root, or where users may
    /// make namespaces; needs `ip`. Ends with 77 if the system does not allow it.
    #[arg(long)]
    tap: bool,
    /// How many connections are made under each policy.
    #[arg(long, default_value_t = 8_000)]
    connections: u32,
    /// Prints JSON in place of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let rows = if cli.tap { over_tap(cli.connections) } else { Ok(in_process::rows(cli.connections)) };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("rolling_restart: {error}");
            return ExitCode::from(SKIPPED);
        }
    };
    if cli.json {
        println!("{:#}", serde_json::json!(rows));
    } else {
        print(&rows, cli.tap);
    }
    match rows.iter().find(|row| !row.is_as_promised()) {
        None => ExitCode::SUCCESS,
        Some(row) => {
            eprintln!("rolling_restart: {} does not keep what it promises", row.policy);
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn over_tap(connections: u32) -> Result<Vec<Row>, String> {
    tap::rows(connections)
}

#[cfg(not(target_os = "linux"))]
fn over_tap(_connections: u32) -> Result<Vec<Row>, String> {
    Err("TAP devices and network namespaces are Linux's".into())
}

fn print(rows: &[Row], tap: bool) {
    let clients = if tap { "the kernel's, over TAP" } else { "in this process" };
    println!(
        "Rolling restart: {} listeners of a group, one closed every {} ms for {} ms; {} clients, {clients}.\n",
        plan::LISTENERS,
        plan::PERIOD,
        plan::DOWN,
        plan::CLIENTS
    );
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["at close", "answered", "reset", "timed out", "moved", "worst connect"]);
    for row in rows {
        let Row { policy, answered, reset, timed_out, moved, worst_connect_ms, .. } = row;
        table.add_row([
            policy.clone(),
            answered.to_string(),
            reset.to_string(),
            timed_out.to_string(),
            moved.to_string(),
            format!("{worst_connect_ms} ms"),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}
