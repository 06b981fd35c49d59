//! Trace files: whatever the bytes are, an answer, with the line that it is about; what is read is written as it was.

mod damage;
mod said;
pub mod seeds;

use crate::crash;
use damage::Damage;
use flate2::Compression;
use flate2::write::GzEncoder;
use linux_oracle::error::Malformed;
use linux_oracle::lines::Lines;
use linux_oracle::trace::Line;
use linux_oracle::{Summary, TraceError, replay};
use rskq::sync::seeded::plant;
use std::fmt;
use std::io::{self, Write};

/// What can be broken between the parser and what it is asked, to show that the target finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line is read without its counters.
    CountersLost,
    /// A line is read without what it says of fast open.
    FastOpenLost,
    /// An error names the line before.
    LineBefore,
    /// Damage of a compressed trace is not reported.
    DamageIgnored,
    /// A line that does not read is a panic.
    Panics,
}

/// All of them.
pub const FAULTS: &[Fault] =
    &[Fault::CountersLost, Fault::FastOpenLost, Fault::LineBefore, Fault::DamageIgnored, Fault::Panics];

/// A trace, or what is meant to be one.
pub struct Input<'a> {
    bytes: &'a [u8],
    fault: Option<Fault>,
}

impl<'a> Input<'a> {
    /// These bytes: the file, or, if they begin with byte 1, what is compressed and then damaged.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, fault: None }
    }

    /// Reads and replays the bytes, with something broken or without; what must not be is a panic, before which the
    /// test is printed that panics in the same way.
    pub fn run(mut self, fault: Option<Fault>) {
        plant(None);
        self.fault = fault;
        crash::tell(&Printed(self.bytes.to_vec()), || match Damage::split(self.bytes) {
            Some((damage, text)) => self.compressed(damage, text),
            None => drop(self.file(self.bytes)),
        });
    }

    /// Replays a file and reads its lines one by one: both say the same.
    fn file(&self, bytes: &[u8]) -> Result<Summary, TraceError> {
        let replayed = self.replay(bytes);
        let read = self.lines(bytes);
        match (&replayed, &read) {
            (Err(replay), Err(lines)) => assert!(replay.line <= lines.line, "{replay}; but {lines}"),
            (Ok(_), Err(lines)) => panic!("replayed although it cannot be read: {lines}"),
            (Err(error), Ok(lines)) => {
                assert!((1..=(*lines).max(1)).contains(&error.line), "{lines} lines, but {error}")
            }
            (Ok(summary), Ok(lines)) => {
                assert!(summary.episodes + summary.operations < *lines, "{lines} lines: {summary:?}");
                assert!(summary.replayed <= summary.operations, "{summary:?}");
                assert!(summary.divergences.len() as u64 <= summary.episodes, "{summary:?}");
            }
        }
        replayed
    }

    fn replay(&self, bytes: &[u8]) -> Result<Summary, TraceError> {
        let replayed = replay(bytes);
        if let Err(error) = &replayed {
            let said = error.to_string();
            assert!(said.starts_with(&format!("{}: ", error.line)), "{said}");
            assert!(said.len() < 2 * linux_oracle::lines::MAX_LINE as usize);
        }
        match replayed {
            Err(TraceError { line, why }) if self.fault == Some(Fault::LineBefore) => {
                Err(TraceError { line: line - 1, why })
            }
            replayed => replayed,
        }
    }

    /// Returns how many lines there are.
    fn lines(&self, bytes: &[u8]) -> Result<u64, TraceError> {
        let mut lines = Lines::new(bytes)?;
        let mut last = 0;
        while let Some((line, text)) = lines.next_line()? {
            assert_eq!(line, last + 1, "lines are counted");
            last = line;
            match self.parse(&text) {
                Ok(read) => self.writes_back(&text, &read),
                Err(_) if self.fault == Some(Fault::Panics) => panic!("a line does not read"),
                Err(why) => return Err(TraceError { line, why }),
            }
        }
        Ok(last)
    }

    fn parse(&self, text: &[u8]) -> Result<Line, Malformed> {
        let mut line = Line::parse(text)?;
        match (&mut line, self.fault) {
            (Line::Operation(_, observation), Some(Fault::CountersLost)) => observation.counters.clear(),
            (Line::Operation(linux_oracle::trace::Operation::Open(open), _), Some(Fault::FastOpenLost)) => {
                open.fastopen = None;
            }
            _ => {}
        }
        Ok(line)
    }

    /// What was read is written so that it reads the same, and says all that the text said.
    fn writes_back(&self, text: &[u8], line: &Line) {
        let written = line.to_string();
        let again = self.parse(written.as_bytes()).unwrap_or_else(|why| panic!("{written}: {why}"));
        assert_eq!(again, *line, "{written}");
        assert_eq!(again.to_string(), written);
        said::all(text, &written);
    }

    /// What is compressed is what it was; what is damaged then is reported, or nothing came of it.
    fn compressed(&self, damage: Damage, text: &[u8]) {
        let whole = self.file(text);
        let damaged = damage.done_to(compressed(text).expect("memory takes what is written"));
        let got = match (self.file(&damaged), self.fault) {
            (Err(TraceError { why: Malformed::Read(_), .. }), Some(Fault::DamageIgnored)) => {
                Ok(Summary::default())
            }
            (got, _) => got,
        };
        if damage.is_none() {
            assert_eq!(got.is_ok(), whole.is_ok(), "{got:?}; not compressed {whole:?}");
        }
        if let Ok(got) = got {
            assert_eq!(Some(got), whole.ok(), "damage went unnoticed");
        }
    }
}

/// A test, for `fuzz/tests/regressions.rs`.
#[derive(Clone)]
struct Printed(Vec<u8>);

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.escape_ascii();
        write!(f, "#[test]\nfn found_by_fuzzing() {{\n    trace::Input::new(b\"{bytes}\").run(None);\n}}")
    }
}

fn compressed(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text)?;
    encoder.finish()
}
