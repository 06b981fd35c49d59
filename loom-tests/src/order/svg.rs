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
/// Above the first class.
const TOP: f32 = 84.0;

fn top(rank: u8) -> f32 {
    TOP + STEP * f32::from(rank)
}

/// Draws the graph.
pub(super) fn draw(graph: &Graph) -> String {
    let wide = graph.classes.iter().map(|class| width(class, FONT)).fold(0.0, f32::max) + 24.0;
    let right = MARGIN + wide;
    let labels = graph.seen.iter().map(|(&nesting, designs)| {
        let label = graph.label(nesting, designs).map_or(0.0, |label| width(&label, FONT - 2.0));
        right + reach(nesting) + label + 2.0 * MARGIN
    });
    let notes = NOTES.iter().map(|note| width(note, FONT - 1.0) + 2.0 * MARGIN);
    let extent = labels.chain(notes).fold(right, f32::max);
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
    document = graph.seen.iter().fold(document, |document, (&nesting, designs)| {
        arc(document, right, nesting, graph.label(nesting, designs).as_deref())
    });
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

fn arc(document: Document, right: f32, nesting: Nesting, label: Option<&str>) -> Document {
    let colour = if nesting.against_order { RED } else { INK };
    // It leaves a box in its lower half and enters one in its upper half.
    let (from, to) = (top(nesting.held) + HEIGHT * 0.7, top(nesting.taken) + HEIGHT * 0.3);
    let out = right + reach(nesting) * 4.0 / 3.0;
    let data = Data::new().move_to((right, from)).cubic_curve_to((out, from, out, to, right + 6.0, to));
    let path = Path::new().set("d", data).set("fill", "none").set("stroke", colour);
    let (tip, edge) = (right, right + 7.0);
    let head = Data::new().move_to((tip, to)).line_to((edge, to - 3.5)).line_to((edge, to + 3.5)).close();
    let mut document = document.add(path).add(Path::new().set("d", head).set("fill", colour));
    if let Some(label) = label {
        // Two arcs of one class lie over each other, but for their labels.
        let below = if nesting.held == nesting.taken && nesting.against_order { 12.0 } else { -2.0 };
        let (x, y) = (right + reach(nesting) + 6.0, (from + to) / 2.0 + below);
        let label = text(x, y, FONT - 2.0, colour, label);
        // Readable where another arc passes behind it.
        document =
            document.add(label.set("paint-order", "stroke").set("stroke", "white").set("stroke-width", 3));
    }
    document
}
