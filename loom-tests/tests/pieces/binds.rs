//! The table of ports and the look-up by address and wildcard, against each other, seen through the stack.

use crate::owners::{PORT, Pot, Small, check_all_free, local};
use crate::wrong::Unlocked;
use crate::{Body, Race, expect, outcome, threads};
use loom_tests::world::HERE;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault};
use rskq::{BindError, Delivered, Design, ListenerId, Outcome, SockOptions};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Opens a socket that does not share.
fn open<B: Backend>(pot: &Pot<B>) -> ListenerId<u32, B> {
    let id = pot.stack.open(SockOptions::default()).expect("there is a slot");
    pot.note(id);
    id
}

/// Two threads bind a socket each to one address, which neither shares: one of them does.
fn bind_twice<B: Backend>() {
    let pot = Pot::<B>::new(Small::new(2, 1), 0, Design::Abort);
    let bound = Arc::new(Mutex::new(0));
    let body = |name| -> Body {
        let (pot, bound, id) = (Arc::clone(&pot), Arc::clone(&bound), open(&pot));
        Box::new(move || {
            if pot.stack.bind(id, local(PORT)).is_ok() {
                outcome(name);
                *bound.lock().expect("nobody panics with it") += 1;
            }
        })
    };
    threads([body("the first"), body("the second")]);
    let bound = *bound.lock().expect("nobody panics with it");
    expect("one", bound == 1, || format!("{bound} are bound"));
    check_all_free(pot, 0);
}

/// 1. T1 closes A, which holds a connection: it leaves LISTEN, and resets the connection.
/// 2. T2 binds B to A's address, which it does not share: not before A's last step was taken.
fn bind_against_close<B: Backend>() {
    let pot = Pot::<B>::new(Small::new(2, 1), 1, Design::Abort);
    expect("setup", pot.deliver(0, 0).is_ok(), || "the connection is refused".into());
    let id = open(&pot);
    let closer = {
        let pot = Arc::clone(&pot);
        Box::new(move || pot.close(pot.ids[0]))
    };
    let binder: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || match pot.stack.bind(id, local(PORT)) {
            Ok(()) => {
                outcome("bound");
                // Who calls it again goes on with the steps that are left, where a socket is not closed.
                let closed = pot.stack.close(pot.ids[0], HERE).is_err();
                expect("held", closed, || "bound beside who is not closed yet".into());
            }
            Err(error) => {
                outcome("in use");
                expect("error", error == BindError::AddrInUse, || format!("{error:?}"));
            }
        })
    };
    threads([closer, binder]);
    check_all_free(pot, 1);
}

/// Makes a listener at the wildcard and one at the address, and runs `change` while a connection arrives.
fn arrive_while<B: Backend>(
    design: Design,
    change: fn(&Pot<B>),
    arrived: fn(&Pot<B>, Option<ListenerId<u32, B>>),
) {
    let pot = Pot::<B>::new(Small { max_socks: 2, ..Small::new(3, 1) }, 1, design);
    let wildcard = SocketAddr::from(([0, 0, 0, 0], PORT));
    expect("setup", pot.join_at(wildcard).is_some(), || "nobody listens at the wildcard".into());
    let changer = {
        let pot = Arc::clone(&pot);
        Box::new(move || change(&pot))
    };
    let reader: Body = {
        let pot = Arc::clone(&pot);
        Box::new(move || match pot.deliver(0, u32::MAX) {
            Ok(Delivered { listener, .. }) => arrived(&pot, Some(listener)),
            Err(refused) => {
                arrived(&pot, None);
                pot.gone(refused.child);
            }
        })
    };
    threads([changer, reader]);
    check_all_free(pot, 1);
}

/// The only listener at the address leaves: the connection goes to it, and then to the wildcard, or straight
/// there.
fn lookup_against_leaving<B: Backend>() {
    let close = |pot: &Pot<B>| {
        for step in pot.stack.close(pot.ids[0], HERE).expect("it is closed once") {
            expect("lost", matches!(step, Outcome::Moved { .. }), || "not moved".into());
            outcome("moved");
        }
    };
    arrive_while(Design::Requeue, close, |pot, to| {
        expect("refused", to.is_some(), || "refused while the wildcard listens".into());
        outcome(if to == Some(pot.ids[0]) { "to the address" } else { "to the wildcard" });
    });
}

/// Another listener joins at the address: the connection goes to one of the two, not to the wildcard.
fn lookup_against_joining<B: Backend>() {
    let join = |pot: &Pot<B>| outcome(if pot.join(PORT) { "joined" } else { "not joined" });
    arrive_while(Design::Abort, join, |pot, to| {
        // The wildcard's is the second that was opened.
        let slot = to.map(|id| id.index());
        expect("address", matches!(slot, Some(0 | 2)), || format!("to listener {slot:?}"));
        outcome(if to == Some(pot.ids[0]) { "to the first" } else { "to the second" });
    });
}

#[test]
fn of_two_who_share_nothing_one_is_bound() {
    Race::named("bind_against_bind").explore(bind_twice::<Loom<Fine>>).holds(&["the first", "the second"]);
}

#[test]
fn an_address_is_held_until_what_its_socket_held_is_dealt_with() {
    Race::named("bind_against_close").explore(bind_against_close::<Loom<Fine>>).holds(&["bound", "in use"]);
}

#[test]
fn what_an_address_leaves_goes_to_the_wildcard() {
    let race = Race { bound: Some(3), ..Race::named("lookup_against_leaving") };
    race.explore(lookup_against_leaving::<Loom<Fine>>).holds(&["moved", "to the address", "to the wildcard"]);
}

#[test]
fn an_address_comes_before_the_wildcard() {
    let race = Race { bound: Some(3), ..Race::named("lookup_against_joining") };
    race.explore(lookup_against_joining::<Loom<Fine>>).holds(&["joined", "to the first", "to the second"]);
}

/// The same races without locks, with a socket that leaves its address too early, and with a look-up the
/// wrong way round. Two preemptions are enough.
#[test]
fn bind_controls() {
    let race = |name, faults| Race { name, faults, bound: Some(2) };
    race("control: bind against bind, no locks", &[]).races(bind_twice::<Unlocked>);
    let early = race("control: bind against close, unbound early", &[Fault::UnboundEarly]);
    early.explore(bind_against_close::<Loom<Fine>>).notices("held");
    let first = race("control: look-up against joining, wildcard first", &[Fault::WildcardFirst]);
    first.explore(lookup_against_joining::<Loom<Fine>>).notices("address");
}
