//! The adapter from outside: what it answers to segments that are written by hand, and what plain smoltcp
//! answers, used as it commonly is.

#[path = "../common/mod.rs"]
mod common;

mod backlog;
mod closing;
mod ends;
mod excluded;
mod frames;
mod groups;
mod half_open;
mod moving;
mod server;
mod sockets;
mod threads;

use common::segment::{Client, Seen};
use rskq::*;
use server::{Plain, ROOM, Server, at};
use smoltcp::socket::tcp;

/// What closes resets what waits.
const ABORT: Config = Config::with(Design::Abort);
const HANDOVER: Config = Config::with(Design::Handover);
const SERVER: &str = "10.0.0.1:80";

/// Client number `number` of [`SERVER`].
fn client(number: u16) -> Client {
    Client::new(at(SERVER), number)
}
