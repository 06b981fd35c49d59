//! What threads do, and by which rules a program makes sense to the observer.

use loom_tests::designs::{self, Column};
use loom_tests::scenario::{self, A, B, C, L, Op, Scenario};
use loom_tests::world::Connection;
use std::fmt;

/// Listeners of a program.
pub(crate) const LISTENERS: usize = 3;
/// Connections of a program.
pub(crate) const CONNECTIONS: usize = 4;
/// Threads of a program, and the most operations of each.
pub(crate) const THREADS: usize = 3;
pub(crate) const MOST: usize = 4;
/// The designs that are for use.
pub(crate) const DESIGNS: [&str; 4] = ["handover", "requeue", "linux", "abort"];

/// What threads do with three listeners and four connections.
#[derive(Clone)]
pub struct Program {
    /// The design, by its name as a column.
    pub design: &'static str,
    /// Whether some listener listens throughout, whichever.
    pub someone_stays: bool,
    /// Whether the stack keeps the SYN-ACK timers.
    pub polled: bool,
    /// How many timeouts listeners wait for data.
    pub defer_accept: u32,
    /// How many fast-open connections each may have.
    pub fastopen: u32,
    /// What happens before the threads begin.
    pub before: Vec<Op>,
    /// What each thread does.
    pub threads: Vec<Vec<Op>>,
}

/// Rust, as far as a test needs it.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ops: &Vec<Op>| {
            let ops: Vec<_> = ops.iter().map(|op| format!("Op::{op:?}")).collect();
            format!("vec![{}]", ops.join(", "))
        };
        let Self { design, someone_stays, polled, defer_accept, fastopen, before, threads } = self;
        let threads: Vec<_> = threads.iter().map(list).collect();
        writeln!(f, "Program {{\n        design: {design:?},\n        someone_stays: {someone_stays},")?;
        writeln!(f, "        polled: {polled},\n        defer_accept: {defer_accept},")?;
        writeln!(f, "        fastopen: {fastopen},\n        before: {},", list(before))?;
        write!(f, "        threads: vec![{}],\n    }}", threads.join(", "))
    }
}

/// What the observer asks of a scenario's operations: how many connections there are, whether any is half open,
/// and who leaves. By who leaves, a bit for each listener.
const ASKED: [&[Op]; 1 << LISTENERS] = [
    &[LAST],
    &[LAST, Op::Close(A)],
    &[LAST, Op::Close(B)],
    &[LAST, Op::Close(A), Op::Close(B)],
    &[LAST, Op::Close(C)],
    &[LAST, Op::Close(A), Op::Close(C)],
    &[LAST, Op::Close(B), Op::Close(C)],
    &[LAST, Op::Close(A), Op::Close(B), Op::Close(C)],
];
const LAST: Op = Op::Syn(CONNECTIONS as Connection - 1, A);

impl Program {
    /// Returns the design.
    pub(crate) fn column(&self) -> Column {
        designs::by_name(self.design).expect("the design is a column")
    }

    /// Returns what the world is made of and what the observer asks; the operations are not in it.
    pub(crate) fn scenario(&self) -> Scenario {
        let like = if self.polled { "poll_ack" } else { "closer_accept" };
        let like = scenario::by_name(like).expect("the race is there");
        Scenario {
            name: "program",
            listeners: LISTENERS as u32,
            fastopen: self.fastopen,
            defer_accept: self.defer_accept,
            spare_groups: self.comebacks(),
            before: &[],
            threads: std::slice::from_ref(&ASKED[self.leave()]),
            ..like
        }
    }

    fn ops(&self) -> impl Iterator<Item = &Op> {
        self.threads.iter().chain([&self.before]).flatten()
    }

    /// Returns how often a listener listens again.
    fn comebacks(&self) -> u32 {
        self.ops().map(|op| u32::from(matches!(op, Op::ListenAgain(_)))).sum()
    }

    /// Returns who is stopped, a bit for each listener.
    fn leave(&self) -> usize {
        let stopped = self.ops().filter_map(|op| match op {
            Op::Close(l) | Op::Shutdown(l) => Some(1 << l),
            _ => None,
        });
        stopped.fold(0, |all, one| all | one)
    }
}

/// Lets operations into a program that the observer can follow.
///
/// It tells connections by number, so that each comes into being once, a listener is stopped by one thread, and
/// a timer goes off through whoever keeps it.
pub(crate) struct Rules {
    someone_stays: bool,
    polled: bool,
    /// How each connection began.
    begun: [Option<Op>; CONNECTIONS],
    /// Whether a handshake may come to its end, or has a second SYN: not both, since what comes after the end
    /// would be another connection of that number.
    ends: [bool; CONNECTIONS],
    again: [bool; CONNECTIONS],
    /// Which thread stops each listener, and what it can do with it next.
    stopped: [Option<(usize, Next)>; LISTENERS],
}

/// What is left to do with a listener.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    ListenAgain,
    Stop,
    Nothing,
}

impl Rules {
    pub(crate) fn new(someone_stays: bool, polled: bool) -> Self {
        Self {
            someone_stays,
            polled,
            begun: [None; CONNECTIONS],
            ends: [polled; CONNECTIONS],
            again: [false; CONNECTIONS],
            stopped: [None; LISTENERS],
        }
    }

    /// Returns what `thread` may do of this.
    pub(crate) fn admit(&mut self, thread: usize, op: Op) -> Option<Op> {
        let admitted = match op {
            Op::Deliver(c, _) | Op::Syn(c, _) | Op::SynFast(c, _) => self.begins(c, op),
            Op::Ack(c) | Op::AckData(c) | Op::Reset(c) => self.ends(c),
            Op::Timer(_) if self.polled => return Some(Op::Poll),
            Op::Timer(c) => self.ends(c),
            Op::Poll => self.polled,
            Op::Close(l) => self.goes_on(thread, l, Next::Stop, Next::Nothing),
            Op::Shutdown(l) => self.goes_on(thread, l, Next::Stop, Next::ListenAgain),
            Op::ListenAgain(l) => self.goes_on(thread, l, Next::ListenAgain, Next::Stop),
            Op::Accept(_) | Op::Done(_) | Op::ResetFast(_) => true,
            // For the designs of the discussion.
            Op::Migrate(_) | Op::Program(_) => false,
        };
        admitted.then_some(op)
    }

    fn begins(&mut self, connection: Connection, op: Op) -> bool {
        let c = connection as usize;
        match self.begun[c] {
            None => {
                self.begun[c] = Some(op);
                true
            }
            // Where nobody stays the first may be refused and the second taken.
            Some(Op::Syn(..)) if matches!(op, Op::Syn(..)) && self.someone_stays && !self.ends[c] => {
                self.again[c] = true;
                true
            }
            Some(_) => false,
        }
    }

    fn ends(&mut self, connection: Connection) -> bool {
        let c = connection as usize;
        self.ends[c] |= !self.again[c];
        !self.again[c]
    }

    /// A thread does what can be done with a listener next, if it is the one that may.
    fn goes_on(&mut self, thread: usize, listener: L, this: Next, then: Next) -> bool {
        let others =
            (0..).zip(&self.stopped).filter(|(other, stopped)| *other != listener && stopped.is_some());
        let last = self.someone_stays && others.count() == LISTENERS - 1;
        let next = &mut self.stopped[listener as usize];
        let may = next.unwrap_or((thread, Next::Stop)) == (thread, this) && !last;
        if may {
            *next = Some((thread, then));
        }
        may
    }
}
