//! Inputs as bytes: settings, what happens before, a list for each thread, and the rest are choices.

use super::Input;
use super::program::{CONNECTIONS, DESIGNS, LISTENERS, MOST, Program, Rules, THREADS};
use crate::codec::{Below, Values};
use arbitrary::{Arbitrary, Unstructured};
use loom_tests::scenario::{L, Op};
use loom_tests::world::Connection;

const YES_NO: [bool; 2] = [true, false];
const DEFER: [u32; 3] = [0, 0, 1];
const FASTOPEN: [u32; 3] = [8, 8, 1];
/// What a thread can do with a connection and a listener, in the order of an operation's first byte.
const VERBS: [fn(Connection, L) -> Op; 13] = [
    |_, l| Op::Accept(l),
    Op::Syn,
    |c, _| Op::Ack(c),
    Op::Deliver,
    |_, l| Op::Close(l),
    |_, l| Op::Shutdown(l),
    |_, l| Op::ListenAgain(l),
    |c, _| Op::Timer(c),
    |c, _| Op::Reset(c),
    |c, _| Op::AckData(c),
    Op::SynFast,
    |c, _| Op::Done(c),
    |c, _| Op::ResetFast(c),
];

/// Reads the settings of a program.
fn settings(u: &mut Unstructured<'_>) -> arbitrary::Result<Program> {
    Ok(Program {
        design: DESIGNS.get(u8::arbitrary(u)?),
        someone_stays: YES_NO.get(u8::arbitrary(u)?),
        polled: !YES_NO.get(u8::arbitrary(u)?),
        defer_accept: DEFER.get(u8::arbitrary(u)?),
        fastopen: FASTOPEN.get(u8::arbitrary(u)?),
        before: Vec::new(),
        threads: Vec::new(),
    })
}

/// Reads one operation: what, and of whom.
fn op(u: &mut Unstructured<'_>) -> arbitrary::Result<Op> {
    let (verb, whom) = (u8::arbitrary(u)?, usize::from(u8::arbitrary(u)?));
    let connection = (whom % CONNECTIONS) as Connection;
    Ok(VERBS[usize::from(verb) % VERBS.len()](connection, (whom / CONNECTIONS % LISTENERS) as L))
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let mut program = settings(u)?;
        let mut rules = Rules::new(program.someone_stays, program.polled);
        // What happens before counts as the first thread's.
        for thread in [0].into_iter().chain(0..THREADS) {
            let count: usize = Below(MOST + 1).get(u8::arbitrary(u)?);
            let mut ops = Vec::new();
            for _ in 0..count {
                ops.extend(rules.admit(thread, op(u)?));
            }
            program.threads.push(ops);
        }
        program.before = program.threads.remove(0);
        let choices = u.bytes(u.len())?.to_vec();
        Ok(Self { program, choices })
    }
}

impl Input {
    /// Returns the bytes of an input.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let Self {
            program: Program { design, someone_stays, polled, defer_accept, fastopen, before, threads },
            choices,
        } = self;
        let mut bytes = vec![
            DESIGNS.put(design),
            YES_NO.put(*someone_stays),
            YES_NO.put(!polled),
            DEFER.put(*defer_accept),
            FASTOPEN.put(*fastopen),
        ];
        for ops in [before].into_iter().chain(threads) {
            bytes.push(Below(MOST + 1).put(ops.len()));
            ops.iter().take(MOST).for_each(|&op| bytes.extend(encode(op)));
        }
        bytes.extend(choices);
        bytes
    }
}

/// Returns the bytes of an operation: of all that there are, the one that is read as it.
fn encode(op: Op) -> [u8; 2] {
    let all = (0..VERBS.len() as u8)
        .flat_map(|verb| (0..(CONNECTIONS * LISTENERS) as u8).map(move |whom| [verb, whom]));
    let reads = |bytes: &[u8; 2]| self::op(&mut Unstructured::new(bytes)).is_ok_and(|read| read == op);
    all.into_iter().find(reads).unwrap_or_default()
}
