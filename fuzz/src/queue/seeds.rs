//! Seeds: what becomes of queues in the life of their listeners.

use super::{Input, Op, Op::*};

/// Returns every seed, the same each time.
#[must_use]
pub fn all() -> Vec<Vec<u8>> {
    const FRESH: usize = usize::MAX;
    let fill = |queue| [Push { queue, hand: FRESH }, Push { queue, hand: FRESH }];
    let with = |ops: &[Op]| Input::new(&[&fill(0)[..], &fill(1), ops].concat()).bytes();
    vec![
        with(&[Pop { queue: 0 }, Push { queue: 1, hand: 0 }, Pop { queue: 1 }, Put { hand: 0 }]),
        with(&[Get { slot: 0 }, Push { queue: 1, hand: 0 }, Pop { queue: 0 }, Push { queue: 1, hand: 0 }]),
        with(&[SpliceHead { queue: 0, by: 1 }, Push { queue: 0, hand: FRESH }, Pop { queue: 0 }]),
        with(&[
            SpliceTail { queue: 2, by: 1 },
            SpliceTail { queue: 0, by: 2 },
            Push { queue: 0, hand: FRESH },
        ]),
        with(&[
            Charge { queue: 0, qlen: 2, young: 1 },
            Detach { queue: 0, all: true },
            Detach { queue: 1, all: false },
            Append { queue: 1 },
            Prepend { queue: 1 },
        ]),
        with(&[
            Limit { queue: 0, limit: 1 },
            FastCharge { queue: 0, change: 1 },
            PushReset { queue: 0, hand: FRESH },
            FastCharge { queue: 0, change: -1 },
            Get { slot: 4 },
            PushReset { queue: 1, hand: 0 },
            EvictReset { queue: 0 },
            Pass { after: 60_000 },
            FastAppend { queue: 1, by: 2 },
            EvictReset { queue: 1 },
        ]),
        with(&[
            PushReset { queue: 0, hand: FRESH },
            PushReset { queue: 2, hand: FRESH },
            PopReset { queue: 0 },
        ]),
    ]
}
