//! Members that are for the connections of one CPU.

use super::programs::MANY;
use super::*;

fn stack() -> TestStack {
    stack_of(Sizes { requests: 200, ..MANY }, Design::Linux)
}

fn on(cpu: u32) -> Here {
    Here { cpu, ..HERE }
}

/// When a server says which CPU it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Opened,
    Bound,
    Listening,
    AllListening,
}

/// What there is beside the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    Nobody,
    /// A listener for no CPU, closed before the clients come.
    Closed,
    Open,
}

const CPUS: u32 = 4;
const CLIENTS: u32 = 32;

fn served(when: When, beside: Beside) {
    let stack = stack();
    let set = |id, cpu| assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
    let servers: Vec<_> = (0..CPUS)
        .map(|cpu| {
            let id = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
            let set_if = |now| {
                if when == now {
                    set(id, cpu)
                }
            };
            set_if(When::Opened);
            assert_eq!(stack.bind(id, addr()), Ok(()));
            set_if(When::Bound);
            assert_eq!(stack.listen(id, CPUS * CLIENTS), Ok(()));
            set_if(When::Listening);
            id
        })
        .collect();
    if when == When::AllListening {
        (0..).zip(&servers).for_each(|(cpu, &id)| set(id, cpu));
    }
    let beside_them = (beside != Beside::Nobody).then(|| {
        let id = stack.listen_at(addr(), CPUS * CLIENTS, true).unwrap();
        assert_eq!(stack.set_incoming_cpu(id, None), Ok(()));
        id
    });
    if beside == Beside::Closed {
        assert_eq!(close(&stack, beside_them.unwrap()), []);
    }
    for (cpu, &server) in (0..).zip(&servers) {
        for client in cpu * CLIENTS..(cpu + 1) * CLIENTS {
            // Any hash will do.
            let hashes = Hashes { syn_hash: client.wrapping_mul(0x9e37_79b9), sk_hash: 0 };
            let arrival = Arrival { tuple: tuple(addr(), client), hashes };
            let went = delivered(stack.deliver(arrival, on(cpu), client), client);
            assert_eq!(went, Ok(server), "{when:?}, {beside:?}");
        }
    }
    let all = servers.iter().map(|&id| accept_all(&stack, id).len()).collect::<Vec<_>>();
    assert_eq!(all, [CLIENTS as usize; CPUS as usize]);
    let open = beside_them.filter(|_| beside == Beside::Open);
    assert!(open.is_none_or(|id| accept_all(&stack, id).is_empty()), "nobody is for it");
    finish(stack, &[servers, open.into_iter().collect()].concat());
}

/// `so_incoming_cpu`, its three tests, each with its four moments.
#[test]
fn each_server_gets_the_connections_of_its_cpu() {
    for when in [When::Opened, When::Bound, When::Listening, When::AllListening] {
        for beside in [Beside::Nobody, Beside::Closed, Beside::Open] {
            served(when, beside);
        }
    }
}

/// Rule 13: from where the hash falls the first that is for this CPU, or else who is there.
#[test]
fn the_search_begins_where_the_hash_falls_and_goes_round() {
    let stack = stack();
    let ids: [Listener; 5] = std::array::from_fn(|_| stack.listen_at(addr(), 64, true).unwrap());
    for (id, cpu) in [(ids[1], 7), (ids[3], 7), (ids[4], u32::MAX - 1)] {
        assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
    }
    for (cpu, got) in
        [(7, [1, 1, 3, 3, 1]), (u32::MAX - 1, [4; 5]), (0, [0, 1, 2, 3, 4]), (6, [0, 1, 2, 3, 4])]
    {
        for (place, got) in (0..).zip(got) {
            let arrival = arrival_at((place, 5), (0, 1), 1);
            assert_eq!(delivered(stack.deliver(arrival, on(cpu), 1), 1), Ok(ids[got]), "{cpu}, {place}");
        }
    }
    // A number above all is the highest.
    assert_eq!(stack.set_incoming_cpu(ids[4], Some(u32::MAX)), Ok(()));
    let arrival = arrival_at((0, 5), (0, 1), 1);
    assert_eq!(delivered(stack.deliver(arrival, on(u32::MAX - 1), 1), 1), Ok(ids[4]));
    // Once nobody is for a CPU, the hash is all.
    for id in [1, 3, 4].map(|index: usize| ids[index]) {
        assert_eq!(stack.set_incoming_cpu(id, None), Ok(()));
    }
    assert_eq!(delivered(stack.deliver(arrival_at((2, 5), (0, 1), 1), on(7), 1), 1), Ok(ids[2]));
    finish(stack, &ids);
}

