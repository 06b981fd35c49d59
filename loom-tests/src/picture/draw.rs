//! A plan in pixels.

use super::plan::{Bar, Lane, Plan, heading};
use super::shapes::{FAINT, FONT, INK, PALE_RED, RED, canvas, colour, line, rectangle, text, width};
use crate::story::lock_name;
use rskq::sync::LockTag;
use svg::Document;

const MARGIN: f32 = 16.0;
/// From one row to the next.
const ROW: f32 = 22.0;
/// Above the first row: the title, and the lanes' own.
const TOP: f32 = 96.0;
/// How wide the bar of a lock is.
const BAR: f32 = 11.0;
/// The size of letters on a bar.
const SMALL: f32 = 9.0;

/// Where things are.
struct Places<'a> {
    plan: &'a Plan,
    /// Each lane's line.
    lanes: Vec<f32>,
    /// Each queue's left edge.
    queues: Vec<f32>,
    locks: Vec<LockTag>,
    width: f32,
}

impl<'a> Places<'a> {
    fn of(plan: &'a Plan, title: &str) -> Self {
        let mut x = MARGIN;
        let mut lanes = Vec::new();
        for (index, lane) in plan.lanes.iter().enumerate() {
            lanes.push(x);
            let own = plan.rows.iter().filter(|(lane, _)| *lane == index).map(|(_, text)| text);
            let words = own.map(|text| label_offset(lane) + width(text, FONT));
            x += words.fold(width(&lane.title, FONT), f32::max) + 2.0 * MARGIN;
        }
        let mut queues = Vec::new();
        for (listener, queue) in plan.queues.iter().enumerate() {
            queues.push(x);
            let contents = queue.iter().map(|(_, text)| width(text, FONT) + 12.0);
            x += contents.fold(width(&heading(listener), FONT), f32::max) + MARGIN;
        }
        let finding = plan.finding.lines().map(|line| width(line, FONT) + 4.0 * MARGIN);
        let least = finding.fold(width(title, FONT + 2.0) + 2.0 * MARGIN, f32::max);
        let mut locks: Vec<LockTag> = Vec::new();
        for bar in plan.lanes.iter().flat_map(|lane| &lane.bars) {
            if !locks.contains(&bar.lock) {
                locks.push(bar.lock);
            }
        }
        locks.sort_by_key(|lock| (lock.rank, lock.key));
        Self { plan, lanes, queues, locks, width: x.max(least) }
    }

    fn colour_of(&self, lock: LockTag) -> &'static str {
        colour(self.locks.iter().position(|&known| known == lock).unwrap_or(0))
    }

    fn bottom(&self) -> f32 {
        row(self.plan.rows.len())
    }
}

/// The top of a row.
fn row(index: usize) -> f32 {
    TOP + ROW * index as f32
}

/// From a lane's line to its words: past the bars.
fn label_offset(lane: &Lane) -> f32 {
    // A lock that is waited for stands where it will be held.
    lane.depth() as f32 * (BAR + 2.0) + 10.0
}

pub(super) fn svg(title: &str, plan: &Plan) -> String {
    let places = Places::of(plan, title);
    let finding = plan.finding.lines().count() as f32;
    let legend = if places.locks.is_empty() { 0.0 } else { ROW };
    let height = places.bottom() + ROW * (finding + 2.0) + legend;
    let mut document = canvas(places.width, height);
    document = document.add(text(MARGIN, 26.0, FONT + 2.0, INK, title).set("font-weight", "bold"));
    document = broken_row(document, &places);
    document = (0..plan.lanes.len()).fold(document, |document, lane| draw_lane(document, &places, lane));
    document = rows(document, &places);
    document = (0..plan.queues.len()).fold(document, |document, queue| draw_queue(document, &places, queue));
    document = finding_box(document, &places);
    document = draw_legend(document, &places, height - MARGIN);
    format!("{document}\n")
}

/// The band behind the step that broke the property.
fn broken_row(document: Document, places: &Places<'_>) -> Document {
    if !places.plan.at_last_row {
        return document;
    }
    let top = row(places.plan.rows.len().saturating_sub(1));
    document.add(rectangle(MARGIN / 2.0, top, places.width - MARGIN, ROW, PALE_RED))
}

