//! Who listens where, and who is selected.

use super::places::Bound;
use super::world::{State, World};
use super::{CLIENTS, SPOTS};
use rskq::inspect::Graph;
use rskq::*;

/// A program: it selects an entry of the map, and if it has none, or cannot, it answers.
pub(crate) struct Selects {
    attach_type: AttachType,
    entry: Option<u32>,
    otherwise: Verdict,
}

/// The programs.
pub(crate) static PROGRAMS: [&dyn Program; TABLE.len()] = [&TABLE[0], &TABLE[1], &TABLE[2], &TABLE[3]];

static TABLE: [Selects; 4] = [
    Selects { attach_type: AttachType::Select, entry: Some(0), otherwise: Verdict::Pass },
    Selects { attach_type: AttachType::SelectOrMigrate, entry: Some(1), otherwise: Verdict::Drop },
    Selects { attach_type: AttachType::Select, entry: None, otherwise: Verdict::Drop },
    Selects { attach_type: AttachType::SelectOrMigrate, entry: None, otherwise: Verdict::Pass },
];

impl Program for Selects {
    fn attach_type(&self) -> AttachType {
        self.attach_type
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        match self.entry.map(|entry| md.select(entry)) {
            Some(Ok(())) => Verdict::Pass,
            Some(Err(_)) | None => self.otherwise,
        }
    }
}

/// Those who listen at an address together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) bound: Bound,
    /// In order of `socks[]`.
    pub(crate) members: Vec<usize>,
    pub(crate) program: Option<u32>,
    /// When it sent its newest cookie, in seconds.
    pub(crate) cookie: Option<u64>,
}

/// What a listener that has left LISTEN finds in the group that it is still in: who listens, and the program.
pub(crate) struct StillIn {
    pub(crate) members: Vec<usize>,
    pub(crate) program: Option<u32>,
}

/// Why a connection is not offered to anybody by a group.
pub(crate) struct Dropped;

impl World {
    /// Returns the group that receives what a client sends.
    pub(crate) fn receives(&self, client: u32) -> Option<&Group> {
        let (dest, port) = CLIENTS[client as usize];
        let receive = self.groups.iter().filter(|group| group.bound.is_for(dest, port));
        receive.min_by_key(|group| group.bound.rank())
    }

