//! The timers against a map of deadlines, their time, and what an event costs.

mod cost;

use super::*;
use crate::DefaultBackend;
use crate::slab::{Fresh, Slab, Slot};
use crate::testing::{nothing_held, vacant};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::vec::Vec;

const REQUESTS: u32 = 8;

type Slots<B> = Vec<Slot<RequestSock<(), B>, B>>;
type RoomRef<'r, 's, B> = Ref<'r, RequestSock<(), B>, Room<'s, B>>;

/// Requests, each with the reference that the established table would hold, and their timers.
struct Room<'s, B: Backend> {
    requests: Slab<'s, RequestSock<(), B>, B>,
    timers: SynAckTimers<(), B>,
}

impl<B: Backend> Store<RequestSock<(), B>> for Room<'_, B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, RequestSock<(), B>, B> {
        &self.requests
    }

    fn retire(&self, _request: &RequestSock<(), B>) -> Option<u32> {
        None
    }
}

impl<'s, B: Backend> Room<'s, B> {
    fn new(slots: &'s mut Slots<B>, backoff: Backoff) -> Self {
        let count = slots.len() as u32;
        let requests = Slab::new(slots.as_mut_slice(), 0);
        let room = Self { requests, timers: SynAckTimers::new(backoff) };
        for slot in 0..count {
            assert_eq!(Fresh::alloc(&room).unwrap().publish().into_raw(), slot);
        }
        room
    }

    fn advance(&self, now: u64) -> Clock {
        self.timers.lock(&mut nothing_held()).advance(now)
    }

    fn arm(&self, slot: u32, num_timeout: u32) -> Result<(), AlreadyArmed> {
        let request = self.requests.get(slot).unwrap();
        // SAFETY: a room's requests stay where they are, and it has one `SynAckTimers`.
        unsafe { self.timers.lock(&mut nothing_held()).arm(request, num_timeout) }
    }

    fn cancel(&self, slot: u32) -> bool {
        self.timers.lock(&mut nothing_held()).cancel(self.requests.get(slot).unwrap())
    }

    fn pop(&self) -> Option<u32> {
        let popped = self.timers.lock(&mut nothing_held()).pop_due(self)?;
        assert!(!popped.is_armed());
        Some(popped.index())
    }

    fn due(&self) -> Vec<u32> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    fn next(&self) -> Option<u64> {
        self.timers.lock(&mut nothing_held()).next_deadline()
    }

