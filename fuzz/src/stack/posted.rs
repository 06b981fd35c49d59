//! Operations on a stack under a design of the discussion, of which no plain reference tells what it answers.
//!
//! What has to hold all the same: nothing panics, a connection is in one place and comes back once, an accept
//! takes who waited longest, and what is broken is what some race of `loom-tests` breaks, too.

use crate::common::{Listener, Request, Sizes, TestStack, stack_of, tuple};
use crate::reference::places::dest_addr;
use crate::reference::{CLIENTS, Op, SOCKETS, SPOTS};
use loom_tests::designs::Column;
use loom_tests::expected::races;
use loom_tests::property::Property;
use rskq::inspect::Graph;
use rskq::*;
use std::collections::BTreeSet;

/// A clone is made before its original is let go of.
const SIZES: Sizes = Sizes {
    listeners: 5,
    requests: 12,
    owners: 12,
    groups: 3,
    max_socks: 3,
    chunks: 3,
    buckets: 2,
    ehash: 2,
};

pub(super) fn run(column: Column, ops: &[Op]) {
    let mut world = World {
        stack: stack_of(SIZES, column.design),
        column,
        sockets: [None; SOCKETS],
        children: 0,
        ended: BTreeSet::new(),
        syns: Vec::new(),
        handshakes: Vec::new(),
        cpu: 0,
    };
    for &op in ops {
        world.step(op);
        world.check();
    }
    for which in 0..SOCKETS {
        world.stop(which, true, usize::MAX);
        world.check();
    }
}

struct World {
    stack: TestStack,
    column: Column,
    sockets: [Option<Listener>; SOCKETS],
    /// How many connections were given to the stack, and which came back.
    children: u32,
    ended: BTreeSet<u32>,
    /// The clients of the half-open and of the fast-open requests, oldest first.
    syns: Vec<u32>,
    handshakes: Vec<(Request, u32)>,
    cpu: u32,
}

fn ends(client: u32) -> Tuple {
    let (dest, port) = CLIENTS[client as usize];
    tuple(dest_addr(dest, port), client)
}

fn arrival(client: u32, hash: u32) -> Arrival {
    Arrival { tuple: ends(client), hashes: Hashes { syn_hash: hash, sk_hash: !hash } }
}

impl World {
    fn step(&mut self, op: Op) {
        let here = self.here();
        match op {
            Op::Listen { which, spot, shares, backlog } => {
                let socket = &mut self.sockets[which];
                *socket = socket.or(self.stack.listen_at(SPOTS[spot].addr(), backlog, shares).ok());
            }
            Op::Stop { which, close, steps } => self.stop(which, close, steps),
            Op::Deliver { client, hash } => {
                let child = self.child();
                let delivered = self.stack.deliver(arrival(client, hash), here, child).map(drop);
                self.refused(delivered);
            }
            Op::Accept { which } => self.accept(which),
            Op::Syn { client, hash } => {
                if let Ok(Syn::New { .. }) = self.stack.syn(arrival(client, hash), here) {
                    self.syns.push(client);
                }
            }
            Op::Ack { client, data } => {
                let child = self.child();
                let payload = if data { Payload::Data } else { Payload::None };
                let acked = self.stack.ack(&ends(client), payload, here, child).map(drop);
                self.refused(acked);
            }
            Op::CookieAck { client, hash, genuine: true } => {
                let child = self.child();
                let believed = match self.stack.cookie_ack(arrival(client, hash), here) {
                    Ok(cookie) => cookie.believe(child).map(drop),
                    Err(why) => Err(Refused { child, why }),
                };
                self.refused(believed);
            }
            Op::Timer { back, retries } => {
                if let Some(&client) = self.syns.iter().rev().nth(back) {
                    let _ = self.stack.synack_timer_of(&ends(client), retries);
                }
            }
            Op::Reset { client } => drop(self.stack.reset(&ends(client))),
            Op::SynFastOpen { client, hash } => {
                let child = self.child();
                let opened = self.stack.syn_fastopen(arrival(client, hash), here, child);
                if let Ok(FastOpened { handshake, .. }) = opened {
                    self.handshakes.push((handshake, client));
                }
                self.refused(opened.map(drop));
            }
            Op::EndHandshake { back, reset } => {
                if let Some(&(id, client)) = self.handshakes.iter().rev().nth(back) {
                    let end = if reset { HandshakeEnd::Reset } else { HandshakeEnd::Done };
                    if self.stack.fastopen_remove(id, end, here).is_err() {
                        // The child may name another request by now.
                        let _ = self.stack.fastopen_remove_of(&ends(client), end, here);
                    }
                }
            }
            Op::MigrateReq { on } => self.stack.set_migrate_req(on),
            Op::RunOn { cpu } => self.cpu = cpu,
            _ => self.option(op),
        }
    }

