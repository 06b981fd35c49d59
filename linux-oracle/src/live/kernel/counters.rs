//! The statistics, by `/proc`.

use crate::trace::COUNTERS;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Reads the statistics and says which grew.
pub(super) struct Counters([Table; 2]);

/// A file of pairs of lines: names, then values.
struct Table {
    file: File,
    text: Vec<u8>,
    /// The line of the values, and of each statistic the column and its last value.
    line: usize,
    columns: Vec<Column>,
}

struct Column {
    index: usize,
    name: &'static str,
    last: u64,
}

impl Counters {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self([Table::open("netstat", "TcpExt:")?, Table::open("snmp", "Tcp:")?]))
    }

    /// Returns the increments since the last time, of those that grew.
    pub(super) fn grown(&mut self) -> io::Result<BTreeMap<String, u32>> {
        let mut grown = BTreeMap::new();
        for table in &mut self.0 {
            table.read(|name, by| grown.extend([(name.to_owned(), by)]))?;
        }
        Ok(grown)
    }
}

impl Table {
    fn open(file: &str, prefix: &str) -> io::Result<Self> {
        let path = format!("/proc/thread-self/net/{file}");
        let mut table =
            Self { file: File::open(path)?, text: vec![0; 1 << 14], line: 0, columns: Vec::new() };
        let size = table.fill()?;
        let text = String::from_utf8_lossy(&table.text[..size]).into_owned();
        let (line, header) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.starts_with(prefix))
            .ok_or(io::ErrorKind::NotFound)?;
        table.line = line + 1;
        // The rest is in another table; and what an older kernel does not have never grows.
        table.columns = header
            .split(' ')
            .enumerate()
            .filter_map(|(index, word)| Some((index, *COUNTERS.iter().find(|name| **name == word)?)))
            .map(|(index, name)| Column { index, name, last: 0 })
            .collect();
        table.read(|_, _| ())?;
        Ok(table)
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

    fn read(&mut self, mut grew: impl FnMut(&'static str, u32)) -> io::Result<()> {
        let size = self.fill()?;
        let mut lines = self.text[..size].split(|&byte| byte == b'\n');
        let mut words =
            lines.nth(self.line).ok_or(io::ErrorKind::UnexpectedEof)?.split(|&byte| byte == b' ').enumerate();
        for column in &mut self.columns {
            let (_, word) =
                words.find(|&(index, _)| index == column.index).ok_or(io::ErrorKind::UnexpectedEof)?;
            let value = word.iter().fold(0_u64, |value, &digit| {
                value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
            });
            let by = value.wrapping_sub(column.last) as u32;
            if by != 0 {
                column.last = value;
                grew(column.name, by);
            }
        }
        Ok(())
    }
}
