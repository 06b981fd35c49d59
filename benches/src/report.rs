//! The result: a table in the terminal, JSON, plots, and `BENCHMARKS.md`.

use crate::figures::{Figure, RUNS, Spread, leading, read_all, sort};
use crate::gate::{Counts, rustc};
use crate::goals::{Found, goals};
use crate::matrix::Matrix;
use crate::plot::PLOTS;
use crate::restarts::{self, Restarts};
use crate::{holds, outside, sizes::sizes};
use comfy_table::Table;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What is measured on.
struct Machine {
    cpu: String,
    cpus: usize,
    rustc: String,
    cc: String,
    date: String,
}

fn first_line_of(command: &str, arguments: &[&str]) -> String {
    let out = Command::new(command).args(arguments).output();
    let text = out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

impl Machine {
    fn this() -> Result<Self, String> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        Ok(Self {
            cpu: model.unwrap_or("unknown").to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            rustc: rustc()?,
            cc: first_line_of("cc", &["--version"]),
            date: first_line_of("date", &["-u", "+%Y-%m-%d"]),
        })
    }
}

/// Writes a number as it is read best.
fn number(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{:.1} M", value / 1e6),
        _ if value >= 1e4 => format!("{:.0} k", value / 1e3),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn spread(found: Spread) -> String {
    let Spread { median, min, max } = found;
    if min == max {
        number(median)
    } else {
        format!("{} ({} - {})", number(median), number(min), number(max))
    }
}

/// Returns an item's cases and contenders, as rows: the contender that comes first is what ratios are of.
fn rows(figures: &[Figure], item: &str) -> Vec<[String; 4]> {
    let of_item = || figures.iter().filter(|figure| figure.item == item);
    let row = |figure: &Figure| {
        let ours = of_item().find(|other| other.case == figure.case)?;
        let ratio = if figure.who == ours.who { None } else { ours.over(figure) };
        let ratio = ratio.map_or_else(|| "-".into(), spread);
        let found = figure.spread()?;
        let found = if is_rate(item) { rate(found) } else { found };
        Some([figure.case.clone(), figure.who.clone(), spread(found), ratio])
    };
    of_item().filter_map(row).collect()
}

/// Tells whether of an item is told how often it is done in a second.
fn is_rate(item: &str) -> bool {
    leading(item) >= 9
}

/// How often something is done in a second that takes so many nanoseconds.
fn rate(Spread { median, min, max }: Spread) -> Spread {
    Spread { median: 1e9 / median, min: 1e9 / max, max: 1e9 / min }
}

fn header(item: &str) -> [&'static str; 4] {
    ["case", "who", if is_rate(item) { "a second" } else { "ns" }, "first over this"]
}

/// Returns the items, those of which nothing could be measured included.
fn items(found: &Found) -> Vec<&str> {
    let measured = found.figures.iter().map(|figure| figure.item.as_str());
    let mut items: Vec<&str> = measured.chain(found.outside.iter().map(|outside| outside.item)).collect();
    items.sort_by_key(|item| (leading(item), *item));
    items.dedup();
    items
}

/// Returns the goals as rows, with what was found and whether they are met.
fn goal_rows(found: &Found) -> Vec<[String; 4]> {
    let row = |goal| {
        let verdict = found.verdict(goal);
        let met = verdict.met().map_or("not measured", |met| if met { "yes" } else { "**no**" });
        [goal.text.into(), number(goal.limit), verdict.found.map_or_else(|| "-".into(), spread), met.into()]
    };
    goals().iter().map(row).collect()
}

fn restart_rows(found: &Found) -> Vec<[String; 7]> {
    found.restarts.iter().flat_map(Restarts::rows).collect()
}

fn terminal<const N: usize>(title: &str, header: [&str; N], rows: &[[String; N]]) {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::UTF8_FULL_CONDENSED).set_header(header);
    rows.iter().for_each(|row| {
        table.add_row(row);
    });
    println!("\n{title}\n{table}");
}

/// The first two columns are words.
fn markdown<const N: usize>(text: &mut String, header: [&str; N], rows: &[[String; N]]) -> std::fmt::Result {
    writeln!(text, "| {} |\n|---|---|{}", header.join(" | "), "--:|".repeat(N - 2))?;
    rows.iter().try_for_each(|row| writeln!(text, "| {} |", row.join(" | ")))?;
    writeln!(text)
}

const GOALS: [&str; 4] = ["goal", "at most", "found", "met"];