    /// What is said to a socket that there is.
    fn option(&mut self, op: Op) {
        let listener = |which: usize| self.sockets[which];
        let _ = match op {
            Op::ListenAgain { which, backlog } => {
                listener(which).map(|id| self.stack.listen(id, backlog).is_ok())
            }
            Op::SetDefer { which, timeouts } => {
                listener(which).map(|id| self.stack.set_defer_accept(id, timeouts).is_ok())
            }
            Op::SetFastOpen { which, limit } => {
                listener(which).map(|id| self.stack.set_fastopen(id, limit).is_ok())
            }
            Op::EvictReset { which } => listener(which).map(|id| self.stack.evict_reset(id).is_ok()),
            Op::SetIncomingCpu { which, cpu } => {
                listener(which).map(|id| self.stack.set_incoming_cpu(id, cpu).is_ok())
            }
            // What the discussion knows nothing of.
            _ => None,
        };
    }

    fn here(&self) -> Here {
        Here { cpu: self.cpu, now: 0 }
    }

    fn child(&mut self) -> u32 {
        self.children += 1;
        self.children - 1
    }

    /// A connection came back. It does so once.
    fn end(&mut self, child: u32) {
        assert!(child < self.children, "nobody gave child {child} to the stack");
        assert!(self.ended.insert(child), "child {child} ended twice");
    }

    fn refused(&mut self, result: Result<(), Refused<u32>>) {
        if let Err(Refused { child, .. }) = result {
            self.end(child);
        }
    }

    fn accept(&mut self, which: usize) {
        let Some(id) = self.sockets[which] else { return };
        let before = self.stack.graph_mut();
        let Ok(accepted) = self.stack.accept(id) else { return };
        let queue = before.listeners[id.index() as usize].queue.as_ref().expect("nobody holds a lock");
        assert_eq!(accepted, queue.requests.first().and_then(|request| request.child));
        if let Some(child) = accepted {
            self.end(child);
        }
    }

    fn stop(&mut self, which: usize, close: bool, steps: usize) {
        let Some(id) = self.sockets[which] else { return };
        let Ok((said, aborted)) = self.take_steps(id, close, steps) else { return };
        aborted.into_iter().for_each(|child| self.end(child));
        if close && said < steps {
            self.sockets[which] = None;
        }
    }

    /// Returns how many steps there were, and which connections were given up.
    fn take_steps(&self, id: Listener, close: bool, steps: usize) -> Result<(usize, Vec<u32>), SockError> {
        let here = self.here();
        let closing = if close { self.stack.close(id, here)? } else { self.stack.shutdown(id, here)? };
        let said: Vec<_> = closing.take(steps).collect();
        let aborted = said.iter().filter_map(|outcome| match outcome {
            Outcome::Aborted(child) => Some(*child),
            _ => None,
        });
        Ok((said.len(), aborted.collect()))
    }

    fn check(&mut self) {
        let graph: Graph<u32> = self.stack.graph_mut();
        let queues = graph.listeners.iter().filter_map(|listener| listener.queue.as_ref());
        let mut waiting = BTreeSet::new();
        for child in queues.flat_map(|queue| &queue.requests).filter_map(|request| request.child) {
            assert!(waiting.insert(child), "child {child} waits twice");
            assert!(!self.ended.contains(&child), "child {child} came back, and waits");
        }
        for violation in graph.violations() {
            let property = Property::by_name(violation.invariant).expect("an invariant is a property");
            let known = races(self.column.name, property).next().is_some();
            assert!(known, "{} of {}: {}", violation.invariant, self.column.name, violation.text);
        }
    }
}
