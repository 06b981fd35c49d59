//! The graph for Mermaid, which GitHub renders in Markdown.

use super::Graph;
use std::fmt::Write;

/// Returns the graph in Mermaid's language.
pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::from("graph TD\n");
    let mut line = |line: String| writeln!(text, "    {line}").expect("a string takes all");
    for (rank, class) in graph.classes.iter().enumerate() {
        line(format!("c{rank}[\"{class}\"]"));
    }
    let mut against = Vec::new();
    for (index, (&nesting, designs)) in graph.seen.iter().enumerate() {
        let label = graph.label(nesting, designs).map_or(String::new(), |label| format!("|\"{label}\"|"));
        line(format!("c{} -->{label} c{}", nesting.held, nesting.taken));
        if nesting.against_order {
            against.push(index.to_string());
        }
    }
    for (outer, inner) in graph.only_declared() {
        line(format!("c{outer} -.- c{inner}"));
    }
    if !against.is_empty() {
        line(format!("linkStyle {} stroke:#cf222e,color:#cf222e", against.join(",")));
    }
    text
}
