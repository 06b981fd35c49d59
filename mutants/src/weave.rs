//! Every mutant in one build: each function asks which of its bodies to be.
//!
//! A body becomes `{ if QUIET {BODY} else { match WHICH { 0 => {MUTANT} 1 => {MUTANT} … } } }`. The original
//! stays where it is, and the mutants follow on its last line, so that no line of the file moves. A `const fn`
//! asks as well, where it runs; where it is evaluated it is the original. Where some iterator is returned, each
//! body's is wrapped, so that all are of one type. What is in no body cannot be switched, and where some other
//! opaque type is returned: that is told as such.

use crate::mutant::Mutant;
use proc_macro2::TokenStream;
use std::collections::BTreeMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A function that has a body of its own.
struct Function {
    body: Range<usize>,
    returns: Returns,
}

/// What a function returns, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    /// A type that has a name.
    Named,
    /// Some iterator.
    Iterator,
    /// Some other type that only its body knows.
    Opaque,
}

/// The outermost functions of a file.
#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let returned = match &signature.output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, of) => of.span().source_text().unwrap_or_default(),
        };
        let mut words = returned.split(|c: char| !c.is_alphanumeric());
        let returns = match (returned.starts_with("impl Iterator"), words.any(|word| word == "impl")) {
            (true, _) => Returns::Iterator,
            (false, true) => Returns::Opaque,
            (false, false) => Returns::Named,
        };
        self.0.push(Function { body: block.span().byte_range(), returns });
    }
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
        let body = |f: &Function| f.returns != Returns::Opaque && f.body.start <= start && end <= f.body.end;
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
        let Function { body, returns } = &functions.0[at];
        let wrap = |nth: usize| wrapping(*returns, nth, bodies.len());
        text.push_str(&source[told..body.start]);
        let function = bodies[0].0;
        let numbers: Vec<String> = bodies.iter().map(|(number, _)| number.to_string()).collect();
        let (open, close) = wrap(0);
        text.push_str(&format!("{{ if crate::mutant::quiet(&[{}]) {{ {open}", numbers.join(", ")));
        text.push_str(&source[body.clone()]);
        text.push_str(&format!("{close} }} else {{ match crate::mutant::number() {{ "));
        for (nth, (number, altered)) in bodies.iter().enumerate() {
            let (open, close) = wrap(nth + 1);
            text.push_str(&format!("{number} => {open}"));
            let place = text.len()..text.len() + altered.len();
            places.push(Place { text: place, number: *number, function });
            text.push_str(altered);
            text.push_str(&format!("{close}, "));
        }
        text.push_str("_ => unreachable!() } } }");
        told = body.end;
    }
    text.push_str(&source[told..]);
    Ok(Woven { text, places, alone })
}

/// What is before and behind the body `nth`, where `last` is the last of all.
fn wrapping(returns: Returns, nth: usize, last: usize) -> (String, String) {
    if returns != Returns::Iterator {
        return (String::new(), String::new());
    }
    let path = "crate::mutant::Either::";
    let (own, depth) = if nth == last { (String::new(), nth) } else { (format!("{path}One("), nth + 1) };
    (format!("{}{own}", format!("{path}Other(").repeat(nth)), ")".repeat(depth))
}

/// Where `lib.rs` begins: a `const fn` can ask on a nightly compiler, or on one that is told to be.
pub(crate) const NIGHTLY: &str =
    "#![feature(core_intrinsics, const_eval_select)] #![allow(internal_features)] ";

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
    pub const fn quiet(numbers: &'static [usize]) -> bool {
        const fn evaluated(_: &'static [usize]) -> bool {
            true
        }
        core::intrinsics::const_eval_select((numbers,), evaluated, asked)
    }
    #[inline]
    fn asked(numbers: &'static [usize]) -> bool {
        let number = NUMBER.load(Relaxed);
        if number >= REACHED { special(number, numbers) } else { !numbers.contains(&number) }
    }
    #[inline]
    pub const fn number() -> usize {
        const fn evaluated() -> usize {
            NONE
        }
        fn asked() -> usize {
            NUMBER.load(Relaxed)
        }
        core::intrinsics::const_eval_select((), evaluated, asked)
    }
    pub enum Either<A, B> {
        One(A),
        Other(B),
    }
    impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Either<A, B> {
        type Item = T;
        fn next(&mut self) -> Option<T> {
            match self {
                Self::One(one) => one.next(),
                Self::Other(other) => other.next(),
            }
        }
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
                asked(numbers)
            }
        }
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn f() -> u8 {
    1 + 1 // two
}
fn g() -> impl Ord {
    1
}
fn h() -> impl Iterator<Item = u8> {
    0..9
}
";

    fn mutant(line: usize, from: usize, to: usize, replacement: &str) -> Mutant {
        let position = |column: usize| format!(r#"{{"line": {line}, "column": {column}}}"#);
        let json = format!(
            r#"{{"file": "src/f.rs", "name": "src/f.rs:{line}:{from}: alter it", "replacement": "{replacement}",
                "span": {{"start": {}, "end": {}}}}}"#,
            position(from),
            position(to)
        );
        serde_json::from_str(&json).expect("as cargo-mutants writes it")
    }

    #[test]
    fn a_mutant_is_a_body_of_its_own_and_no_line_moves() {
        let (minus, zero, one) = (mutant(2, 7, 8, "-"), mutant(5, 5, 6, "0"), mutant(8, 5, 6, "1"));
        let woven = weave(SOURCE, &[(7, &minus), (8, &zero), (9, &one)]).expect("it parses");
        assert_eq!(woven.alone, [8], "what is returned is of the body's type");
        assert_eq!(woven.text.lines().count(), SOURCE.lines().count());
        assert!(woven.text.contains("7 => { 1 - 1 },"), "{}", woven.text);
        let place = &woven.places[0];
        assert_eq!((&woven.text[place.text.clone()], place.number, place.function), ("{ 1 - 1 }", 7, 7));
        let either = "crate::mutant::Either";
        assert!(woven.text.contains(&format!("{{ {either}::One({{\n    0..9\n}})")), "{}", woven.text);
        assert!(woven.text.contains(&format!("9 => {either}::Other({{ 1 .. 9 }})")), "{}", woven.text);
        assert_eq!(minus.lasting_name(), "src/f.rs: alter it");
    }
}
