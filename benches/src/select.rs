//! Item 4: selecting in a group of 1 to 65,535 members; joining and leaving it.

use crate::measure::{Make, Measured, Routine, number, timed};
use crate::world::{ListenerId, Size, Stack, arrival, hash, local, stack};
use rskq::{Arrival, Design, Hashes, Here};
use std::sync::Mutex;

/// A group of ours.
pub struct Group {
    stack: Stack,
    members: Vec<ListenerId>,
}

impl Group {
    /// A group of so many.
    #[must_use]
    pub fn of(members: usize) -> Self {
        let stack = stack(Design::Requeue, Size { listeners: members, requests: 1 });
        let join = |_| stack.listen_at(local(), 1, true).expect("there is room");
        let members = (0..members).map(join).collect();
        Self { stack, members }
    }

    /// Selects by a hash.
    #[must_use]
    #[inline(never)]
    pub fn select(&self, syn_hash: u32) -> ListenerId {
        let arrival = Arrival { hashes: Hashes { syn_hash, sk_hash: 0 }, ..arrival(0) };
        self.stack.lookup(arrival, Here::default()).expect("somebody listens")
    }

    /// Has a member leave and join again.
    #[inline(never)]
    pub fn leave_and_join(&self, member: usize) {
        let id = self.members[member];
        assert!(self.stack.shutdown(id, Here::default()).expect("it listens").next().is_none());
        self.stack.listen(id, 1).expect("there is room");
    }
}

/// A group that is a sequence, which is searched for who leaves.
pub trait Sequence: Default + 'static {
    /// Takes what is at a place out.
    fn take(members: &mut Vec<u32>, place: usize);
}

/// The last one takes the place, as in Linux's `reuseport_detach_sock()`.
#[derive(Default)]
pub struct Swapped;
/// All behind move up, as in gVisor's removal of an endpoint.
#[derive(Default)]
pub struct Shifted;

impl Sequence for Swapped {
    fn take(members: &mut Vec<u32>, place: usize) {
        members.swap_remove(place);
    }
}

impl Sequence for Shifted {
    fn take(members: &mut Vec<u32>, place: usize) {
        members.remove(place);
    }
}

struct Searched<S>(Mutex<Vec<u32>>, S);

impl<S: Sequence> Searched<S> {
    #[inline(never)]
    fn leave_and_join(&self, member: u32) {
        let place = |members: &Vec<u32>| members.iter().position(|&other| other == member);
        {
            let mut members = self.0.lock().expect("nobody panics");
            let place = place(&members).expect("a member that is not there");
            S::take(&mut members, place);
        }
        self.0.lock().expect("nobody panics").push(member);
    }
}

/// What a linear scan of the group's members selects: the one whose score is best. (Linux before 4.6.)
struct Scored(Mutex<Vec<u32>>);

impl Scored {
    #[inline(never)]
    fn select(&self, by: u32) -> u32 {
        let members = self.0.lock().expect("nobody panics");
        // The nth of those that match, n by the hash: each is looked at, as if it had an address.
        let matches = members.iter().filter(|&&member| member != u32::MAX).count() as u64;
        members[((u64::from(by) * matches) >> 32) as usize]
    }
}

/// Flows that are selected for, and members that leave and join; of few all that they touch stays in the
/// caches.
const FLOWS: u64 = 64;

fn select(case: &str, flows: u64) -> Routine {
    let group = Group::of(number(case));
    // Each member is the answer to its part of the hashes.
    let n = group.members.len() as u64;
    for (place, &member) in (0..n).zip(&group.members).step_by(group.members.len().div_ceil(100)) {
        assert_eq!(group.select(((place << 32).div_ceil(n)) as u32), member);
    }
    Box::new(move |iters| timed(iters, |i| group.select(hash(i % flows))))
}

fn scan(case: &str) -> Routine {
    let group = Scored(Mutex::new((0..number(case) as u32).collect()));
    Box::new(move |iters| timed(iters, |i| group.select(hash(i % FLOWS))))
}

fn leave(case: &str, members: usize) -> Routine {
    let group = Group::of(number(case));
    let n = group.members.len().min(members);
    Box::new(move |iters| timed(iters, |i| group.leave_and_join(hash(i) as usize % n)))
}

fn leave_searched<S: Sequence>(case: &str) -> Routine {
    let n = number(case) as u32;
    let group = Searched(Mutex::new((0..n).collect()), S::default());
    (0..n.min(100)).for_each(|member| group.leave_and_join(member));
    let mut members = group.0.lock().expect("nobody panics").clone();
    members.sort_unstable();
    assert!(members.into_iter().eq(0..n), "not the members that there were");
    Box::new(move |iters| timed(iters, |i| group.leave_and_join(hash(i) % n)))
}

/// Sizes of groups.
pub const MEMBERS: [u64; 5] = [1, 16, 256, 4096, 65535];

pub(crate) fn measured() -> Vec<Measured> {
    let contenders: [(_, _, Make); 7] = [
        ("4 select", "rskq", |case| select(case, FLOWS)),
        ("4 select", "rskq, every member", |case| select(case, u64::MAX)),
        ("4 select", "linear scan", scan),
        ("4 leave and join", "rskq", |case| leave(case, FLOWS as usize)),
        ("4 leave and join", "rskq, every member", |case| leave(case, usize::MAX)),
        ("4 leave and join", "search, swap", leave_searched::<Swapped>),
        ("4 leave and join", "search, shift", leave_searched::<Shifted>),
    ];
    let case = |n: u64| contenders.iter().map(move |&(item, who, make)| Measured::new(item, n, who, make));
    MEMBERS.into_iter().flat_map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a member that is not there")]
    fn who_takes_out_another_is_noticed() {
        #[derive(Default)]
        struct Last;
        impl Sequence for Last {
            fn take(members: &mut Vec<u32>, _: usize) {
                members.pop();
            }
        }
        let _ = leave_searched::<Last>("3");
    }

    #[test]
    fn a_member_that_left_and_joined_is_selected() {
        let group = Group::of(3);
        group.leave_and_join(0);
        // The last took its place, and it is the last.
        let selected = [0, 1 << 31, u32::MAX].map(|hash| group.select(hash));
        assert_eq!(selected, [group.members[2], group.members[1], group.members[0]]);
    }
}
