//! The table as it stands in `docs/classics.md`, between two marks.

use crate::Row;
use crate::cases::{Missing, Model, Tokens, Verdict};
use std::fmt::Write;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/classics.md");
const BEGIN: &str = "<!-- made by: CLASSICS=write cargo test --release -p loom-tests --test classics -->\n";
const END: &str = "<!-- end of what is made -->";

/// The verdicts as Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| case | tokens | run time | model |\n|---|---|---|---|\n");
    for (case, said) in rows {
        let tokens = match said.tokens {
            Tokens::Report => "reported".to_owned(),
            Tokens::Silent => "silent".to_owned(),
            Tokens::Blind => "blind".to_owned(),
            Tokens::NotExpressible(missing) => format!("not expressible: {}", Missing::why(missing)),
        };
        let run_time = match said.run_time {
            Verdict::Report => "reported",
            Verdict::Silent => "silent",
        };
        let model = match said.model {
            Model::Deadlock => "deadlock",
            Model::Order => "order",
            Model::Silent => "silent",
        };
        writeln!(text, "| {} | {tokens} | {run_time} | {model} |", case.name).expect("a string takes all");
    }
    text
}

/// Returns `page` with `table` between the marks.
fn with(page: &str, table: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the first mark is there");
    let (_, after) = rest.split_once(END).expect("the second mark is there");
    format!("{before}{BEGIN}\n{table}\n{END}{after}")
}

/// Compares the page with the table, or writes it where the environment asks for that.
#[test]
fn the_page_shows_the_table() {
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    let current = with(&page, &table(crate::rows()));
    if std::env::var("CLASSICS").is_ok_and(|wish| wish == "write") {
        std::fs::write(PAGE, current).expect("the page can be written");
        return;
    }
    assert!(page == current, "docs/classics.md is stale; write it: {BEGIN}");
}

/// An altered verdict, a case that is gone and one too many are differences.
#[test]
fn a_page_that_is_stale_is_found_out() {
    let rows = crate::rows();
    let page = with(&format!("before\n{BEGIN}{END}\nafter\n"), &table(rows));
    assert_eq!(page, with(&page, &table(rows)), "written again, it is the same");
    let mut altered = rows.to_vec();
    altered[0].1.model = Model::Silent;
    let extended = [rows, &rows[..1]].concat();
    for other in [&altered, &rows[1..], &extended] {
        assert_ne!(page, with(&page, &table(other)));
    }
}
