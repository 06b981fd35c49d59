//! The selection programs, instruction by instruction, and the sockarray that they select from.

use super::bpf::{self, AttachType, Map, MapType};
use super::option;
use crate::trace::{ProgramKind, Verdict};
use nix::libc;
use socket2::Socket;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How many entries the sockarray has.
pub const MAP_ENTRIES: u32 = 1024;

/// `SO_DETACH_REUSEPORT_BPF`, which not every library knows.
const SO_DETACH_REUSEPORT_BPF: libc::c_int = 68;

const SK_DROP: i32 = 0;
const SK_PASS: i32 = 1;
/// `bpf_sk_select_reuseport()`.
const SELECT_REUSEPORT: i32 = 82;
/// Where `struct sk_reuseport_md` has its `hash`.
const MD_HASH: i16 = 32;
/// What the immediate of a 64-bit load names instead of a number.
const PSEUDO_MAP_FD: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;

/// The programs that were loaded, and their sockarray.
pub(super) struct Programs {
    loaded: BTreeMap<(AttachType, Verdict), OwnedFd>,
    map: Map,
}

/// A program that passes, and writes down the hash that it was asked for.
pub(super) struct Recorder {
    program: OwnedFd,
    seen: Map,
}

impl Programs {
    /// Fails where loading is not allowed.
    pub(super) fn new() -> io::Result<Self> {
        let map = Map::new(MapType::ReuseportSockarray, MAP_ENTRIES)?;
        let mut programs = Self { loaded: BTreeMap::new(), map };
        programs.load(AttachType::Select, Verdict::Pass)?;
        Ok(programs)
    }

    pub(super) fn attach(&mut self, to: &Socket, kind: ProgramKind, verdict: Verdict) -> io::Result<()> {
        let attach_type = match kind {
            ProgramKind::None => return detach_any(to),
            ProgramKind::Select => AttachType::Select,
            ProgramKind::SelectOrMigrate => AttachType::SelectOrMigrate,
        };
        let program = self.load(attach_type, verdict)?;
        attach(to, program)
    }

    /// Puts `listener` at `index` of the sockarray, or deletes the entry.
    pub(super) fn map(&self, index: u32, listener: Option<&Socket>) -> io::Result<()> {
        match listener {
            Some(listener) => self.map.update(index, listener.as_raw_fd() as u32),
            None => self.map.delete(index),
        }
    }

    fn load(&mut self, attach_type: AttachType, verdict: Verdict) -> io::Result<&OwnedFd> {
        let program = match self.loaded.remove(&(attach_type, verdict)) {
            Some(program) => program,
            None => bpf::load(&self.instructions(verdict), attach_type)?,
        };
        Ok(self.loaded.entry((attach_type, verdict)).or_insert(program))
    }

    fn instructions(&self, verdict: Verdict) -> Vec<u64> {
        match verdict {
            Verdict::Pass => returns(SK_PASS).to_vec(),
            Verdict::Drop => returns(SK_DROP).to_vec(),
            Verdict::Select(index) => [&self.select(index)[..], &returns(SK_PASS)].concat(),
            Verdict::SelectOrDrop(index) => {
                [&self.select(index)[..], &[jump_if_zero(0, 2)], &returns(SK_DROP), &returns(SK_PASS)]
                    .concat()
            }
        }
    }

    /// Calls the helper; its answer, 0 or an error, is in register 0.
    fn select(&self, index: u32) -> [u64; 7] {
        let [map, map_high] = load_map(2, PSEUDO_MAP_FD, &self.map);
        [
            store_immediate(10, -4, index as i32),
            map,
            map_high,
            copy(3, 10),
            add(3, -4),
            set(4, 0),
            call(SELECT_REUSEPORT),
        ]
    }
}

impl Recorder {
    pub(super) fn new() -> io::Result<Self> {
        let seen = Map::new(MapType::Array, 1)?;
        let [value, value_high] = load_map(3, PSEUDO_MAP_VALUE, &seen);
        let [pass, exit] = returns(SK_PASS);
        let program = bpf::load(
            &[load_word(2, 1, MD_HASH), value, value_high, store_word(3, 2), pass, exit],
            AttachType::Select,
        )?;
        Ok(Self { program, seen })
    }

    pub(super) fn attach(&self, to: &Socket) -> io::Result<()> {
        attach(to, &self.program)
    }

    pub(super) fn hash(&self) -> io::Result<u32> {
        self.seen.lookup(0)
    }
}

fn attach(to: &Socket, program: &OwnedFd) -> io::Result<()> {
    option::set(to, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_EBPF, program.as_raw_fd())
}

/// Takes the program away; says so if there is none.
pub(super) fn detach(from: &Socket) -> io::Result<()> {
    option::set(from, libc::SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0)
}

/// Takes the program away if there is one.
fn detach_any(from: &Socket) -> io::Result<()> {
    detach(from).or_else(|error| match error.raw_os_error() {
        Some(libc::ENOENT) => Ok(()),
        _ => Err(error),
    })
}

fn returns(value: i32) -> [u64; 2] {
    [set(0, value), instruction(libc::BPF_JMP | 0x90, 0, 0, 0, 0)]
}

fn set(register: u8, value: i32) -> u64 {
    instruction(ALU64 | MOV | libc::BPF_K, register, 0, 0, value)
}

fn copy(to: u8, from: u8) -> u64 {
    instruction(ALU64 | MOV | libc::BPF_X, to, from, 0, 0)
}

fn add(register: u8, value: i32) -> u64 {
    instruction(ALU64 | libc::BPF_ADD | libc::BPF_K, register, 0, 0, value)
}

fn jump_if_zero(register: u8, over: i16) -> u64 {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, register, 0, over, 0)
}

fn call(helper: i32) -> u64 {
    instruction(libc::BPF_JMP | 0x80, 0, 0, 0, helper)
}

fn load_word(to: u8, base: u8, offset: i16) -> u64 {
    instruction(libc::BPF_LDX | MEM | libc::BPF_W, to, base, offset, 0)
}

fn store_word(base: u8, from: u8) -> u64 {
    instruction(libc::BPF_STX | MEM | libc::BPF_W, base, from, 0, 0)
}

fn store_immediate(base: u8, offset: i16, value: i32) -> u64 {
    instruction(libc::BPF_ST | MEM | libc::BPF_W, base, 0, offset, value)
}

/// Loads the address of a map, or of its first value; that takes two instructions.
fn load_map(to: u8, what: u8, map: &Map) -> [u64; 2] {
    [instruction(libc::BPF_LD | libc::BPF_IMM | DOUBLE, to, what, 0, map.as_fd().as_raw_fd()), 0]
}

// What the extended instructions add to the classic ones.
const ALU64: u32 = 0x07;
const MOV: u32 = 0xb0;
const MEM: u32 = 0x60;
const DOUBLE: u32 = 0x18;

/// An instruction as the kernel reads it on this machine: `struct bpf_insn`.
fn instruction(code: u32, dst: u8, src: u8, offset: i16, immediate: i32) -> u64 {
    let registers = if cfg!(target_endian = "little") { src << 4 | dst } else { dst << 4 | src };
    let [o0, o1] = offset.to_ne_bytes();
    let [i0, i1, i2, i3] = immediate.to_ne_bytes();
    u64::from_ne_bytes([code as u8, registers, o0, o1, i0, i1, i2, i3])
}
