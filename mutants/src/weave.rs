//! Every mutant in one build: each function asks which of its bodies to be.
//!
//! A body becomes `{ if QUIET {BODY} else { match WHICH { 0 => {MUTANT} 1 => {MUTANT} … } } }`. The original
//! stays where it is, and the mutants follow on its last line, so that no line of the file moves. What cannot
//! be switched at run time is told as such: what is no body, `const fn`, and where the type that is returned
//! is that of the body.

use crate::mutant::Mutant;
use proc_macro2::TokenStream;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A function that has a body of its own.
struct Function {
    body: Range<usize>,
    switchable: bool,
}

/// The outermost functions of a file.
#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let opaque = match &signature.output {
            syn::ReturnType::Default => false,
            syn::ReturnType::Type(_, of) => tokens_of(of).any(|word| word == "impl"),
        };
        let switchable = signature.constness.is_none() && !opaque;
        self.0.push(Function { body: block.span().byte_range(), switchable });
    }
}

/// The words of a type.
fn tokens_of(of: &syn::Type) -> impl Iterator<Item = String> {
    let text = of.span().source_text().unwrap_or_default();
    text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
    }
    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
    }
    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Where a mutant is.
pub(crate) struct Place {
    pub(crate) text: Range<usize>,
    pub(crate) number: usize,
    /// The number of the first mutant of the function.
    pub(crate) function: usize,
}

/// A file with its mutants.
pub(crate) struct Woven {
    pub(crate) text: String,
    /// Where the text of each mutant is.
    pub(crate) places: Vec<Place>,
    /// Those that cannot be switched at run time.
    pub(crate) alone: Vec<usize>,
}

/// Weaves `mutants`, each with its number, into `source`. A function's number is that of its first mutant.
pub(crate) fn weave(source: &str, mutants: &[(usize, &Mutant)]) -> Result<Woven, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut functions = Functions::default();
    functions.visit_file(&file);
    let mut alone = Vec::new();
    let mut inside: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    for &(number, mutant) in mutants {
        let (start, end) = (mutant.span.start.byte(source), mutant.span.end.byte(source));
        let body = |f: &Function| f.switchable && f.body.start <= start && end <= f.body.end;
        match functions.0.iter().position(body) {
            Some(at) => {
                let body = &functions.0[at].body;
                let altered =
                    format!("{}{}{}", &source[body.start..start], mutant.replacement, &source[end..body.end]);
                let tokens: TokenStream = altered.parse().map_err(|e| format!("{}: {e}", mutant.name))?;
                inside.entry(at).or_default().push((number, tokens.to_string().replace('\n', " ")));
            }
            None => alone.push(number),
        }
    }
    let mut text = String::new();
    let mut places = Vec::new();
    let mut told = 0;
    for (at, bodies) in inside {
        let body = functions.0[at].body.clone();
        text.push_str(&source[told..body.start]);
        let function = bodies[0].0;
        let numbers: Vec<String> = bodies.iter().map(|(number, _)| number.to_string()).collect();
        text.push_str(&format!("{{ if crate::mutant::quiet(&[{}]) ", numbers.join(", ")));
        text.push_str(&source[body.clone()]);
        text.push_str(" else { match crate::mutant::number() { ");
        for (number, altered) in bodies {
            text.push_str(&format!("{number} => "));
            let place = text.len()..text.len() + altered.len();
            places.push(Place { text: place, number, function });
            text.push_str(&altered);
            text.push(' ');
        }
        text.push_str("_ => unreachable!() } } }");
        told = body.end;
    }
    text.push_str(&source[told..]);
    Ok(Woven { text, places, alone })
}

/// What the woven functions ask, at the end of `lib.rs`. `MUTANT` is the number of one, or `reached:PATH`,
/// where the first mutant of each function that runs is written.
pub(crate) const SWITCH: &str = r#"
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub)]
pub mod mutant {
    extern crate std;
    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::io::Write;
    const UNREAD: usize = usize::MAX;
    const NONE: usize = usize::MAX - 1;
    const REACHED: usize = usize::MAX - 2;
    static NUMBER: AtomicUsize = AtomicUsize::new(UNREAD);
    static SEEN: [AtomicBool; 10_000] = [const { AtomicBool::new(false) }; 10_000];
    #[inline]
    pub fn quiet(numbers: &'static [usize]) -> bool {
        let number = NUMBER.load(Relaxed);
        if number >= REACHED { special(number, numbers) } else { !numbers.contains(&number) }
    }
    #[inline]
    pub fn number() -> usize {
        NUMBER.load(Relaxed)
    }
    #[cold]
    fn special(number: usize, numbers: &'static [usize]) -> bool {
        match number {
            NONE => true,
            REACHED => {
                if !SEEN[numbers[0]].swap(true, Relaxed) {
                    let told = std::env::var("MUTANT").unwrap();
                    let path = told.strip_prefix("reached:").unwrap();
                    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
                    file.write_all(std::format!("{}\n", numbers[0]).as_bytes()).unwrap();
                }
                true
            }
            _ => {
                NUMBER.store(
                    match std::env::var("MUTANT") {
                        Err(_) => NONE,
                        Ok(told) if told.starts_with("reached:") => REACHED,
                        Ok(told) => told.parse().unwrap(),
                    },
                    Relaxed,
                );
                quiet(numbers)
            }
        }
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn f() -> u8 {\n    1 + 1 // two\n}\nconst fn g() -> u8 {\n    1\n}\n";

    fn mutant(line: usize, from: usize, to: usize, replacement: &str) -> Mutant {
        let json = format!(
            r#"{{"file": "src/f.rs", "name": "src/f.rs:{line}:{from}: alter it", "replacement": "{replacement}",
                "span": {{"start": {{"line": {line}, "column": {from}}}, "end": {{"line": {line}, "column": {to}}}}}}}"#
        );
        serde_json::from_str(&json).expect("as cargo-mutants writes it")
    }

    #[test]
    fn a_mutant_is_a_body_of_its_own_and_no_line_moves() {
        let (minus, zero) = (mutant(2, 7, 8, "-"), mutant(5, 5, 6, "0"));
        let woven = weave(SOURCE, &[(7, &minus), (8, &zero)]).expect("it parses");
        assert_eq!(woven.alone, [8], "a const fn asks nobody");
        assert_eq!(woven.text.lines().count(), SOURCE.lines().count());
        assert!(woven.text.contains("7 => { 1 - 1 }"), "{}", woven.text);
        let place = &woven.places[0];
        assert_eq!((&woven.text[place.text.clone()], place.number, place.function), ("{ 1 - 1 }", 7, 7));
        assert_eq!(minus.lasting_name(), "src/f.rs: alter it");
    }
}
