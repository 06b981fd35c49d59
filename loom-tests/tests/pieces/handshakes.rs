//! The established table's bucket under its lock, and the end of a fast-open handshake.

use crate::owners::{Pot, Small, arrival, check_all_free, tuple};
use crate::wrong::Unlocked;
use crate::{Body, Race, expect, outcome, threads};
use loom_tests::world::HERE;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Fault, ModelBackend};
use rskq::{Design, HandshakeEnd, Refusal, Syn};
use std::sync::Arc;

/// What a thread does with a bucket.
#[derive(Clone, Copy)]
enum Does {
    Syn(u32),
    Reset(u32),
    Ack(u32),
}

fn act<B: ModelBackend>(pot: &Pot<B>, does: Does) {
    match does {
        Does::Syn(connection) => match pot.stack.syn(arrival(connection, 0), HERE) {
            Ok(Syn::New { .. }) => outcome("new"),
            Ok(Syn::Duplicate(_)) => outcome("duplicate"),
            Ok(Syn::Cookie(_)) => outcome("cookie"),
            Err(why) => expect("refused", false, || format!("#{connection}: {why:?}")),
        },
        Does::Reset(connection) => match pot.stack.reset(&tuple(connection)) {
            Ok(()) => {
                pot.gone(connection);
                outcome("reset");
            }
            Err(_) => outcome("no request"),
        },
        Does::Ack(connection) => {
            match pot.stack.ack(&tuple(connection), rskq::Payload::None, HERE, connection) {
                Ok(_) => outcome("queued"),
                Err(refused) if refused.why == Refusal::NoRequest => outcome("no request"),
                Err(refused) => expect("refused", false, || format!("#{connection}: {:?}", refused.why)),
            }
        }
    }
}

/// Two threads and one bucket, in which `before` are half open.
fn bucket<B: ModelBackend>(before: &'static [u32], does: [Does; 2]) -> impl Fn() + Send + Sync {
    move || {
        let pot = Pot::<B>::new(Small::new(1, 3), 1, Design::Requeue);
        for &connection in before {
            expect("setup", pot.stack.syn(arrival(connection, 0), HERE).is_ok(), || {
                "a SYN is refused".into()
            });
        }
        threads(does.map(|does| -> Body {
            let pot = Arc::clone(&pot);
            Box::new(move || act(&pot, does))
        }));
        let (charged, hashed) = (pot.charges(), pot.hashed());
        expect("charged", charged as usize == hashed.len(), || format!("{charged} charged, {hashed:?}"));
        let twice = hashed.windows(2).any(|pair| pair[0] == pair[1]);
        expect("one", !twice, || format!("a tuple twice: {hashed:?}"));
        let of_threads = does.map(|(Does::Syn(c) | Does::Reset(c) | Does::Ack(c))| c);
        let connections = of_threads.iter().chain(before).max().map_or(0, |last| last + 1);
        check_all_free(pot, connections);
    }
}

/// 1. T1 and T2 get SYNs of two connections whose tuples fall on one bucket.
/// 2. Each is added; the chain holds both.
#[test]
fn insert_against_insert() {
    let race = Race::named("insert_against_insert");
    race.explore(bucket::<Loom<Fine>>(&[], [Does::Syn(0), Does::Syn(1)])).holds(&["new"]);
}

/// 1. Request 0 is in the bucket.
/// 2. T1 resets it, found by its tuple, while T2 adds request 1.
#[test]
fn insert_against_remove() {
    let race = Race::named("insert_against_remove");
    race.explore(bucket::<Loom<Fine>>(&[0], [Does::Reset(0), Does::Syn(1)])).holds(&["new", "reset"]);
}

/// 1. Requests 0 and 1 are in the bucket, neighbours.
/// 2. T1 takes 0 off by its final ACK, T2 resets 1: each finds its own.
#[test]
fn remove_against_remove() {
    let race = Race::named("remove_against_remove");
    race.explore(bucket::<Loom<Fine>>(&[0, 1], [Does::Ack(0), Does::Reset(1)])).holds(&["queued", "reset"]);
}

/// 1. T1 and T2 find request 0 and let go of the bucket.
/// 2. One takes it off the table, with the table's reference; the other finds that it is no longer there.
#[test]
fn one_request_removed_by_two() {
    let race = Race::named("one_request_removed_by_two");
    let seen = race.explore(bucket::<Loom<Fine>>(&[0], [Does::Ack(0), Does::Reset(0)]));
    seen.holds(&["no request", "queued", "reset"]);
}

