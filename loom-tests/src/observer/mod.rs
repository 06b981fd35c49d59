//! Looks at the stack at every step of an interleaving and at its end.
//!
//! What the object graph alone can tell is the crate's own
//! [`Graph::violations`](rskq::inspect::Graph::violations), the same for every checker. Here is what needs
//! the history: who was woken, who overtook whom, what became of everybody.

mod end;

pub use end::end;

use crate::property::Property;
use crate::world::{Books, Connection, Gain, World, tuple};
use rskq::inspect::QueueView;
use rskq::sync::{ModelBackend, model};

fn report(property: Property, text: impl FnOnce() -> String) {
    model::finding(property.name(), text);
}

/// Returns a listener's letter.
#[must_use]
pub fn letter(listener: u32) -> char {
    char::from_u32('A' as u32 + listener).unwrap_or('?')
}

/// Checks what holds at every step: I2, I5, I9, I12, I13, I15; notes what each queue gained.
pub fn step<B: ModelBackend>(world: &World<B>) {
    let mut books = world.books();
    world.stack.queues_now(|listener, listening, dealt_with, queue| {
        let waiting = connections(&queue);
        // Asked at every write, of short lists: a loop is faster than comparing memory.
        let changed = !books.queues[listener as usize].iter().eq(&waiting);
        if changed {
            model::waiting(listener, &waiting);
        }
        check_queue(listener, &queue);
        if books.stopped[listener as usize] && !dealt_with && !queue.requests.is_empty() {
            report(Property::I9, || format!("{} has stopped and holds {}", letter(listener), list(&waiting)));
        }
        if changed {
            compare(&mut books, listener, listening, &waiting);
        }
    });
    if world.scenario.has_half_open() {
        check_gaps(world, &mut books);
        check_timers(world, &books);
    }
}

/// I15, where the stack keeps the timers. Armed is only who is half open, whenever nobody holds the timers'
/// lock. And who is half open is armed, whenever nobody holds the lock of a bucket either, or it is in the
/// hands of somebody who found its timer due.
fn check_timers<B: ModelBackend>(world: &World<B>, books: &Books) {
    world.stack.timers_now(|request, half_open, armed, settled| {
        if armed && !half_open {
            report(Property::I15, || format!("request {request} is not half open and its timer is armed"));
        }
        if half_open && !armed && settled && books.timing_out == 0 {
            report(Property::I15, || format!("request {request} is half open and its timer is not armed"));
        }
    });
}

/// I13: a look-up that comes between the two steps of an exchange finds the one or the other. The observer
/// is a reader without locks: whom it finds again it must not have missed before.
fn check_gaps<B: ModelBackend>(world: &World<B>, books: &mut Books) {
    let mut now = vec![false; books.found.len()];
    world.stack.established_now(|established| {
        let connection = (0..).zip(&mut now).find(|(connection, _)| tuple(*connection) == established);
        if let Some((_, found)) = connection {
            *found = true;
        }
    });
    for (connection, (before, now)) in books.found.iter_mut().zip(now).enumerate() {
        if (*before, now) == (Some(false), true) {
            report(Property::I13, || format!("#{connection} is in the table, and was not a moment ago"));
        }
        if now || before.is_some() {
            *before = Some(now);
        }
    }
}

fn connections(queue: &QueueView<Connection>) -> Vec<Connection> {
    queue.requests.iter().filter_map(|r| r.child).collect()
}

fn list(connections: &[Connection]) -> String {
    format!("[{}]", connections.iter().map(|c| format!("#{c}")).collect::<Vec<_>>().join(" "))
}

fn check_queue(listener: u32, queue: &QueueView<Connection>) {
    if queue.backlog as usize != queue.requests.len() {
        report(Property::I2, || {
            let (l, n, b) = (letter(listener), queue.requests.len(), queue.backlog);
            format!("{l} holds {n} requests and its sk_ack_backlog is {b}")
        });
    }
    for request in &queue.requests {
        if request.rsk_listener != Some(listener) {
            report(Property::I5, || {
                let names = request.rsk_listener.map_or("nobody".into(), |l| letter(l).to_string());
                let number = request.child.map_or("?".into(), |c| format!("#{c}"));
                format!("{number} waits on {} and its rsk_listener is {names}", letter(listener))
            });
        }
    }
}

/// Compares a queue that changed with what it was when its lock was free last.
fn compare(books: &mut Books, listener: u32, listening: bool, queue: &[Connection]) {
    let before = &books.queues[listener as usize];
    let stayed: Vec<_> = before.iter().copied().filter(|c| queue.contains(c)).collect();
    let came: Vec<_> = queue.iter().copied().filter(|c| !before.contains(c)).collect();
    if !queue.starts_with(&stayed) {
        report(Property::I12, || {
            format!("{} waited on {} and were overtaken: {}", list(&stayed), letter(listener), list(queue))
        });
    }
    // Who came from one queue comes in the order in which it came there.
    let seat = |c: Connection| books.seats[c as usize];
    for pair in came.windows(2) {
        if let (Some((from, first)), Some((also_from, second))) = (seat(pair[0]), seat(pair[1]))
            && from == also_from
            && first > second
        {
            report(Property::I12, || {
                format!("#{} overtook #{} on the way to {}", pair[0], pair[1], letter(listener))
            });
        }
    }
    for &connection in &came {
        // What a closer takes back for lack of an heir is on its way: nobody accepts it there.
        if listening {
            books.gains.push(Gain { connection, listener, at: model::now() });
        }
        books.seats[connection as usize] = Some((listener, books.arrivals));
        books.arrivals += 1;
    }
    books.queues[listener as usize] = queue.to_vec();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Fate;
    use crate::{designs, exhaust, scenario};
    use rskq::sync::loom::Loom;

    /// No fault in the crate can duplicate a connection, which is moved and cannot be copied, so the
    /// books are made to say so.
    #[test]
    fn a_connection_in_two_places_is_noticed() {
        let scenario = scenario::by_name("closer_accept").unwrap();
        let design = designs::by_name("clone").unwrap().design;
        exhaust::exhaust(None, move || {
            model::begin(&[]);
            let world = World::<Loom>::staged(scenario, design, step);
            end(&world);
            assert!(model::take(|_, findings| !findings.iter().any(|f| f.property == "I14")));
            world.books().fates.push((0, Fate::Accepted(scenario::A)));
            end(&world);
            assert!(model::take(|_, findings| findings.iter().any(|f| f.property == "I14")));
        });
    }
}
