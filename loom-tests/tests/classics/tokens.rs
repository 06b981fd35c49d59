//! The column of the compile-time tokens: each script as a Rust function, which compiles or does not.
//!
//! A lock is taken through a token, and where there are several, the program has the choice. The obvious
//! one came with the lock that was taken last of those held. Every other choice is compiled as well: where
//! the obvious one is refused all must be, or the order could be got round.

use crate::cases::{Case, L, Missing, Step, Tokens};
use crate::compiler::{self, Found};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

/// Which token each step that takes locks borrows: 0 says that nothing is held, and every single lock
/// comes with the next.
type Choice = Vec<usize>;

const HEAD: &str = "use rskq::DefaultBackend;
use rskq::lockdep::{Held, Mutex};

rskq::lock_order! { A, B, C, }

struct Locks {
    a0: Mutex<(), A, DefaultBackend>,
    a1: Mutex<(), A, DefaultBackend>,
    a2: Mutex<(), A, DefaultBackend>,
    b0: Mutex<(), B, DefaultBackend>,
    c0: Mutex<(), C, DefaultBackend>,
}

fn main() {}
";

/// How each function begins.
const ROOT: &str = "    // SAFETY: a context that begins holds nothing, and this is its only token.
    let mut token0 = unsafe { Held::nothing() };
";

fn lock((class, key): L) -> String {
    format!("locks.{}{key}", ["a", "b", "c"][usize::from(class)])
}

/// The obvious choice.
fn obvious(script: &[Step]) -> Choice {
    let (mut choice, mut held, mut tokens) = (Vec::new(), Vec::<(L, usize)>::new(), 1);
    for &step in script {
        let innermost = held.last().map_or(0, |&(_, token)| token);
        match step {
            Step::Lock(lock) | Step::Nested(lock) | Step::Try(lock) => {
                choice.push(innermost);
                held.push((lock, tokens));
                tokens += 1;
            }
            Step::Pair(one, other) => {
                choice.push(innermost);
                held.extend([(one, innermost), (other, innermost)]);
            }
            Step::Drop(lock) => {
                let place = held.iter().rposition(|&(held, _)| held == lock);
                held.remove(place.expect("scripts release what they take"));
            }
            Step::Off | Step::On => {}
        }
    }
    choice
}

/// Every choice, whatever became of the guard that a token came with.
fn choices(script: &[Step]) -> Vec<Choice> {
    let (mut choices, mut tokens) = (vec![Vec::new()], 1);
    for step in script.iter().filter(|step| !step.takes().is_empty()) {
        let longer = |choice: &Choice| -> Vec<Choice> {
            (0..tokens).map(|token| [choice.as_slice(), &[token]].concat()).collect()
        };
        choices = choices.iter().flat_map(longer).collect();
        tokens += usize::from(!matches!(step, Step::Pair(..)));
    }
    choices
}

/// A script as a function. What switches interrupts is left out: there is nothing to write for it.
fn function(name: &str, script: &[Step], choice: &Choice) -> String {
    let mut text = format!("\nfn {name}(locks: &Locks) {{\n{ROOT}");
    let mut line = |line: String| writeln!(text, "    {line}").expect("a string takes all");
    let (mut held, mut tokens, mut guards) = (Vec::<(L, usize)>::new(), 1, 0);
    let mut choice = choice.iter();
    for &step in script {
        let mut borrowed = || format!("&mut token{}", choice.next().expect("one for each step that takes"));
        match step {
            Step::Lock(one) | Step::Nested(one) | Step::Try(one) => {
                let call = if matches!(step, Step::Try(_)) { "try_lock" } else { "lock_and" };
                let (lock, token) = (lock(one), borrowed());
                line(format!("let (guard{guards}, mut token{tokens}) = {lock}.{call}({token});"));
                held.push((one, guards));
                (tokens, guards) = (tokens + 1, guards + 1);
            }
            Step::Pair(one, other) => {
                let (first, second, token) = (lock(one), lock(other), borrowed());
                let next = guards + 1;
                line(format!(
                    "let Some((guard{guards}, guard{next})) = {first}.lock_pair(&{second}, {token})"
                ));
                line("else { return };".into());
                held.extend([(one, guards), (other, next)]);
                guards += 2;
            }
            Step::Drop(lock) => {
                let place = held.iter().rposition(|&(held, _)| held == lock);
                let (_, guard) = held.remove(place.expect("scripts release what they take"));
                line(format!("drop(guard{guard});"));
            }
            Step::Off | Step::On => {}
        }
    }
    text + "}\n"
}

/// One way to write one script of a case.
struct Way {
    /// Where in the program.
    lines: Range<usize>,
    script: usize,
    obvious: bool,
}

/// A case as a program: each script in every way, as a function of its own.
pub(crate) struct Program {
    pub(crate) text: String,
    ways: Vec<Way>,
}

