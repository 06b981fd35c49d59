//! Shapes and colours that the drawings share.

use svg::node::element::{Line, Rectangle, Text};

/// What can be read on white, and is no warning.
pub(crate) const INK: &str = "#24292f";
/// Of less weight.
pub(crate) const FAINT: &str = "#afb8c1";
/// Broken.
pub(crate) const RED: &str = "#cf222e";
/// Behind what is broken.
pub(crate) const PALE_RED: &str = "#ffebe9";

/// Colours that people with any colour vision tell apart (Okabe and Ito), none of them red.
const PALETTE: &[&str] = &["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#999999"];

/// The size of letters.
pub(crate) const FONT: f32 = 12.0;

/// Returns a colour of its own for each of a few things.
pub(crate) fn colour(index: usize) -> &'static str {
    PALETTE[index % PALETTE.len()]
}

/// Returns how wide a text is, in a font whose letters are all equally wide.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    text.chars().count() as f32 * size * 0.61
}

/// Returns a text, of which `x` and `y` are the beginning of the base line.
pub(crate) fn text(x: f32, y: f32, size: f32, colour: &str, content: &str) -> Text {
    Text::new(content)
        .set("x", x)
        .set("y", y)
        .set("font-family", "ui-monospace, Menlo, Consolas, monospace")
        .set("font-size", size)
        .set("fill", colour)
}

/// Returns a filled rectangle.
pub(crate) fn rectangle(x: f32, y: f32, width: f32, height: f32, fill: &str) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height).set("fill", fill)
}

/// Returns a line.
pub(crate) fn line(from: (f32, f32), to: (f32, f32), colour: &str) -> Line {
    Line::new().set("x1", from.0).set("y1", from.1).set("x2", to.0).set("y2", to.1).set("stroke", colour)
}

/// Returns a drawing of that size, on white whatever the page is.
pub(crate) fn canvas(width: f32, height: f32) -> svg::Document {
    let (width, height) = (width.ceil(), height.ceil());
    svg::Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("width", width)
        .set("height", height)
        .add(rectangle(0.0, 0.0, width, height, "white"))
}
