//! The lock-order graph: what the table declares, and what the models take under what.

mod mermaid;
mod svg;

use crate::artifact::Artifact;
use crate::designs::{COLUMNS, Column};
use crate::explore::{Settings, explore_as};
use crate::nesting::Nesting;
use crate::scenario::{SCENARIOS, Scenario};
use rayon::prelude::*;
use rskq::lockdep::order::ORDER;
use rskq::sync::model::{Coarse, Fine};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Most preemptions of the runs that are watched: enough that every operation runs to its end, once
/// with nobody in its way and once with somebody.
const PREEMPTIONS: u8 = 1;

/// Which classes were taken under which, and by which designs; by rank.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Every class, outermost first.
    pub classes: Vec<&'static str>,
    /// Each nesting that was seen, with the designs it was seen under.
    pub seen: BTreeMap<Nesting, BTreeSet<&'static str>>,
    /// The designs that were watched.
    pub designs: Vec<&'static str>,
}

impl Graph {
    /// Watches every design of the matrix in every race of two threads; ours at the grain at which slabs' locks are
    /// seen as well. The designs of the discussion, as posted, race for plain memory there, which ends a run.
    #[must_use]
    pub fn observed() -> Self {
        // More threads take no other locks.
        let small = || SCENARIOS.iter().filter(|scenario| scenario.threads.len() <= 2);
        let of = |&column: &Column| small().map(move |&scenario| (column, scenario));
        let columns: Vec<_> = COLUMNS.iter().filter(|column| column.in_matrix).collect();
        let models: Vec<_> = columns.iter().copied().flat_map(of).collect();
        let watch = |&(column, scenario): &(Column, Scenario)| {
            let settings = Settings { bound: Some(PREEMPTIONS), nestings: true, ..Settings::default() };
            let exploration = if column.is_ours() {
                explore_as::<Fine>(column, scenario, settings)
            } else {
                explore_as::<Coarse>(column, scenario, settings)
            };
            (column.name, exploration.nestings)
        };
        let mut graph = Self {
            classes: ORDER.to_vec(),
            designs: columns.iter().map(|column| column.name).collect(),
            ..Self::default()
        };
        for (design, nestings) in models.par_iter().with_max_len(1).map(watch).collect::<Vec<_>>() {
            for nesting in nestings {
                graph.seen.entry(nesting).or_default().insert(design);
            }
        }
        graph
    }

    /// Returns what there is to say of a nesting: its order, if that is not a matter of course, and
    /// who takes it, if not every design does.
    fn label(&self, nesting: Nesting, designs: &BTreeSet<&'static str>) -> Option<String> {
        let order = match nesting {
            Nesting { against_order: true, .. } => Some("against the order".to_owned()),
            Nesting { held, taken, .. } => (held == taken).then(|| "lower key first".to_owned()),
        };
        let some = designs.len() < self.designs.len();
        let takers = some.then(|| designs.iter().copied().collect::<Vec<_>>().join(", "));
        let parts: Vec<_> = [order, takers].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    }

    /// Returns the neighbours in the order of which no model took the inner under the outer.
    fn only_declared(&self) -> impl Iterator<Item = (u8, u8)> {
        let seen = |held, taken| self.seen.keys().any(|n| (n.held, n.taken) == (held, taken));
        let neighbours = (0..self.classes.len() as u8).zip(1..self.classes.len() as u8);
        neighbours.filter(move |&(held, taken)| !seen(held, taken))
    }

    /// Returns the graph as the files that are committed.
    #[must_use]
    pub fn artifacts(&self, directory: &Path) -> [Artifact; 2] {
        [
            Artifact { path: directory.join("lock-order.svg"), text: svg::draw(self) },
            Artifact { path: directory.join("lock-order.mmd"), text: mermaid::write(self) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nesting(held: u8, taken: u8, against_order: bool) -> Nesting {
        Nesting { held, taken, against_order }
    }

    fn graph() -> Graph {
        let seen = [
            (nesting(0, 1, false), BTreeSet::from(["one", "two"])),
            (nesting(2, 1, true), BTreeSet::from(["two"])),
        ];
        Graph { classes: vec!["Outer", "Middle", "Inner"], seen: seen.into(), designs: vec!["one", "two"] }
    }

    #[test]
    fn what_is_against_the_order_is_said_and_red_and_what_nobody_takes_is_dashed() {
        let text = mermaid::write(&graph());
        assert!(text.contains("c0 --> c1\n"), "{text}");
        assert!(text.contains("c2 -->|\"against the order: two\"| c1\n"), "{text}");
        assert!(text.contains("c1 -.- c2\n"), "{text}");
        assert!(text.contains("linkStyle 1 stroke:#cf222e"), "{text}");
        let drawing = svg::draw(&graph());
        assert!(drawing.contains("against the order: two") && drawing.contains("#cf222e"), "{drawing}");
    }

    #[test]
    fn a_graph_in_order_has_nothing_red() {
        let mut graph = graph();
        graph.seen.remove(&nesting(2, 1, true));
        assert!(!mermaid::write(&graph).contains("linkStyle"));
        assert!(!svg::draw(&graph).contains("#cf222e"));
    }
}
