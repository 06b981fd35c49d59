//! Random listeners that come and go, against plain arrays that follow Linux's rules.

use super::{HashError, Sock, World, with_world};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LISTENERS: usize = 8;
const GROUPS: usize = 3;
const ROOM: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Op {
    Join,
    Stop { which: usize, keep: bool },
    ListenAgain { which: usize },
    Leave { which: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let which = 0..LISTENERS;
    prop_oneof![
        3 => Just(Op::Join),
        3 => (which.clone(), prop::bool::weighted(0.8)).prop_map(|(which, keep)| Op::Stop { which, keep }),
        3 => which.clone().prop_map(|which| Op::ListenAgain { which }),
        1 => which.prop_map(|which| Op::Leave { which }),
    ]
}

/// A group as Linux has it: one array that holds both sections, with what is free between them.
#[derive(Default)]
struct Group {
    socks: [u32; ROOM],
    num_socks: usize,
    num_closed_socks: usize,
}

impl Group {
    fn listening(&self) -> &[u32] {
        &self.socks[..self.num_socks]
    }

    fn closed(&self) -> &[u32] {
        &self.socks[ROOM - self.num_closed_socks..]
    }

    fn is_empty(&self) -> bool {
        self.num_socks + self.num_closed_socks == 0
    }

    fn add(&mut self, sock: u32) {
        if self.num_socks + self.num_closed_socks == ROOM {
            self.num_closed_socks -= 1;
        }
        self.socks[self.num_socks] = sock;
        self.num_socks += 1;
    }

    fn detach(&mut self, sock: u32) {
        let place = self.listening().iter().position(|&member| member == sock).unwrap();
        self.num_socks -= 1;
        self.socks[place] = self.socks[self.num_socks];
    }

    fn add_closed(&mut self, sock: u32) {
        self.num_closed_socks += 1;
        self.socks[ROOM - self.num_closed_socks] = sock;
    }

    fn detach_closed(&mut self, sock: u32) -> bool {
        let newest = ROOM - self.num_closed_socks;
        let Some(place) = self.closed().iter().position(|&member| member == sock) else { return false };
        self.socks[newest + place] = self.socks[newest];
        self.num_closed_socks -= 1;
        true
    }
}

/// Every group by slot, and which of them listens.
#[derive(Default)]
struct Reference {
    groups: BTreeMap<u32, Group>,
    live: Option<u32>,
}

impl Reference {
    fn has_room(&self) -> bool {
        match self.live {
            Some(live) => self.groups[&live].num_socks < ROOM,
            None => self.groups.len() < GROUPS,
        }
    }

    /// `group` is where the socket really went.
    fn add(&mut self, sock: u32, group: u32) {
        match self.live {
            Some(live) => assert_eq!(live, group),
            None => assert!(self.groups.insert(group, Group::default()).is_none()),
        }
        self.live = Some(group);
        self.leave_closed(sock);
        self.groups.entry(group).or_default().add(sock);
    }

    fn stop(&mut self, sock: u32, keep: bool) {
        let live = self.live.expect("a socket that listens has a group");
        let group = self.groups.get_mut(&live).unwrap();
        group.detach(sock);
        if keep {
            group.add_closed(sock);
        }
        if group.num_socks == 0 {
            self.live = None;
            if group.is_empty() {
                self.groups.remove(&live);
            }
        }
    }

    fn leave_closed(&mut self, sock: u32) {
        let live = self.live;
        self.groups
            .retain(|&slot, group| !group.detach_closed(sock) || Some(slot) == live || !group.is_empty());
    }

    fn group_of(&self, sock: u32) -> Option<u32> {
        let is_in = |group: &Group| group.listening().contains(&sock) || group.closed().contains(&sock);
        self.groups.iter().find(|(_, group)| is_in(group)).map(|(&slot, _)| slot)
    }
}

/// Does `op` in the world and in the reference; both must answer the same.
fn step<'w, 's>(
    world: &'w World<'s>,
    socks: &mut [Option<Sock<'w, 's>>; LISTENERS],
    reference: &mut Reference,
    op: Op,
) -> Result<(), TestCaseError> {
    match op {
        Op::Join => {
            let Some(vacant) = socks.iter_mut().find(|sock| sock.is_none()) else { return Ok(()) };
            match world.open() {
                Ok(sock) => {
                    prop_assert!(reference.has_room());
                    reference.add(sock.index(), world.group(&sock).unwrap());
                    *vacant = Some(sock);
                }
                Err(error) => {
                    prop_assert_eq!(error, HashError::NoRoom);
                    prop_assert!(!reference.has_room());
                }
            }
        }
        Op::Stop { which, keep } => {
            let Some(sock) = socks[which].as_ref().filter(|sock| sock.is_listening()) else { return Ok(()) };
            world.stop(sock, keep);
            reference.stop(sock.index(), keep);
        }
        Op::ListenAgain { which } => {
            let Some(sock) = socks[which].as_ref().filter(|sock| !sock.is_listening()) else { return Ok(()) };
            let listens = world.listen_again(sock);
            prop_assert_eq!(listens, if reference.has_room() { Ok(()) } else { Err(HashError::NoRoom) });
            if listens.is_ok() {
                reference.add(sock.index(), world.group(sock).unwrap());
            }
        }
        Op::Leave { which } => {
            let Some(sock) = socks[which].take_if(|sock| !sock.is_listening()) else { return Ok(()) };
            reference.leave_closed(sock.index());
            world.close(sock);
        }
    }
    Ok(())
}

fn agrees(
    world: &World<'_>,
    socks: &[Option<Sock<'_, '_>>],
    reference: &Reference,
) -> Result<(), TestCaseError> {
    for (&slot, group) in &reference.groups {
        prop_assert_eq!(world.sections(slot), (group.listening().to_vec(), group.closed().to_vec()));
    }
    for sock in socks.iter().flatten() {
        prop_assert_eq!(world.group(sock), reference.group_of(sock.index()));
    }
    prop_assert_eq!(world.net.groups.available(), GROUPS - reference.groups.len());
    Ok(())
}

proptest! {
    #[test]
    fn both_sections_are_what_linuxs_rules_make_of_them(ops in prop::collection::vec(op(), 1..120)) {
        with_world(LISTENERS, GROUPS, ROOM as u32, |world| {
            let mut socks = [const { None }; LISTENERS];
            let mut reference = Reference::default();
            let result = ops.into_iter().try_for_each(|op| {
                step(world, &mut socks, &mut reference, op)?;
                agrees(world, &socks, &reference)
            });
            world.close_all(socks.into_iter().flatten());
            result
        })?;
    }
}
