//! What the image does: every operation of the stack, with every result that it can have here.

mod addresses;
mod closing;
mod deliveries;
mod fastopen;
mod handover;
mod handshakes;
mod limits;
mod linux;
mod requeue;
mod rooms;

use crate::child::Child;
use crate::memory::{self, ImageStack, ListenerId, MEMBERS};
use crate::sys::{expect, must};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use rskq::{Closing, Config, Delivered, Design, Here, Outcome, Refusal, Refused};

/// Where and when nothing depends on either.
const HERE: Here = Here { cpu: 0, now: 0 };

const LOCAL: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80));
const OTHER: SocketAddr = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 443, 0, 0));
const THIRD: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8080));

/// The hash that falls on a group's first member.
const FIRST: u32 = 0;
/// The hash that falls on a group's last member.
const LAST: u32 = u32::MAX;

/// Runs everything, twice on one stack: what the first round does not give back, the second misses.
pub(crate) fn run() {
    let config = Config { max_socks: MEMBERS as u32, ..Config::migrating(Design::Abort) };
    let stack = ImageStack::new(memory::resources(), config);
    shared(&stack);
    for _ in 0..2 {
        stack.set_migrate_req(false);
        addresses::run(&stack);
        deliveries::run(&stack);
        stack.set_migrate_req(true);
        closing::run(&stack);
        handshakes::run(&stack);
        fastopen::run(&stack);
        limits::run(&stack);
        expect(Child::live() == 0, "no child is left");
    }
    let ordinary = ["PassiveOpens", "EmbryonicRsts", "TCPTimeouts", "TCPFastOpenPassive"];
    let counters = stack.counters();
    let refused = counters.iter().filter(|(name, _)| !ordinary.contains(name));
    let counted = refused.map(|(_, count)| count).sum::<u32>();
    expect(
        counted == 2 * (deliveries::COUNTED + handshakes::COUNTED + fastopen::COUNTED + limits::COUNTED),
        "only what was refused is counted",
    );
    limits::without_memory();
    requeue::run();
    handover::run();
    linux::run();
    rooms::run();
}

/// A kernel shares its stack between contexts.
fn shared<T: Send + Sync>(_: &T) {}

/// Delivers child `number`; on refusal returns the reason, having looked whether the child came back.
fn deliver(stack: &ImageStack<'_>, local: SocketAddr, hash: u32, number: u32) -> Result<ListenerId, Refusal> {
    delivered(stack.deliver(handshakes::arrival(local, hash, number), HERE, Child::new(number)), number)
}

/// Returns who got child `number`, or why nobody did.
fn delivered(
    result: Result<Delivered<Child, memory::Backend>, Refused<Child>>,
    number: u32,
) -> Result<ListenerId, Refusal> {
    match result {
        Ok(delivered) => {
            let wake = delivered.wake.map(|wake| wake.listener());
            expect(wake == Some(delivered.listener), "deliver: the listener that gained it is to be woken");
            Ok(delivered.listener)
        }
        Err(refused) => {
            expect(refused.child.number() == number, "deliver: a refused child comes back");
            Err(refused.why)
        }
    }
}

/// Accepts; returns the child's number.
fn accept(stack: &ImageStack<'_>, id: ListenerId) -> Option<u32> {
    must(stack.accept(id), "accept: the socket listens").map(|child| child.number())
}

/// Takes all steps of a shutdown or close and expects it to abort children `numbers`, in that order.
fn aborts(closing: Closing<'_, '_, Child, memory::Backend>, numbers: &[u32]) {
    let mut expected = numbers.iter();
    for outcome in closing {
        match outcome {
            Outcome::Aborted(child) => {
                expect(expected.next() == Some(&child.number()), "closing: aborts what waited, oldest first");
            }
            Outcome::Moved { .. } | Outcome::Spliced { .. } | Outcome::HandedOver { .. } => {
                expect(false, "closing: moves nothing");
            }
        }
    }
    expect(expected.next().is_none(), "closing: aborts all that waited");
}
