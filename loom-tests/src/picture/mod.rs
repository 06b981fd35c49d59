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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Settings, explore};
    use crate::{designs, scenario};
    use svg::parser::Event;

    fn explored(design: &str) -> Exploration {
        let scenario = scenario::by_name("closer_late_arrival").unwrap();
        explore(designs::by_name(design).unwrap(), scenario, Settings::default())
    }

    #[test]
    fn the_queues_are_followed_to_the_step_that_breaks_the_order() {
        let exploration = explored("splice");
        let interleaving = exploration.verdict(Property::I12).interleaving().unwrap();
        let plan = plan::Plan::of(&exploration.scenario, interleaving);
        let contents = |listener: usize| plan.queues[listener].iter().map(|(_, text)| text.as_str());
        assert_eq!(contents(0).collect::<Vec<_>>(), ["[#0]"]);
        assert_eq!(contents(1).collect::<Vec<_>>(), ["[]", "[#1]", "[#0 #1]"]);
        assert_eq!(plan.queues[1].last().unwrap().0, Some(plan.rows.len() - 1));
        assert!(plan.at_last_row);
    }

    #[test]
    fn a_lock_that_is_waited_for_is_held_from_where_the_wait_ends() {
        let exploration = explored("splice");
        let interleaving = exploration.verdict(Property::I11).interleaving().unwrap();
        let plan = plan::Plan::of(&exploration.scenario, interleaving);
        let waits = plan.lanes.iter().flat_map(|lane| {
            let after = |wait: &plan::Bar, bar: &plan::Bar| bar.held && Some(bar.from) == wait.to;
            let waits = lane.bars.iter().filter(|bar| !bar.held);
            waits.map(move |wait| lane.bars.iter().any(|bar| after(wait, bar) && bar.lock == wait.lock))
        });
        let waits: Vec<bool> = waits.collect();
        assert!(!waits.is_empty() && waits.iter().all(|&held| held), "{waits:?}");
    }

    #[test]
    fn a_drawing_is_well_formed_and_says_in_red_what_was_seen() {
        let exploration = explored("splice");
        let text = draw(&exploration, Property::I12, None).unwrap();
        let events: Vec<Event<'_>> = svg::read(&text).unwrap().collect();
        assert!(!events.iter().any(|event| matches!(event, Event::Error(_))));
        let red = events.iter().filter_map(|event| match event {
            Event::Tag("text", _, attributes) => attributes.get("fill"),
            _ => None,
        });
        assert_eq!(red.filter(|fill| &***fill == shapes::RED).count(), 2, "the step and the finding");
        assert!(text.contains("[#1] waited on B and were overtaken: [#0 #1]"));
    }

    #[test]
    fn what_holds_has_no_drawing() {
        assert!(draw(&explored("requeue"), Property::I12, None).is_none());
    }
}
