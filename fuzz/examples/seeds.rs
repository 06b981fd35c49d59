//! Writes the seeds of the targets that have some, a file each: `cargo run --release --example seeds -- DIR`.

use rskq_fuzz::{queue, schedule, slab, stack, trace, validator};
use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let to = env::args_os().nth(1).ok_or("where to: a directory")?;
    let all = [
        ("queue", queue::seeds::all()),
        ("schedule", schedule::seeds::all()),
        ("slab", slab::seeds::all()),
        ("stack", stack::seeds::all()?),
        ("trace", trace::seeds::all()?),
        ("validator", validator::seeds::all()),
    ];
    for (target, seeds) in all {
        let dir = Path::new(&to).join(target);
        fs::create_dir_all(&dir)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(dir.join(format!("{number:04}")), seed)?;
        }
        println!("{target}: {} seeds", seeds.len());
    }
    Ok(())
}
