//! Why some bugs cannot be planted: the decision that leaves no place for them.

/// A decision of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What waits moves, and no copy of it.
    Moves,
    /// Slots are never anything else.
    TypeStable,
    /// Nothing foreign runs inside.
    Returned,
    /// A half-open request changes under one lock.
    BucketLock,
    /// Groups are trees of chunks.
    Tree,
    /// Time and place come in as arguments.
    Arguments,
    /// What is in a packet is not known here.
    Scope,
    /// A kernel hands over memory for as long as the stack lives.
    Memory,
    /// Back ends, locks and objects are types.
    Types,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 9] = [
        Self::Moves,
        Self::TypeStable,
        Self::Returned,
        Self::BucketLock,
        Self::Tree,
        Self::Arguments,
        Self::Scope,
        Self::Memory,
        Self::Types,
    ];

    /// Returns the words of `DESIGN.md` or `README.md` that say it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Moves => "moves each connection, and not a clone of it",
            Self::TypeStable => "a slot always holds an object of its type",
            Self::Returned => "Wake-ups, children and errors are returned",
            Self::BucketLock => "One bucket lock is a request's life",
            Self::Tree => "`socks[]` is a tree of chunks from one arena",
            Self::Arguments => "Time is an argument",
            Self::Scope => "it decides who gets a connection, it does not move bytes",
            Self::Memory => "objects live in slabs whose memory the embedder hands over",
            Self::Types => "the model checkers are back ends like hardware is: types",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decision_is_one() {
        let pages = [include_str!("../../../DESIGN.md"), include_str!("../../../README.md")];
        let pages = pages.map(|page| page.split_whitespace().collect::<Vec<_>>().join(" "));
        for decision in Decision::ALL {
            let words = decision.words();
            assert!(pages.iter().any(|page| page.contains(words)), "nobody says: {words}");
        }
    }
}
