//! What people do to accept connections over smoltcp, side by side: how many of a hundred clients that connect at
//! once are answered, what a listener costs, and what becomes of those who wait when it closes.

mod clients;
mod contestants;
#[path = "../wire/mod.rs"]
mod wire;

use clap::Parser;
use clients::Clients;
use comfy_table::{CellAlignment, Table, presets};
use contestants::{Contestant, Listening, OwnQueue, Rskq};
use rskq::Design;
use serde::Serialize;
use smoltcp::phy::Medium;
use smoltcp::time::{Duration, Instant};
use wire::{End, link};

/// How many clients connect at once.
const AT_ONCE: usize = 100;
/// How many wait when the listener closes.
const WAITING: usize = 32;

/// Accept layers over smoltcp, side by side.
#[derive(Parser)]
struct Cli {
    /// Prints JSON in place of the table.
    #[arg(long)]
    json: bool,
}

/// What was found of one of them.
#[derive(Serialize)]
struct Row {
    name: String,
    /// Clients of a hundred that were answered.
    answered: usize,
    /// Those that were reset.
    refused: usize,
    /// Bytes that a listener costs before anybody connects.
    bytes_per_listener: usize,
    /// Bytes that each connection adds that waits to be accepted.
    bytes_per_pending: usize,
    /// Of the clients that waited when the listener closed, those that were reset.
    reset_at_close: usize,
    /// Those that still believe a second later that they are connected, and are not.
    deceived_at_close: usize,
    /// Those that another listener has.
    moved_at_close: usize,
}

fn main() {
    let cli = Cli::parse();
    let rows = [
        row("16 listening sockets", |device| Box::new(Listening::new(device, 16))),
        row("one, armed again after each poll", |device| Box::new(Listening::new(device, 1))),
        row("a socket for each SYN, own queue", |device| Box::new(OwnQueue::new(device))),
        row("rskq-smoltcp, Abort", |device| Box::new(Rskq::new(device, Design::Abort))),
        row("rskq-smoltcp, Handover", |device| Box::new(Rskq::new(device, Design::Handover))),
    ];
    if cli.json {
        println!("{:#}", serde_json::json!(rows));
    } else {
        print(&rows);
    }
}

fn row(name: &str, contestant: fn(&mut End) -> Box<dyn Contestant>) -> Row {
    let (answered, refused) = at_once(contestant);
    let (reset, deceived, moved) = at_close(contestant);
    let (mut device, _clients) = link(Medium::Ip);
    let memory = contestant(&mut device).memory();
    Row {
        name: name.into(),
        answered,
        refused,
        bytes_per_listener: memory.listener,
        bytes_per_pending: memory.pending,
        reset_at_close: reset,
        deceived_at_close: deceived,
        moved_at_close: moved,
    }
}

/// Everybody connects in one poll, and is accepted as soon as the contestant can.
fn at_once(contestant: fn(&mut End) -> Box<dyn Contestant>) -> (usize, usize) {
    let (mut device, clients) = link(Medium::Ip);
    let mut server = contestant(&mut device);
    let mut clients = Clients::connecting(clients, AT_ONCE);
    for now in milliseconds(0..10_000) {
        clients.poll(now);
        server.poll(now, &mut device);
        while server.accept(now) {}
    }
    (clients.answered(), clients.reset())
}

/// Nobody is accepted before the listener closes; then whoever another listener has.
fn at_close(contestant: fn(&mut End) -> Box<dyn Contestant>) -> (usize, usize, usize) {
    let (mut device, clients) = link(Medium::Ip);
    let mut server = contestant(&mut device);
    let mut clients = Clients::connecting(clients, WAITING);
    for now in milliseconds(0..100) {
        clients.poll(now);
        server.poll(now, &mut device);
    }
    // Who was refused did not wait.
    let refused = clients.reset();
    server.close(Instant::from_millis(100));
    for now in milliseconds(100..1_100) {
        server.poll(now, &mut device);
        while server.accept(now) {}
        clients.poll(now);
    }
    (clients.reset() - refused, clients.connected(), clients.answered())
}

fn milliseconds(range: std::ops::Range<u64>) -> impl Iterator<Item = Instant> {
    range.map(|millisecond| Instant::ZERO + Duration::from_millis(millisecond))
}

fn print(rows: &[Row]) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "over smoltcp",
        "answered\nof 100",
        "refused",
        "bytes a\nlistener",
        "bytes a\npending one",
        "reset\nat close",
        "deceived\nat close",
        "moved\nat close",
    ]);
    for row in rows {
        let Row { name, answered, refused, bytes_per_listener, bytes_per_pending, .. } = row;
        let figures = [
            answered,
            refused,
            bytes_per_listener,
            bytes_per_pending,
            &row.reset_at_close,
            &row.deceived_at_close,
            &row.moved_at_close,
        ];
        table.add_row([name.clone()].into_iter().chain(figures.map(ToString::to_string)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    println!("Buffers of {} bytes each way; {WAITING} clients are there at the close.", contestants::BUFFER);
}