fn page(found: &Found, machine: &Machine, limits: &str) -> Result<String, std::fmt::Error> {
    let Machine { cpu, cpus, rustc, cc, date } = machine;
    let mut text = format!(
        "# Benchmarks\n\n\
         Generated by `make bench` on {date}: {cpu}, {cpus} CPUs; {rustc}; {cc}.\n\n\
         Each figure is the median of {RUNS} runs, and in brackets the smallest and the largest. A ratio is of two\n\
         figures of one run, whose contenders took turns: it means something where the times themselves do not,\n\
         on a machine that others use. What decides is the ratio, and where there is one, the count of\n\
         instructions, which is the same in every run. Before a contender is timed it is shown to do the work.\n\n\
         ## Goals\n\n"
    );
    markdown(&mut text, GOALS, &goal_rows(found))?;
    write!(
        text,
        "{limits}\n## Times\n\nNanoseconds for one operation, or how often it is done in a second; a ratio is always \
                  one of times.\n\n"
    )?;
    for item in items(found) {
        writeln!(text, "### {item}\n")?;
        if let Some(outside) = found.outside.iter().find(|outside| outside.item == item) {
            writeln!(text, "{}\n", outside.says)?;
        }
        let rows = rows(&found.figures, item);
        if !rows.is_empty() {
            markdown(&mut text, header(item), &rows)?;
        }
    }
    writeln!(
        text,
        "### 10 rolling restart\n\nFour listeners of a group, one closed and opened again every 50 ms.\n"
    )?;
    markdown(&mut text, restarts::HEADER, &restart_rows(found))?;
    writeln!(text, "## Instructions\n\n| probe | instructions |\n|---|--:|")?;
    found.counts.figures.iter().try_for_each(|(name, count)| writeln!(text, "| {name} | {count:.1} |"))?;
    if let Some(says) = &found.switched_off {
        writeln!(text, "\nWith feature `lockdep` off, as `ci/lockdep-off/check.sh` found it: {says}.")?;
    }
    writeln!(text, "\n## Bytes\n\n| what | bytes |\n|---|--:|")?;
    found.sizes.iter().try_for_each(|size| writeln!(text, "| {} | {} |", size.what, size.bytes))?;
    let holds::Holds { times, median, p9999, max } = found.holds;
    writeln!(
        text,
        "\n## How long a lock is held\n\nIn a flood of SYNs with 100,000 half open, {times} times, clocks included: half at \
         most {median} ns, all but\none of ten thousand at most {p9999} ns, the longest {max} ns, in which the machine \
         may have done something else."
    )?;
    Ok(text)
}

/// Reads what was measured, counts what is counted, and writes everything.
///
/// # Errors
///
/// What is missing, or cannot be written.
pub fn report(criterion: &Path, out: &Path, root: &Path) -> Result<(), Box<dyn Error>> {
    let mut outside = outside::read_all(out)?;
    if let (Ok(lines), Some(models)) =
        (outside::text(out, "matrix"), outside.iter_mut().find(|outside| outside.item == outside::MODELS))
    {
        write!(models.says, "\n\n{}", Matrix::of(&lines)?)?;
    }
    let mut figures = read_all(criterion)?;
    figures.extend(outside.iter().flat_map(|outside| outside.figures.clone()));
    sort(&mut figures);
    let found = Found {
        figures,
        counts: Counts::take(|_| true, false)?,
        sizes: sizes(),
        holds: holds::of_a_flood(100_000),
        outside,
        restarts: restarts::read_all(out)?,
        switched_off: outside::text(out, "lockdep-off")
            .ok()
            .map(|says| says.trim().replace("lockdep-off: ", "")),
    };
    fs::create_dir_all(out)?;
    fs::write(out.join("times.json"), serde_json::to_string_pretty(&found.figures)?)?;
    fs::write(out.join("instructions.json"), serde_json::to_string_pretty(&found.counts)?)?;
    fs::write(out.join("bytes.json"), serde_json::to_string_pretty(&found.sizes)?)?;
    fs::write(out.join("holds.json"), serde_json::to_string_pretty(&found.holds)?)?;
    let pictures = root.join("docs/bench");
    fs::create_dir_all(&pictures)?;
    for plot in PLOTS {
        match plot.draw(&found.figures)? {
            Some(text) => fs::write(pictures.join(format!("{}.svg", plot.name)), text)?,
            None => println!("nothing was measured for the plot {}", plot.name),
        }
    }
    let limits = fs::read_to_string(root.join("benches/limits.md"))?;
    fs::write(root.join("BENCHMARKS.md"), page(&found, &Machine::this()?, &limits)?)?;
    for item in items(&found) {
        terminal(item, header(item), &rows(&found.figures, item));
    }
    terminal("10 rolling restart", restarts::HEADER, &restart_rows(&found));
    terminal("Goals", GOALS, &goal_rows(&found));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let written = [0.5, 12.34, 123.4, 12_345.0, 1_234_567.0].map(number);
        assert_eq!(written, ["0.50", "12.3", "123", "12 k", "1.2 M"]);
        assert_eq!(spread(Spread { median: 2.0, min: 1.0, max: 3.0 }), "2.00 (1.00 - 3.00)");
    }

    #[test]
    fn a_ratio_is_of_who_comes_first() {
        let figure =
            |who: &str, ns| Figure { item: "i".into(), case: "c".into(), who: who.into(), ns: vec![ns] };
        let rows = rows(&[figure("ours", 1.0), figure("peer", 2.0)], "i");
        assert!(rows.iter().map(|row| row[3].as_str()).eq(["-", "0.50"]));
    }
}
