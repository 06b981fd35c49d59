//! The header is what the sources say.

use std::path::PathBuf;
use std::{env, fs};

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::generate_with_config(root(), config).unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

/// With the variable `RSKQ_WRITE_HEADER` the header is written, otherwise it is looked at.
#[test]
fn the_header_is_current() {
    let path = root().join("include/rskq.h");
    if env::var_os("RSKQ_WRITE_HEADER").is_some() {
        fs::write(&path, generated()).unwrap();
    }
    let header = fs::read_to_string(path).unwrap();
    assert!(header == generated(), "include/rskq.h is not what the sources say: `make header` writes it");
    assert!(header.replace("rskq_accept", "rskq_except") != generated(), "a difference goes unnoticed");
}
