//! Programs that remember what they were asked.

use super::{Sizes, TestStack, stack_of};
use rskq::*;
use std::net::IpAddr;
use std::sync::Mutex;

/// What a program was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The number of the client, as [`tuple`](super::tuple) makes it an address.
    pub(crate) client: u32,
    pub(crate) hash: u32,
    pub(crate) cpu: u32,
    pub(crate) occasion: Occasion,
    pub(crate) from: Option<u32>,
}

/// A program of a test.
pub(crate) struct TestProgram {
    attach_type: AttachType,
    answer: fn(&mut SkReuseportMd<'_>) -> Verdict,
    asked: Mutex<Vec<Asked>>,
}

impl TestProgram {
    /// A program that lives for as long as any test.
    pub(crate) fn new(
        attach_type: AttachType,
        answer: fn(&mut SkReuseportMd<'_>) -> Verdict,
    ) -> &'static Self {
        Box::leak(Box::new(Self { attach_type, answer, asked: Mutex::default() }))
    }

    /// Returns what it was asked since this was called last.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Returns on which occasions it was asked since then.
    pub(crate) fn occasions(&self) -> Vec<Occasion> {
        self.asked().iter().map(|asked| asked.occasion).collect()
    }
}

impl Program for TestProgram {
    fn attach_type(&self) -> AttachType {
        self.attach_type
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        let &mut SkReuseportMd { hash, cpu, occasion, from, .. } = md;
        self.asked.lock().unwrap().push(Asked { client: client(md), hash, cpu, occasion, from });
        (self.answer)(md)
    }
}

/// Returns the number of the client that connects.
pub(crate) fn client(md: &SkReuseportMd<'_>) -> u32 {
    match md.tuple.remote.ip() {
        IpAddr::V4(remote) => remote.to_bits() & 0x00ff_ffff,
        IpAddr::V6(_) => panic!("the tests' clients have IPv4 addresses"),
    }
}

/// A stack with these programs, and a map with so many entries.
pub(crate) fn stack_with(
    sizes: Sizes,
    design: Design,
    programs: &[&'static TestProgram],
    entries: usize,
) -> TestStack {
    let programs: Vec<&dyn Program> = programs.iter().map(|&program| program as _).collect();
    stack_of(sizes, design).with_programs(programs.leak(), Storage::boxed(entries))
}
