//! The table against a plain list.

use super::*;
use core::net::Ipv4Addr;

extern crate std;
use std::vec::Vec;

fn tuple(number: u16) -> Tuple {
    let local = (Ipv4Addr::LOCALHOST, 80).into();
    Tuple { local, remote: (Ipv4Addr::LOCALHOST, number).into() }
}

/// Hashes that often are the same.
fn hash(number: u16) -> u32 {
    u32::from(number % 5)
}

#[test]
fn it_does_what_a_list_does() {
    let mut places = [const { Place::new() }; 8];
    let mut table = Table::new((&mut places).into());
    let mut list: Vec<u16> = std::vec![];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut full, mut touched) = (0, 0);
    for _ in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let number = (random >> 8) as u16 % 16;
        let found = table.find(&tuple(number), hash(number));
        assert_eq!(found.is_some(), list.contains(&number));
        match (found, random % 3) {
            (None, _) => {
                let inserted = table.insert(tuple(number), hash(number), number);
                assert_eq!(inserted.is_ok(), list.len() < 8);
                if inserted.is_ok() { list.push(number) } else { full += 1 }
            }
            (Some(place), 0) => {
                assert_eq!(table.remove(place), Some((tuple(number), number)));
                list.retain(|&listed| listed != number);
            }
            (Some(place), 1) => {
                table.touch(place);
                list.retain(|&listed| listed != number);
                list.push(number);
                touched += 1;
            }
            (Some(place), _) => assert_eq!(table.get_mut(place), Some(&mut number.clone())),
        }
        assert_eq!(table.iter().map(|(_, &number)| number).collect::<Vec<_>>(), list);
        assert_eq!((table.len(), table.room()), (list.len(), 8 - list.len()));
    }
    assert!(full > 100 && touched > 100, "{full} times full, {touched} touched");
}

#[test]
fn one_without_memory_is_full() {
    let mut table = Table::new((&mut []).into());
    assert_eq!(table.insert(tuple(1), 1, ()), Err(()));
    assert_eq!(
        (table.find(&tuple(1), 1), table.remove(0), table.oldest(), table.newest()),
        (None, None, None, None)
    );
    table.touch(0);
}
