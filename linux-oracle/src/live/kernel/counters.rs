//! The statistics, by `/proc`.

use crate::trace::COUNTERS;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The lines of the file that are looked at: names, then values.
const PREFIX: &str = "TcpExt:";

/// Reads the statistics and says which grew. To read is what most of an operation's time goes into.
pub(super) struct Counters {
    file: File,
    text: Vec<u8>,
    /// The line of the values.
    line: usize,
    columns: Vec<Column>,
}

/// A statistic: where it is in its line, and its last value.
struct Column {
    index: usize,
    name: &'static str,
    last: u64,
}

impl Counters {
    pub(super) fn open() -> io::Result<Self> {
        let file = File::open("/proc/thread-self/net/netstat")?;
        let mut counters = Self { file, text: vec![0; 1 << 14], line: 0, columns: Vec::new() };
        let size = counters.fill()?;
        let text = String::from_utf8_lossy(&counters.text[..size]);
        let mut lines = text.lines().enumerate();
        let (line, names) =
            lines.find(|(_, line)| line.starts_with(PREFIX)).ok_or(io::ErrorKind::InvalidData)?;
        // What an older kernel does not have never grows.
        counters.columns = names
            .split(' ')
            .enumerate()
            .filter_map(|(index, word)| Some((index, *COUNTERS.iter().find(|name| **name == word)?)))
            .map(|(index, name)| Column { index, name, last: 0 })
            .collect();
        counters.line = line + 1;
        counters.grown()?;
        Ok(counters)
    }

    /// Returns the increments since the last time, of those that grew.
    pub(super) fn grown(&mut self) -> io::Result<BTreeMap<String, u32>> {
        let size = self.fill()?;
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let line = self.text[..size].split(|&byte| byte == b'\n').nth(self.line).ok_or_else(damaged)?;
        let mut words = line.split(|&byte| byte == b' ').enumerate();
        let mut grown = BTreeMap::new();
        for Column { index, name, last } in &mut self.columns {
            let (_, word) = words.find(|(at, _)| at == index).ok_or_else(damaged)?;
            let value = str::from_utf8(word).ok().and_then(|word| word.parse().ok()).ok_or_else(damaged)?;
            let before = std::mem::replace(last, value);
            if value != before {
                grown.insert((*name).to_owned(), value.wrapping_sub(before) as u32);
            }
        }
        Ok(grown)
    }

    /// Reads the file whole and returns its size.
    fn fill(&mut self) -> io::Result<usize> {
        let mut size = 0;
        loop {
            match self.file.read_at(&mut self.text[size..], size as u64)? {
                0 => return Ok(size),
                read => size += read,
            }
        }
    }
}
