//! Groups, on one thread: what is where in `socks[]`, in order.

mod growth;
mod reference;

use super::{CannotAdd, Selected, Selecting};
use crate::address::{Port, RcvSaddr};
use crate::group::{Occasion, SockReuseport};
use crate::hash::{BindTable, HashError, ListenTable};
use crate::net::{GroupRef, ListenerRef};
use crate::request::Tuple;
use crate::slab::{Id, NONE};
use crate::testing::{B, Memory, TestNet, nothing_held};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;
use std::vec::Vec;

type Sock<'w, 's> = ListenerRef<'w, 's, u32, B>;

/// A SYN with this hash.
fn by(hash: u32) -> Selecting {
    let any = "127.0.0.1:1".parse().unwrap();
    let tuple = Tuple { local: any, remote: any };
    Selecting { tuple, hash, cpu: 0, occasion: Occasion::Syn, from: None }
}

/// Returns the slot of the member that a SYN with this hash falls on.
fn selected(world: &World<'_>, group: Id<SockReuseport<B>>, hash: u32) -> Option<u32> {
    match world.net.select_sock(group, &by(hash)) {
        Selected::To(listener) => Some(listener.index()),
        Selected::Refused | Selected::Nobody => None,
    }
}

/// Listeners of one address, moved about as the stack does at listen, shutdown and close.
struct World<'s> {
    net: TestNet<'s>,
    ports: BindTable<'s, u32, B>,
    table: ListenTable<'s, B>,
    addr: SocketAddr,
}

