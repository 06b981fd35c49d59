//! The 25 rules of Linux's listen side, each under its number: what `Design::Linux` keeps of them, seen from
//! outside, with every counter compared.
#![cfg(all(feature = "alloc", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod fastopen;
mod groups;
mod half_open;
mod migration;
mod programs;
mod queue;

use common::calls::*;
use common::linux::*;
use common::{HERE, Listener, Request, TestStack, graph, tuple};
use rskq::counters::Snapshot;
use rskq::*;

/// A SYN with a cookie sent in answer; returns whose it was.
fn cookie(stack: &TestStack, arrival: Arrival, here: Here) -> Listener {
    match stack.syn(arrival, here) {
        Ok(Syn::Cookie(listener)) => listener,
        other => panic!("{:?}", other.map(drop)),
    }
}

/// Handshakes that all end at `listener`.
fn connect_all(stack: &TestStack, clients: impl IntoIterator<Item = u32>, listener: Listener) {
    for client in clients {
        assert_eq!(connect(stack, arrival(client), client), Ok(listener));
    }
}

fn set_fastopen<const N: usize>(stack: &TestStack, listeners: [Listener; N], limit: u32) {
    for listener in listeners {
        assert_eq!(stack.set_fastopen(listener, limit), Ok(()));
    }
}

/// Switches migration off.
fn migration_off(stack: &TestStack) {
    stack.set_migrate_req(false);
}

const FILES: [&str; 6] = [
    include_str!("fastopen.rs"),
    include_str!("groups.rs"),
    include_str!("half_open.rs"),
    include_str!("migration.rs"),
    include_str!("programs.rs"),
    include_str!("queue.rs"),
];

/// The number after `prefix`, if the line begins with it.
fn numbered(line: &str, prefix: &str) -> Option<u32> {
    let rest = line.strip_prefix(prefix)?;
    rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}

/// Which rules have a test that names them in its documentation and in its name, both the same.
fn named(files: &[&str]) -> Vec<u32> {
    let mut rules = Vec::new();
    for file in files {
        let mut documented = None;
        for line in file.lines() {
            if let Some(rule) = numbered(line, "/// Rule ") {
                documented = Some(rule);
            } else if let Some(rule) = numbered(line, "fn rule_") {
                assert_eq!(documented.take(), Some(rule), "{line}");
                rules.push(rule);
            }
        }
        assert_eq!(documented, None, "a rule is documented and has no test");
    }
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn every_rule_has_a_test_that_names_it() {
    assert_eq!(named(&FILES), (1..=25).collect::<Vec<_>>());
}

/// Control: a rule that is named in one place only is noticed.
#[test]
fn a_rule_without_a_test_is_noticed() {
    assert_eq!(named(&["/// Rule 3: of three.\n#[test]\nfn rule_3_of_three() {\n"]), [3]);
    for wrong in
        ["/// Rule 3: of three.\n", "fn rule_3_of_three() {\n", "/// Rule 3: \nfn rule_4_of_three() {\n"]
    {
        assert!(std::panic::catch_unwind(|| named(&[wrong])).is_err(), "{wrong}");
    }
}
