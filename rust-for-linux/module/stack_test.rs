// SPDX-License-Identifier: MIT
//! The stack, driven by one thread, and by several.

use crate::controls::Fault;
use crate::lock::B;
use crate::memory::Connection;
use crate::threads;
use core::fmt::{self, Display, Formatter};
use core::net::{Ipv4Addr, SocketAddr};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use kernel::sync::{new_spinlock, SpinLock};
use kernel::time::Ktime;
use rskq::{Arrival, Hashes, Here, ListenerId, Outcome, Payload, SockError, Stack, Syn, Tuple};

/// What is wrong.
pub(crate) type Wrong = &'static str;
type Listener = ListenerId<Connection, B>;

pub(crate) const LISTENERS: usize = 3;
const CLIENTS: u32 = 3;
/// Handshakes of each client.
const ROUNDS: u32 = 3_000;

fn here() -> Here {
    Here { cpu: 0, now: Ktime::ktime_get().to_ms() as u64 }
}

fn local() -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, 1), 80).into()
}

/// What arrives from client `number`, with hashes that spread.
fn arrival(number: u32) -> Arrival {
    let hash = number.wrapping_mul(0x9e37_79b1);
    let remote = (Ipv4Addr::from(0x0a01_0000 + number), 40_000).into();
    Arrival { tuple: Tuple { local: local(), remote }, hashes: Hashes { syn_hash: hash, sk_hash: hash } }
}

fn opened(stack: &Stack<'_, Connection, B>) -> Result<Listener, Wrong> {
    stack.listen_at(local(), 16, true).map_err(|_| "a socket does not listen")
}

fn ack(stack: &Stack<'_, Connection, B>, number: u32) -> Option<Listener> {
    let delivered = stack.ack(&arrival(number).tuple, Payload::None, here(), number);
    Some(delivered.ok()?.listener)
}

/// A whole handshake; tells whether the connection was taken.
fn shaken(stack: &Stack<'_, Connection, B>, number: u32) -> bool {
    if stack.syn(arrival(number), here()).is_err() {
        return false;
    }
    let taken = ack(stack, number).is_some();
    if !taken {
        // The request stays if the accept queue was full; somebody else may have ended it meanwhile.
        let _ = stack.reset(&arrival(number).tuple);
    }
    taken
}

/// Closes a listener; returns how many connections moved.
fn closed(
    stack: &Stack<'_, Connection, B>,
    id: Listener,
    mut aborted: impl FnMut(u32),
) -> Result<u32, SockError> {
    let mut moved = 0;
    for outcome in stack.close(id, here())? {
        match outcome {
            Outcome::Aborted(number) => aborted(number),
            Outcome::HandedOver { connections, .. } => moved += connections,
            Outcome::Moved { .. } | Outcome::Spliced { .. } => moved += 1,
        }
    }
    Ok(moved)
}

pub(crate) fn check(holds: bool, wrong: Wrong) -> Result<(), Wrong> {
    if holds {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// Accept queues, and what becomes of them when their listener closes.
pub(crate) fn queueing(stack: &Stack<'_, Connection, B>) -> Result<(), Wrong> {
    let (a, b) = (opened(stack)?, opened(stack)?);
    check(stack.bind(a, local()).is_err(), "a socket is bound twice")?;
    check((0..8).all(|number| shaken(stack, number)), "a handshake is refused")?;
    check(matches!(stack.syn(arrival(8), here()), Ok(Syn::New { .. })), "a SYN is refused")?;
    check(
        matches!(stack.syn(arrival(8), here()), Ok(Syn::Duplicate(_))),
        "a SYN that comes twice is not seen to",
    )?;
    let mut aborted = 0;
    let moved = closed(stack, a, |_| aborted += 1).map_err(|_| "a listener is not closed")?;
    check(aborted == 0, "a connection is aborted though somebody listens")?;
    check(moved > 0, "nothing moved, and something waited")?;
    check(stack.accept(a) == Err(SockError::Stale), "a closed socket is not stale")?;
    check(ack(stack, 8) == Some(b), "what was half open is not where it migrated to")?;
    let mut seen = 0_u32;
    for _ in 0..8 {
        let number = stack.accept(b).ok().flatten().ok_or("what moved is not accepted")?;
        check(number < 8, "what came last is not accepted last")?;
        seen |= 1 << number;
    }
    check(seen == 0xff, "a connection is accepted twice")?;
    check(stack.accept(b) == Ok(Some(8)), "what came last is not accepted")?;
    check(stack.accept(b) == Ok(None), "something is accepted that did not come")?;
    check(stack.counters().PassiveOpens == 9, "not nine connections are counted")?;
    let moved = closed(stack, b, |_| aborted += 1);
    check((moved, aborted) == (Ok(0), 0), "an empty listener has something to give")
}

/// What the threads of one run share.
#[pin_data]
struct World<'s> {
    stack: &'s Stack<'s, Connection, B>,
    fault: Fault,
    #[pin]
    listeners: SpinLock<[Listener; LISTENERS]>,
    /// How often each connection was accepted, aborted or refused.
    ends: KVVec<AtomicU32>,
    /// Clients that are not done.
    clients: AtomicU32,
    done: &'s Done,
}

/// What the threads did.
#[derive(Default)]
pub(crate) struct Done {
    handshakes: AtomicU32,
    accepted: AtomicU32,
    moved: AtomicU32,
    closes: AtomicU32,
}

fn add(to: &AtomicU32, number: u32) {
    to.fetch_add(number, Ordering::Relaxed);
}

impl Display for Done {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { handshakes, accepted, moved, closes } = self;
        let [handshakes, accepted, moved, closes] =
            [handshakes, accepted, moved, closes].map(|count| count.load(Ordering::Relaxed));
        write!(f, "{handshakes} handshakes, {accepted} accepted, {moved} moved at {closes} closes")
    }
}

