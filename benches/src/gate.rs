//! The regression gate: instruction counts, beside those that are committed.

use crate::probe::{Probe, probes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// How much more, or less, is a failure: in percent.
pub const TOLERANCE: f64 = 2.0;

/// Instruction counts, of code that one compiler made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// The compiler, as it calls itself.
    pub rustc: String,
    /// Instructions of each probe.
    pub figures: BTreeMap<String, f64>,
}

/// Returns what the compiler calls itself.
///
/// # Errors
///
/// If there is none.
pub fn rustc() -> Result<String, String> {
    let out = Command::new("rustc").arg("--version").output().map_err(|error| format!("rustc: {error}"))?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

impl Counts {
    /// Counts, what is gated or everything.
    ///
    /// # Errors
    ///
    /// What valgrind says.
    pub fn take(which: impl Fn(&Probe) -> bool, slower: bool) -> Result<Self, String> {
        let count = |probe: Probe| Ok((probe.name.to_owned(), probe.count(slower)?));
        let figures = probes().into_iter().filter(which).map(count).collect::<Result<_, String>>()?;
        Ok(Self { rustc: rustc()?, figures })
    }

    /// Returns the count of a probe.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }

    /// Reads those that are committed.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Says what differs from what is committed, by more than is tolerated, or is in one of both only.
    #[must_use]
    pub fn differences(&self, committed: &Self) -> BTreeMap<String, String> {
        let names = self.figures.keys().chain(committed.figures.keys());
        let differs = |name: &String| match (self.of(name), committed.of(name)) {
            (Some(now), Some(before)) => {
                let percent = (now / before - 1.0) * 100.0;
                (percent.abs() > TOLERANCE).then(|| format!("{before:.1} -> {now:.1} ({percent:+.1} %)"))
            }
            (Some(now), None) => Some(format!("{now:.1}, and not committed")),
            (None, Some(_)) => Some("committed, and not counted".into()),
            (None, None) => None,
        };
        names.filter_map(|name| Some((name.clone(), differs(name)?))).collect()
    }
}

/// Counts what is gated and holds it against what is committed; then the control: what is done four in a
/// hundred more often has to be refused, each of it.
///
/// # Errors
///
/// What differs, or was not noticed.
pub fn gate(committed: &Path) -> Result<String, String> {
    let before = Counts::read(committed)?;
    let now = Counts::take(|probe| probe.gated, false)?;
    let lines = |differences: &BTreeMap<String, String>| -> String {
        differences.iter().map(|(name, text)| format!("  {name}: {text}\n")).collect()
    };
    let differences = now.differences(&before);
    if !differences.is_empty() {
        let other = if now.rustc == before.rustc { "" } else { "Another compiler made what is committed.\n" };
        let [old, new] = [&before.rustc, &now.rustc];
        return Err(format!(
            "instruction counts differ by more than {TOLERANCE} %:\n{}{other}{old}; now {new}\n\
             If they are meant to: `rskq-bench gate --renew`, and say why.",
            lines(&differences)
        ));
    }
    let control = Counts::take(|probe| probe.gated, true)?.differences(&before);
    if control.len() != now.figures.len() {
        return Err(format!(
            "the control: not everything that is slower is noticed, but\n{}",
            lines(&control)
        ));
    }
    let n = now.figures.len();
    Ok(format!("{n} counts within {TOLERANCE} %; made slower by 4 %, {n} of {n} are refused"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(figures: &[(&str, f64)]) -> Counts {
        let figures = figures.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        Counts { rustc: "rustc".into(), figures }
    }

    #[test]
    fn what_differs_is_told() {
        let before = counts(&[("a", 100.0), ("b", 100.0), ("c", 100.0), ("d", 1.0)]);
        let now = counts(&[("a", 101.9), ("b", 97.0), ("c", 102.1), ("e", 1.0)]);
        let differences: Vec<_> = now.differences(&before).into_iter().collect();
        let expected = [
            ("b", "100.0 -> 97.0 (-3.0 %)"),
            ("c", "100.0 -> 102.1 (+2.1 %)"),
            ("d", "committed, and not counted"),
            ("e", "1.0, and not committed"),
        ];
        assert_eq!(differences, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert!(before.differences(&before).is_empty());
    }
}