impl Program {
    pub(crate) fn of(case: &Case) -> Self {
        let (mut text, mut ways) = (HEAD.to_owned(), Vec::new());
        for (script, steps) in case.scripts().enumerate() {
            let obvious = obvious(steps);
            for choice in choices(steps) {
                let begin = text.lines().count() + 1;
                text += &function(&format!("script{script}_way{}", ways.len()), steps, &choice);
                let lines = begin..text.lines().count() + 1;
                ways.push(Way { lines, script, obvious: choice == obvious });
            }
        }
        Self { text, ways }
    }

    /// What is said of a case whose program gave these errors.
    fn verdict(&self, case: &Case, errors: &[Found]) -> Tokens {
        for error in errors {
            assert!(self.ways.iter().any(|way| way.lines.contains(&error.line)), "{}", error.rendered);
        }
        let of = |way: &Way| -> Vec<&Found> {
            errors.iter().filter(|error| way.lines.contains(&error.line)).collect()
        };
        let by_order =
            |error: &&Found| error.code == "E0277" && error.sentence.starts_with("lock order violation");
        // With another token it is out of reach: borrowed by the guard that was taken with it.
        let refused_somehow = |error: &&Found| by_order(error) || error.code == "E0499";
        let mut refused = false;
        for obvious in self.ways.iter().filter(|way| way.obvious) {
            let said = of(obvious);
            let Some(first) = said.first() else { continue };
            println!("  {}: {}: {}", case.name, first.code, first.sentence);
            if !said.iter().all(by_order) {
                let is_why = |missing: &Missing| said.iter().all(|error| error.code == missing.code());
                let missing = Missing::ALL.into_iter().find(is_why);
                return Tokens::NotExpressible(missing.unwrap_or_else(|| panic!("{}", first.rendered)));
            }
            refused = true;
            for way in self.ways.iter().filter(|way| way.script == obvious.script) {
                let said = of(way);
                let lines = self.text.lines().skip(way.lines.start).take(way.lines.len());
                let text = lines.collect::<Vec<_>>().join("\n");
                assert!(!said.is_empty(), "{}: with another token it compiles:\n{text}", case.name);
                assert!(said.iter().all(refused_somehow), "{}: {said:?}\n{text}", case.name);
            }
        }
        let left_out = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Off | Step::On));
        if refused {
            Tokens::Report
        } else if case.handler.is_some() || case.scripts().any(left_out) {
            Tokens::Blind
        } else {
            Tokens::Silent
        }
    }
}

/// Compiles all cases at once; returns what is said of each.
pub(crate) fn verdicts(cases: &[Case]) -> Vec<Tokens> {
    let programs: Vec<_> = (0..).zip(cases.iter().map(Program::of)).collect();
    let name = |number: usize| format!("case{number}");
    let texts: Vec<_> = programs.iter().map(|(number, p)| (name(*number), p.text.as_str())).collect();
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let said: BTreeMap<_, _> = compiler::check("classics", &crate_dir, &texts);
    let of = |((number, program), case): (&(usize, Program), _)| program.verdict(case, &said[&name(*number)]);
    programs.iter().zip(cases).map(of).collect()
}

/// What a compiler that let something pass would be told: a wrong order that compiles with another token,
/// one that is refused for no reason that is known, and an error that is in no script.
#[test]
fn a_compiler_that_is_less_strict_is_found_out() {
    use crate::cases::{AB, BA, Model, wrong};
    let case = wrong("AB-BA", &[AB, BA], Model::Deadlock);
    let program = Program::of(&case);
    let refused = |way: &Way, code: &str| {
        let sentence = "lock order violation: and so on".to_owned();
        Found { line: way.lines.start, code: code.to_owned(), sentence, rendered: code.to_owned() }
    };
    let by_order = |way: &Way| refused(way, if way.obvious { "E0277" } else { "E0499" });
    let ba = || program.ways.iter().filter(|way| way.script == 1);
    let verdict = |errors: Vec<Found>| {
        let said = std::panic::catch_unwind(|| program.verdict(&case, &errors));
        said.map_err(|payload| payload.downcast_ref::<String>().cloned().unwrap_or_default())
    };
    assert_eq!(verdict(ba().map(by_order).collect()), Ok(Tokens::Report));
    assert_eq!(verdict(vec![]), Ok(Tokens::Silent));
    let got_round = verdict(ba().filter(|way| way.obvious).map(by_order).collect()).unwrap_err();
    assert!(got_round.contains("with another token it compiles"), "{got_round}");
    let another_reason = ba().map(|way| refused(way, if way.obvious { "E0277" } else { "E0308" }));
    assert!(verdict(another_reason.collect()).unwrap_err().contains("E0308"));
    assert_eq!(verdict(ba().map(|way| refused(way, "E0308")).collect()), Err("E0308".into()));
    let nowhere = Found { line: 1, ..refused(&program.ways[0], "in the head") };
    assert_eq!(verdict(vec![nowhere]), Err("in the head".into()));
}
