//! The table of cases.

/// A lock: its class, and its key within the class. The declared order of the classes is that of
/// their numbers.
pub(crate) type L = (u8, u32);

const A: L = (0, 0);
const B: L = (1, 0);
const C: L = (2, 0);
/// Two locks of class A.
const A1: L = (0, 1);
const A2: L = (0, 2);

/// What a thread does.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Waits for a lock.
    Lock(L),
    /// Waits for a lock, saying that one of its class with a lower key is held.
    Nested(L),
    /// Waits for two locks of one class by the call for pairs, whichever way round they are named.
    Pair(L, L),
    /// Takes a lock if it is free. A `Drop` of a lock that was not free does nothing.
    Try(L),
    /// Releases a lock.
    Drop(L),
    /// Switches interrupts off.
    Off,
    /// Switches interrupts on.
    On,
}

use Step::{Drop, Lock, Nested, Off, On, Pair, Try};

impl Step {
    pub(crate) fn takes(self) -> Vec<L> {
        match self {
            Lock(lock) | Nested(lock) | Try(lock) => vec![lock],
            Pair(one, other) => vec![one, other],
            Drop(_) | Off | On => vec![],
        }
    }

    pub(crate) fn releases(self) -> Option<L> {
        if let Drop(lock) = self { Some(lock) } else { None }
    }
}

/// What a checker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is something wrong.
    Report,
    /// Nothing.
    Silent,
}

/// What the compile-time tokens say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// However it is written, it does not compile, and the order is the reason.
    Report,
    /// It compiles.
    Silent,
    /// It compiles, and so does a program that is wrong: interrupts are in no type.
    Blind,
    /// Right or wrong, it cannot be written with tokens.
    NotExpressible(Missing),
}

/// What tokens have no word for, as the compiler finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// `Mutex` has no `try_lock`: what it returned would need a token that may or may not say more.
    TryLock,
    /// The call for pairs gives no token, and what it was taken with is out of reach.
    TokenOfPair,
}

impl Missing {
    pub(crate) const ALL: [Self; 2] = [Self::TryLock, Self::TokenOfPair];

    /// The error of the obvious program.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TryLock => "E0599",
            Self::TokenOfPair => "E0499",
        }
    }

    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::TryLock => "`Mutex` has no `try_lock`",
            Self::TokenOfPair => "`lock_pair` gives no token",
        }
    }
}

/// What the model checker says: it knows a deadlock from an order that is merely wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Some interleaving ends in one.
    Deadlock,
    /// None does, but locks are taken against the declared order.
    Order,
    /// Nothing.
    Silent,
}

/// A case, and what each checker must say.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// One script a CPU.
    pub(crate) threads: &'static [&'static [Step]],
    /// What a handler does that may come to each CPU, once, wherever interrupts are on.
    pub(crate) handler: Option<&'static [Step]>,
    /// The compile-time tokens, which are told of the order, and look at a program, not at a run.
    pub(crate) tokens: Tokens,
    /// The run-time validator, which is told of no order, and sees one CPU's script after another's.
    pub(crate) run_time: Verdict,
    /// The model checker, which sees every interleaving.
    pub(crate) model: Model,
}

impl Case {
    /// Every script, of which the last may be the handler's.
    pub(crate) fn scripts(&self) -> impl Iterator<Item = &'static [Step]> {
        self.threads.iter().copied().chain(self.handler)
    }
}

