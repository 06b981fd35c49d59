//! Inputs for tests: those that are committed, and what comes of them at random.

use std::path::Path;
use std::{fs, io, iter};

/// Returns the files of a target in a directory beside this crate's manifest, in order of their names; none if there
/// is no such directory.
///
/// # Errors
///
/// If one cannot be read.
pub fn committed(dir: &str, target: &str) -> io::Result<Vec<Vec<u8>>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir).join(target);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

/// Returns inputs, and then without end inputs in which some bytes are others, or which another one follows.
pub fn varied(inputs: Vec<Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % n
    };
    let first = inputs.clone();
    let vary = move || {
        let mut bytes = inputs[random(inputs.len())].clone();
        if random(3) == 0 {
            bytes.extend(inputs[random(inputs.len())].iter().skip(1));
        }
        for _ in 0..random(6) {
            let place = random(bytes.len());
            bytes[place] = random(256) as u8;
        }
        Some(bytes)
    };
    first.into_iter().chain(iter::from_fn(vary))
}
