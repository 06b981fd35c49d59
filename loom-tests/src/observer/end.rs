//! What holds at the end, when all threads are done.

use super::{letter, report, step};
use crate::property::Property;
use crate::world::{Books, Connection, Fate, World, tuple};
use rskq::Refusal;
use rskq::inspect::Graph;
use rskq::request::RequestState;
use rskq::sync::model::{self, MAIN, Record, What};
use rskq::sync::{LockTag, ModelBackend};

/// Checks what holds at the end, and then ends every connection and checks that nothing remains.
pub fn end<B: ModelBackend>(world: &World<B>) {
    step(world);
    let graph = world.stack.graph_now();
    for violation in graph.violations() {
        model::finding(violation.invariant, || violation.text);
    }
    {
        let books = world.books();
        check_wakes(&books);
        check_steps(world, &books);
        check_tuples(&graph);
        check_stopped(&books, &graph);
        for connection in 0..world.scenario.connections() as Connection {
            check_fate(world, &books, &graph, connection);
        }
    }
    if let Some((one, other)) = model::records(two_queues) {
        let (one, other) = (letter(one.key), letter(other.key));
        report(Property::H2, || format!("a thread holds {one}.rskq_lock and takes {other}.rskq_lock"));
    }
    world.end_all();
    check_nothing_remains(&world.stack.graph_now());
}

/// I10 and H4: whoever gained a connection was woken after that.
fn check_wakes(books: &Books) {
    for gain in &books.gains {
        if !books.wakes.iter().any(|&(listener, at)| listener == gain.listener && at > gain.at) {
            report(Property::I10, || {
                let (listener, connection) = (letter(gain.listener), gain.connection);
                format!("{listener} gained #{connection} and nobody was woken after that")
            });
        }
    }
}

/// H1: where there is an heir, a closer takes no step for each connection.
fn check_steps<B: ModelBackend>(world: &World<B>, books: &Books) {
    if let Some(&closer) = books.one_by_one.first()
        && world.scenario.someone_stays()
        && world.scenario.spare_owners > 0
    {
        report(Property::H1, || {
            let steps = books.one_by_one.iter().filter(|&&l| l == closer).count();
            format!("closing {} took a step for each of {steps} connections", letter(closer))
        });
    }
}

/// I9: all closers are done, so that nobody will deal with what is on a listener that does not listen.
fn check_stopped(books: &Books, graph: &Graph<Connection>) {
    for (slot, listener) in (0..).zip(&graph.listeners) {
        let waiting = listener.queue.as_ref().map_or(0, |queue| queue.requests.len());
        if books.stopped[slot as usize] && !listener.listening && waiting > 0 {
            report(Property::I9, || format!("{} has stopped and holds {waiting} connections", letter(slot)));
        }
    }
}

/// I24: what was found is what was looked for.
fn check_tuples(graph: &Graph<Connection>) {
    let queued = graph.listeners.iter().filter_map(|l| l.queue.as_ref()).flat_map(|queue| &queue.requests);
    for request in queued {
        let of_request = graph.requests[request.request as usize].tuple;
        if request.child.map(tuple) != of_request {
            report(Property::I24, || {
                format!("{:?} was queued by a request for {of_request:?}", request.child)
            });
        }
    }
}

/// I11, H3 and I14: each connection is in one place, and none is lost.
fn check_fate<B: ModelBackend>(world: &World<B>, books: &Books, graph: &Graph<Connection>, c: Connection) {
    let fates: Vec<_> = books.fates.iter().filter(|(of, _)| *of == c).map(|(_, fate)| *fate).collect();
    let queues = graph.listeners.iter().filter_map(|l| l.queue.as_ref());
    let queued = queues.flat_map(|queue| &queue.requests).filter(|r| r.child == Some(c)).count();
    let half_open =
        |r: &&rskq::inspect::RequestView| r.state == RequestState::Hashed && r.tuple == Some(tuple(c));
    let hashed = graph.requests.iter().filter(half_open).count();
    if fates.len() + queued + hashed > 1 {
        report(Property::I14, || {
            format!("#{c} is in {queued} queues, {hashed} times half open, and met {fates:?}")
        });
    }
    let lost = match fates.first() {
        None if books.begun[c as usize] && queued + hashed == 0 => Some("vanished"),
        Some(Fate::Aborted) => Some("was reset"),
        // The limit's refusal is answered as an ordinary SYN would be.
        Some(Fate::Refused(why)) if *why != Refusal::FastOpenLimit => Some("was refused"),
        Some(Fate::Dropped) => Some("was dropped half open"),
        _ => None,
    };
    if let Some(what) = lost
        && world.scenario.someone_stays()
    {
        report(Property::I11, || format!("#{c} {what} although a member listened throughout"));
    }
}

/// H2: nobody holds two `rskq_lock`s. Returns who did.
fn two_queues(records: &[Record]) -> Option<(LockTag, LockTag)> {
    let mut held: Vec<(u8, LockTag)> = Vec::new();
    for record in records.iter().filter(|r| r.thread != MAIN) {
        match record.what {
            What::Gets(tag) if tag.class == "Rskq" => {
                if let Some(&(_, other)) = held.iter().find(|(thread, _)| *thread == record.thread) {
                    return Some((other, tag));
                }
                held.push((record.thread, tag));
            }
            What::Releases(tag) => held.retain(|&h| h != (record.thread, tag)),
            _ => {}
        }
    }
    None
}

/// I25: when all connections have ended, nothing is charged to anybody and no request is in use.
fn check_nothing_remains(graph: &Graph<Connection>) {
    for (slot, listener) in (0..).zip(&graph.listeners) {
        let fast = listener.fastopenq.as_ref().map_or(0, |fastopenq| fastopenq.qlen);
        if !listener.charges.is_none() || fast != 0 {
            report(Property::I25, || {
                let charges = listener.charges;
                format!("nobody is left and {} is charged with {charges:?} and {fast} fast", letter(slot))
            });
        }
    }
    for (slot, request) in graph.requests.iter().enumerate().filter(|(_, r)| r.refs != 0) {
        report(Property::I25, || {
            format!("nobody is left and request {slot} has {} references", request.refs)
        });
    }
}