    /// Returns the group that a socket listens in.
    pub(crate) fn group_of(&mut self, which: usize) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.members.contains(&which))
    }

    /// Returns who is selected for a client, by the hash of this occasion.
    pub(crate) fn selected(&self, client: u32, hash: u32, occasion: Occasion) -> Result<usize, Refusal> {
        let group = self.receives(client).ok_or(Refusal::NoListener)?;
        let chosen = self.choose(&group.members, group.program, hash, occasion);
        chosen.map_err(|Dropped| Refusal::DroppedByProgram)
    }

    /// Returns who of these is chosen: the program's choice if it is asked, or the hash's.
    fn choose(
        &self,
        members: &[usize],
        program: Option<u32>,
        hash: u32,
        occasion: Occasion,
    ) -> Result<usize, Dropped> {
        let chosen = match program.map(|program| &TABLE[program as usize]) {
            Some(program) if asks(program, occasion) => {
                let entry = program.entry.and_then(|entry| self.map[entry as usize]);
                let chosen = entry.filter(|which| members.contains(which));
                if chosen.is_none() && program.otherwise == Verdict::Drop {
                    return Err(Dropped);
                }
                chosen
            }
            _ => None,
        };
        let by_hash = || {
            let first = ((u64::from(hash) * members.len() as u64) >> 32) as usize;
            let (before, after) = members.split_at(first);
            let for_this = |which: &usize| self.known(*which).incoming_cpu == Some(self.cpu);
            *after.iter().chain(before).find(|which| for_this(which)).unwrap_or(&members[first])
        };
        Ok(chosen.unwrap_or_else(by_hash))
    }

    /// Returns who takes, by Linux's rules, a connection whose listener has left LISTEN: somebody of those who
    /// listen in the group that it is still in.
    pub(crate) fn migrates_to(
        &self,
        still_in: &Option<StillIn>,
        hash: u32,
        occasion: Occasion,
    ) -> Option<usize> {
        let StillIn { members, program } = still_in.as_ref()?;
        let asked = program.is_some_and(|program| asks(&TABLE[program as usize], occasion));
        if members.is_empty() || !asked && !self.sysctl.tcp_migrate_req {
            return None;
        }
        self.choose(members, *program, hash, occasion).ok()
    }

    /// Tells whether a listener that stops stays in its group, which has this program: its connections may
    /// migrate, now or later.
    pub(crate) fn stays(&self, which: usize, program: Option<u32>) -> bool {
        let asked = program.is_some_and(|program| asks(&TABLE[program as usize], Occasion::Close));
        self.design == Design::Linux && self.known(which).shares && (asked || self.sysctl.tcp_migrate_req)
    }

    /// Returns who listens in the group that the listener in a slot is in, though it may have left LISTEN, and
    /// its program.
    pub(crate) fn still_in(&self, before: &Graph<u32>, slot: u32) -> Option<StillIn> {
        let group = &before.groups[before.listeners[slot as usize].group? as usize];
        let members = group.listening.iter().map(|&slot| self.at_slot(slot).expect("who listens is known"));
        Some(StillIn { members: members.collect(), program: group.prog })
    }

    /// A socket begins to listen: it joins who listens where it is bound, or begins a group.
    pub(crate) fn join(&mut self, which: usize) {
        let bound = SPOTS[self.known(which).spot];
        match self.groups.iter_mut().find(|group| group.bound == bound) {
            Some(group) => group.members.push(which),
            None => self.groups.push(Group { bound, members: vec![which], program: None, cookie: None }),
        }
    }

    /// A socket that listens leaves its group. Returns what it leaves, and where in it the socket was.
    pub(crate) fn leave(&mut self, which: usize) -> (Group, usize) {
        let group = self.group_of(which).expect("it listens");
        let place = group.members.iter().position(|&member| member == which).expect("it is a member");
        group.members.swap_remove(place);
        let left = group.clone();
        self.groups.retain(|group| !group.members.is_empty());
        for entry in self.map.iter_mut().filter(|entry| **entry == Some(which)) {
            *entry = None;
        }
        (left, place)
    }

    pub(crate) fn attach(&mut self, which: usize, program: u32) {
        let Some(socket) = &self.sockets[which] else { return };
        let (id, shares) = (socket.id, socket.shares);
        let known = (program as usize) < PROGRAMS.len();
        let expected = match socket.state {
            State::Closed | State::Stopping { close: true } => Err(AttachError::Stale),
            _ if !known => Err(AttachError::NotFound),
            State::Stopping { close: false } => Err(AttachError::Stopping),
            _ if !shares => Err(AttachError::Invalid),
            // A group of its own: there are tests of that.
            State::Shut => return,
            State::Listening => Ok(()),
        };
        assert_eq!(self.stack.attach_reuseport_prog(id, ProgramId(program)), expected);
        if expected.is_ok() {
            self.group_of(which).expect("it listens").program = Some(program);
        }
    }

    pub(crate) fn detach(&mut self, which: usize) {
        let Some(socket) = &self.sockets[which] else { return };
        let (id, state, shares) = (socket.id, socket.state, socket.shares);
        let expected = match state {
            State::Closed | State::Stopping { close: true } => Err(AttachError::Stale),
            _ if !shares => Err(AttachError::Invalid),
            State::Shut | State::Stopping { close: false } => Err(AttachError::NotFound),
            State::Listening => {
                let program = self.group_of(which).expect("it listens").program.take();
                program.map(drop).ok_or(AttachError::NotFound)
            }
        };
        assert_eq!(self.stack.detach_reuseport_prog(id), expected);
    }

    pub(crate) fn map_update(&mut self, index: u32, which: usize, flag: MapFlag) {
        let Some(socket) = &self.sockets[which] else { return };
        let entry = self.map.get(index as usize);
        let expected = match (socket.state, entry, flag) {
            (State::Closed | State::Stopping { close: true }, ..) => Err(MapError::Stale),
            (State::Shut | State::Stopping { close: false }, ..) => Err(MapError::Invalid),
            _ if !socket.shares => Err(MapError::Invalid),
            (_, None, _) => Err(MapError::NoSuchIndex),
            (_, Some(Some(_)), MapFlag::NoExist) => Err(MapError::Exists),
            (_, Some(None), MapFlag::Exist) => Err(MapError::NotFound),
            _ if self.map.contains(&Some(which)) => Err(MapError::Busy),
            _ => Ok(()),
        };
        assert_eq!(self.stack.map_update(index, socket.id, flag), expected);
        if expected.is_ok() {
            self.map[index as usize] = Some(which);
        }
    }

    pub(crate) fn map_delete(&mut self, index: u32) {
        let expected = match self.map.get_mut(index as usize) {
            None => Err(MapError::NoSuchIndex),
            Some(entry) => entry.take().map(drop).ok_or(MapError::NotFound),
        };
        assert_eq!(self.stack.map_delete(index), expected);
    }

    pub(crate) fn set_incoming_cpu(&mut self, which: usize, cpu: Option<u32>) {
        let Some(expected) = self.is_open(which) else { return };
        assert_eq!(self.stack.set_incoming_cpu(self.known(which).id, cpu), expected);
        if expected.is_ok() {
            self.socket(which).incoming_cpu = cpu;
        }
    }

    /// Compares groups and map with the stack's.
    pub(crate) fn check_groups(&self, graph: &Graph<u32>) {
        let slot = |which: &usize| self.known(*which).id.index();
        let hashed = graph.groups.iter().filter(|group| group.addr.is_some());
        assert_eq!(hashed.clone().count(), self.groups.len(), "{:?}", graph.groups);
        for group in &self.groups {
            let addr = Some(group.bound.addr());
            let view = hashed.clone().find(|view| view.addr == addr).expect("somebody listens there");
            assert!(view.listening.iter().copied().eq(group.members.iter().map(slot)), "{group:?}, {view:?}");
            assert_eq!(view.prog, group.program);
        }
        let map = self.map.iter().map(|entry| entry.as_ref().map(slot));
        assert!(map.eq(graph.map.iter().copied()), "{:?}", graph.map);
    }
}

/// Tells whether a program is asked on this occasion.
fn asks(program: &Selects, occasion: Occasion) -> bool {
    !occasion.migrates() || program.attach_type == AttachType::SelectOrMigrate
}
