//! One interleaving as a drawing: a lane a thread, a bar a lock, the queues beside, and in red where
//! the property broke.

mod draw;
mod plan;
pub(crate) mod shapes;

use crate::explore::Exploration;
use crate::matrix::title;
use crate::property::Property;

/// Draws the most readable counterexample to a property in an exploration, if there is one, as SVG;
/// a fault that was planted is part of the title.
#[must_use]
pub fn draw(exploration: &Exploration, property: Property, fault: Option<&str>) -> Option<String> {
    let interleaving = exploration.verdict(property).interleaving()?;
    let plan = plan::Plan::of(&exploration.scenario, interleaving);
    let (design, scenario) = (exploration.column.title, exploration.scenario.name);
    let planted = fault.map_or(String::new(), |fault| format!(" with {fault} planted"));
    let title = format!("{design}{planted}, {scenario}. Broken: {}", title(property));
    Some(draw::svg(&title, &plan))
}

/// Returns the name of the drawing's file; a planted fault is part of it.
#[must_use]
pub fn file_name(exploration: &Exploration, property: Property, fault: Option<&str>) -> String {
    let property = property.name().replace('/', "-");
    let parts = [Some(exploration.column.name), Some(exploration.scenario.name), Some(&*property), fault];
    format!("{}.svg", parts.into_iter().flatten().collect::<Vec<_>>().join("-"))
}
