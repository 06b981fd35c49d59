//! Who picks a target: the answers of the discussion, as a parameter of its designs.

use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

/// Who picks the listener that a connection, or a queue, migrates to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picker {
    /// What the design says: the moved socket for a whole queue, the hash for one connection.
    #[default]
    AsPosted,
    /// The member that was moved into the place that became free; for one connection, the last member.
    LastMoved,
    /// A number that is drawn once for each connection, or once for a queue, from this seed.
    Random(u16),
    /// The hash of the connection. A queue has none, so that 0 takes its place: always the first member.
    SynHash,
    /// The program, for each connection.
    Program,
    /// The program, once for a queue, with hash 0.
    ProgramPerQueue,
    /// The first member that is for this CPU, or else by hash.
    IncomingCpu(u16),
    /// Nobody: there is no target.
    Nobody,
}

/// A selection program, as far as migration sees it: what it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// It selects the listener in this slot. Of one that does not listen in the group it learns that there
    /// is none, and passes.
    Select(u32),
    /// It passes without a selection. (Linux: `SK_PASS`.)
    Pass,
    /// It cancels the migration. (Linux: `SK_DROP`.)
    Drop,
}

/// The picker of a stack, and its program, which may be replaced at any time.
pub struct Picking<B: Backend> {
    picker: B::Stat,
    program: B::AtomicU32,
}

const NO_PROGRAM: u32 = 0;
const PASS: u32 = 1;
const DROP: u32 = 2;
const SELECT: u32 = 3;

impl<B: Backend> Picking<B> {
    pub(super) fn new() -> Self {
        let mut picking = Self { picker: B::Stat::ZERO, program: B::AtomicU32::ZERO };
        picking.picker.place(0);
        picking.program.place(NO_PROGRAM);
        picking
    }

    /// Sets the picker, before anything migrates.
    pub(crate) fn set_picker(&self, picker: Picker) {
        let (kind, argument) = match picker {
            Picker::AsPosted => (0, 0),
            Picker::LastMoved => (1, 0),
            Picker::Random(seed) => (2, seed),
            Picker::SynHash => (3, 0),
            Picker::Program => (4, 0),
            Picker::ProgramPerQueue => (5, 0),
            Picker::IncomingCpu(cpu) => (6, cpu),
            Picker::Nobody => (7, 0),
        };
        self.picker.store(kind << 16 | u32::from(argument), Ordering::Relaxed);
    }

    /// Returns the picker.
    pub(crate) fn picker(&self) -> Picker {
        let bits = self.picker.load(Ordering::Relaxed);
        let argument = bits as u16;
        match bits >> 16 {
            1 => Picker::LastMoved,
            2 => Picker::Random(argument),
            3 => Picker::SynHash,
            4 => Picker::Program,
            5 => Picker::ProgramPerQueue,
            6 => Picker::IncomingCpu(argument),
            7 => Picker::Nobody,
            _ => Picker::AsPosted,
        }
    }

    /// Attaches a program, or takes the one that is attached away.
    pub(crate) fn set_program(&self, program: Option<Program>) {
        let bits = match program {
            None => NO_PROGRAM,
            Some(Program::Pass) => PASS,
            Some(Program::Drop) => DROP,
            Some(Program::Select(listener)) => listener.saturating_add(SELECT),
        };
        self.program.store(bits, Ordering::Release);
    }

    /// Runs the program, which is whichever is attached now.
    pub(crate) fn run(&self) -> Program {
        match self.program.load(Ordering::Acquire) {
            NO_PROGRAM | PASS => Program::Pass,
            DROP => Program::Drop,
            select => Program::Select(select - SELECT),
        }
    }
}
