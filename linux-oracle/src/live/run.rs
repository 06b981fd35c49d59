//! Both sides, compared after every operation.

use super::book::Book;
use super::generator::Generator;
use super::kernel::{Kernel, StepError};
use super::scope::State;
use crate::episode::Episode;
use crate::summary::{Difference, differences};
use crate::trace::{EpisodeStart, Header, Line, Observation, Operation, Shown};
use rskq::Design;
use serde::Serialize;
use std::collections::BTreeMap;

/// An episode whose last operation the two sides differ in.
#[derive(Clone, Debug)]
pub struct Diverging {
    /// What it began with.
    pub start: EpisodeStart,
    /// What was done, and what the kernel showed.
    pub done: Vec<(Operation, Observation)>,
    /// What differs in the end.
    pub fields: Vec<Difference>,
}

impl Diverging {
    /// Returns the episode as a trace, which replays with the same difference.
    #[must_use]
    pub fn trace(&self, header: &Header) -> String {
        let done = self.done.iter().map(|(operation, shown)| Line::Operation(*operation, shown.clone()));
        let lines = [Line::Header(header.clone()), Line::Episode(self.start)].into_iter().chain(done);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// What was done and seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Operations on both sides.
    pub operations: u64,
    /// Episodes.
    pub episodes: u64,
    /// Operations by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Operations by result.
    pub results: BTreeMap<String, u64>,
    /// By how much each counter grew.
    pub counters: BTreeMap<String, u64>,
    /// Episodes in which the two sides differ.
    pub divergences: u64,
}

impl Counts {
    fn count(&mut self, operation: &Operation, observed: &Observation) {
        self.operations += 1;
        *self.kinds.entry(kind(operation)).or_default() += 1;
        let result = match &observed.result {
            Shown::Accepted { child, .. } => format!("accepted {child:?}").to_lowercase(),
            other => name(other),
        };
        *self.results.entry(result).or_default() += 1;
        for (counter, by) in &observed.counters {
            *self.counters.entry(counter.clone()).or_default() += u64::from(*by);
        }
    }
}

/// Returns an operation's `op`.
fn kind(operation: &Operation) -> String {
    let value = serde_json::to_value(operation).unwrap_or_default();
    value["op"].as_str().unwrap_or_default().to_owned()
}

fn name<T: Serialize>(word: &T) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The kernel, and what is compared with it.
pub struct Live {
    /// The kernel.
    pub kernel: Kernel,
    /// How the stack behaves.
    pub design: Design,
    /// What was done so far.
    pub counts: Counts,
}

impl Live {
    /// Does a random episode on both sides.
    ///
    /// # Errors
    ///
    /// If the system fails, or an operation made no sense.
    pub fn episode(&mut self, generator: &mut Generator) -> Result<Option<Diverging>, StepError> {
        let start = generator.episode();
        let header = self.kernel.header().clone();
        self.kernel.episode(start)?;
        self.counts.episodes += 1;
        let mut episode = Episode::new(&header, start, self.design);
        let mut done: Vec<(Operation, Observation)> = Vec::new();
        while let Some(mut operation) = generator.next(&episode, done.last().map(|(_, shown)| shown)) {
            if !generator.hash(&mut operation, &mut self.kernel)? {
                continue;
            }
            let observed = self.kernel.step(&mut operation)?;
            let got = episode.step(operation)?;
            self.counts.count(&operation, &observed);
            generator.shown(&operation, &observed);
            let fields = differences(&observed, &got);
            done.push((operation, observed));
            if !fields.is_empty() {
                self.counts.divergences += 1;
                return Ok(Some(Diverging { start, done, fields }));
            }
        }
        Ok(None)
    }

    /// Does these operations on both sides, until they differ. `None` if they do not, or make no sense.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub fn again(
        &mut self,
        start: EpisodeStart,
        operations: &[Operation],
    ) -> Result<Option<Diverging>, StepError> {
        let header = self.kernel.header().clone();
        self.kernel.episode(start)?;
        let mut episode = Episode::new(&header, start, self.design);
        let mut book = Book::new((header.address, header.port).into());
        let mut done: Vec<(Operation, Observation)> = Vec::new();
        for mut operation in operations.iter().copied() {
            // Without some of the operations another listener may be asked, by another hash.
            let state = State::of(&episode, done.last().map(|(_, shown)| shown));
            if !state.has_in_scope(&book, &operation) || !book.hash(&mut operation, &mut self.kernel)? {
                return Ok(None);
            }
            let observed = match self.kernel.step(&mut operation) {
                Ok(observed) => observed,
                Err(StepError::Malformed(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            let Ok(got) = episode.step(operation) else { return Ok(None) };
            book.shown(&operation, &observed);
            let fields = differences(&observed, &got);
            done.push((operation, observed));
            if !fields.is_empty() {
                return Ok(Some(Diverging { start, done, fields }));
            }
        }
        Ok(None)
    }

    /// Does a random episode on the kernel alone, but for what the generator asks of the stack, and returns its
    /// lines.
    ///
    /// # Errors
    ///
    /// As [`episode`](Self::episode).
    pub fn record(&mut self, generator: &mut Generator) -> Result<Vec<Line>, StepError> {
        let start = generator.episode();
        let header = self.kernel.header().clone();
        self.kernel.episode(start)?;
        self.counts.episodes += 1;
        let mut episode = Episode::new(&header, start, self.design);
        let mut lines = vec![Line::Episode(start)];
        let mut last: Option<Observation> = None;
        while let Some(mut operation) = generator.next(&episode, last.as_ref()) {
            if !generator.hash(&mut operation, &mut self.kernel)? {
                continue;
            }
            let observed = self.kernel.step(&mut operation)?;
            episode.step(operation)?;
            self.counts.count(&operation, &observed);
            generator.shown(&operation, &observed);
            lines.push(Line::Operation(operation, observed.clone()));
            last = Some(observed);
        }
        Ok(lines)
    }
}
