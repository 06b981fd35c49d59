//! What is to be drawn, in rows and lanes; nothing of it in pixels.

use crate::observer::letter;
use crate::scenario::Scenario;
use crate::story::{self, Step};
use crate::verdict::Interleaving;
use rskq::sync::LockTag;
use rskq::sync::model::{Record, Waiting, What};

/// An interleaving, laid out.
pub(super) struct Plan {
    pub(super) lanes: Vec<Lane>,
    /// One row a step that is told: the lane and the words.
    pub(super) rows: Vec<(usize, String)>,
    /// Each listener's queue over time: from which row on, what waits. The first is of the beginning.
    pub(super) queues: Vec<Vec<(Option<usize>, String)>>,
    /// The property's finding.
    pub(super) finding: String,
    /// Whether it was seen in the last row; otherwise, when all was done.
    pub(super) at_last_row: bool,
}

/// A thread.
pub(super) struct Lane {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
}

impl Lane {
    /// Returns how many locks the thread holds at once, at most.
    pub(super) fn depth(&self) -> usize {
        self.bars.iter().map(|bar| bar.depth + 1).max().unwrap_or(0)
    }
}

/// A lock that a thread holds, or waits for, from one row to another.
pub(super) struct Bar {
    pub(super) lock: LockTag,
    pub(super) held: bool,
    pub(super) from: usize,
    /// `None` if it was so to the end.
    pub(super) to: Option<usize>,
    /// How many locks the thread held before.
    pub(super) depth: usize,
}

impl Plan {
    pub(super) fn of(scenario: &Scenario, interleaving: &Interleaving) -> Self {
        let steps = story::steps(&interleaving.records);
        let title = |(thread, ops)| format!("T{}: {}", thread + 1, story::ops_text(ops));
        let titles = scenario.threads.iter().copied().enumerate().map(title);
        let lanes: Vec<_> = titles.map(|title| Lane { title, bars: Vec::new() }).collect();
        let when = if interleaving.at_end { "when all is done: " } else { "" };
        let empty = story::queue_text(Waiting::new(&[]));
        let mut plan = Self {
            lanes,
            rows: steps.iter().map(|step| (lane(&step.record), step.text.clone())).collect(),
            queues: (0..scenario.listeners).map(|_| vec![(None, empty.clone())]).collect(),
            finding: format!("{when}{}", interleaving.text.trim_end()),
            at_last_row: !interleaving.at_end,
        };
        plan.follow(&interleaving.records, &steps);
        plan
    }

    /// Follows locks and queues through the records, between those that have rows.
    fn follow(&mut self, records: &[Record], steps: &[Step]) {
        let mut told = steps.iter().enumerate().peekable();
        let mut row = None;
        for (index, record) in records.iter().enumerate() {
            let here = told.next_if(|(_, step)| step.index == index).map(|(row, _)| row);
            row = here.or(row);
            match (record.what, here) {
                (What::Waiting(listener, now), _) => {
                    let queue = &mut self.queues[listener as usize];
                    // Before the first row, and within one row, only the last state counts.
                    queue.pop_if(|(before, _)| *before == row);
                    queue.push((row, story::queue_text(now)));
                }
                (What::Wants(tag), Some(row)) => self.begin(lane(record), tag, false, row),
                (What::Gets(tag), Some(row)) => {
                    self.end(lane(record), tag, row);
                    self.begin(lane(record), tag, true, row);
                }
                (What::Releases(tag), Some(row)) => self.end(lane(record), tag, row),
                _ => {}
            }
        }
    }

    fn begin(&mut self, lane: usize, lock: LockTag, held: bool, from: usize) {
        let bars = &mut self.lanes[lane].bars;
        let depth = bars.iter().filter(|bar| bar.held && bar.to.is_none()).count();
        bars.push(Bar { lock, held, from, to: None, depth });
    }

    fn end(&mut self, lane: usize, lock: LockTag, to: usize) {
        let mut bars = self.lanes[lane].bars.iter_mut();
        if let Some(bar) = bars.rfind(|bar| bar.lock == lock && bar.to.is_none()) {
            bar.to = Some(to);
        }
    }
}

fn lane(record: &Record) -> usize {
    usize::from(record.thread) - 1
}

/// Returns the heading of a listener's queue.
pub(super) fn heading(listener: usize) -> String {
    format!("queue of {}", letter(listener as u32))
}