fn draw_lane(mut document: Document, places: &Places<'_>, index: usize) -> Document {
    let (lane, x) = (&places.plan.lanes[index], places.lanes[index]);
    document = document.add(text(x, TOP - 16.0, FONT, INK, &lane.title).set("font-weight", "bold"));
    document = document.add(line((x, TOP - 8.0), (x, places.bottom()), INK));
    lane.bars.iter().fold(document, |document, bar| draw_bar(document, places, x, bar))
}

fn draw_bar(document: Document, places: &Places<'_>, lane: f32, bar: &Bar) -> Document {
    let x = lane + 4.0 + bar.depth as f32 * (BAR + 2.0);
    let top = row(bar.from) + ROW * 0.2;
    let bottom = bar.to.map_or(places.bottom(), |to| row(to) + ROW * if bar.held { 0.8 } else { 0.2 });
    let colour = places.colour_of(bar.lock);
    let shape = rectangle(x, top, BAR, bottom - top, if bar.held { colour } else { "white" });
    let shape = shape.set("stroke", colour).set("rx", 2);
    let document = document.add(if bar.held { shape } else { shape.set("stroke-dasharray", "3 2") });
    let name = lock_name(bar.lock);
    if width(&name, SMALL) > bottom - top {
        return document; // the legend has it
    }
    let (x, y) = (x + SMALL - 1.0, (top + bottom + width(&name, SMALL)) / 2.0);
    document.add(text(x, y, SMALL, INK, &name).set("transform", format!("rotate(-90 {x} {y})")))
}

fn rows(document: Document, places: &Places<'_>) -> Document {
    let plan = places.plan;
    let last = plan.rows.len().saturating_sub(1);
    plan.rows.iter().enumerate().fold(document, |document, (index, (lane, words))| {
        let x = places.lanes[*lane] + label_offset(&plan.lanes[*lane]);
        let broken = plan.at_last_row && index == last;
        let label = text(x, row(index) + ROW * 0.7, FONT, if broken { RED } else { INK }, words);
        document.add(if broken { label.set("font-weight", "bold") } else { label })
    })
}

fn draw_queue(mut document: Document, places: &Places<'_>, listener: usize) -> Document {
    let x = places.queues[listener];
    let middle = x + 6.0;
    document = document.add(text(x, TOP - 36.0, FONT, INK, &heading(listener)).set("font-weight", "bold"));
    document = document.add(line((middle, TOP - 24.0), (middle, places.bottom()), FAINT));
    places.plan.queues[listener].iter().fold(document, |document, (from, content)| {
        let top = from.map_or(TOP - ROW - 8.0, row) + 2.0;
        let shape = rectangle(x, top, width(content, FONT) + 12.0, ROW - 4.0, "white");
        document.add(shape.set("stroke", INK).set("rx", 3)).add(text(
            x + 6.0,
            top + ROW * 0.6,
            FONT,
            INK,
            content,
        ))
    })
}

fn finding_box(mut document: Document, places: &Places<'_>) -> Document {
    let lines: Vec<_> = places.plan.finding.lines().collect();
    let top = places.bottom() + 6.0;
    let height = ROW * lines.len() as f32 + 6.0;
    let shape = rectangle(MARGIN / 2.0, top, places.width - MARGIN, height, PALE_RED);
    document = document.add(shape.set("stroke", RED).set("rx", 3));
    lines.iter().enumerate().fold(document, |document, (index, words)| {
        let label = text(MARGIN, top + ROW * (index as f32 + 0.75), FONT, RED, words);
        document.add(label.set("font-weight", "bold"))
    })
}

fn draw_legend(mut document: Document, places: &Places<'_>, y: f32) -> Document {
    let mut x = MARGIN;
    for (index, &lock) in places.locks.iter().enumerate() {
        let name = lock_name(lock);
        document = document.add(rectangle(x, y - BAR + 2.0, BAR, BAR, colour(index)));
        document = document.add(text(x + BAR + 5.0, y, FONT - 1.0, INK, &name));
        x += BAR + width(&name, FONT - 1.0) + 2.0 * MARGIN;
    }
    document
}
