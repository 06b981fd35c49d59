//! The live oracle without a kernel: two stacks stand in for the two sides.

mod command_line;
mod generator;
mod shrink;

use linux_oracle::engine::LINUX;
use linux_oracle::episode::Episode;
use linux_oracle::live::generator::Generator;
use linux_oracle::trace::{
    EpisodeStart, FORMAT, Header, ListenerNumber, Observation, Open, Operation, Shown, Word,
};
use std::collections::BTreeSet;

/// What a kernel with two CPUs would say of itself.
fn header(seed: u64) -> Header {
    Header {
        format: FORMAT.to_owned(),
        kernel: "none".to_owned(),
        address: [127, 0, 0, 1].into(),
        port: 7000,
        cpu: 0,
        syncookies: 1,
        seed,
        cpus: 2,
        somaxconn: 4096,
        synack_retries: 5,
        fastopen_charged: true,
    }
}

type Done = Vec<(Operation, Observation)>;

/// Random episodes on a stack that shows what a kernel would.
struct Random {
    header: Header,
    generator: Generator,
    kernel: StandIn,
}

impl Random {
    fn new(seed: u64, programs: bool) -> Self {
        let header = header(seed);
        let generator = Generator::new(&header, programs, seed);
        Self { header, generator, kernel: StandIn::default() }
    }

    fn episode(&mut self) -> (EpisodeStart, Done) {
        let start = self.generator.episode();
        let mut episode = Episode::new(&self.header, start, LINUX);
        let mut done = Done::new();
        self.kernel = StandIn::default();
        while let Some(mut operation) = self.generator.next(&episode, done.last().map(|(_, shown)| shown)) {
            self.kernel.fill_in(&mut operation);
            let shown = episode.step(operation);
            let shown = shown.unwrap_or_else(|error| panic!("{error}: {operation:?} after {done:#?}"));
            self.kernel.take_note(&operation, &shown);
            self.generator.shown(&operation, &shown);
            done.push((operation, shown));
        }
        (start, done)
    }
}

/// What only a kernel knows: the ports that it picks, and the hashes.
#[derive(Default)]
struct StandIn {
    picked: u16,
    /// The sockets whose port is picked.
    any: BTreeSet<ListenerNumber>,
    /// Those of them that have lost it.
    lost: BTreeSet<ListenerNumber>,
}

impl StandIn {
    fn fill_in(&mut self, operation: &mut Operation) {
        match operation {
            Operation::Open(Open { port: Some(0), picked, .. }) => *picked = Some(self.pick()),
            Operation::Listen { listener, picked, .. } if self.lost.contains(listener) => {
                *picked = Some(self.pick());
            }
            Operation::Connect(connect) => {
                // Anything that is spread well will do, if it is the same for the same client.
                connect.syn_hash = u32::from(connect.conn).wrapping_mul(0x9e37_79b9);
                connect.sk_hash = u32::from(connect.conn).wrapping_mul(0x85eb_ca6b);
            }
            _ => {}
        }
    }

    fn pick(&mut self) -> u16 {
        self.picked += 1;
        40_000 + self.picked
    }

    fn take_note(&mut self, operation: &Operation, shown: &Observation) {
        if shown.result != Shown::Word(Word::Ok) {
            return;
        }
        match operation {
            Operation::Open(Open { port: Some(0), listener, .. }) => drop(self.any.insert(*listener)),
            Operation::Shutdown { listener } if self.any.contains(listener) => {
                self.lost.insert(*listener);
            }
            Operation::Listen { listener, .. } => drop(self.lost.remove(listener)),
            _ => {}
        }
    }
}
