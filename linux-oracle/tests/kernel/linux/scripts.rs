//! Operations with what they show, written down one by one: every kind of operation is in one of them.
//!
//! None depends on a hash: each connection has one listener to go to, whichever namespace it is in.

use super::{Test, kernel};
use linux_oracle::live::kernel::Kernel;
use linux_oracle::summary::{Difference, differences};
use linux_oracle::trace::Line;

macro_rules! script {
    ($name:literal) => {
        ($name, || run(include_str!(concat!("scripts/", $name, ".jsonl"))))
    };
}

pub(crate) const TESTS: [Test; 11] = [
    script!("queue"),
    script!("half_open"),
    script!("cookies"),
    script!("defer_accept"),
    script!("timer"),
    script!("fast_open"),
    script!("programs"),
    script!("binds"),
    script!("addresses"),
    script!("cpus"),
    ("what_is_otherwise_is_found", what_is_otherwise_is_found),
];

fn run(script: &str) {
    let mut kernel = kernel();
    if needs_programs(script) && !kernel.programs() {
        eprintln!("selection programs need CAP_BPF");
        std::process::exit(super::NOT_ALLOWED);
    }
    if script.contains(r#""op":"cpu""#) && kernel.header().cpus < 2 {
        eprintln!("it needs two CPUs");
        std::process::exit(super::NOT_ALLOWED);
    }
    if let Some((line, found)) = first_difference(&mut kernel, script) {
        panic!("{line}\n{found:?}");
    }
}

fn needs_programs(script: &str) -> bool {
    script.contains(r#""op":"program""#)
}

/// Returns the first line that the kernel does not agree with.
fn first_difference<'s>(kernel: &mut Kernel, script: &'s str) -> Option<(&'s str, Vec<Difference>)> {
    script.lines().find_map(|line| {
        let found = match Line::parse(line.as_bytes()).expect("well formed") {
            Line::Header(_) => panic!("a script has none"),
            Line::Episode(start) => {
                kernel.episode(start).expect("it begins");
                return None;
            }
            Line::Operation(mut operation, expected) => {
                let got = kernel.step(&mut operation).unwrap_or_else(|error| panic!("{line}: {error}"));
                differences(&expected, &got)
            }
        };
        (!found.is_empty()).then_some((line, found))
    })
}

/// The negative control: whatever a script says otherwise is found there.
fn what_is_otherwise_is_found() {
    let mut kernel = kernel();
    let script = include_str!("scripts/queue.jsonl");
    assert_eq!(first_difference(&mut kernel, script), None);
    let alterations = [
        (r#""result":"dropped""#, r#""result":"established""#),
        (r#""child":"peer_closed""#, r#""child":"established""#),
        (r#""TCPMigrateReqSuccess":1"#, r#""TCPMigrateReqSuccess":2"#),
        (r#""reset":[20001]"#, r#""reset":[20002]"#),
        (r#"{"1":[0,3]}"#, r#"{"1":[0,4]}"#),
    ];
    for (was, is) in alterations {
        let altered = script.replacen(was, is, 1);
        let (line, found) = first_difference(&mut kernel, &altered).expect("it is found");
        assert!(line.contains(is), "{line}");
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
