//! Groups that grow and shrink, in the chunks that ship.

use super::*;
use crate::group::{MAX_SOCKS, Member};
use crate::sync::Backend;

const WIDTH: u32 = 1 << B::SOCKS_SHIFT;

fn addr_of(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Sees that the group of `socks` has them in this order, and no more chunks than it needs.
fn check(world: &World<'_>, socks: &[Sock<'_, '_>]) {
    let group = world.net.group_of(&socks[0]).unwrap();
    let num = socks.len() as u32;
    assert_eq!(world.sections(group.index()).0, socks.iter().map(|sock| sock.index()).collect::<Vec<_>>());
    let mut chunks = world.net.socks.chunks_of(&group.socks, num).collect::<Vec<_>>();
    assert_eq!(chunks.len(), Member::<B>::count_for(num) / WIDTH as usize);
    let free = world.net.socks.free_chunks().count();
    assert_eq!(chunks.len() + free, world.net.socks.chunks() as usize);
    chunks.sort_unstable();
    chunks.dedup();
    assert_eq!(chunks.len() + free, world.net.socks.chunks() as usize, "a chunk is in the tree twice");
}

/// Tells whether a group of `num` has just grown, or is about to.
fn is_edge(num: u32) -> bool {
    num <= 2 || [0, 1, WIDTH - 1].contains(&(num % (WIDTH * WIDTH))) || (num % WIDTH <= 1 && num <= 3 * WIDTH)
}

#[test]
fn a_group_grows_through_three_heights_and_back_with_every_member_in_its_place() {
    const MEMBERS: u32 = WIDTH * WIDTH + WIDTH + 2;
    with_world(MEMBERS as usize, 1, MEMBERS, |world| {
        let mut socks = Vec::new();
        for num in 1..=MEMBERS {
            socks.push(world.open().unwrap());
            if is_edge(num) {
                check(world, &socks);
            }
        }
        assert!(world.net.socks.free_chunks().next().is_none(), "the memory is what is said to be needed");
        // From everywhere: the last takes the place that becomes free.
        let mut random = 1_u32;
        while socks.len() > 1 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let sock = socks.swap_remove((random >> 8) as usize % socks.len());
            world.stop(&sock, false);
            world.close(sock);
            if is_edge(socks.len() as u32) {
                check(world, &socks);
            }
        }
        world.close_all(socks);
    });
}

#[test]
fn a_group_that_comes_and_goes_at_an_edge_keeps_nothing() {
    with_world(WIDTH as usize + 1, 1, WIDTH + 1, |world| {
        let mut socks = Vec::new();
        (0..WIDTH).for_each(|_| socks.push(world.open().unwrap()));
        for _ in 0..3 {
            socks.push(world.open().unwrap());
            check(world, &socks);
            let last = socks.pop().unwrap();
            world.stop(&last, true);
            check(world, &socks);
            world.close(last);
        }
        world.close_all(socks);
    });
}

#[test]
fn who_finds_no_chunks_changes_nothing() {
    // To grow by a level a group of 64 takes two chunks: here there is one.
    let memory = Memory::new(WIDTH as usize + 2, 0, 3, 0).with_socks(MAX_SOCKS, 3 * WIDTH as usize - 1);
    with_memory(memory, |world| {
        let mut socks = Vec::new();
        (0..WIDTH).for_each(|_| socks.push(world.open().unwrap()));
        for _ in 0..3 {
            assert_eq!(world.open().map(drop), Err(HashError::NoSocks));
            check(world, &socks);
        }
        let other = world.open_at(addr_of(81)).unwrap();
        assert_eq!(world.open_at(addr_of(82)).map(drop), Err(HashError::NoSocks));
        let first = socks.swap_remove(0);
        world.stop(&first, true);
        socks.push(world.open().unwrap());
        // A closed member finds no more than anybody else, and stays what it is.
        assert_eq!(world.listen_again(&first), Err(HashError::NoSocks));
        let group = world.group(&first).unwrap();
        assert_eq!(world.sections(group).1, slots([&first]));
        world.close_all(socks.into_iter().chain([other, first]));
    });
}

#[test]
fn one_group_of_65535_beside_a_thousand_of_one_takes_what_it_needs() {
    const GROUPS: usize = 1_000;
    let socks = Member::<B>::count_for(MAX_SOCKS) + GROUPS * Member::<B>::count_for(1);
    assert!(socks * size_of::<Member<B>>() < 600_000, "{socks}");
    let listeners = MAX_SOCKS as usize + GROUPS + 1;
    with_memory(Memory::new(listeners, 0, GROUPS + 1, 0).with_socks(u32::MAX, socks), |world| {
        let mut all = Vec::new();
        (0..MAX_SOCKS).for_each(|_| all.push(world.open().unwrap()));
        let group = world.group(&all[0]).unwrap();
        let at = |port| world.open_at(addr_of(port)).unwrap();
        all.extend((1_000..1_000 + GROUPS as u16).map(at));
        assert!(world.net.socks.free_chunks().next().is_none());
        assert_eq!(world.open().map(drop), Err(HashError::NoRoom));
        assert_eq!(world.sections(group).0.len(), MAX_SOCKS as usize);
        // At the limit a closed member counts, and gives way.
        world.stop(&all[7], true);
        all.push(world.open().unwrap());
        assert_eq!(world.group(&all[7]), None);
        assert!(world.sections(group).1.is_empty());
        world.close_all(all);
    });
}
