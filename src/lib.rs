#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "loom", feature = "shuttle", feature = "seeded"))]
extern crate std;

#[cfg(not(target_has_atomic = "ptr"))]
compile_error!(
    "rskq needs compare-and-swap: thumbv7m has it and thumbv6m has not, riscv32imac and not riscv32imc"
);

mod address;
pub mod counters;
pub mod event;
pub mod group;
pub mod hash;
#[cfg(feature = "alloc")]
pub mod inspect;
pub mod listener;
pub mod lockdep;
pub mod migrate;
pub mod net;
pub mod outcome;
pub mod queue;
pub mod request;
pub mod reuseport;
pub mod slab;
pub mod stack;
pub mod sync;
#[cfg(all(test, feature = "spin"))]
mod testing;
pub mod timer;

pub use event::{Arrival, Here, Payload};
pub use group::{
    AttachError, AttachType, MapEntry, MapError, MapFlag, Member, Occasion, Program, ProgramId, SelectError,
    SkReuseportMd, Verdict,
};
pub use hash::{BindBucket, Bucket, EhashBucket};
pub use listener::ListenerId;
pub use migrate::Design;
pub use net::{Syncookies, Sysctl};
pub use outcome::{
    BindError, Delivered, FastOpened, HandshakeEnd, ListenError, Outcome, Refusal, Refused, SockError, Syn,
    SynAckTimer, Wake,
};
pub use request::{Hashes, RequestId, Tuple};
pub use slab::{Slot, Storage};
pub use stack::{Closing, Config, CookieAck, Resources, SockOptions, Stack, TimedOut, Timers};

/// The examples of the page are tests.
#[cfg(all(doctest, feature = "alloc", feature = "critical-section", feature = "spin"))]
#[doc = include_str!("../docs/bring-your-own.md")]
pub mod bring_your_own {}

/// What ships by default: hardware atomics and `spin::Mutex`.
#[cfg(feature = "spin")]
pub type DefaultBackend = sync::Core<spin::Mutex<()>>;
