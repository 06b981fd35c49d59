//! bpf(2), for as much of it as selection programs need.

use nix::libc;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::{io, ptr};

// Numbers of the system's interface, from its enumerations `bpf_cmd`, `bpf_map_type`, `bpf_prog_type`
// and `bpf_attach_type`.
const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_int = 2;
const BPF_MAP_DELETE_ELEM: libc::c_int = 3;
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_TYPE_SK_REUSEPORT: u32 = 21;

const LICENSE: &CStr = c"MIT";

/// Which kind of map.
#[derive(Clone, Copy)]
pub(super) enum MapType {
    Array = 2,
    ReuseportSockarray = 20,
}

/// When the program is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AttachType {
    Select = 39,
    SelectOrMigrate = 40,
}

/// A map whose keys and values are 32 bits wide.
pub(super) struct Map(OwnedFd);

/// What `union bpf_attr` is for `BPF_MAP_CREATE`, up to what is set.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
}

/// The same for an element of a map.
#[repr(C)]
struct MapElem {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The same for `BPF_PROG_LOAD`.
#[repr(C)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

/// Loads a program of instructions that are encoded as the kernel reads them.
pub(super) fn load(insns: &[u64], attach_type: AttachType) -> io::Result<OwnedFd> {
    let attr = ProgLoad {
        prog_type: BPF_PROG_TYPE_SK_REUSEPORT,
        insn_cnt: insns.len() as u32,
        insns: insns.as_ptr().expose_provenance() as u64,
        license: LICENSE.as_ptr().expose_provenance() as u64,
        log_level: 0,
        log_size: 0,
        log_buf: 0,
        kern_version: 0,
        prog_flags: 0,
        prog_name: [0; 16],
        prog_ifindex: 0,
        expected_attach_type: attach_type as u32,
    };
    // SAFETY: `insns` points to `insn_cnt` instructions and `license` to a string with its end; both
    // outlive the call, and it only reads them.
    let fd = unsafe { bpf(BPF_PROG_LOAD, &attr)? };
    // SAFETY: the kernel has just opened the descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Map {
    pub(super) fn new(map_type: MapType, entries: u32) -> io::Result<Self> {
        let attr = MapCreate {
            map_type: map_type as u32,
            key_size: 4,
            value_size: 4,
            max_entries: entries,
            map_flags: 0,
        };
        // SAFETY: nothing in `attr` is a pointer.
        let fd = unsafe { bpf(BPF_MAP_CREATE, &attr)? };
        // SAFETY: the kernel has just opened the descriptor for us, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(super) fn lookup(&self, key: u32) -> io::Result<u32> {
        let mut value = 0;
        self.element(BPF_MAP_LOOKUP_ELEM, key, Some(&mut value))?;
        Ok(value)
    }

    pub(super) fn update(&self, key: u32, mut value: u32) -> io::Result<()> {
        self.element(BPF_MAP_UPDATE_ELEM, key, Some(&mut value))
    }

    pub(super) fn delete(&self, key: u32) -> io::Result<()> {
        self.element(BPF_MAP_DELETE_ELEM, key, None)
    }

    fn element(&self, command: libc::c_int, key: u32, value: Option<&mut u32>) -> io::Result<()> {
        let attr = MapElem {
            map_fd: self.0.as_raw_fd() as u32,
            _pad: 0,
            key: (&raw const key).expose_provenance() as u64,
            // What a command does not know has to be 0.
            value: value.map_or(0, |value| ptr::from_mut(value).expose_provenance() as u64),
            flags: 0, // BPF_ANY
        };
        // SAFETY: the pointers are to 4 bytes each, as wide as the map's keys and values are, and outlive
        // the call; the value is ours alone.
        unsafe { bpf(command, &attr) }.map(drop)
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// # Safety
///
/// `attr` is what the command expects, and what it points to may be read, or written where the
/// command writes.
unsafe fn bpf<T>(command: libc::c_int, attr: &T) -> io::Result<RawFd> {
    // SAFETY: the caller's contract; the kernel reads `attr` up to its size.
    match unsafe { libc::syscall(libc::SYS_bpf, command, attr, size_of::<T>()) } {
        -1 => Err(io::Error::last_os_error()),
        // A descriptor, or 0.
        value => Ok(value as RawFd),
    }
}