impl World<'_> {
    fn ended(&self, number: u32) {
        add(&self.ends[number as usize], 1);
    }

    fn client(&self, client: u32) {
        for number in client * ROUNDS..(client + 1) * ROUNDS {
            if shaken(self.stack, number) {
                add(&self.done.handshakes, 1);
            } else {
                self.ended(number);
                // A full queue waits for who accepts.
                threads::sleep(1);
            }
        }
        self.clients.fetch_sub(1, Ordering::Release);
    }

    fn run(&self) -> bool {
        self.clients.load(Ordering::Acquire) != 0
    }

    fn accept_all(&self, id: Listener) {
        // An error is a listener that was closed meanwhile.
        while let Ok(Some(number)) = self.stack.accept(id) {
            let before = self.done.accepted.fetch_add(1, Ordering::Relaxed);
            if self.fault != Fault::Lost || before != 100 {
                self.ended(number);
            }
        }
    }

    fn acceptor(&self) {
        while self.run() {
            let listeners = *self.listeners.lock();
            listeners.into_iter().for_each(|id| self.accept_all(id));
        }
    }

    fn close(&self, id: Listener) {
        if let Ok(moved) = closed(self.stack, id, |number| self.ended(number)) {
            add(&self.done.moved, moved);
            add(&self.done.closes, 1);
        }
    }

    fn closer(&self) {
        for which in (0..LISTENERS).cycle().take_while(|_| self.run()) {
            // Without room for another one the old one stays: connections still name those that closed.
            if let Ok(id) = opened(self.stack) {
                let old = core::mem::replace(&mut self.listeners.lock()[which], id);
                self.close(old);
            }
        }
    }
}

/// Clients, who accepts and who closes: each connection ends once.
pub(crate) fn between_threads<'s>(
    stack: &'s Stack<'s, Connection, B>,
    fault: Fault,
    done: &'s Done,
) -> Result<(), Wrong> {
    let no_memory = |_| "there is no memory";
    let mut ends = KVVec::new();
    for _ in 0..CLIENTS * ROUNDS {
        ends.push(AtomicU32::new(0), GFP_KERNEL).map_err(no_memory)?;
    }
    let listeners = [opened(stack)?, opened(stack)?, opened(stack)?];
    let clients = AtomicU32::new(CLIENTS);
    let world = KBox::pin_init(
        pin_init!(World {
            stack,
            fault,
            listeners <- new_spinlock!(listeners),
            ends,
            clients,
            done,
        }),
        GFP_KERNEL,
    );
    let world = &*world.map_err(|_| "there is no memory")?;
    threads::together(&[
        &|| world.client(0),
        &|| world.client(1),
        &|| world.client(2),
        &|| world.acceptor(),
        &|| world.closer(),
    ])
    .map_err(|_| "there are no threads")?;
    let listeners = *world.listeners.lock();
    for id in listeners {
        world.accept_all(id);
        world.close(id);
    }
    let once = world.ends.iter().all(|ends| ends.load(Ordering::Relaxed) == 1);
    check(once, "a connection did not end once")?;
    check(
        [&done.accepted, &done.moved].iter().all(|count| count.load(Ordering::Relaxed) > 0),
        "the threads never met",
    )
}
