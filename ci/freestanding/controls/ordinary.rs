//! An ordinary program, in which every search of check.sh has to find something.

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let caught = std::panic::catch_unwind(|| words.len());
    println!("{caught:?} {words:?}");
}
