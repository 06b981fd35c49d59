//! What the oracle says about the recorded traces, and that it would say so if they were otherwise.

mod command_line;
mod control;
mod format;
#[cfg(target_os = "linux")]
mod live;
mod malformed;
mod recorded;

use linux_oracle::embedded::{TRACES, Trace};
use linux_oracle::lines::Lines;
use linux_oracle::trace::Line;
use serde_json::Value;
use std::sync::LazyLock;

/// The recorded traces, read once: altering one begins with a clone.
static RECORDED: LazyLock<[Text; 2]> = LazyLock::new(|| TRACES.map(Text::of));

/// A trace in memory, to be altered.
#[derive(Clone)]
struct Text {
    lines: Vec<String>,
    /// The indices of the operations that are replayed, episode by episode.
    episodes: Vec<Vec<usize>>,
}

impl Text {
    fn of(trace: Trace) -> Self {
        let mut input = Lines::new(trace.bytes).expect("readable");
        let mut lines = Vec::new();
        while let Some((number, line)) = input.next_line().expect("readable") {
            assert_eq!(number, lines.len() as u64 + 1);
            lines.push(String::from_utf8(line).expect("UTF-8"));
        }
        Self { episodes: episodes(&lines), lines }
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.join("\n").into_bytes()
    }

    /// Alters the line at `index` as JSON.
    fn alter(&mut self, index: usize, alter: impl FnOnce(&mut Value)) {
        let mut line = serde_json::from_str(&self.lines[index]).expect("JSON");
        alter(&mut line);
        self.lines[index] = line.to_string();
    }

    /// Returns the index of the first replayed operation whose line `which` picks.
    fn find(&self, which: impl Fn(&Value) -> bool) -> usize {
        let fits = |index: &&usize| which(&serde_json::from_str(&self.lines[**index]).expect("JSON"));
        *self.episodes.iter().flatten().find(fits).expect("such a line is in the trace")
    }
}

/// The lines of each episode's operations.
fn episodes(lines: &[String]) -> Vec<Vec<usize>> {
    let mut episodes: Vec<Vec<usize>> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match Line::parse(line.as_bytes()).expect("well formed") {
            Line::Header(_) => {}
            Line::Episode(_) => episodes.push(Vec::new()),
            Line::Operation(..) => episodes.last_mut().expect("an episode").push(index),
        }
    }
    episodes
}
