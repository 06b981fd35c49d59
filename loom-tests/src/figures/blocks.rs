//! The blocks, as Markdown.

use super::record::{RECORDED, Record, Recorded};
use super::said::{Attacked, Branches, Counts, Coverage, Fuzzed, Live, Mutants, Replayed, Seeded};
use crate::readme::Total;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Returns the block of that name, of what is recorded below `root`.
///
/// # Errors
///
/// If a record is not what its command printed.
pub fn block(name: &str, root: &Path) -> Result<String, String> {
    match name {
        "records" => records(root),
        "matrix" | "matrix-full" => of(name, root, matrix),
        "seeded" => of(name, root, seeded),
        "fuzz" => fuzz(root),
        "oracle" => Ok(of("replay", root, replay)? + "\n" + &of("live", root, live)?),
        "mutants" => mutants(root),
        "coverage" => Ok(of(name, root, coverage)? + "\n" + &of("branches", root, branches)?),
        "attacks" => ["flood", "flood-yielding", "sanitize"]
            .into_iter()
            .map(|name| of(name, root, attacks))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.join("\n")),
        _ => Err(format!("there is no block {name}")),
    }
}

/// Makes a block of a record, or says that there is none.
fn of(name: &str, root: &Path, make: fn(&Record) -> Result<String, String>) -> Result<String, String> {
    let recorded = Recorded::by_name(name).ok_or_else(|| format!("there is no record {name}"))?;
    match recorded.read(root)? {
        Some(record) => Ok(format!("`{}`, {}:\n\n{}", record.head.command, record.head.date, make(&record)?)),
        None => Ok(format!("Not recorded: `{}`.\n", recorded.command)),
    }
}

fn records(root: &Path) -> Result<String, String> {
    let mut rows = Vec::new();
    for recorded in RECORDED {
        rows.push(match recorded.read(root)? {
            Some(Record { head, .. }) => {
                let version = head.rustc.split_whitespace().nth(1).unwrap_or("?").to_owned();
                [recorded.name.to_owned(), head.date, version, head.src, format!("{} s", head.seconds)]
            }
            None => [recorded.name, "not recorded", "", "", ""].map(str::to_owned),
        });
    }
    Ok(table(["record", "day", "rustc", "src", "took"], rows))
}

fn matrix(record: &Record) -> Result<String, String> {
    let totals: Vec<Total> = record.lines()?;
    let rows = totals.iter().map(|total| {
        let bounded = total.within.iter().map(|(bound, part)| {
            format!("{} in {} races, at most {bound} preemptions", grouped(part.interleavings), part.races)
        });
        let all = total.all;
        [
            format!("`{}`", total.design),
            all.races.to_string(),
            grouped(all.interleavings),
            bounded.collect::<Vec<_>>().join("; "),
        ]
    });
    let sum = |part: fn(&Total) -> u64| grouped(totals.iter().map(part).sum());
    let last = [
        "**all**".to_owned(),
        sum(|total| total.all.races),
        sum(|total| total.all.interleavings),
        sum(|total| total.within.values().map(|part| part.interleavings).sum()),
    ];
    Ok(table(["design", "races without a bound", "interleavings", "within a bound"], rows.chain([last])))
}

fn seeded(record: &Record) -> Result<String, String> {
    let rows: Vec<Seeded> = record.lines()?;
    let planted: Vec<_> = rows.iter().filter(|row| row.verdict != "excluded").collect();
    let is_found = |row: &&&Seeded| row.verdict == "found";
    let distinct = |rows: &[&Seeded]| rows.iter().map(|row| &row.stands).collect::<BTreeSet<_>>().len();
    let found: Vec<_> = planted.iter().filter(is_found).copied().collect();
    let mut by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &found {
        for finding in &row.found {
            by.entry(&finding.checker).or_default().insert(&row.stands);
        }
    }
    let says = format!(
        "Found {} of {} rows, {} of {} distinct bugs; {} rows cannot exist in this design, and each says which \
         decision excludes it.\n\n",
        found.len(),
        planted.len(),
        distinct(&found),
        distinct(&planted),
        rows.len() - planted.len()
    );
    let by = by.into_iter().map(|(checker, bugs)| [checker.to_owned(), bugs.len().to_string()]);
    Ok(says + &table(["found first by", "distinct bugs"], by))
}

fn fuzz(root: &Path) -> Result<String, String> {
    let Ok(text) = fs::read_to_string(root.join("fuzz/executions.csv")) else {
        return Ok("Not recorded: `make fuzz`.\n".to_owned());
    };
    let mut of: BTreeMap<&str, (u64, BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let run = Fuzzed::parse(line).ok_or_else(|| format!("fuzz/executions.csv: {line}"))?;
        let (executions, sanitizers, days) = of.entry(run.target).or_default();
        *executions += run.executions;
        sanitizers.insert(run.sanitizer);
        days.insert(run.day);
    }
    let joined = |words: &BTreeSet<&str>| words.iter().copied().collect::<Vec<_>>().join(", ");
    let all = ["**all**".to_owned(), grouped(of.values().map(|of| of.0).sum()), String::new(), String::new()];
    let rows = of.iter().map(|(target, (executions, sanitizers, days))| {
        [format!("`{target}`"), grouped(*executions), joined(sanitizers), joined(days)]
    });
    Ok(format!(
        "`make fuzz`, every run that is in `fuzz/executions.csv`:\n\n{}",
        table(["target", "executions", "sanitizer", "days"], rows.chain([all]))
    ))
}

