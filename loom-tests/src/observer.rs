//! Looks at the stack at every step of an interleaving and at its end.

use crate::property::Property;
use crate::world::{Books, Connection, Fate, Gain, World};
use rskq::inspect::{Graph, QueueView};
use rskq::request::{Link, RequestState};
use rskq::sync::{ModelBackend, model};

fn report(property: Property, text: impl FnOnce() -> String) {
    model::finding(property.name(), text);
}

/// Returns a listener's letter.
#[must_use]
pub fn letter(listener: u32) -> char {
    char::from_u32('A' as u32 + listener).unwrap_or('?')
}

/// Checks what holds at every step: I2, I5, I9, I12; notes what each queue gained.
pub fn step<B: ModelBackend>(world: &World<B>) {
    let mut books = world.books();
    world.stack.queues_now(|listener, listening, queue| {
        let waiting = connections(&queue);
        if books.queues[listener as usize] != waiting {
            model::waiting(listener, &waiting);
        }
        check_queue(listener, &queue);
        if books.stopped[listener as usize] && !listening && !queue.requests.is_empty() {
            report(Property::I9, || format!("{} has stopped and holds {}", letter(listener), list(&waiting)));
        }
        compare(&mut books, listener, &waiting);
    });
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

/// Compares a queue with what it was when its lock was free last.
fn compare(books: &mut Books, listener: u32, queue: &[Connection]) {
    let before = &books.queues[listener as usize];
    if before == queue {
        return;
    }
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
        books.gains.push(Gain { connection, listener, at: model::now() });
        books.seats[connection as usize] = Some((listener, books.arrivals));
        books.arrivals += 1;
    }
    books.queues[listener as usize] = queue.to_vec();
}

/// Checks what holds at the end, when all threads are done: also I6, I7, I10, I11, I14.
pub fn end<B: ModelBackend>(world: &World<B>) {
    step(world);
    let graph = world.stack.graph_now();
    let books = world.books();
    check_wakes(&books);
    check_fates(world, &books, &graph);
    check_references(&graph, &books);
}

fn check_wakes(books: &Books) {
    for gain in &books.gains {
        if !books.wakes.iter().any(|&(listener, at)| listener == gain.listener && at > gain.at) {
            report(Property::I10, || {
                format!(
                    "{} gained #{} and nobody was woken after that",
                    letter(gain.listener),
                    gain.connection
                )
            });
        }
    }
}

fn check_fates<B: ModelBackend>(world: &World<B>, books: &Books, graph: &Graph<Connection>) {
    for connection in 0..world.scenario.connections() as Connection {
        let fates: Vec<_> = books.fates.iter().filter(|(c, _)| *c == connection).map(|(_, f)| *f).collect();
        let queued = graph
            .listeners
            .iter()
            .filter_map(|l| l.queue.as_ref())
            .flat_map(|queue| &queue.requests)
            .filter(|r| r.child == Some(connection))
            .count();
        if fates.len() + queued > 1 {
            report(Property::I14, || format!("#{connection} is in {queued} queues and met {fates:?}"));
        }
        let lost = match fates.first() {
            None if queued == 0 => Some("vanished"),
            Some(Fate::Aborted) => Some("was reset"),
            Some(Fate::Refused(_)) => Some("was refused"),
            _ => None,
        };
        if let Some(what) = lost
            && world.scenario.someone_stays()
        {
            report(Property::I11, || format!("#{connection} {what} although a member listened throughout"));
        }
    }
}

/// Recounts every reference from the object graph.
fn check_references(graph: &Graph<Connection>, books: &Books) {
    let unequal = |what: &str, slot: usize, refs: u32, holders: usize| {
        if refs as usize != holders {
            report(Property::I6I7, || format!("{what} {slot} has {refs} references and {holders} holders"));
        }
    };
    for (slot, request) in graph.requests.iter().enumerate() {
        let queued = graph
            .listeners
            .iter()
            .filter_map(|l| l.queue.as_ref())
            .flat_map(|queue| &queue.requests)
            .filter(|r| r.request as usize == slot)
            .count();
        unequal("request", slot, request.refs, queued);
        if (request.state == RequestState::Queued) != (queued == 1) {
            report(Property::I6I7, || {
                format!("request {slot} is {:?} and in {queued} queues", request.state)
            });
        }
    }
    for (slot, owner) in graph.owners.iter().enumerate() {
        let here = Some(slot as u32);
        let requests = graph.requests.iter().filter(|r| r.refs != 0 && r.owner == here).count();
        let homes = graph.listeners.iter().filter(|l| l.owner == here).count();
        let heirs = graph.owners.iter().filter(|o| o.link == Link::Handed(slot as u32)).count();
        unequal("owner", slot, owner.refs, requests + homes + heirs);
    }
    for (slot, listener) in graph.listeners.iter().enumerate() {
        // A descriptor counts until its socket is closed, which is when its owner is given up.
        let descriptor = usize::from(listener.owner.is_some());
        let owners = graph.owners.iter().filter(|o| o.link == Link::Home(slot as u32)).count();
        unequal("listener", slot, listener.refs, descriptor + owners);
        if books.stopped[slot] && listener.listening {
            report(Property::I9, || format!("{} has stopped and listens", letter(slot as u32)));
        }
    }
    for (slot, group) in graph.groups.iter().enumerate() {
        let members = graph.listeners.iter().filter(|l| l.group == Some(slot as u32)).count();
        unequal("group", slot, group.refs, usize::from(members > 0));
        unequal("group's members", slot, group.num_socks + group.num_closed_socks, members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
