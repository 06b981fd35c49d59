//! Sequences that once made the stack and its reference differ.
//!
//! The fuzz target `stack` prints what it finds as a test that belongs here.

use crate::reference::{Op, run};
use rskq::Design;

const DESIGNS: [Design; 4] = [Design::Abort, Design::Linux, Design::Requeue, Design::Handover];

/// A listener of the first spot that shares its address.
const fn listen(which: usize) -> Op {
    Op::Listen { which, spot: 0, shares: true, backlog: 0 }
}

const fn shut(which: usize, steps: usize) -> Op {
    Op::Stop { which, close: false, steps }
}

fn run_all(ops: &[Op]) {
    DESIGNS.into_iter().for_each(|design| run(design, ops));
}

#[test]
fn half_open_requests_outlive_a_shutdown() {
    let syn = Op::Syn { client: 0, hash: 1 << 31 };
    run_all(&[listen(0), listen(4), syn, shut(4, 1)]);
    run_all(&[listen(0), listen(2), syn, shut(2, 1), listen(3)]);
}

#[test]
fn a_shutdown_that_is_not_done_has_an_heir_that_closes() {
    let deliver = Op::Deliver { client: 0, hash: 0 };
    let close = Op::Stop { which: 1, close: true, steps: 2 };
    run_all(&[listen(0), listen(1), deliver, deliver, shut(0, 1), deliver, close, listen(1), deliver]);
}

#[test]
fn who_was_handed_a_connection_is_shut_down_too() {
    let ack = Op::Ack { client: 0, data: false };
    let (syn, accept) = (Op::Syn { client: 0, hash: 0 }, Op::Accept { which: 3 });
    run_all(&[listen(4), syn, ack, listen(3), shut(4, 1), accept, listen(0), shut(3, 1)]);
}

/// As it was printed: what a planted fault was found with, by which a fresh group remembers the cookies of the
/// one before.
#[test]
fn found_by_fuzzing() {
    let ops = [
        Op::Listen { which: 0, spot: 0, shares: true, backlog: 0 },
        Op::SetSyncookies { to: rskq::Syncookies::Always },
        Op::Syn { client: 0, hash: 0 },
        Op::Stop { which: 0, close: false, steps: 18446744073709551615 },
        Op::ListenAgain { which: 0, backlog: 0 },
        Op::CookieAck { client: 0, hash: 0, genuine: true },
    ];
    run(Design::Linux, &ops);
}

#[test]
fn a_chain_that_is_shortened_frees_an_owner_for_the_next_shutdown() {
    let ops = [
        Op::MigrateReq { on: true },
        Op::Listen { which: 1, spot: 0, shares: true, backlog: 2 },
        Op::Syn { client: 0, hash: 3405774848 },
        Op::Ack { client: 0, data: false },
        Op::Listen { which: 2, spot: 0, shares: true, backlog: u32::MAX },
        Op::Syn { client: 6, hash: 1006632960 },
        Op::Ack { client: 6, data: false },
        Op::Syn { client: 0, hash: 4127195136 },
        Op::Ack { client: 6, data: true },
        Op::ListenAgain { which: 5, backlog: 0 },
        Op::MapUpdate { index: 0, which: 0, flag: rskq::MapFlag::NoExist },
        Op::Listen { which: 3, spot: 0, shares: true, backlog: 0 },
        Op::SynFastOpen { client: 3, hash: 16777216 },
        Op::Stop { which: 2, close: false, steps: usize::MAX },
        Op::Listen { which: 0, spot: 0, shares: true, backlog: 0 },
        Op::Listen { which: 5, spot: 1, shares: true, backlog: 1 },
        Op::Stop { which: 3, close: false, steps: 3 },
        Op::Stop { which: 0, close: false, steps: usize::MAX },
    ];
    run(Design::Handover, &ops);
}