    /// Takes back the reference that `new` stored.
    fn table_reference(&self, slot: u32) -> RoomRef<'_, 's, B> {
        // SAFETY: each test asks for a slot's once.
        unsafe { Ref::from_raw(self, slot) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Time { now: u64 },
    Arm { slot: u32, num_timeout: u32 },
    Cancel { slot: u32 },
    Pop,
}

fn op() -> impl Strategy<Value = Op> {
    let now = prop_oneof![8 => 0..400_000u64, 1 => u64::MAX - 2_000..=u64::MAX];
    let num_timeout = prop_oneof![8 => 0..9u32, 1 => 28..36u32, 1 => any::<u32>()];
    prop_oneof![
        2 => now.prop_map(|now| Op::Time { now }),
        4 => (0..REQUESTS, num_timeout).prop_map(|(slot, num_timeout)| Op::Arm { slot, num_timeout }),
        1 => (0..REQUESTS).prop_map(|slot| Op::Cancel { slot }),
        3 => Just(Op::Pop),
    ]
}

fn backoff() -> impl Strategy<Value = Backoff> {
    let any =
        (any::<u32>(), any::<u32>()).prop_map(|(timeout_init, rto_max)| Backoff { timeout_init, rto_max });
    let slow = Backoff { timeout_init: 1, rto_max: u32::MAX };
    prop_oneof![4 => Just(Backoff::LINUX), 1 => Just(slow), 1 => any]
}

/// The formula, in numbers that do not end.
fn timeout(backoff: Backoff, num_timeout: u32) -> u64 {
    let doubled = u128::from(backoff.timeout_init.max(1)) << num_timeout.min(64);
    doubled.min(u128::from(backoff.rto_max.max(1))) as u64
}

/// What the timers ought to do, and the controls' ways of not doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deviation {
    None,
    /// Time runs backwards where it is told so.
    FollowsTheClock,
    /// Of equal deadlines the youngest comes first.
    LastInFirstOut,
    /// A second arming moves the deadline.
    ArmsAgain,
    /// What is due now comes a millisecond later.
    Late,
}

/// By deadline, then by number of timeouts, then in the order of arming.
type Armed = BTreeMap<(u64, u32, i64), u32>;

fn behaves_like_a_map(ops: &[Op], backoff: Backoff, deviation: Deviation) -> Result<(), TestCaseError> {
    let mut slots: Slots<DefaultBackend> = vacant(REQUESTS as usize);
    let room = Room::new(&mut slots, backoff);
    let (mut armed, mut newest) = (Armed::new(), 0);
    for (turn, &op) in (1i64..).zip(ops) {
        let key_of = |armed: &Armed, slot| armed.iter().find(|(_, s)| **s == slot).map(|(key, _)| *key);
        match op {
            Op::Time { now } => {
                let back = newest > now;
                let by = newest.saturating_sub(now);
                let expected = if back { Clock::Backwards { by } } else { Clock::Forwards };
                prop_assert_eq!(room.advance(now), expected);
                if !back || deviation == Deviation::FollowsTheClock {
                    newest = now;
                }
            }
            Op::Arm { slot, num_timeout } => {
                let before = key_of(&armed, slot);
                let expected = before.map_or(Ok(()), |_| Err(AlreadyArmed));
                prop_assert_eq!(room.arm(slot, num_timeout), expected);
                if deviation == Deviation::ArmsAgain {
                    before.map(|key| armed.remove(&key));
                }
                if before.is_none() || deviation == Deviation::ArmsAgain {
                    let turn = if deviation == Deviation::LastInFirstOut { -turn } else { turn };
                    let deadline = newest.saturating_add(timeout(backoff, num_timeout));
                    armed.insert((deadline, num_timeout.min(u32::BITS), turn), slot);
                }
            }
            Op::Cancel { slot } => {
                let key = key_of(&armed, slot);
                prop_assert_eq!(room.cancel(slot), key.is_some());
                key.map(|key| armed.remove(&key));
            }
            Op::Pop => {
                let late = u64::from(deviation == Deviation::Late);
                let due = armed.first_entry().filter(|first| first.key().0.saturating_add(late) <= newest);
                prop_assert_eq!(room.pop(), due.map(|first| first.remove()));
            }
        }
        prop_assert_eq!(room.next(), armed.first_key_value().map(|(key, _)| key.0));
        for slot in 0..REQUESTS {
            prop_assert_eq!(room.requests.get(slot).unwrap().is_armed(), key_of(&armed, slot).is_some());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_timers_behave_like_a_map_of_deadlines(ops in prop::collection::vec(op(), 1..120), backoff in backoff()) {
        behaves_like_a_map(&ops, backoff, Deviation::None)?;
    }
}

#[test]
fn a_map_that_behaves_otherwise_is_told_from_the_timers() {
    use Deviation::{ArmsAgain, FollowsTheClock, LastInFirstOut, Late};
    for deviation in [FollowsTheClock, LastInFirstOut, ArmsAgain, Late] {
        let config = ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() };
        let found = TestRunner::new(config).run(&prop::collection::vec(op(), 1..120), |ops| {
            behaves_like_a_map(&ops, Backoff::LINUX, deviation)
        });
        assert!(matches!(found, Err(proptest::test_runner::TestError::Fail(..))), "{deviation:?}: {found:?}");
    }
}

#[test]
fn linux_waits_for_1_2_4_seconds_and_never_longer_than_120() {
    let seconds = [0, 1, 2, 3, 6, 7, 8, u32::MAX].map(|n| Backoff::LINUX.timeout(n) / 1_000);
    assert_eq!(seconds, [1, 2, 4, 8, 64, 120, 120, 120]);
}

#[test]
fn no_timeout_is_zero_or_beyond_the_limit() {
    let nothing = Backoff { timeout_init: 0, rto_max: 0 };
    assert_eq!([0, 1, 40].map(|n| nothing.timeout(n)), [1, 1, 1]);
    let longest = Backoff { timeout_init: 1, rto_max: u32::MAX };
    assert_eq!([31, 32, 33].map(|n| longest.timeout(n)), [1 << 31, u32::MAX.into(), u32::MAX.into()]);
    let steep = Backoff { timeout_init: u32::MAX, rto_max: u32::MAX };
    assert_eq!([0, 1, u32::MAX].map(|n| steep.timeout(n)), [u64::from(u32::MAX); 3]);
    assert_eq!(Backoff { timeout_init: 9, rto_max: 5 }.timeout(0), 5);
}

#[test]
fn a_timer_goes_off_at_its_deadline_and_once() {
    let mut slots: Slots<DefaultBackend> = vacant(1);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert_eq!((room.next(), room.pop()), (None, None));
    assert_eq!(room.advance(5), Clock::Forwards);
    assert_eq!(room.arm(0, 0), Ok(()));
    assert_eq!(room.next(), Some(1_005));
    assert_eq!(room.advance(1_004), Clock::Forwards);
    assert_eq!(room.pop(), None);
    assert_eq!(room.advance(1_005), Clock::Forwards);
    assert_eq!((room.due(), room.next()), ([0].into(), None));
}

#[test]
fn a_timer_that_is_not_armed_is_not_cancelled() {
    let mut slots: Slots<DefaultBackend> = vacant(1);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert!(!room.cancel(0));
    assert_eq!(room.arm(0, 3), Ok(()));
    assert_eq!((room.cancel(0), room.cancel(0), room.next()), (true, false, None));
    assert_eq!(room.advance(u64::MAX), Clock::Forwards);
    assert_eq!(room.pop(), None);
}

#[test]
fn a_timer_that_is_armed_twice_keeps_its_first_deadline() {
    let mut slots: Slots<DefaultBackend> = vacant(1);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert_eq!(room.arm(0, 1), Ok(()));
    assert_eq!((room.arm(0, 0), room.arm(0, 1)), (Err(AlreadyArmed), Err(AlreadyArmed)));
    assert_eq!(room.next(), Some(2_000));
}

#[test]
fn after_33_timeouts_and_more_all_are_in_one_list() {
    let mut slots: Slots<DefaultBackend> = vacant(3);
    let room = Room::new(&mut slots, Backoff { timeout_init: 1, rto_max: u32::MAX });
    for (slot, num_timeout) in [(2, u32::MAX), (0, 32), (1, 33)] {
        assert_eq!(room.arm(slot, num_timeout), Ok(()));
    }
    assert_eq!(room.advance(u64::from(u32::MAX) - 1), Clock::Forwards);
    assert_eq!(room.pop(), None);
    assert_eq!(room.advance(u64::from(u32::MAX)), Clock::Forwards);
    assert_eq!(room.due(), [2, 0, 1]);
}

#[test]
fn a_clock_that_runs_backwards_holds_until_it_has_caught_up() {
    let mut slots: Slots<DefaultBackend> = vacant(2);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert_eq!((room.advance(10_000), room.arm(0, 0)), (Clock::Forwards, Ok(())));
    assert_eq!(room.advance(4_000), Clock::Backwards { by: 6_000 });
    assert_eq!((room.arm(1, 0), room.next()), (Ok(()), Some(11_000)));
    assert_eq!(room.advance(10_999), Clock::Forwards);
    assert_eq!(room.pop(), None);
    assert_eq!(room.advance(0), Clock::Backwards { by: 10_999 });
    assert_eq!(room.advance(11_000), Clock::Forwards);
    assert_eq!(room.due(), [0, 1]);
}

#[test]
fn at_the_end_of_time_every_timer_is_due_and_none_is_lost() {
    let mut slots: Slots<DefaultBackend> = vacant(3);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert_eq!((room.arm(0, 0), room.advance(u64::MAX - 1)), (Ok(()), Clock::Forwards));
    assert_eq!((room.arm(1, u32::MAX), room.arm(2, 0)), (Ok(()), Ok(())));
    assert_eq!(room.due(), [0]);
    assert_eq!((room.next(), room.advance(u64::MAX)), (Some(u64::MAX), Clock::Forwards));
    assert_eq!(room.due(), [2, 1]);
    assert_eq!((room.arm(0, 0), room.next(), room.due()), (Ok(()), Some(u64::MAX), [0].into()));
    assert_eq!(room.advance(0), Clock::Backwards { by: u64::MAX });
}

#[test]
fn what_is_popped_is_kept_when_the_table_lets_go_of_it() {
    let mut slots: Slots<DefaultBackend> = vacant(1);
    let room = Room::new(&mut slots, Backoff { timeout_init: 1, rto_max: 1 });
    assert_eq!((room.arm(0, 0), room.advance(1)), (Ok(()), Clock::Forwards));
    let popped = room.timers.lock(&mut nothing_held()).pop_due(&room).unwrap();
    let id = popped.id();
    assert!(!room.cancel(0));
    drop(room.table_reference(0));
    assert!(Fresh::alloc(&room).is_none());
    assert_eq!(popped.id(), id);
    drop(popped);
    assert!(Fresh::alloc(&room).is_some());
}

#[test]
fn a_request_that_nobody_keeps_is_passed_over() {
    let mut slots: Slots<DefaultBackend> = vacant(2);
    let room = Room::new(&mut slots, Backoff::LINUX);
    assert_eq!((room.arm(0, 0), room.arm(1, 0)), (Ok(()), Ok(())));
    drop(room.table_reference(0));
    assert_eq!(room.advance(1_000), Clock::Forwards);
    assert_eq!((room.due(), room.next()), ([1].into(), None));
}
