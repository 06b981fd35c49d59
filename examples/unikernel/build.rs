//! Tells the linker where the image lies in memory.

fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rustc-link-arg=-Wl,-T,{directory}/link.ld");
    println!("cargo:rerun-if-changed=link.ld");
}
