//! The matrix for a terminal.

use super::report::{Report, Said};
use crate::designs::Column;
use crate::property::Property;
use crate::verdict::Kind;
use comfy_table::{Table, presets};
use std::collections::{BTreeMap, BTreeSet};

/// The most designs of a table that has the figures in its cells.
const MOST_WITH_FIGURES: usize = 6;

/// A cell of the matrix: one design, one property, every scenario.
pub struct Cell<'a> {
    verdicts: Vec<&'a Said>,
}

impl<'a> Cell<'a> {
    /// Collects the verdicts of a design on a property.
    #[must_use]
    pub fn of(reports: &'a [Report], design: &str, property: Property) -> Self {
        let of_design = reports.iter().filter(|report| report.design == design);
        Self { verdicts: of_design.filter_map(|report| report.verdict(property)).collect() }
    }

    /// Returns what is known, of how many interleavings, and what limits it.
    #[must_use]
    pub fn figures(&self) -> String {
        let broken: u64 = self.verdicts.iter().map(|said| said.broken).sum();
        let sum = |of: &[&Said]| of.iter().map(|said| said.interleavings).sum::<u64>();
        if broken > 0 {
            return format!("x {broken} of {}", sum(&self.verdicts));
        }
        let (exhausted, limited): (Vec<&Said>, Vec<&Said>) =
            self.verdicts.iter().partition(|said| said.verdict == Kind::Exhausted);
        let sign = if self.holds() { "ok" } else { "??" };
        match (sum(&exhausted), sum(&limited)) {
            (count, 0) => format!("{sign} {count}"),
            (count, more) => format!("{sign} {count} + {more}*"),
        }
    }

    /// Returns what is known in one or two characters: holds, in some races within a bound, broken
    /// in so many races, or not known.
    #[must_use]
    pub fn mark(&self) -> String {
        let broken = self.verdicts.iter().filter(|said| said.verdict.is_broken()).count();
        let exhausted = self.verdicts.iter().all(|said| said.verdict == Kind::Exhausted);
        match (broken, self.holds(), exhausted) {
            (1.., ..) => format!("✗{broken}"),
            (0, true, true) => "✓".to_owned(),
            (0, true, false) => "✓*".to_owned(),
            (0, false, _) => "?".to_owned(),
        }
    }

    fn holds(&self) -> bool {
        !self.verdicts.is_empty() && self.verdicts.iter().all(|said| said.verdict.holds())
    }
}

/// The marks, explained.
pub const LEGEND: &str = "✓ holds in every interleaving of every race; ✓* of some races, see below, only \
                          those within a bound are explored; ✗3 broken in three races; ? not known.";

/// Returns the letters that stand for designs where there is no room for their names.
pub fn letters() -> impl Iterator<Item = String> {
    ('a'..='z').map(String::from)
}

/// Returns a property's row title.
#[must_use]
pub fn title(property: Property) -> String {
    match property {
        Property::Deadlock => property.title().to_owned(),
        _ => format!("{} {}", property.name(), property.title()),
    }
}

/// Returns the matrix as a table: with figures if there is room for them, in marks otherwise.
#[must_use]
pub fn table(reports: &[Report], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    let wide = columns.len() <= MOST_WITH_FIGURES;
    let header: Vec<String> =
        if wide { columns.iter().map(|c| c.title.to_owned()).collect() } else { letters().collect() };
    table.set_header([String::new()].into_iter().chain(header.into_iter().take(columns.len())));
    for property in Property::ALL.iter().copied() {
        let cell = |column: &Column| {
            let cell = Cell::of(reports, column.name, property);
            if wide { cell.figures() } else { cell.mark() }
        };
        table.add_row([title(property)].into_iter().chain(columns.iter().map(cell)));
    }
    if wide {
        return format!("{table}\nok: holds in so many interleavings; x: broken in so many of so many.");
    }
    let names = letters().zip(columns).map(|(letter, column)| {
        let of_design = || reports.iter().filter(|report| report.design == column.name);
        let interleavings: u64 = of_design().map(|report| report.interleavings).sum();
        format!("{letter}  {}: {interleavings} interleavings of {} races", column.title, of_design().count())
    });
    format!("{table}\n{}\n{LEGEND}", names.collect::<Vec<_>>().join("\n"))
}

/// Returns what the limits in the table mean: the scenarios that were not exhausted, and why.
#[must_use]
pub fn footnotes(reports: &[Report]) -> Vec<String> {
    let mut limits: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for report in reports {
        let bounded = report.preemption_bound.map(|bound| format!("at most {bound} preemptions"));
        let cut = report.verdicts.iter().find_map(|said| match said.verdict {
            Kind::TimedOut => Some("STOPPED before the end".to_owned()),
            Kind::CutShort => Some("CUT SHORT by a deadlock".to_owned()),
            _ => None,
        });
        for limit in bounded.into_iter().chain(cut) {
            limits.entry(limit).or_default().insert(&report.scenario);
        }
    }
    let note = |(limit, names): (String, BTreeSet<&str>)| {
        format!("* {limit}: {}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    limits.into_iter().map(note).collect()
}
