//! The loop: read a line, do what it says, compare what it shows.

use crate::episode::Episode;
use crate::error::{Malformed, TraceError};
use crate::lines::Lines;
use crate::summary::{Divergence, Summary, differences};
use crate::trace::{Header, Line, Observation, Operation};
use rskq::Design;
use std::collections::VecDeque;
use std::io::Read;

/// How many lines before a divergence are shown with it.
pub const SHOWN_BEFORE: usize = 8;

/// The design that Linux has today: what a trace is expected to agree with.
pub const LINUX: Design = Design::Linux;

/// Replays a trace, compressed or not, against a stack with Linux's design.
///
/// A divergence is no error: it ends its episode, is kept in the summary, and the next episode goes
/// on.
///
/// # Errors
///
/// If the trace is damaged, is not a trace, contradicts itself, or has nothing to replay.
pub fn replay(reader: impl Read) -> Result<Summary, TraceError> {
    replay_with(reader, LINUX)
}

/// The same against a stack with another design, to see where they differ.
///
/// # Errors
///
/// As [`replay`].
pub fn replay_with(reader: impl Read, design: Design) -> Result<Summary, TraceError> {
    let mut lines = Lines::new(reader)?;
    let mut replay = Replay::new(design);
    while let Some((line, text)) = lines.next_line()? {
        replay.line(line, text).map_err(|why| TraceError { line, why })?;
    }
    replay.finish().map_err(|why| TraceError { line: lines.last(), why })
}

struct Replay {
    design: Design,
    summary: Summary,
    header: Option<Header>,
    now: Now,
    before: VecDeque<(u64, Vec<u8>)>,
}

/// Where the replay is.
enum Now {
    BeforeFirstEpisode,
    In(Box<Episode>),
    /// The rest of the episode, after a divergence, is only read.
    Skipping,
}

impl Replay {
    fn new(design: Design) -> Self {
        Self {
            design,
            summary: Summary::default(),
            header: None,
            now: Now::BeforeFirstEpisode,
            before: VecDeque::new(),
        }
    }

    fn line(&mut self, number: u64, text: Vec<u8>) -> Result<(), Malformed> {
        match (Line::parse(&text)?, &self.header) {
            (Line::Header(header), None) => self.header = Some(header),
            (Line::Header(_), Some(_)) => return Err(Malformed::SecondHeader),
            (_, None) => return Err(Malformed::NoHeader),
            (Line::Episode(start), Some(header)) => {
                self.summary.episodes += 1;
                self.before.clear();
                self.now = Now::In(Box::new(Episode::new(header, start, self.design)));
            }
            (Line::Operation(operation, expected), Some(_)) => {
                self.operation(number, text, operation, &expected)?;
            }
        }
        Ok(())
    }

    fn operation(
        &mut self,
        line: u64,
        text: Vec<u8>,
        operation: Operation,
        expected: &Observation,
    ) -> Result<(), Malformed> {
        let Self { summary, now, before, .. } = self;
        summary.operations += 1;
        let episode = match now {
            Now::BeforeFirstEpisode => return Err(Malformed::NoEpisode),
            Now::In(episode) => episode,
            Now::Skipping => return Ok(()),
        };
        let got = episode.step(operation)?;
        summary.replayed += 1;
        let fields = differences(expected, &got);
        if fields.is_empty() {
            if before.len() == SHOWN_BEFORE {
                before.pop_front();
            }
            before.push_back((line, text));
        } else {
            let readable = |text: Vec<u8>| String::from_utf8_lossy(&text).into_owned();
            let before = before.drain(..).map(|(line, text)| (line, readable(text))).collect();
            let text = readable(text);
            summary.divergences.push(Divergence { line, episode: summary.episodes, text, before, fields });
            *now = Now::Skipping;
        }
        Ok(())
    }

    /// At the end of the trace. One without anything to replay agrees with everything, which is
    /// not what a reader of "no divergence" understands.
    fn finish(self) -> Result<Summary, Malformed> {
        let Self { summary, header, .. } = self;
        if header.is_none() {
            Err(Malformed::NoHeader)
        } else if summary.episodes == 0 {
            Err(Malformed::Empty)
        } else if summary.replayed == 0 {
            Err(Malformed::NothingReplayed(summary.operations))
        } else {
            Ok(summary)
        }
    }
}
