//! Compiles the peers that are written in C, as a kernel is compiled.

fn main() {
    println!("cargo::rerun-if-changed=peer/queue.c");
    cc::Build::new().file("peer/queue.c").opt_level(2).warnings_into_errors(true).compile("peer");
}
