//! The graph as a drawing: classes from top to bottom, an arc for each nesting.

use super::Graph;
use crate::nesting::Nesting;
use crate::picture::shapes::{FAINT, FONT, INK, RED, canvas, line, rectangle, text, width};
use svg::Document;
use svg::node::element::Path;
use svg::node::element::path::Data;

const MARGIN: f32 = 20.0;
/// From one class to the next.
const STEP: f32 = 64.0;
/// The height of a class's box.
const HEIGHT: f32 = 30.0;
/// How far an arc goes out for each class it leads past.
const REACH: f32 = 44.0;
/// From one label to the one below.
const LABEL: f32 = 14.0;
/// Above the first class.
const TOP: f32 = 84.0;

fn top(rank: u8) -> f32 {
    TOP + STEP * f32::from(rank)
}

/// Draws the graph.
pub(super) fn draw(graph: &Graph) -> String {
    let wide = graph.classes.iter().map(|class| width(class, FONT)).fold(0.0, f32::max) + 24.0;
    let right = MARGIN + wide;
    let labelled = graph.seen.iter().map(|(&nesting, designs)| {
        let label = graph.label(nesting, designs).map_or(0.0, |label| width(&label, FONT - 2.0));
        right + reach(nesting) + label + 2.0 * MARGIN
    });
    let notes = NOTES.iter().map(|note| width(note, FONT - 1.0) + 2.0 * MARGIN);
    let extent = labelled.chain(notes).fold(right, f32::max);
    let mut document = canvas(extent, top(graph.classes.len() as u8));
    for (index, note) in NOTES.iter().enumerate() {
        document = document.add(text(MARGIN, 24.0 + 18.0 * index as f32, FONT - 1.0, INK, note));
    }
    for (outer, inner) in graph.only_declared() {
        let x = MARGIN + wide / 2.0;
        let chain = line((x, top(outer) + HEIGHT), (x, top(inner)), FAINT);
        document = document.add(chain.set("stroke-dasharray", "4 3"));
    }
    for (rank, class) in (0..).zip(&graph.classes) {
        let shape = rectangle(MARGIN, top(rank), wide, HEIGHT, "#ddf4ff").set("stroke", INK).set("rx", 4);
        document = document.add(shape);
        document = document.add(text(MARGIN + 12.0, top(rank) + HEIGHT * 0.65, FONT, INK, class));
    }
    document = graph.seen.keys().fold(document, |document, &nesting| arc(document, right, nesting));
    document = labels(document, graph, right);
    format!("{document}\n")
}

const NOTES: [&str; 3] = [
    "The lock order, outermost first. An arc: the model took the lower class while it held the upper.",
    "In red, taken against the order; a dashed line, declared and not taken so by any model.",
    "Names beside an arc are the designs that take it, where not all do.",
];

/// How far to the right an arc goes.
fn reach(nesting: Nesting) -> f32 {
    REACH * f32::from(nesting.taken.abs_diff(nesting.held)).max(0.8)
}

fn colour(nesting: Nesting) -> &'static str {
    if nesting.against_order { RED } else { INK }
}

/// Where an arc begins, in the lower half of its box, and where it ends, in the upper half.
fn ends(nesting: Nesting) -> (f32, f32) {
    (top(nesting.held) + HEIGHT * 0.7, top(nesting.taken) + HEIGHT * 0.3)
}

fn arc(document: Document, right: f32, nesting: Nesting) -> Document {
    let (from, to) = ends(nesting);
    let out = right + reach(nesting) * 4.0 / 3.0;
    let data = Data::new().move_to((right, from)).cubic_curve_to((out, from, out, to, right + 6.0, to));
    let path = Path::new().set("d", data).set("fill", "none").set("stroke", colour(nesting));
    let (tip, edge) = (right, right + 7.0);
    let head = Data::new().move_to((tip, to)).line_to((edge, to - 3.5)).line_to((edge, to + 3.5)).close();
    document.add(path).add(Path::new().set("d", head).set("fill", colour(nesting)))
}

/// Puts each label where its arc is farthest out, or below where another has that place.
fn labels(document: Document, graph: &Graph, right: f32) -> Document {
    let mut taken: Vec<(f32, f32, f32)> = Vec::new();
    graph.seen.iter().fold(document, |document, (&nesting, designs)| {
        let Some(label) = graph.label(nesting, designs) else { return document };
        let (from, to) = ends(nesting);
        let (x, mut y) = (right + reach(nesting) + 6.0, (from + to) / 2.0 - 2.0);
        let end = x + width(&label, FONT - 2.0) + MARGIN;
        while taken.iter().any(|&(left, right, at)| left < end && x < right && (at - y).abs() < LABEL) {
            y += LABEL;
        }
        taken.push((x, end, y));
        // Readable where an arc passes behind it.
        let words = text(x, y, FONT - 2.0, colour(nesting), &label).set("paint-order", "stroke");
        document.add(words.set("stroke", "white").set("stroke-width", 3))
    })
}
