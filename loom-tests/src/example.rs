//! The patch's own example: four listeners of one group, A to D, closed by turns.

use crate::designs::Column;
use crate::observer::letter;
use crate::world::HERE;
use comfy_table::{Table, presets};
use rskq::{Arrival, Config, DefaultBackend, Hashes, ListenerId, Member, Outcome, Resources, Stack, Storage};
use std::net::SocketAddr;

const LISTENERS: u32 = 4;
const EACH: u32 = 2;

/// Where the connections were after each close, and which were reset, under one design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// One line a close: the queues of those that still listen, then the resets.
    pub after: Vec<String>,
    /// How many connections were reset.
    pub reset: usize,
    /// How many were left to the last listener.
    pub left: usize,
}

/// Closes A, B and C in turn while each of the four holds two connections that came in by hash.
///
/// # Panics
///
/// If the stack has no room for four listeners and eight connections, which it has.
#[must_use]
pub fn course(column: Column) -> Course {
    let mut stack: Stack<'static, u32, DefaultBackend> = Stack::new(
        Resources {
            listeners: Storage::boxed(LISTENERS as usize),
            requests: Storage::boxed(2 * (LISTENERS * EACH) as usize),
            owners: Storage::boxed(LISTENERS as usize),
            groups: Storage::boxed(1),
            socks: Storage::boxed(2 * Member::<DefaultBackend>::count_for(LISTENERS)),
            ports: Storage::boxed(1),
            buckets: Storage::boxed(1),
            ehash: Storage::boxed(1),
        },
        Config::migrating(column.design),
    );
    let local = SocketAddr::from(([127, 0, 0, 1], 80));
    let open = |_| stack.listen_at(local, EACH, true).expect("there is room");
    let ids: Vec<ListenerId<u32, DefaultBackend>> = (0..LISTENERS).map(open).collect();
    for connection in 0..LISTENERS * EACH {
        // Evenly over the hash space, so that each listener's part of it gets its two.
        let hash = (u64::from(2 * connection + 1) << 31) / u64::from(LISTENERS * EACH);
        let hashes = Hashes { syn_hash: hash as u32, sk_hash: hash as u32 };
        let delivered =
            stack.deliver(Arrival { tuple: rskq::Tuple { local, remote: local }, hashes }, HERE, connection);
        assert!(delivered.is_ok(), "there is room");
    }
    let mut course = Course { after: Vec::new(), reset: 0, left: 0 };
    let (last, others) = ids.split_last().expect("there are four");
    for (closed, &id) in others.iter().enumerate() {
        let steps = stack.close(id, HERE).expect("it is open");
        let aborted = steps.filter_map(|outcome| match outcome {
            Outcome::Aborted(connection) => Some(connection),
            _ => None,
        });
        let aborted: Vec<_> = aborted.collect();
        course.reset += aborted.len();
        course.after.push(describe(&mut stack, closed, &aborted));
    }
    course.left = stack.queue_len(*last).expect("it listens").0 as usize;
    course
}

fn describe(stack: &mut Stack<'static, u32, DefaultBackend>, closed: usize, aborted: &[u32]) -> String {
    let numbers = |list: &[u32]| list.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let mut parts = Vec::new();
    for (slot, listener) in (0..).zip(stack.graph_mut().listeners).skip(closed + 1) {
        let waiting = listener.queue.into_iter().flat_map(|queue| queue.requests);
        let waiting: Vec<_> = waiting.filter_map(|request| request.child).collect();
        parts.push(format!("{} [{}]", letter(slot), numbers(&waiting)));
    }
    if !aborted.is_empty() {
        parts.push(format!("reset {}", numbers(aborted)));
    }
    parts.join("  ")
}

/// Returns the courses of several designs side by side.
#[must_use]
pub fn table(columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["design", "after close(A)", "after close(B)", "after close(C)", "kept", "reset"]);
    for &column in columns {
        let Course { after, reset, left } = course(column);
        let counts = [left.to_string(), reset.to_string()];
        table.add_row([column.title.to_owned()].into_iter().chain(after).chain(counts));
    }
    table.to_string()
}
