//! Item 9: how much the verdict matrix explores, as `loom-tests matrix --json` tells it.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// One verdict, as far as it matters here. A model has one for each property.
#[derive(Deserialize)]
struct Verdict {
    design: String,
    scenario: String,
    preemption_bound: Option<u8>,
    interleavings: u64,
    seconds: f64,
}

/// The whole of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Matrix {
    models: usize,
    exhausted: u64,
    bounded: u64,
    seconds: f64,
}

impl Matrix {
    /// Adds up lines of verdicts.
    ///
    /// # Errors
    ///
    /// What is no verdict.
    pub fn of(lines: &str) -> Result<Self, String> {
        let mut models = BTreeMap::<_, Verdict>::new();
        for line in lines.lines() {
            let verdict: Verdict = serde_json::from_str(line).map_err(|error| format!("matrix: {error}"))?;
            let model = (verdict.design.clone(), verdict.scenario.clone());
            // Of a model that a deadlock ended, one property has a verdict of less.
            let more = |known: &Verdict| known.interleavings >= verdict.interleavings;
            if !models.get(&model).is_some_and(more) {
                models.insert(model, verdict);
            }
        }
        let mut all = Self { models: models.len(), ..Self::default() };
        for Verdict { preemption_bound, interleavings, seconds, .. } in models.values() {
            let explored = if preemption_bound.is_some() { &mut all.bounded } else { &mut all.exhausted };
            *explored += interleavings;
            all.seconds += seconds;
        }
        Ok(all)
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { models, exhausted, bounded, seconds } = self;
        let rate = (exhausted + bounded) as f64 / seconds.max(f64::MIN_POSITIVE);
        write!(
            f,
            "The matrix: {models} models, {exhausted} interleavings of those that are exhausted and {bounded} of \
             those within\na bound, in {seconds:.0} s, with every property looked at in every step; {rate:.0} a \
             second in each process, of which\nthere is one for each CPU."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_counts_once() {
        let line = |scenario: &str, bound: &str, interleavings: u64| {
            format!(
                "{{\"design\":\"abort\",\"scenario\":\"{scenario}\",\"preemption_bound\":{bound},\
                 \"interleavings\":{interleavings},\"seconds\":0.5,\"property\":\"I1\"}}\n"
            )
        };
        let lines =
            [line("ring", "2", 20), line("ring", "2", 20), line("two", "null", 3), line("two", "null", 7)];
        let all = Matrix::of(&lines.concat()).unwrap();
        assert_eq!(all, Matrix { models: 2, exhausted: 7, bounded: 20, seconds: 1.0 });
        assert!(Matrix::of("{}").is_err());
    }
}
