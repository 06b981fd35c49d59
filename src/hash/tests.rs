//! Who may be bound, and listen, that is in a group already.

use super::{BindTable, Key, bucket_of};
use crate::address::{Port, RcvSaddr};
use crate::group::SockReuseport;
use crate::net::{GroupRef, ListenerRef};
use crate::outcome::BindError;
use crate::request::Tuple;
use crate::slab::{Fresh, NONE};
use crate::testing::{B, Memory, TestNet, nothing_held};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::format;

type Sock<'w, 's> = ListenerRef<'w, 's, u32, B>;

struct World<'s> {
    net: TestNet<'s>,
    ports: BindTable<'s, u32, B>,
    addr: RcvSaddr,
}

impl<'s> World<'s> {
    /// A socket that shares.
    fn open(&self) -> Sock<'_, 's> {
        let sock = self.net.alloc_listener(&mut nothing_held()).unwrap();
        // SAFETY: nobody else knows the socket.
        unsafe { sock.bind.with_mut(|bind| bind.reuseport = true) };
        sock
    }

    fn bind(&self, sock: &Sock<'_, 's>) -> Result<(), BindError> {
        let mut held = nothing_held();
        let (_descriptor, mut held) = sock.sock.lock_and(&mut held);
        self.ports.bind(&self.net, sock, self.addr, Port::Locked, &mut held)
    }

    fn may_listen(&self, sock: &Sock<'_, 's>) -> bool {
        let mut held = nothing_held();
        let (_descriptor, mut held) = sock.sock.lock_and(&mut held);
        self.ports.may_listen(&self.net, sock, &self.addr, &mut held)
    }

    /// Gives the socket a group of its own, with so many closed members that are not there.
    fn give_group(&self, sock: &Sock<'_, 's>, closed: u32) -> GroupRef<'_, 's, u32, B> {
        let group = Fresh::<SockReuseport<B>, _>::alloc(&self.net).unwrap().publish();
        group.num_closed_socks.store(closed, Ordering::Relaxed);
        sock.sk_reuseport_cb.store(group.index(), Ordering::Release);
        group
    }

    fn close(&self, sock: Sock<'_, 's>) {
        sock.sk_reuseport_cb.store(NONE, Ordering::Release);
        let mut held = nothing_held();
        let (descriptor, mut inner) = sock.sock.lock_and(&mut held);
        self.ports.unbind(&sock, &mut inner);
        drop(descriptor);
        let home = sock.accept_queue.lock(&mut held).set_home(NONE);
        self.net.put_owner(home);
    }
}

fn with_world(test: impl FnOnce(&World<'_>)) {
    let mut memory = Memory::new(2, 0, 1, 2);
    let (net, ports, _) = memory.lend_all();
    let addr = RcvSaddr::new(SocketAddr::from(([127, 0, 0, 1], 80)), false).unwrap();
    let world = World { net, ports, addr };
    test(&world);
    assert_eq!((world.net.listeners.available(), world.net.groups.available()), (2, 1));
}

/// The error case of `reuseport_bpf`: both sockets were given a program, so a group, before they are bound.
#[test]
fn who_has_a_group_of_its_own_is_not_bound_where_somebody_is() {
    with_world(|world| {
        let (first, second) = (world.open(), world.open());
        let group = world.give_group(&second, 0);
        assert_eq!(world.bind(&second), Ok(()));
        // Who has none comes and shares.
        assert_eq!(world.bind(&first), Ok(()));
        world.close(second);
        let second = world.open();
        second.sk_reuseport_cb.store(group.index(), Ordering::Release);
        assert_eq!(world.bind(&second), Err(BindError::AddrInUse));
        world.close(first);
        assert_eq!(world.bind(&second), Ok(()));
        drop(group);
        world.close(second);
    });
}

/// Rule 11: it was given that group after it was bound.
#[test]
fn who_has_a_group_of_its_own_does_not_listen_where_somebody_is_bound() {
    with_world(|world| {
        let (first, second) = (world.open(), world.open());
        assert_eq!((world.bind(&first), world.bind(&second)), (Ok(()), Ok(())));
        let group = world.give_group(&second, 0);
        assert!(world.may_listen(&first) && !world.may_listen(&second));
        world.close(first);
        assert!(world.may_listen(&second));
        drop(group);
        world.close(second);
    });
}

#[test]
fn a_closed_section_is_no_group_of_its_own() {
    with_world(|world| {
        let (first, second) = (world.open(), world.open());
        let group = world.give_group(&second, 1);
        assert_eq!((world.bind(&first), world.bind(&second)), (Ok(()), Ok(())));
        assert!(world.may_listen(&second));
        drop(group);
        world.close(first);
        world.close(second);
    });
}

/// In how many buckets, of very many, some keys are.
fn buckets(keys: impl Iterator<Item = impl Key>) -> usize {
    keys.map(|key| bucket_of(&key, 1 << 20)).collect::<BTreeSet<_>>().len()
}

/// Keys that differ in one part only, whichever it is, do not meet in a bucket.
#[test]
fn every_part_of_a_key_spreads() {
    let at = |ip: [u16; 2], port: u16, four: bool| -> SocketAddr {
        let [net, host] = ip;
        let text = if four {
            format!("10.{net}.0.{host}:{port}")
        } else {
            format!("[2001:db8:{net}::{host}]:{port}")
        };
        text.parse().unwrap()
    };
    for four in [true, false] {
        let part = |part: usize| {
            (0..200).map(move |n| {
                let mut parts = [1_u16; 6];
                parts[part] = n;
                let [net, host, port, remote_net, remote_host, remote_port] = parts;
                let (local, remote) = ([net, host], [remote_net, remote_host]);
                Tuple { local: at(local, port, four), remote: at(remote, remote_port, four) }
            })
        };
        for each in 0..6 {
            assert_eq!(buckets(part(each)), 200, "part {each}");
        }
        for each in 0..3 {
            let place = |tuple: Tuple| crate::address::Place::from(tuple.local);
            assert_eq!(buckets(part(each).map(place)), 200, "part {each} of a place");
        }
    }
    assert_eq!(buckets(0..200_u16), 200);
    assert_eq!(bucket_of(&7, 0), None);
}
