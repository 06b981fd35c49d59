//! Reading a trace line by line, compressed or not.

use crate::error::{Malformed, TraceError};
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Cursor, Read};

/// No line of a trace is nearly as long: what is longer is not a trace, and is not kept in memory.
pub const MAX_LINE: u64 = 1 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The lines of a trace.
pub struct Lines<'r> {
    input: Box<dyn BufRead + 'r>,
    line: u64,
}

impl<'r> Lines<'r> {
    /// Reads from `reader`, which is decompressed if it begins as gzip does.
    ///
    /// # Errors
    ///
    /// If the first bytes cannot be read.
    pub fn new(mut reader: impl Read + 'r) -> Result<Self, TraceError> {
        let mut magic = Vec::new();
        reader
            .by_ref()
            .take(GZIP_MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(|error| TraceError { line: 1, why: error.into() })?;
        let compressed = magic == GZIP_MAGIC;
        let whole = Cursor::new(magic).chain(reader);
        let input: Box<dyn BufRead + 'r> = if compressed {
            Box::new(BufReader::new(MultiGzDecoder::new(whole)))
        } else {
            Box::new(BufReader::new(whole))
        };
        Ok(Self { input, line: 0 })
    }

    /// Returns the next line, without its end, and its number; `None` at the end.
    ///
    /// # Errors
    ///
    /// With the number of the line that cannot be read.
    pub fn next_line(&mut self) -> Result<Option<(u64, Vec<u8>)>, TraceError> {
        let line = self.line + 1;
        let text = self.read_line().map_err(|why| TraceError { line, why })?;
        if text.is_some() {
            self.line = line;
        }
        Ok(text.map(|text| (line, text)))
    }

    /// Returns the number of the last line read, or 1.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.line.max(1)
    }

    fn read_line(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let mut text = Vec::new();
        self.input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut text)?;
        match text.last() {
            None => return Ok(None),
            Some(b'\n') => drop(text.pop()),
            Some(_) if text.len() as u64 > MAX_LINE => return Err(Malformed::TooLong(MAX_LINE)),
            Some(_) => {}
        }
        Ok(Some(text))
    }
}
