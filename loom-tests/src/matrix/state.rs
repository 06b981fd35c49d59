//! The state file: what a run has found so far, so that an interrupted one can be resumed.
//!
//! One line of JSON a model, written and flushed when the model is done. Each line carries the
//! fingerprint of the executable that found it: a line of another one is never used. A run that is
//! killed leaves at worst half a line at the end, which is dropped, and said.

use super::report::Report;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A state file, open for more.
#[derive(Debug)]
pub struct State {
    file: File,
    fingerprint: String,
    /// What it had of this executable.
    pub reports: Vec<Report>,
    /// What there is to say of the rest of it, a sentence each.
    pub notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    report: Report,
}

impl State {
    /// Opens the file, or makes it, and reads what an executable of that fingerprint left there.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub fn open(path: &Path, fingerprint: String) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let mut state = Self { file, fingerprint, reports: Vec::new(), notes: Vec::new() };
        state.read(&text[..whole]);
        if whole < text.len() {
            state.notes.push(format!("the last line of {} was cut off and is dropped", path.display()));
        }
        Ok(state)
    }

    fn read(&mut self, text: &[u8]) {
        let (mut foreign, mut unreadable) = (0, 0);
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<Entry>(line) {
                Ok(entry) if entry.fingerprint != self.fingerprint => foreign += 1,
                Ok(entry) if entry.report.is_complete() => self.reports.push(entry.report),
                _ => unreadable += 1,
            }
        }
        if foreign > 0 {
            self.notes.push(format!("{foreign} models of another build are not reused"));
        }
        if unreadable > 0 {
            self.notes.push(format!("{unreadable} lines of the state file are unreadable and not used"));
        }
    }

    /// Adds what was found, so that it is there whatever happens next.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn append(&mut self, report: &Report) -> io::Result<()> {
        let entry = Entry { fingerprint: self.fingerprint.clone(), report: report.clone() };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.flush()
    }
}

/// Returns the fingerprint of the running executable: it changes with the source, the dependencies
/// and the compiler.
///
/// # Errors
///
/// If the executable cannot be read.
pub fn fingerprint() -> io::Result<String> {
    // Its values may change with the compiler, and then so does the executable.
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(&std::fs::read(std::env::current_exe()?)?);
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Settings, explore};
    use crate::{designs, scenario};

    fn report() -> Report {
        let column = designs::by_name("abort").unwrap();
        let scenario = scenario::by_name("last_member_arrival").unwrap();
        Report::from(&explore(column, scenario, Settings::default()))
    }

    fn open(path: &Path, fingerprint: &str) -> State {
        State::open(path, fingerprint.to_owned()).unwrap()
    }

    #[test]
    fn what_was_found_is_read_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/state.jsonl");
        let report = report();
        open(&path, "one").append(&report).unwrap();
        let state = open(&path, "one");
        assert_eq!(state.reports, [report]);
        assert!(state.notes.is_empty(), "{:?}", state.notes);
    }

    #[test]
    fn what_another_build_found_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        open(&path, "one").append(&report()).unwrap();
        let state = open(&path, "two");
        assert!(state.reports.is_empty());
        assert_eq!(state.notes, ["1 models of another build are not reused"]);
    }

    #[test]
    fn half_a_line_at_the_end_is_dropped_and_said_and_the_next_line_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        let report = report();
        open(&path, "one").append(&report).unwrap();
        open(&path, "one").append(&report).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 20).unwrap();
        let mut state = open(&path, "one");
        assert_eq!(state.reports.len(), 1);
        assert!(state.notes[0].contains("was cut off"), "{:?}", state.notes);
        state.append(&report).unwrap();
        assert_eq!(open(&path, "one").reports.len(), 2);
    }

    #[test]
    fn a_line_without_a_verdict_on_some_property_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        let mut report = report();
        report.verdicts.pop();
        open(&path, "one").append(&report).unwrap();
        let state = open(&path, "one");
        assert!(state.reports.is_empty());
        assert!(state.notes[0].contains("unreadable"), "{:?}", state.notes);
    }
}
