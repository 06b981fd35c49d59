//! What the matrix has to say, so that a change of a verdict is a failure and not a footnote.

use crate::designs::Column;
use crate::explore::Exploration;
use crate::matrix::Cell;
use crate::property::Property;

/// Returns the properties that a design does not have.
///
/// `I11` under `clone` is its single try: a target that closes between the choice and the addition
/// costs the connection, in `closer_closer_of_target`. It is not the late arrival, which it keeps.
#[must_use]
pub fn broken(design: &str) -> &'static [Property] {
    match design {
        "abort" => &[Property::I11],
        "splice" => &[Property::I5, Property::I10, Property::I11, Property::I12, Property::I22],
        "clone-5.14" | "clone-naive-wake" => &[Property::I10, Property::I11],
        "clone" => &[Property::I11],
        _ => &[],
    }
}

/// Returns how the explorations differ from what is expected, a sentence each.
#[must_use]
pub fn differences(explorations: &[Exploration], columns: &[Column]) -> Vec<String> {
    let mut differences = Vec::new();
    for column in columns {
        for property in Property::ALL {
            let cell = Cell::of(explorations, column.name, property);
            let found = cell.counterexample().is_some();
            let known = broken(column.name).contains(&property);
            if found != known {
                let (is, was) = if found { ("is broken", "to hold") } else { ("holds", "to be broken") };
                differences.push(format!("{} {is} under {}, expected {was}", property.name(), column.name));
            }
            if !found && !cell.verdicts.iter().all(|(_, verdict)| verdict.holds()) {
                differences.push(format!(
                    "{} under {} was not explored to the end",
                    property.name(),
                    column.name
                ));
            }
        }
    }
    differences
}
