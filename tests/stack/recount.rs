//! The recount of the object graph, which every checker relies on, finds what is wrong: a negative
//! control for each thing that it looks at.

use super::*;
use rskq::inspect::Graph;
use rskq::request::{Link, RequestState};

/// Where things are in the graph that is altered.
#[derive(Clone, Copy)]
struct Places {
    /// Listens, and holds something of everything.
    heir: usize,
    /// Listens beside it and holds nothing.
    other: usize,
    /// Bound, and not listening.
    shut: usize,
    queued: usize,
    half_open: [usize; 2],
    accepted: usize,
    listed: usize,
    /// An owner that was handed to the heir's.
    handed: usize,
}

/// A stack with something of everything, and what its graph is.
fn graph_of_everything() -> (Graph<u32>, Places) {
    let mut stack = stack(Design::Handover);
    let [other, shut, closed, heir] = std::array::from_fn(|_| stack.listen_at(addr(), 8, true).unwrap());
    stack.set_fastopen(heir, 4).unwrap();
    let last = |client| arrival_at((3, 4), (0, 1), client);
    let [accepted, listed] = [1, 2].map(|client| {
        let opened = stack.syn_fastopen(last(client), HERE, client).map_err(|refused| refused.why).unwrap();
        assert_eq!(stack.accept(heir), Ok(Some(client)));
        opened.handshake
    });
    stack.fastopen_remove(listed, HandshakeEnd::Reset, HERE).unwrap();
    let queued = stack.syn_fastopen(last(3), HERE, 3).map_err(|refused| refused.why).unwrap().handshake;
    let half_open =
        [(4, 3), (5, 2)].map(|(client, place)| syn(&stack, arrival_at((place, 4), (0, 1), client)));
    assert!(stack.synack_timer(half_open[0], 9, HERE).is_ok());
    // Of [OTHER, SHUT, CLOSED, HEIR] the last takes a place that becomes free.
    assert_eq!(close(&stack, closed), [End::HandedOver(heir, 0)]);
    assert_eq!(shutdown(&stack, shut), []);
    let graph = graph(&mut stack);
    let handed = graph.owners.iter().position(|owner| matches!(owner.link, Link::Handed(_))).unwrap();
    let [heir, other, shut] = [heir, other, shut].map(|id| id.index() as usize);
    let [queued, accepted, listed] = [queued, accepted, listed].map(|id| id.index() as usize);
    let half_open = half_open.map(|id| id.index() as usize);
    (graph, Places { heir, other, shut, queued, half_open, accepted, listed, handed })
}

