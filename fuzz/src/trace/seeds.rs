//! Seeds: pieces of the recorded traces, whole and compressed, and lines that are none.

use super::damage::Damage;
use linux_oracle::TraceError;
use linux_oracle::embedded::{SECOND, TRACES};
use linux_oracle::lines::Lines;
use linux_oracle::trace::Line;

/// Most lines of a seed, besides the header.
const PIECE: usize = 12;
/// Of so many episodes one is a seed.
const EVERY: usize = 8;

/// Returns every seed, the same each time.
///
/// # Errors
///
/// If a recorded trace cannot be read.
pub fn all() -> Result<Vec<Vec<u8>>, TraceError> {
    let mut seeds = Vec::new();
    for trace in TRACES.into_iter().chain([SECOND]) {
        seeds.extend(pieces(trace.bytes)?.into_iter().step_by(EVERY));
    }
    let some: Vec<Vec<u8>> = seeds.iter().take(3).cloned().collect();
    for (text, (place, bits, missing)) in some.iter().zip([(0, 0, 0), (90, 4, 0), (0, 0, 9)]) {
        seeds.push([&Damage::bytes(place, bits, missing)[..], text].concat());
    }
    for (from, to) in
        [("\"listener\":1", "\"listener\":18446744073709551616"), ("{", "[["), ("\"ok\"", "{\"error\":\"\"}")]
    {
        seeds.push(String::from_utf8_lossy(&some[0]).replace(from, to).into_bytes());
    }
    Ok(seeds)
}

/// The begin of each episode, after the header.
fn pieces(trace: &[u8]) -> Result<Vec<Vec<u8>>, TraceError> {
    let mut lines = Lines::new(trace)?;
    let Some((_, header)) = lines.next_line()? else { return Ok(Vec::new()) };
    let mut pieces: Vec<Vec<Vec<u8>>> = Vec::new();
    while let Some((line, text)) = lines.next_line()? {
        if let Line::Episode(_) = Line::parse(&text).map_err(|why| TraceError { line, why })? {
            pieces.push(vec![header.clone()]);
        }
        if let Some(piece) = pieces.last_mut().filter(|piece| piece.len() <= PIECE) {
            piece.push(text);
        }
    }
    Ok(pieces.into_iter().map(|lines| lines.join(&b'\n')).collect())
}
