//! Who adds to a queue, and when it is refused.

use super::{AddError, Capacity};
use crate::net::{ListenerRef, RequestRef};
use crate::request::RequestState;
use crate::slab::NONE;
use crate::testing::{self, B, Memory, TestNet, nothing_held};
use core::sync::atomic::Ordering;

fn request<'a, 's>(net: &'a TestNet<'s>) -> RequestRef<'a, 's, u32, B> {
    testing::request(net).unwrap()
}

fn put_home(net: &TestNet<'_>, listener: &ListenerRef<'_, '_, u32, B>) {
    let home = listener.accept_queue.lock(&mut nothing_held()).set_home(NONE);
    net.put_owner(home);
}

/// Asserts that the listener refuses a request and gives it back as it was.
fn refused(net: &TestNet<'_>, listener: &ListenerRef<'_, '_, u32, B>, capacity: Capacity, why: AddError) {
    let before = listener.accept_queue.len();
    let Err((error, back)) = listener.queue_add(request(net), net, capacity, &mut nothing_held()) else {
        panic!("the request was added");
    };
    assert_eq!((error, back.state(), back.peek_owner()), (why, RequestState::InHand, NONE));
    assert_eq!(listener.accept_queue.len(), before);
}

#[test]
fn a_listener_that_left_listen_takes_no_late_arrival() {
    let mut memory = Memory::new(1, 2, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    refused(&net, &listener, Capacity::Enforced, AddError::NotAtHome);
    listener.set_listening(true);
    assert!(listener.queue_add(request(&net), &net, Capacity::Enforced, &mut nothing_held()).is_ok());
    listener.set_listening(false);
    refused(&net, &listener, Capacity::Enforced, AddError::NotAtHome);
    drop(listener.queue_remove(&net, &mut nothing_held()));
    put_home(&net, &listener);
    drop(listener);
    assert_eq!((net.listeners.available(), net.owners.available(), net.requests.available()), (1, 1, 2));
}

#[test]
fn a_listener_without_a_home_takes_nothing() {
    let mut memory = Memory::new(1, 1, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    listener.set_listening(true);
    put_home(&net, &listener);
    refused(&net, &listener, Capacity::Enforced, AddError::NotAtHome);
}

#[test]
fn a_full_queue_takes_only_who_does_not_mind() {
    let mut memory = Memory::new(1, 3, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    listener.set_listening(true);
    listener.sk_max_ack_backlog.store(0, Ordering::Relaxed);
    assert!(listener.queue_add(request(&net), &net, Capacity::Enforced, &mut nothing_held()).is_ok());
    refused(&net, &listener, Capacity::Enforced, AddError::Full);
    #[cfg(feature = "designs")]
    assert!(listener.queue_add(request(&net), &net, Capacity::Ignored, &mut nothing_held()).is_ok());
    while listener.queue_remove(&net, &mut nothing_held()).is_some() {}
    put_home(&net, &listener);
    drop(listener);
    assert_eq!((net.listeners.available(), net.owners.available(), net.requests.available()), (1, 1, 3));
}

#[test]
fn what_waits_belongs_to_the_listen_that_it_came_under() {
    let mut memory = Memory::new(1, 1, 0, 0);
    let (net, _) = memory.lend();
    let listener = net.alloc_listener(&mut nothing_held()).unwrap();
    listener.set_listening(true);
    let before = listener.listens();
    listener.set_listening(false);
    listener.set_listening(true);
    assert!(listener.queue_add(request(&net), &net, Capacity::Enforced, &mut nothing_held()).is_ok());
    assert!(listener.queue_drain(&net, before, &mut nothing_held()).is_none());
    assert!(listener.queue_drain(&net, listener.listens(), &mut nothing_held()).is_some());
    put_home(&net, &listener);
}
