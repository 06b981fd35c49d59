//! What came of it, as a table and as JSON.

use super::checker::Finding;
use super::rows::{ROWS, Row, Stands};
use super::search::Outcome;
use comfy_table::{Table, presets};
use serde::Serialize;
use std::collections::BTreeSet;

/// A row with what came of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The row.
    pub row: &'static Row,
    /// What came of the search; `None` where there was none.
    pub outcome: Option<Outcome>,
}

/// A row as a line of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    row: &'a str,
    source: String,
    name: &'a str,
    stands: String,
    sentence: &'a str,
    verdict: &'static str,
    found: &'a [Finding],
    alarm: Option<&'a str>,
    excluded_by: Option<&'static str>,
}

impl Told {
    /// Tells whether it was found, or did not have to be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Found(_)))
    }

    fn verdict(&self) -> &'static str {
        match self.outcome {
            None => "excluded",
            Some(Outcome::Found(_)) => "found",
            Some(Outcome::Missed) => "missed",
            Some(Outcome::FalseAlarm(_)) => "false alarm",
        }
    }

    /// Returns the row for JSON.
    #[must_use]
    pub fn line(&self) -> Line<'_> {
        let Row { id, source, name, stands, sentence } = *self.row;
        let (found, alarm) = match &self.outcome {
            Some(Outcome::Found(found)) => (&found[..], None),
            Some(Outcome::FalseAlarm(alarm)) => (&[][..], Some(&**alarm)),
            Some(Outcome::Missed) | None => (&[][..], None),
        };
        let excluded_by = match stands {
            Stands::Excluded(decision) => Some(decision.words()),
            Stands::Switch(_) | Stands::Column(..) => None,
        };
        Line {
            row: id,
            source: format!("{source:?}").to_lowercase(),
            name,
            stands: self.row.stand_in(),
            sentence,
            verdict: self.verdict(),
            found,
            alarm,
            excluded_by,
        }
    }

    fn cells(&self) -> [String; 5] {
        let (by, after) = match &self.outcome {
            Some(Outcome::Found(found)) => {
                let each = |of: fn(&Finding) -> String| found.iter().map(of).collect::<Vec<_>>().join("\n");
                let by = each(|finding| format!("{}: {}", finding.checker, finding.by));
                (by, each(Finding::after))
            }
            Some(Outcome::Missed) => ("NOBODY".to_owned(), String::new()),
            Some(Outcome::FalseAlarm(alarm)) => (format!("ALSO WITHOUT IT: {alarm}"), String::new()),
            None => (self.row.sentence.to_owned(), String::new()),
        };
        [self.row.id.to_owned(), self.row.name.to_owned(), self.row.stand_in(), by, after]
    }
}

/// Returns the table, and the totals below it.
#[must_use]
pub fn table(told: &[Told]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["row", "bug", "stands for it", "found by", "after"]);
    for told in told {
        table.add_row(told.cells());
    }
    format!("{table}\n{}", totals(told))
}

/// Returns the totals: rows, and what stands for them, of which several rows can share one.
#[must_use]
pub fn totals(told: &[Told]) -> String {
    let seeded = told.iter().filter(|told| told.outcome.is_some());
    let found = seeded.clone().filter(|told| told.is_well());
    let distinct = |told: &mut dyn Iterator<Item = &Told>| {
        told.map(|told| told.row.stand_in()).collect::<BTreeSet<_>>().len()
    };
    let rows = (found.clone().count(), seeded.clone().count());
    let of = (distinct(&mut found.clone()), distinct(&mut seeded.clone()));
    let excluded = told.len() - rows.1;
    let selected = match told.len() {
        all if all == ROWS.len() => String::new(),
        some => format!(" ({some} of {} rows were selected)", ROWS.len()),
    };
    format!(
        "{} of {} seeded rows found, {} of {} distinct bugs; {excluded} rows have no place here{selected}",
        rows.0, rows.1, of.0, of.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_finds_is_told_and_does_not_pass() {
        let told = |outcome| Told { row: &ROWS[1], outcome };
        let missed = told(Some(Outcome::Missed));
        let alarm = told(Some(Outcome::FalseAlarm("a test".to_owned())));
        let excluded = told(None);
        assert!(!missed.is_well() && !alarm.is_well() && excluded.is_well());
        let table = table(&[missed, alarm, excluded]);
        assert!(table.contains("NOBODY") && table.contains("ALSO WITHOUT IT: a test"), "{table}");
        assert!(
            table.contains("0 of 2 seeded rows found, 0 of 1 distinct bugs; 1 rows have no place"),
            "{table}"
        );
    }
}
