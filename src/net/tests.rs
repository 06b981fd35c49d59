//! Owners: chains that lead to a listener, and what they keep.

use super::{ListenerRef, OwnerRef};
use crate::request::{Link, Owner};
use crate::slab::{Fresh, NONE};
use crate::testing::{B, Memory, TestNet, nothing_held};

/// Makes an owner that was handed to the owner in slot `to`, with a reference of its own on it.
fn handed<'a, 's>(net: &'a TestNet<'s>, to: u32) -> OwnerRef<'a, 's, u32, B> {
    let owner = Fresh::<Owner<B>, _>::alloc(net).unwrap();
    let heir = OwnerRef::try_get(net, to).unwrap();
    assert_eq!(owner.set_link(Link::Handed(heir.into_raw())), Link::Vacant);
    owner.publish()
}

/// Puts what `listen` and `close` would have put.
fn close(net: &TestNet<'_>, listener: ListenerRef<'_, '_, u32, B>) {
    let home = listener.accept_queue.lock(&mut nothing_held()).set_home(NONE);
    net.put_owner(home);
}

#[test]
fn a_chain_of_owners_leads_to_its_listener_and_keeps_it() {
    let mut memory = Memory::new(4, 0, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    let (slot, home) = (listener.index(), listener.accept_queue.lock(&mut nothing_held()).home());
    let second = handed(&net, home);
    let third = handed(&net, second.index());
    drop(second); // the third keeps it
    assert_eq!(net.rsk_listener(third.index()).unwrap().index(), slot);

    close(&net, listener);
    assert_eq!(net.rsk_listener(third.index()).unwrap().index(), slot, "the chain keeps the listener");
    let index = third.index();
    drop(third);
    assert!(net.rsk_listener(index).is_none() && ListenerRef::try_get(&net, slot).is_none());
    assert_eq!((net.owners.available(), net.listeners.available()), (4, 4));
}

#[test]
fn an_owner_that_leads_nowhere_has_no_root() {
    let mut memory = Memory::new(1, 0, 0, 0);
    let (net, _) = memory.lend();
    let owner = Fresh::<Owner<B>, _>::alloc(&net).unwrap().publish();
    assert_eq!(owner.link(), Link::Vacant);
    assert!(net.rsk_listener(owner.index()).is_none());
    assert!(net.rsk_listener(NONE).is_none());
}

#[test]
fn whoever_is_at_the_root_shortens_the_chain() {
    let mut memory = Memory::new(4, 0, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    let home = listener.accept_queue.lock(&mut nothing_held()).home();
    let second = handed(&net, home);
    let third = handed(&net, second.index());
    drop(second);
    for (owners, found) in [(1, "two links become one"), (1, "one link stays")] {
        let (slot, root) = net.at_root(&third, &mut nothing_held(), |found, queue, _| {
            assert_eq!(queue.home(), home);
            found.index()
        });
        assert_eq!(slot, listener.index());
        assert_eq!(third.link(), Link::Handed(home), "{found}");
        drop(root);
        assert_eq!(net.owners.available(), owners + 1, "{found}: the second owner is let go of");
    }
    drop(third);
    close(&net, listener);
    assert_eq!((net.owners.available(), net.listeners.available()), (4, 4));
}
