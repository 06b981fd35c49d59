//! Several connections accepted in one section of the queue's lock.

use crate::owners::{Pot, Small, check_all_free};
use crate::wrong::Unlocked;
use crate::{Body, Race, expect, outcome, threads};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault};
use rskq::{Design, SockError};
use std::sync::Arc;

/// Takes two connections of the first listener's.
type Accept<B> = fn(&Pot<B>) -> Result<Vec<u32>, SockError>;

fn in_one_call<B: Backend>(pot: &Pot<B>) -> Result<Vec<u32>, SockError> {
    pot.stack.accept_many::<2>(pot.ids[0]).map(Iterator::collect)
}

fn one_by_one<B: Backend>(pot: &Pot<B>) -> Result<Vec<u32>, SockError> {
    let mut accepted = Vec::from_iter(pot.stack.accept(pot.ids[0])?);
    accepted.extend(pot.stack.accept(pot.ids[0]).ok().flatten());
    Ok(accepted)
}

/// Two connections wait on the first of two listeners.
fn waiting<B: Backend>(design: Design, requests: usize) -> Arc<Pot<B>> {
    let pot = Pot::<B>::new(Small::new(2, requests), 2, design);
    for connection in [0, 1] {
        let delivered = pot.deliver(connection, 0).is_ok_and(|delivered| delivered.listener == pot.ids[0]);
        expect("setup", delivered, || format!("#{connection} is not where its hash falls"));
    }
    pot
}

fn acceptor<B: Backend>(pot: &Arc<Pot<B>>, accept: Accept<B>) -> Body {
    let pot = Arc::clone(pot);
    Box::new(move || match accept(&pot) {
        Ok(accepted) => {
            expect("fifo", accepted.is_sorted(), || format!("{accepted:?} were accepted"));
            expect("together", accepted.len() != 1, || format!("{accepted:?} came alone"));
            outcome(if accepted.is_empty() { "none" } else { "both" });
            accepted.into_iter().for_each(|connection| pot.gone(connection));
        }
        Err(_) => outcome("closed"),
    })
}

fn against_a_closer<B: Backend>(accept: Accept<B>) -> impl Fn() + Send + Sync {
    move || {
        let pot = waiting::<B>(Design::Handover, 2);
        let closer = {
            let pot = Arc::clone(&pot);
            Box::new(move || pot.close(pot.ids[0]))
        };
        threads([acceptor(&pot, accept), closer]);
        check_all_free(pot, 2);
    }
}

fn against_an_arrival<B: Backend>() {
    let pot = waiting::<B>(Design::Handover, 3);
    let arrival = {
        let pot = Arc::clone(&pot);
        Box::new(move || expect("delivered", pot.deliver(2, 0).is_ok(), || "there is room".into()))
    };
    threads([acceptor(&pot, in_one_call), arrival]);
    check_all_free(pot, 3);
}

/// 1. Connections 0 and 1 wait on A.
/// 2. T1 accepts up to two on A; T2 closes A, which hands over what waits.
/// 3. T1 gets both or neither: there is no time between the two.
#[test]
fn accept_many_against_a_closer() {
    let race = Race::named("accept_many_against_a_closer");
    race.explore(against_a_closer::<Loom<Fine>>(in_one_call)).holds(&["both", "closed", "handed over"]);
}

/// 1. Connections 0 and 1 wait on A.
/// 2. T1 accepts up to two on A; T2 delivers connection 2 to A.
/// 3. T1 gets the two that were first, and the third waits.
#[test]
fn accept_many_against_an_arrival() {
    let race = Race::named("accept_many_against_an_arrival");
    race.explore(against_an_arrival::<Loom<Fine>>).holds(&["both"]);
}

/// The same one by one, with an arrival that goes to the head, and without locks.
#[test]
fn accept_many_controls() {
    let race = |name, faults| Race { name, faults, ..Race::default() };
    let singly = race("control: accept_many, one by one", &[]);
    singly.explore(against_a_closer::<Loom<Fine>>(one_by_one)).notices("together");
    let head = race("control: accept_many, arrivals at the head", &[Fault::PushToHead]);
    head.explore(against_an_arrival::<Loom<Fine>>).notices("fifo");
    race("control: accept_many without locks", &[]).races(against_an_arrival::<Unlocked>);
}