pub(crate) const fn wrong(name: &'static str, threads: &'static [&'static [Step]], model: Model) -> Case {
    Case { name, threads, handler: None, tokens: Tokens::Report, run_time: Verdict::Report, model }
}

pub(crate) const fn correct(name: &'static str, threads: &'static [&'static [Step]]) -> Case {
    let (tokens, run_time, model) = (Tokens::Silent, Verdict::Silent, Model::Silent);
    Case { name, threads, handler: None, tokens, run_time, model }
}

const fn interrupted(case: Case, handler: &'static [Step]) -> Case {
    Case { handler: Some(handler), tokens: Tokens::Blind, ..case }
}

const fn without(missing: Missing, case: Case) -> Case {
    Case { tokens: Tokens::NotExpressible(missing), ..case }
}

pub(crate) const AB: &[Step] = &[Lock(A), Lock(B), Drop(B), Drop(A)];
pub(crate) const BA: &[Step] = &[Lock(B), Lock(A), Drop(A), Drop(B)];
const BC: &[Step] = &[Lock(B), Lock(C), Drop(C), Drop(B)];
const CA: &[Step] = &[Lock(C), Lock(A), Drop(A), Drop(C)];
const AC: &[Step] = &[Lock(A), Lock(C), Drop(C), Drop(A)];
const ABC: &[Step] = &[Lock(A), Lock(B), Lock(C), Drop(C), Drop(B), Drop(A)];
const ALONE: &[Step] = &[Lock(A), Drop(A)];
const PAIR: &[Step] = &[Pair(A1, A2), Drop(A1), Drop(A2)];
const RIAP: &[Step] = &[Pair(A2, A1), Drop(A1), Drop(A2)];
const OFF_A: &[Step] = &[Off, Lock(A), Drop(A), On];

/// Every case. Wrong ones first, each kind followed by code of its kind that is right.
pub(crate) const CASES: &[Case] = &[
    wrong("AB-BA", &[AB, BA], Model::Deadlock),
    wrong(
        "AB, then BA on the same CPU",
        &[&[Lock(A), Lock(B), Drop(B), Drop(A), Lock(B), Lock(A), Drop(A), Drop(B)], ALONE],
        Model::Order,
    ),
    wrong(
        "AB-BA, a lock around both",
        &[
            &[Lock(C), Lock(A), Lock(B), Drop(B), Drop(A), Drop(C)],
            &[Lock(C), Lock(B), Lock(A), Drop(A), Drop(B), Drop(C)],
        ],
        Model::Order,
    ),
    correct("AB-AB", &[AB, AB]),
    correct("AB, then B, then A", &[AB, &[Lock(B), Drop(B), Lock(A), Drop(A)]]),
    wrong("ABC-CA", &[ABC, CA], Model::Deadlock),
    correct("ABC-AC", &[ABC, AC]),
    wrong("cycle of three over three CPUs", &[AB, BC, CA], Model::Deadlock),
    correct("three orders over three CPUs", &[AB, BC, AC]),
    wrong(
        "the middle lock dropped: A, B, C, not B; CA",
        &[&[Lock(A), Lock(B), Lock(C), Drop(B), Drop(C), Drop(A)], CA],
        Model::Deadlock,
    ),
    correct(
        "released in the order of taking",
        &[&[Lock(A), Lock(B), Drop(A), Drop(B)], &[Lock(A), Lock(B), Lock(C), Drop(A), Drop(B), Drop(C)]],
    ),
    correct(
        "hand over hand",
        &[
            &[Lock(A), Lock(B), Drop(A), Lock(C), Drop(B), Drop(C)],
            &[Lock(A), Lock(B), Drop(A), Lock(C), Drop(B), Drop(C)],
        ],
    ),
    wrong(
        "one class, both orders",
        &[&[Lock(A1), Nested(A2), Drop(A2), Drop(A1)], &[Lock(A2), Nested(A1), Drop(A1), Drop(A2)]],
        Model::Deadlock,
    ),
    wrong(
        "one class, without the call for pairs",
        &[&[Lock(A1), Lock(A2), Drop(A2), Drop(A1)], ALONE],
        Model::Order,
    ),
    wrong(
        "a lock between the two of a pair",
        &[
            &[Lock(A1), Lock(B), Nested(A2), Drop(A2), Drop(B), Drop(A1)],
            &[Lock(A2), Lock(B), Drop(B), Drop(A2)],
        ],
        Model::Deadlock,
    ),
    correct("a pair, named both ways round", &[PAIR, RIAP]),
    correct("a pair, twice", &[&[Pair(A1, A2), Drop(A1), Drop(A2), Pair(A1, A2), Drop(A2), Drop(A1)], PAIR]),
    without(
        Missing::TokenOfPair,
        correct("a pair, and a lock inside", &[&[Pair(A1, A2), Lock(B), Drop(B), Drop(A2), Drop(A1)], PAIR]),
    ),
    correct("two of one class, one at a time", &[&[Lock(A1), Drop(A1), Lock(A2), Drop(A2)], RIAP]),
    wrong("recursion", &[&[Lock(A), Lock(A), Drop(A), Drop(A)], ALONE], Model::Deadlock),
    correct("the same lock again", &[&[Lock(A), Drop(A), Lock(A), Drop(A)], ALONE]),
    without(
        Missing::TryLock,
        wrong(
            "a lock waited for under one that was tried",
            &[AB, &[Try(B), Lock(A), Drop(A), Drop(B)]],
            Model::Deadlock,
        ),
    ),
    without(
        Missing::TryLock,
        correct("a trylock against the order", &[AB, &[Lock(B), Try(A), Drop(A), Drop(B)]]),
    ),
    without(
        Missing::TryLock,
        correct("a trylock of what is held", &[&[Lock(A), Try(A1), Drop(A1), Drop(A)], AB]),
    ),
    interrupted(wrong("of handlers, then held with interrupts on", &[ALONE, ALONE], Model::Deadlock), ALONE),
    interrupted(correct("of handlers, held with interrupts off", &[OFF_A, OFF_A]), ALONE),
    interrupted(
        wrong(
            "of handlers before one held with interrupts on",
            &[&[Lock(B), Drop(B)], &[Off, Lock(A), Lock(B), Drop(B), Drop(A), On]],
            Model::Deadlock,
        ),
        ALONE,
    ),
    interrupted(
        correct(
            "of handlers before one held with interrupts off",
            &[&[Off, Lock(B), Drop(B), On], &[Off, Lock(A), Lock(B), Drop(B), Drop(A), On]],
        ),
        ALONE,
    ),
    interrupted(
        wrong("interrupts switched on too early", &[&[Off, Lock(A), On, Drop(A)], OFF_A], Model::Deadlock),
        ALONE,
    ),
    interrupted(correct("a lock that only handlers take", &[ALONE, AB]), &[Lock(C), Drop(C)]),
];