/// Rule 13, of a migration: the CPU is the one that closes.
#[test]
fn what_waits_goes_to_the_member_for_the_closers_cpu() {
    let stack = stack();
    let ids: [Listener; 4] = std::array::from_fn(|_| stack.listen_at(addr(), 64, true).unwrap());
    for client in 0..40 {
        assert_eq!(deliver_at(&stack, (1, 4), (client % 3, 3), client), ids[1]);
    }
    let _ = syn(&stack, arrival_at((1, 4), (0, 3), 40));
    for (id, cpu) in [(ids[2], 3), (ids[0], 5)] {
        assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
    }
    let ends: Vec<_> = stack.close(ids[1], on(3)).unwrap().map(end).collect();
    assert!(ends.len() == 40 && ends.iter().all(|end| *end == End::Moved(ids[2])), "{ends:?}");
    // And of a handshake that ends the one where it does.
    let ack = stack.ack(&tuple(addr(), 40), Payload::None, on(5), 40);
    assert_eq!(delivered(ack, 40), Ok(ids[0]));
    finish(stack, &[ids[0], ids[2], ids[3]]);
}

/// How many members for some CPU the group of `id` counts, which the graph recounts.
fn counted(stack: &mut TestStack, id: Listener) -> Option<u32> {
    let graph = graph(stack);
    graph.listeners[id.index() as usize].group.map(|group| graph.groups[group as usize].incoming_cpu)
}

/// Rule 13: a member in the closed section counts, too, and keeps its CPU when it listens again.
#[test]
fn a_group_counts_whoever_joins_leaves_and_changes() {
    let mut stack = stack();
    let ids: [Listener; 3] = std::array::from_fn(|_| stack.listen_at(addr(), 64, true).unwrap());
    let set =
        |stack: &TestStack, index: usize, cpu| assert_eq!(stack.set_incoming_cpu(ids[index], cpu), Ok(()));
    for (index, cpu, count) in
        [(0, Some(1), 1), (0, Some(2), 1), (1, Some(2), 2), (0, None, 1), (0, None, 1), (0, Some(0), 2)]
    {
        set(&stack, index, cpu);
        assert_eq!(counted(&mut stack, ids[2]), Some(count));
    }
    // Into the closed section, there and back.
    assert_eq!(shutdown(&stack, ids[0]), []);
    assert_eq!(counted(&mut stack, ids[0]), Some(2));
    set(&stack, 0, None);
    assert_eq!(counted(&mut stack, ids[2]), Some(1));
    set(&stack, 0, Some(3));
    assert_eq!((counted(&mut stack, ids[2]), stack.listen(ids[0], 64)), (Some(2), Ok(())));
    assert_eq!(counted(&mut stack, ids[2]), Some(2));
    // Out of the group, changed outside, and back.
    stack.set_migrate_req(false);
    assert_eq!(shutdown(&stack, ids[0]), []);
    assert_eq!((counted(&mut stack, ids[0]), counted(&mut stack, ids[2])), (None, Some(1)));
    set(&stack, 0, None);
    set(&stack, 0, Some(9));
    assert_eq!(stack.listen(ids[0], 64), Ok(()));
    assert_eq!(counted(&mut stack, ids[2]), Some(2));
    assert_eq!(close(&stack, ids[0]), []);
    assert_eq!(counted(&mut stack, ids[2]), Some(1));
    // Who has its slot next is for no CPU.
    let next = stack.listen_at(addr(), 64, true).unwrap();
    assert_eq!((next.index(), counted(&mut stack, next)), (ids[0].index(), Some(1)));
    assert_eq!(stack.set_incoming_cpu(ids[0], Some(1)), Err(SockError::Stale));
    finish(stack, &[next, ids[1], ids[2]]);
}

#[test]
fn a_group_does_not_count_who_was_evicted() {
    let mut stack = stack_of(Sizes { max_socks: 2, ..MANY }, Design::Linux);
    let [a, b] = [(); 2].map(|()| stack.listen_at(addr(), 64, true).unwrap());
    assert_eq!([a, b].map(|id| stack.set_incoming_cpu(id, Some(1))), [Ok(()); 2]);
    assert_eq!(shutdown(&stack, a), []);
    let c = stack.listen_at(addr(), 64, true).unwrap();
    assert_eq!([a, b, c].map(|id| counted(&mut stack, id)), [None, Some(1), Some(1)]);
    finish(stack, &[a, b, c]);
}
