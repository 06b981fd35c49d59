//! A case: a program with marks that say which lines do not compile, why, and what to write instead.
//!
//! ```text
//! let second = outer.lock(&mut held); //~ E0277 lock order violation
//! //~ instead: let second = inner.lock(&mut held);
//! ```
//!
//! A mark at the end of a line is an error that the line must give: its code, or `-` where it has none, and
//! a part of its sentence. `instead:` stands below a line that the corrected program replaces, with nothing
//! where nothing follows; lines without an error may be replaced, too. The program must give the errors that
//! are marked and no others, and the corrected one must compile: then it is the marked lines that are
//! refused, and for the reason that is given.

use crate::compiler::{self, Found};
use std::collections::BTreeMap;
use std::path::Path;

/// An error that a line must give.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) line: usize,
    pub(crate) code: String,
    pub(crate) sentence: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) program: String,
    pub(crate) corrected: String,
    pub(crate) expected: Vec<Expected>,
}

impl Case {
    /// Reads the marks of a program.
    pub(crate) fn marked(name: &str, program: &str) -> Self {
        let lines = program.lines().collect::<Vec<_>>();
        let instead = |line: &str| line.trim_start().strip_prefix("//~ instead:").map(str::to_owned);
        let corrected = lines.iter().enumerate().map(|(number, line)| {
            let replacement = lines.get(number + 1).and_then(|next| instead(next));
            replacement.unwrap_or_else(|| (*line).to_owned())
        });
        Self::corrected(name, program, &corrected.collect::<Vec<_>>().join("\n"))
    }

    /// Reads the marks of a program that is corrected in another way than line by line.
    pub(crate) fn corrected(name: &str, program: &str, corrected: &str) -> Self {
        let expected = (1..).zip(program.lines()).filter_map(|(number, line)| mark(number, line)).collect();
        let whole = |text: &str| format!("{text}\nfn main() {{}}\n");
        Self { name: name.to_owned(), program: whole(program), corrected: whole(corrected), expected }
    }

    /// Compares what the compiler said with the marks, and of the corrected program with nothing.
    ///
    /// # Errors
    ///
    /// Says what differs.
    pub(crate) fn verdict(&self, program: &[Found], corrected: &[Found]) -> Result<(), String> {
        let Self { name, expected, .. } = self;
        for Expected { line, code, sentence } in expected {
            let here = program.iter().filter(|found| found.line == *line).collect::<Vec<_>>();
            if !here.iter().any(|found| found.code == *code && found.sentence.contains(sentence)) {
                return Err(format!("{name}:{line}: {code} {sentence}: not among {here:?}"));
            }
        }
        if let Some(other) = program.iter().find(|found| expected.iter().all(|e| e.line != found.line)) {
            return Err(format!("{name}: not expected: {}", other.rendered));
        }
        match corrected {
            [] => Ok(()),
            [first, ..] => Err(format!("{name}: corrected, it does not compile: {}", first.rendered)),
        }
    }
}

/// What the compiler said of each program and of its correction, by name.
pub(crate) struct Said(BTreeMap<String, Vec<Found>>);

/// The name of the corrected program.
fn corrected_name(case: &Case) -> String {
    format!("{}_corrected", case.name)
}

impl Said {
    /// Lets the compiler look at all cases at once.
    pub(crate) fn of(cases: &[Case]) -> Self {
        let programs = cases.iter().flat_map(|case| {
            [(case.name.clone(), case.program.as_str()), (corrected_name(case), case.corrected.as_str())]
        });
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self(compiler::check("compile-fail", crate_dir, &programs.collect::<Vec<_>>()))
    }

    /// Returns what was said of a program, and of its correction.
    pub(crate) fn of_case(&self, case: &Case) -> (&[Found], &[Found]) {
        (&self.0[&case.name], &self.0[&corrected_name(case)])
    }
}

/// Reads the mark at the end of a line, if there is one.
fn mark(line: usize, text: &str) -> Option<Expected> {
    let (_, mark) = text.split_once("//~ ")?;
    if mark.starts_with("instead:") {
        return None;
    }
    let (code, sentence) = mark.split_once(' ')?;
    let code = if code == "-" { "" } else { code };
    Some(Expected { line, code: code.to_owned(), sentence: sentence.to_owned() })
}
