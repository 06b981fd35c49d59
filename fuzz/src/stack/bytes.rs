//! Inputs as bytes: the design, and then operation after operation.

use super::{DESIGNS, Input, MOST};
use crate::codec::{Below, Hash, Values, codec};
use crate::reference::{CLIENTS, CPUS, ENTRIES, NAMED, Op, PROGRAMS, SOCKETS, SPOTS};
use arbitrary::{Arbitrary, Unstructured};
use rskq::{MapFlag, Syncookies};

const WHICH: Below = Below(SOCKETS);
const CLIENT: Below = Below(CLIENTS.len());
const BACK: Below = Below(NAMED);
const INDEX: Below = Below(ENTRIES as usize + 1);
const FEW: Below = Below(4);
const YES_NO: [bool; 2] = [true, false];
const BACKLOG: [u32; 5] = [0, 1, 2, 3, u32::MAX];
const STEPS: [usize; 4] = [usize::MAX, 1, 2, 3];
/// Milliseconds: some are about a timer's time, a cookie's or a reset connection's.
const AFTER: [u64; 10] = [0, 1, 999, 1_000, 3_000, 7_000, 60_000, 61_000, 121_000, 200_000];
const FLAG: [MapFlag; 3] = [MapFlag::Any, MapFlag::NoExist, MapFlag::Exist];
const COOKIES: [Syncookies; 3] = [Syncookies::WhenFull, Syncookies::Never, Syncookies::Always];
const CPU: [Option<u32>; 3] = [None, Some(0), Some(1)];

codec! {
    Op:
    Listen { which: WHICH, spot: Below(SPOTS.len()), shares: [true, true, true, false], backlog: BACKLOG },
    ListenAgain { which: WHICH, backlog: BACKLOG },
    Stop { which: WHICH, close: YES_NO, steps: STEPS },
    Deliver { client: CLIENT, hash: Hash },
    Accept { which: WHICH },
    Syn { client: CLIENT, hash: Hash },
    Ack { client: CLIENT, data: YES_NO },
    CookieAck { client: CLIENT, hash: Hash, genuine: YES_NO },
    SetDefer { which: WHICH, timeouts: FEW },
    MigrateReq { on: YES_NO },
    SetSyncookies { to: COOKIES },
    AbortOnOverflow { on: YES_NO },
    Poll { after: AFTER },
    Timer { back: BACK, retries: FEW },
    Reset { client: CLIENT },
    SetFastOpen { which: WHICH, limit: FEW },
    SynFastOpen { client: CLIENT, hash: Hash },
    EndHandshake { back: BACK, reset: YES_NO },
    EvictReset { which: WHICH },
    Attach { which: WHICH, program: Below(PROGRAMS.len() + 1) },
    Detach { which: WHICH },
    MapUpdate { index: INDEX, which: WHICH, flag: FLAG },
    MapDelete { index: INDEX },
    SetIncomingCpu { which: WHICH, cpu: CPU },
    RunOn { cpu: Below(CPUS as usize) },
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let design = DESIGNS.get(u8::arbitrary(u)?);
        let mut ops = Vec::new();
        while !u.is_empty() && ops.len() < MOST {
            ops.push(Op::arbitrary(u)?);
        }
        Ok(Self { design, ops })
    }
}

impl Input {
    /// Returns the bytes of an input.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![DESIGNS.put(self.design)];
        self.ops.iter().for_each(|&op| encode(op, &mut bytes));
        bytes
    }
}