/// One thing that is altered, and what finds it.
type Alteration = (&'static str, fn(&mut Graph<u32>, Places));

const ALTERATIONS: &[Alteration] = &[
    ("I1", |graph, at| graph.requests[at.queued].state = RequestState::Hashed),
    ("I1", |graph, at| graph.requests[at.queued].state = RequestState::InHand),
    ("I1", |graph, at| graph.requests[at.listed].state = RequestState::Accepted),
    ("I1", |graph, at| graph.requests[at.half_open[0]].state = RequestState::Free),
    ("I1", |graph, at| graph.requests[at.half_open[0]].hashed = 2),
    ("I1", |graph, at| {
        let twice = graph.listeners[at.heir].queue.as_ref().unwrap().requests[0].clone();
        graph.listeners[at.other].queue.as_mut().unwrap().requests.push(twice);
    }),
    ("I2", |graph, at| graph.listeners[at.heir].queue.as_mut().unwrap().backlog += 1),
    ("I2", |graph, at| graph.listeners[at.heir].queue.as_mut().unwrap().requests.clear()),
    ("I3", |graph, at| graph.listeners[at.heir].charges.qlen += 1),
    ("I3", |graph, at| graph.listeners[at.shut].charges.qlen -= 1),
    ("I3", |graph, at| graph.listeners[at.heir].charges.young -= 1),
    ("I3", |graph, at| graph.requests[at.half_open[0]].num_timeout = 0),
    ("I3", |graph, at| graph.requests[at.half_open[1]].rsk_listener = Some(at.other as u32)),
    ("I4", |graph, at| graph.listeners[at.heir].fastopenq.as_mut().unwrap().qlen -= 1),
    ("I4", |graph, at| graph.requests[at.accepted].rsk_listener = Some(at.other as u32)),
    ("I5", |graph, at| {
        graph.listeners[at.heir].queue.as_mut().unwrap().requests[0].rsk_listener = Some(at.other as u32);
    }),
    ("I5", |graph, at| graph.requests[at.half_open[0]].rsk_listener = None),
    ("I5", |graph, at| {
        let home = graph.listeners[at.shut].owner.unwrap();
        graph.owners[home as usize].link = Link::Home(at.other as u32);
    }),
    ("I6/I7", |graph, at| graph.requests[at.queued].refs -= 1),
    ("I6/I7", |graph, at| graph.requests[at.half_open[1]].refs += 1),
    ("I6/I7", |graph, at| graph.requests[at.accepted].kept = 0),
    ("I6/I7", |graph, at| graph.owners[at.handed].refs += 1),
    ("I6/I7", |graph, at| graph.owners[at.handed].link = Link::Vacant),
    ("I6/I7", |graph, at| graph.requests[at.half_open[1]].owner = None),
    ("I6/I7", |graph, at| graph.listeners[at.other].refs += 1),
    ("I6/I7", |graph, at| graph.listeners[at.shut].opened = false),
    ("I6/I7", |graph, at| graph.groups[graph.listeners[at.heir].group.unwrap() as usize].refs += 1),
    ("I8", |graph, at| graph.requests[at.half_open[0]].tfo_listener = true),
    ("I8", |graph, at| graph.requests[at.listed].tfo_listener = true),
    ("I9", |graph, at| {
        graph.listeners[at.heir].listening = false;
        graph.listeners[at.heir].open = false;
    }),
    ("I9", |graph, at| {
        let heir = &mut graph.listeners[at.heir];
        (heir.listening, heir.open) = (false, false);
        heir.queue.as_mut().unwrap().requests.clear();
    }),
    ("I13", |graph, at| {
        graph.requests[at.half_open[1]].tuple = graph.requests[at.half_open[0]].tuple;
    }),
    ("I16", |graph, at| {
        let group = &mut graph.groups[graph.listeners[at.heir].group.unwrap() as usize];
        group.num_closed_socks = group.max_socks;
    }),
    ("I16", |graph, at| {
        let group = &mut graph.groups[graph.listeners[at.heir].group.unwrap() as usize];
        group.closed.push(at.heir as u32);
    }),
    ("I16", |graph, at| {
        graph.groups[graph.listeners[at.heir].group.unwrap() as usize].num_socks -= 1;
    }),
    ("I16", |graph, _| {
        let twice = graph.free_chunks[0];
        graph.free_chunks.push(twice);
    }),
    ("I16", |graph, at| {
        let group = graph.listeners[at.heir].group.unwrap() as usize;
        graph.free_chunks[0] = graph.groups[group].chunks[0];
    }),
    ("I17", |graph, at| graph.listeners[at.other].group = None),
    ("I17", |graph, at| graph.listeners[at.shut].group = graph.listeners[at.heir].group),
    ("I17", |graph, at| graph.listeners[at.heir].addr = None),
    ("I17", |graph, at| graph.listeners[at.heir].listening = false),
    ("I17", |graph, at| graph.groups[graph.listeners[at.heir].group.unwrap() as usize].addr = None),
    ("I17", |graph, at| graph.listeners[at.heir].incoming_cpu = Some(0)),
    ("I17", |graph, at| graph.groups[graph.listeners[at.heir].group.unwrap() as usize].incoming_cpu = 1),
    ("I17", |graph, at| graph.listeners[at.heir].map_index = Some(0)),
    ("I17", |graph, at| graph.map.push(Some(at.heir as u32))),
    ("I18", |graph, at| graph.groups[graph.listeners[at.heir].group.unwrap() as usize].refs = 0),
    ("I18", |graph, at| graph.groups[graph.listeners[at.heir].group.unwrap() as usize].chunks.clear()),
    ("I18", |graph, _| graph.free_chunks.truncate(1)),
];

#[test]
fn every_alteration_of_a_graph_is_found_by_what_is_there_for_it() {
    let (graph, places) = graph_of_everything();
    for (number, (invariant, alter)) in ALTERATIONS.iter().enumerate() {
        let mut altered = graph.clone();
        alter(&mut altered, places);
        let found = altered.violations();
        assert!(
            found.iter().any(|violation| violation.invariant == *invariant),
            "{number}: {invariant}: {found:?}"
        );
    }
}
