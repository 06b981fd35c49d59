//! `seeded`: bugs of others, planted here, and who finds each.

use super::Outcome;
use clap::Args;
use loom_tests::seeded::report::{self, Told};
use loom_tests::seeded::rows::{ROWS, Row};
use loom_tests::seeded::search::{self, Search};
use loom_tests::seeded::tools::Tools;
use rayon::prelude::*;
use std::collections::HashMap;
use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Which rows, and how they are told.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only rows of this name, such as A1, or with this fault; may be given several times.
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// Goes on when one checker has found it: asks all of them.
    #[arg(long)]
    all: bool,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn rows(&self) -> Result<Vec<&'static Row>, String> {
        let named = |row: &&Row, name: &String| row.id == name || row.stand_in() == *name;
        for name in &self.row {
            if !ROWS.iter().any(|row| named(&row, name)) {
                return Err(format!("there is no row {name}"));
            }
        }
        let selected = |row: &&Row| self.row.is_empty() || self.row.iter().any(|name| named(row, name));
        Ok(ROWS.iter().filter(selected).collect())
    }
}

/// Looks for each distinct one once, several at a time.
fn look(rows: &[&'static Row], search: &Search<'_>) -> io::Result<Vec<Told>> {
    let known: Mutex<HashMap<String, Option<search::Outcome>>> = Mutex::default();
    let mut distinct = HashMap::new();
    for row in rows {
        distinct.entry(row.stand_in()).or_insert(row.stands);
    }
    distinct.into_par_iter().try_for_each(|(name, stands)| {
        let outcome = search.look_for(stands)?;
        if let Some(outcome) = &outcome {
            eprintln!("{name}: {outcome}");
        }
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(name, outcome);
        io::Result::Ok(())
    })?;
    let known = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let told = |&row| Told { row, outcome: known.get(&row.stand_in()).cloned().flatten() };
    Ok(rows.iter().map(told).collect())
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let rows = arguments.rows()?;
    let tools = Tools::build()?;
    let told = look(&rows, &Search::new(&tools, arguments.all))?;
    if arguments.json {
        for told in &told {
            println!("{}", serde_json::to_string(&told.line())?);
        }
        eprintln!("{}", report::totals(&told));
    } else {
        println!("{}", report::table(&told));
    }
    Ok(if told.iter().all(Told::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