/// Lets `test` loose on a world whose groups have at most `room` members each.
fn with_world<R>(listeners: usize, groups: usize, room: u32, test: impl FnOnce(&World<'_>) -> R) -> R {
    with_memory(Memory::new(listeners, 0, groups, room), test)
}

/// Lets `test` loose on a world in `memory`, and sees that nothing of it is left in use.
fn with_memory<R>(mut memory: Memory, test: impl FnOnce(&World<'_>) -> R) -> R {
    let (net, ports, table) = memory.lend_all();
    let [listeners, groups] = [net.listeners.capacity(), net.groups.capacity()];
    let chunks = net.socks.free_chunks().count();
    let world = World { net, ports, table, addr: "127.0.0.1:80".parse().unwrap() };
    let result = test(&world);
    assert_eq!(world.net.groups.available(), groups, "a group is left over");
    assert_eq!(world.net.listeners.available(), listeners, "a listener is left over");
    assert_eq!(world.net.owners.available(), listeners, "an owner is left over");
    assert_eq!(world.net.socks.free_chunks().count(), chunks, "a chunk is left over");
    result
}

impl<'s> World<'s> {
    fn open(&self) -> Result<Sock<'_, 's>, HashError> {
        self.open_at(self.addr)
    }

    fn open_at(&self, addr: SocketAddr) -> Result<Sock<'_, 's>, HashError> {
        let sock =
            self.net.alloc_listener(&mut nothing_held()).expect("tests have as many slots as they use");
        // SAFETY: nobody else knows the socket.
        unsafe { sock.bind.with_mut(|bind| bind.reuseport = true) };
        let at = RcvSaddr::new(addr, false).unwrap();
        self.ports.bind(&self.net, &sock, at, Port::Locked, &mut nothing_held().at()).unwrap();
        match self.listen_again(&sock) {
            Ok(()) => Ok(sock),
            Err(error) => {
                self.close(sock);
                Err(error)
            }
        }
    }

    fn open_all<const N: usize>(&self) -> [Sock<'_, 's>; N] {
        std::array::from_fn(|_| self.open().unwrap())
    }

    fn stop(&self, sock: &Sock<'_, 's>, keep: bool) {
        let mut held = nothing_held();
        let mut bucket = self.table.lock(&sock.bound_to().unwrap(), &mut held).unwrap();
        assert!(bucket.unhash(&self.net, sock, keep, |_, _| None).is_none());
        sock.set_listening(false);
    }

    fn listen_again(&self, sock: &Sock<'_, 's>) -> Result<(), HashError> {
        let addr = sock.bound_to().unwrap();
        self.table.lock(&addr, &mut nothing_held()).unwrap().hash(&self.net, sock, addr)
    }

    /// Closes a socket that was stopped; its last reference takes it out of the closed section.
    fn close(&self, sock: Sock<'_, 's>) {
        self.ports.unbind(&sock, &mut nothing_held().at());
        self.put_home(&sock);
    }

    fn put_home(&self, sock: &Sock<'_, 's>) {
        let home = sock.accept_queue.lock(&mut nothing_held()).set_home(NONE);
        self.net.put_owner(home);
    }

    fn close_all<'w>(&'w self, socks: impl IntoIterator<Item = Sock<'w, 's>>) {
        for sock in socks {
            if sock.is_listening() {
                self.stop(&sock, true);
            }
            self.close(sock);
        }
    }

    /// Returns the group's slot.
    fn group(&self, sock: &Sock<'_, 's>) -> Option<u32> {
        Some(self.net.group_of(sock)?.index())
    }

    fn id_of_group(&self, sock: &Sock<'_, 's>) -> Id<SockReuseport<B>> {
        self.net.groups.id_at(self.group(sock).unwrap())
    }

    /// Returns both sections, that of the closed newest first, and checks that each member knows its place.
    fn sections(&self, group: u32) -> (Vec<u32>, Vec<u32>) {
        let group = GroupRef::try_get(&self.net, group).expect("a group with members is alive");
        let num = group.num_socks.load(Ordering::Relaxed);
        let closed = group.num_closed_socks.load(Ordering::Relaxed);
        assert!(num + closed <= self.net.max_socks);
        let is_member = |slot, listens| {
            let member = self.net.listeners.get(slot).unwrap();
            assert_eq!(member.sk_reuseport_cb.load(Ordering::Relaxed), group.index());
            assert_eq!(member.is_listening(), listens);
            member
        };
        let listening = (0..num).map(|place| {
            let slot = self.net.socks.load(&group.socks, place).unwrap();
            assert_eq!(is_member(slot, true).socks_index.load(Ordering::Relaxed), place);
            slot
        });
        let mut newer = NONE;
        let closed_socks = self.net.closed_socks(&group).map(|listener| {
            let slot = is_member(listener.index(), false).index();
            assert_eq!(std::mem::replace(&mut newer, slot), listener.closed.newer.load(Ordering::Relaxed));
            slot
        });
        let closed_socks = closed_socks.collect::<Vec<_>>();
        assert_eq!(closed_socks.len(), closed as usize);
        (listening.collect(), closed_socks)
    }
}

fn slots<const N: usize>(socks: [&Sock<'_, '_>; N]) -> Vec<u32> {
    socks.iter().map(|sock| sock.index()).collect()
}

#[test]
fn a_member_that_stops_gives_its_place_to_the_last() {
    with_world(4, 1, 4, |world| {
        let [a, b, c, d] = world.open_all();
        let group = world.group(&a).unwrap();
        world.stop(&b, false);
        assert_eq!(world.sections(group), (slots([&a, &d, &c]), slots([])));
        assert_eq!(world.group(&b), None);
        world.stop(&c, false);
        assert_eq!(world.sections(group).0, slots([&a, &d]));
        world.stop(&a, false);
        assert_eq!(world.sections(group).0, slots([&d]));
        world.close_all([a, b, c, d]);
    });
}

#[test]
fn the_newest_closed_member_is_at_the_low_end_and_fills_gaps() {
    with_world(4, 1, 4, |world| {
        let [a, b, c, d] = world.open_all();
        let group = world.group(&a).unwrap();
        for sock in [&a, &b, &c] {
            world.stop(sock, true);
        }
        assert_eq!(world.sections(group), (slots([&d]), slots([&c, &b, &a])));
        world.close(a);
        assert_eq!(world.sections(group).1, slots([&b, &c]));
        world.close(c);
        assert_eq!(world.sections(group).1, slots([&b]));
        world.close_all([b, d]);
    });
}

#[test]
fn a_closed_member_listens_again_in_its_group_at_the_end() {
    with_world(3, 2, 3, |world| {
        let [a, b, c] = world.open_all();
        let group = world.group(&a).unwrap();
        world.stop(&a, true);
        // The group is full, counting the closed member, but it only moves within it.
        world.listen_again(&a).unwrap();
        assert_eq!(world.group(&a), Some(group));
        assert_eq!(world.sections(group), (slots([&c, &b, &a]), slots([])));
        world.close_all([a, b, c]);
    });
}

#[test]
fn the_first_to_listen_again_begins_a_fresh_group_and_leaves_the_others_in_the_old() {
    with_world(2, 2, 2, |world| {
        let [a, b] = world.open_all();
        let old = world.group(&a).unwrap();
        world.stop(&a, true);
        world.stop(&b, true);
        world.listen_again(&a).unwrap();
        let fresh = world.group(&a).unwrap();
        assert_ne!(fresh, old);
        assert_eq!(world.sections(fresh), (slots([&a]), slots([])));
        assert_eq!(world.sections(old), (slots([]), slots([&b])));
        // The last to leave the old group takes it away.
        world.listen_again(&b).unwrap();
        assert_eq!(world.sections(fresh), (slots([&a, &b]), slots([])));
        assert_eq!(world.net.groups.available(), 1);
        world.close_all([a, b]);
    });
}

#[test]
fn a_closed_member_joins_the_group_that_listens_now() {
    with_world(3, 2, 2, |world| {
        let [a, b] = world.open_all();
        let old = world.group(&a).unwrap();
        world.stop(&a, true);
        world.stop(&b, true);
        let c = world.open().unwrap();
        let other = world.group(&c).unwrap();
        assert_ne!(other, old);
        world.listen_again(&b).unwrap();
        assert_eq!(world.sections(other), (slots([&c, &b]), slots([])));
        assert_eq!(world.sections(old), (slots([]), slots([&a])));
        world.close_all([a, b, c]);
    });
}

#[test]
fn a_full_group_evicts_its_newest_closed_member() {
    with_world(4, 1, 3, |world| {
        let [a, b, c] = world.open_all();
        let group = world.group(&a).unwrap();
        world.stop(&a, true);
        world.stop(&b, true);
        let d = world.open().unwrap();
        assert_eq!(world.sections(group), (slots([&c, &d]), slots([&a])));
        assert_eq!(world.group(&b), None);
        // Who was evicted comes back like anybody else, and may evict in turn.
        world.listen_again(&b).unwrap();
        assert_eq!(world.sections(group), (slots([&c, &d, &b]), slots([])));
        assert_eq!(world.group(&a), None);
        world.close_all([a, b, c, d]);
    });
}

#[test]
fn a_group_full_of_listening_members_takes_nobody() {
    with_world(4, 1, 2, |world| {
        let [a, b] = world.open_all();
        let group = world.group(&a).unwrap();
        assert_eq!(world.open().map(drop), Err(HashError::NoRoom));
        let mut held = nothing_held();
        let lock = world.net.reuseport_lock(&mut held);
        let full = world.net.group_of(&a).unwrap();
        assert_eq!(world.net.add_sock(full, &a, &lock), Err(CannotAdd::GroupFull));
        drop(lock);
        assert_eq!(world.sections(group), (slots([&a, &b]), slots([])));
        world.close_all([a, b]);
    });
}

#[test]
fn who_finds_no_room_stays_where_it_was_and_does_not_listen() {
    with_world(4, 2, 2, |world| {
        let a = world.open().unwrap();
        let old = world.group(&a).unwrap();
        world.stop(&a, true);
        let [b, c] = world.open_all();
        assert_eq!(world.listen_again(&a), Err(HashError::NoRoom));
        assert!(!a.is_listening());
        assert_eq!(world.sections(old), (slots([]), slots([&a])));
        world.close_all([a, b, c]);
    });
}

#[test]
fn a_fresh_group_needs_a_slot_beside_the_one_that_is_left() {
    with_world(1, 1, 2, |world| {
        let a = world.open().unwrap();
        let group = world.group(&a).unwrap();
        world.stop(&a, true);
        assert_eq!(world.listen_again(&a), Err(HashError::NoRoom));
        assert_eq!(world.sections(group), (slots([]), slots([&a])));
        world.close(a);
    });
}

#[test]
fn groups_without_room_take_nobody() {
    with_world(1, 1, 0, |world| assert_eq!(world.open().map(drop), Err(HashError::NoRoom)));
    let no_socks = Memory::new(1, 0, 1, 0).with_socks(1, 0);
    with_memory(no_socks, |world| assert_eq!(world.open().map(drop), Err(HashError::NoSocks)));
}

/// The smallest hash that falls on `place` of `n`.
fn first_hash(place: u32, n: u32) -> u32 {
    (u64::from(place) << 32).div_ceil(u64::from(n)) as u32
}

#[test]
fn hashes_fall_on_members_in_equal_shares() {
    with_world(7, 1, 7, |world| {
        let mut socks = Vec::new();
        for n in 1..=7 {
            socks.push(world.open().unwrap());
            let group = world.id_of_group(&socks[0]);
            let at = |hash| selected(world, group, hash).unwrap();
            for place in 0..n {
                let sock = socks[place as usize].index();
                let end = if place + 1 == n { u32::MAX } else { first_hash(place + 1, n) - 1 };
                assert_eq!(at(first_hash(place, n)), sock);
                assert_eq!(at(end), sock);
            }
            let mut shares = [0; 7];
            for hash in (0..=u32::MAX).step_by(1 << 20) {
                shares[at(hash) as usize] += 1;
            }
            let shares = &shares[..n as usize];
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
        world.close_all(socks);
    });
}

#[test]
fn nobody_is_selected_in_a_group_without_listening_members() {
    with_world(2, 1, 2, |world| {
        let [a, b] = world.open_all();
        world.stop(&a, true);
        let group = world.id_of_group(&a);
        assert_eq!(selected(world, group, 0), Some(b.index()));
        world.stop(&b, true);
        assert_eq!(selected(world, group, 0), None);
        world.close_all([a, b]);
    });
}