fn replay(record: &Record) -> Result<String, String> {
    let traces: Vec<Replayed> = record.lines()?;
    let differ = |trace: &Replayed| trace.divergences.len() as u64;
    let row = |name: String, operations: u64, replayed: u64, differ: u64| {
        [name, grouped(operations), grouped(replayed), grouped(differ)]
    };
    let name = |trace: &Replayed| trace.file.rsplit('/').next().unwrap_or_default().to_owned();
    let each = traces.iter().map(|t| row(name(t), t.operations, t.replayed, differ(t)));
    let sum = |part: fn(&Replayed) -> u64| traces.iter().map(part).sum();
    let all = row(
        "**all**".to_owned(),
        sum(|t| t.operations),
        sum(|t| t.replayed),
        traces.iter().map(differ).sum(),
    );
    Ok(table(["trace", "operations", "compared", "differ"], each.chain([all])))
}

fn live(record: &Record) -> Result<String, String> {
    let runs: Vec<Live> = record.lines()?;
    let rows = runs.iter().map(|Live { counts, header }| {
        let kernel = format!("Linux {}", header.kernel);
        [kernel, grouped(counts.operations), grouped(counts.episodes), grouped(counts.divergences)]
    });
    Ok(table(["beside", "operations", "episodes", "differ"], rows))
}

fn mutants(root: &Path) -> Result<String, String> {
    const COMMAND: &str = "`make mutants`, and \
        `cargo run --release --manifest-path mutants/Cargo.toml -- --report --json mutants/summary.json`";
    let Ok(text) = fs::read_to_string(root.join("mutants/summary.json")) else {
        return Ok(format!("Not recorded: {COMMAND}.\n"));
    };
    let mutants: Mutants =
        serde_json::from_str(&text).map_err(|error| format!("mutants/summary.json: {error}"))?;
    let row = |name: String, c: &Counts| {
        let viable = c.mutants - c.unviable - c.not_judged;
        let caught = c.caught_first + c.caught_second;
        let [viable, caught, timed_out, survived, unviable, not_judged] =
            [viable, caught, c.timed_out, c.survived, c.unviable, c.not_judged].map(grouped);
        [name, viable, caught, timed_out, survived, unviable, not_judged]
    };
    let rows = mutants.rooms.iter().map(|(room, counts)| row(format!("`{room}`"), counts));
    let rows = rows.chain([row("**all**".to_owned(), &mutants.all)]);
    let reasons = mutants.survived.iter().filter(|survivor| survivor.why.is_some()).count();
    Ok(format!(
        "{COMMAND}:\n\n{}\nOf those that survive, {reasons} of {} have a reason in `mutants/survivors.toml`.\n",
        table(["room", "viable", "caught", "timed out", "survived", "do not compile", "not judged"], rows),
        mutants.survived.len()
    ))
}

fn coverage(record: &Record) -> Result<String, String> {
    let all: Vec<Coverage> = record.lines()?;
    let line = |Coverage { lines, run, unsafe_blocks }: &Coverage| {
        let lines = part(*run, *lines, "lines of `src` run in a test");
        format!("{lines}, and each of the {unsafe_blocks} `unsafe` blocks.\n")
    };
    Ok(all.iter().map(line).collect())
}

fn branches(record: &Record) -> Result<String, String> {
    let all: Vec<Branches> = record.lines()?;
    let line =
        |Branches { ways, taken }: &Branches| part(*taken, *ways, "ways of its branches are taken") + ".\n";
    Ok(all.iter().map(line).collect())
}

fn part(part: u64, all: u64, what: &str) -> String {
    let percent = 100.0 * part as f64 / all as f64;
    format!("{} of {} {what}, {percent:.2} %", grouped(part), grouped(all))
}

fn attacks(record: &Record) -> Result<String, String> {
    let rows = record.lines()?.into_iter().map(|attacked| match attacked {
        Attacked::By { sanitizer, finds } => {
            let finds = format!("is shown to find: {}", finds.join(", "));
            [format!("under **{sanitizer}**"), String::new(), finds]
        }
        Attacked::Attack { name, figures, broken } => {
            let verdict = if broken.is_empty() { "withstood" } else { "**BROKEN**" };
            let figures: Vec<_> = figures.iter().map(|(name, n)| format!("{name} {}", grouped(*n))).collect();
            [name, verdict.to_owned(), figures.join(", ")]
        }
    });
    Ok(table(["attack", "", "counted"], rows))
}

/// Returns a table in Markdown.
fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}|{}\n{rows}", line(&header.map(str::to_owned)), "---|".repeat(N))
}

/// Returns a number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