/// 1. T1 and T2 get the same SYN, and neither finds a request for it.
/// 2. One adds its request; the other finds that one under the lock, and gives its own back.
#[test]
fn one_tuple_inserted_by_two() {
    let race = Race::named("one_tuple_inserted_by_two");
    let seen = race.explore(bucket::<Loom<Fine>>(&[], [Does::Syn(0), Does::Syn(0)]));
    seen.holds(&["duplicate", "new"]);
}

/// The same without the second look, with a look that takes whatever is there, a charge that stays, and
/// without locks.
#[test]
fn bucket_controls() {
    use Does::{Ack, Reset, Syn};
    let race = |name, faults| Race { name, faults, bound: None };
    let twice = Race { bound: Some(2), ..race("control: no second look", &[Fault::DuplicateNotRecognised]) };
    twice.explore(bucket::<Loom<Fine>>(&[], [Syn(0), Syn(0)])).notices("one");
    let any = race("control: tuples not compared", &[Fault::TupleNotCompared]);
    any.explore(bucket::<Loom<Fine>>(&[0, 1], [Ack(0), Reset(1)])).notices("lost");
    let kept = race("control: charge kept", &[Fault::ChargeKept]);
    kept.explore(bucket::<Loom<Fine>>(&[0], [Ack(0), Reset(0)])).notices("charged");
    race("control: bucket without its lock", &[]).races(bucket::<Unlocked>(&[], [Syn(0), Syn(1)]));
}

fn fast_open<B: ModelBackend>(end: HandshakeEnd) -> impl Fn() + Send + Sync {
    move || {
        let pot = Pot::<B>::new(Small::new(1, 2), 1, Design::Requeue);
        expect("setup", pot.stack.set_fastopen(pot.ids[0], 1).is_ok(), || "it listens".into());
        let opened = pot.stack.syn_fastopen(arrival(0, 0), HERE, 0);
        let Ok(handshake) = opened.map(|opened| opened.handshake) else {
            return expect("setup", false, || "the connection is refused".into());
        };
        let acceptor = {
            let pot = Arc::clone(&pot);
            Box::new(move || expect("accepted", pot.accept(0), || "there is nothing to accept".into()))
        };
        let ender = {
            let pot = Arc::clone(&pot);
            Box::new(move || {
                let ended = pot.stack.fastopen_remove(handshake, end, HERE).is_ok();
                expect("ended", ended, || "the handshake has ended already".into());
            })
        };
        threads([acceptor, ender]);
        let again = pot.stack.fastopen_remove(handshake, end, HERE).is_ok();
        expect("ended", !again, || "the handshake ends twice".into());
        let evicted = pot.stack.evict_reset(pot.ids[0]) == Ok(true);
        outcome(if evicted { "counted on" } else { "counted no more" });
        check_all_free(pot, 1);
    }
}

/// 1. A fast-open connection waits, with two references: the queue's and the handshake's.
/// 2. T1 accepts it: the queue's reference goes.
/// 3. T2 ends the handshake: its reference goes, and the charge.
/// 4. Whoever is last frees the request.
#[test]
fn accept_against_the_end_of_a_handshake() {
    let race = Race::named("accept_against_the_end_of_a_handshake");
    race.explore(fast_open::<Loom<Fine>>(HandshakeEnd::Done)).holds(&["counted no more"]);
}

/// The same with a reset: one that was accepted by then goes on counting, with the handshake's reference,
/// until it is taken off the list.
#[test]
fn accept_against_a_reset() {
    let race = Race::named("accept_against_a_reset");
    let seen = race.explore(fast_open::<Loom<Fine>>(HandshakeEnd::Reset));
    seen.holds(&["counted no more", "counted on"]);
}

/// The same with a charge that stays, an end that is not said, a request that is let go of twice, and
/// without locks.
#[test]
fn fast_open_controls() {
    use HandshakeEnd::{Done, Reset};
    const CHARGED: &[Fault] = &[Fault::FastChargeKept];
    const NOT_ENDED: &[Fault] = &[Fault::HandshakeNotEnded];
    const TWICE: &[Fault] = &[Fault::RequestPutTwice];
    for (name, faults, end, kind) in [
        ("control: fast-open charge kept", CHARGED, Done, "free"),
        ("control: end not said", NOT_ENDED, Reset, "ended"),
        ("control: fast-open request put twice", TWICE, Done, "free"),
    ] {
        Race { name, faults, bound: None }.explore(fast_open::<Loom<Fine>>(end)).notices(kind);
    }
    Race::named("control: fast open without locks").races(fast_open::<Unlocked>(Reset));
}
