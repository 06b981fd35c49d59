//! What is to be reached, and whether it is.

use crate::figures::{Figure, Spread};
use crate::gate::Counts;
use crate::holds::Holds;
use crate::outside::{MODELS, Outside, UNIKERNEL};
use crate::restarts::{IN_PROCESS, OVER_TAP, Restarts};
use crate::sizes::Size;

/// Everything that was found out.
pub struct Found {
    /// Times.
    pub figures: Vec<Figure>,
    /// Instructions.
    pub counts: Counts,
    /// Bytes.
    pub sizes: Vec<Size>,
    /// How long locks are held.
    pub holds: Holds,
    /// What other programs say of what they measured; their figures are among the others.
    pub outside: Vec<Outside>,
    /// Rolling restarts.
    pub restarts: Vec<Restarts>,
    /// What was said of the locks' instructions with the validator switched off, once they are the raw locks'.
    pub switched_off: Option<String>,
}

/// Names a figure: item, case, whose.
type Name = (&'static str, &'static str, &'static str);

/// What a goal is about.
enum About {
    /// One figure in terms of another, of the same run.
    Ratio(Name, Name),
    /// Nanoseconds.
    Time(Name),
    /// One count of instructions in terms of another: no spread.
    Count(&'static str, &'static str),
    /// Bytes.
    Bytes(&'static str),
    /// Nanoseconds that all but one of ten thousand locks are held.
    Hold,
    /// Instructions of validated locks in terms of raw ones', with the validator switched off.
    SwitchedOff,
    /// Connections that were lost in restarts.
    Lost(&'static str),
}

/// What is to be reached.
pub struct Goal {
    /// In words.
    pub text: &'static str,
    about: About,
    /// At most.
    pub limit: f64,
}

/// A goal beside what was found.
pub struct Verdict<'a> {
    /// The goal.
    pub goal: &'a Goal,
    /// What was found; `None` if it was not measured.
    pub found: Option<Spread>,
}

impl Verdict<'_> {
    /// Tells whether the goal is met, by the median; `None` if nobody knows.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        self.found.map(|found| found.median <= self.goal.limit)
    }
}

const PAIR: &str = "1 push and pop";
const CLOSE: &str = "3 close";
const CLONE: &str = "3 close, beside clone";
const LEAVE: &str = "4 leave and join";
const PATH: &str = "5 SYN, ACK, accept";
const LOCKS: &str = "7 locks";
const SOCKETS: &str = "listening sockets";
const REQUESTS: &str = "10 requests, over smoltcp";
const SERVED: &str = "10 requests, over smoltcp, the server's part";

/// Returns the goals.
#[must_use]
pub fn goals() -> Vec<Goal> {
    use About::{Bytes, Count, Hold, Lost, Ratio, SwitchedOff, Time};
    let goal = |text, about, limit| Goal { text, about, limit };
    let model =
        |text, case| goal(text, Ratio((MODELS, case, "rskq's back end"), (MODELS, case, "loom alone")), 1.5);
    let served = |text, item, case| goal(text, Ratio((item, case, "rskq"), (item, case, SOCKETS)), 1.03);
    vec![
        goal("1: push and pop, over C", Ratio((PAIR, "32 bytes", "rskq"), (PAIR, "32 bytes", "C")), 1.1),
        goal(
            "1: a request taken, queued, popped, put, over C",
            Ratio((PAIR, "request", "rskq"), (PAIR, "request", "C")),
            1.1,
        ),
        goal(
            "1: push and pop, over `Mutex<VecDeque>`",
            Ratio((PAIR, "32 bytes", "rskq"), (PAIR, "32 bytes", "Mutex<VecDeque>")),
            1.0,
        ),
        goal(
            "1: push and pop, over `Mutex<LinkedList>`",
            Ratio((PAIR, "32 bytes", "rskq"), (PAIR, "32 bytes", "Mutex<LinkedList>")),
            1.0,
        ),
        goal(
            "2: one listener, two threads, over `Mutex<VecDeque>`",
            Ratio(
                ("2 two threads, 32 bytes", "1", "rskq"),
                ("2 two threads, 32 bytes", "1", "Mutex<VecDeque>"),
            ),
            1.0,
        ),
        goal(
            "2: sixteen listeners, two threads, over `Mutex<VecDeque>`",
            Ratio(
                ("2 two threads, 32 bytes", "16", "rskq"),
                ("2 two threads, 32 bytes", "16", "Mutex<VecDeque>"),
            ),
            1.0,
        ),
        goal(
            "3: handover of 65,536, over that of 1",
            Ratio((CLOSE, "65536", "handover"), (CLOSE, "1", "handover")),
            1.5,
        ),
        goal(
            "3: handover of 4,096, over that of 1, in instructions",
            Count("3 close of 4096, handover", "3 close of 1, handover"),
            1.0,
        ),
        goal("3: requeue of 4,096, ns for each", Time((CLOSE, "4096", "requeue")), 30.0),
        goal(
            "3: requeue of 4,096, over clone",
            Ratio((CLONE, "4096", "requeue"), (CLONE, "4096", "clone")),
            0.5,
        ),
        goal(
            "4: select of 65,535, over that of 1",
            Ratio(("4 select", "65535", "rskq"), ("4 select", "1", "rskq")),
            1.3,
        ),
        goal(
            "4: select of 65,535, over that of 16, in instructions",
            Count("4 select of 65535", "4 select of 16"),
            1.3,
        ),
        goal(
            "4: leave and join of 65,535, over that of 1",
            Ratio((LEAVE, "65535", "rskq"), (LEAVE, "1", "rskq")),
            1.5,
        ),
        goal(
            "4: leave and join of 65,535, over that of 16, in instructions",
            Count("4 leave and join 65535", "4 leave and join 16"),
            1.5,
        ),
        goal("5: SYN, ACK and accept with 1 half open, ns", Time((PATH, "1", "rskq")), 150.0),
        goal(
            "5: SYN, ACK and accept, over a `HashMap`, with 1,000 half open",
            Ratio((PATH, "1000", "rskq"), (PATH, "1000", "HashMap, VecDeque")),
            1.0,
        ),
        goal(
            "5: with 1,000,000 half open, over 1",
            Ratio((PATH, "1000000", "rskq"), (PATH, "1", "rskq")),
            1.5,
        ),
        goal(
            "6: SYN in a flood, over a `BTreeMap`, 1,000,000 half open",
            Ratio(
                ("6 SYN in a flood", "1000000", "rskq"),
                ("6 SYN in a flood", "1000000", "HashMap, BTreeMap"),
            ),
            1.0,
        ),
        goal(
            "6: expiry, over a `BTreeMap`, 1,000,000 half open",
            Ratio(("6 expiry", "1000000", "rskq"), ("6 expiry", "1000000", "HashMap, BTreeMap")),
            1.0,
        ),
        goal("6: longest lock hold but for 1 of 10,000, ns", Hold, 2_000.0),
        goal(
            "7: two nested, over the raw spin lock",
            Ratio((LOCKS, "2 nested", "rskq"), (LOCKS, "2 nested", "spin")),
            2.5,
        ),
        goal(
            "7: two nested in each of two threads, over one",
            Ratio(("7 two nested", "2 threads, apart", "rskq"), ("7 two nested", "1 thread", "rskq")),
            1.1,
        ),
        goal("7: switched off, instructions over the raw lock's", SwitchedOff, 1.0),
        goal("8: request without a child, bytes", Bytes("request, without a child"), 96.0),
        goal("8: listener, bytes", Bytes("listener"), 256.0),
        model("9: an interleaving of a counter under a lock, over loom alone", "a counter under a lock"),
        model("9: of two locks each, in a ring, over loom alone", "two locks each, in a ring"),
        model("9: of references to what may be gone, over loom alone", "references to what may be gone"),
        goal("10: lost in rolling restarts, clients in this process", Lost(IN_PROCESS), 0.0),
        goal("10: lost in rolling restarts, clients over a TAP device", Lost(OVER_TAP), 0.0),
        served("10: a request over smoltcp, 16 clients, over listening sockets", REQUESTS, "16"),
        served("10: the server's part of it, over listening sockets", SERVED, "16"),
        goal(
            "10: a request over smoltcp, over listening sockets, in instructions",
            Count("10 a request over smoltcp", "10 a request over smoltcp, listening sockets"),
            1.03,
        ),
        served("10: a request to the unikernel, over listening sockets", UNIKERNEL, "requests"),
        served(
            "10: a request to the unikernel, over listening sockets, in processor time",
            UNIKERNEL,
            "requests, processor time",
        ),
        served(
            "10: a connection to the unikernel, over listening sockets, in processor time",
            UNIKERNEL,
            "connections, processor time",
        ),
    ]
}

impl Found {
    fn figure(&self, (item, case, who): Name) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.item == item && figure.case == case && figure.who == who)
    }

    fn about(&self, about: &About) -> Option<Spread> {
        let exact = |value: f64| Spread { median: value, min: value, max: value };
        match *about {
            About::Ratio(ours, peer) => self.figure(ours)?.over(self.figure(peer)?),
            About::Time(ours) => {
                let figure = self.figure(ours)?;
                // A close of so many is measured whole.
                let each = if ours.0.starts_with(CLOSE) { ours.1.parse().ok()? } else { 1.0 };
                Spread::of(&figure.ns.iter().map(|ns| ns / each).collect::<Vec<f64>>())
            }
            About::Count(ours, other) => Some(exact(self.counts.of(ours)? / self.counts.of(other)?)),
            About::Bytes(what) => Some(exact(self.sizes.iter().find(|size| size.what == what)?.bytes as f64)),
            About::SwitchedOff => self.switched_off.as_ref().map(|_| exact(1.0)),
            About::Lost(clients) => {
                let restarts = self.restarts.iter().find(|restarts| restarts.clients == clients)?;
                restarts.lost().map(|lost| exact(lost.into()))
            }
            About::Hold => {
                let Holds { median, p9999, max, .. } = self.holds;
                Some(Spread { median: f64::from(p9999), min: f64::from(median), max: f64::from(max) })
            }
        }
    }

    /// Holds what was found against a goal.
    #[must_use]
    pub fn verdict<'a>(&self, goal: &'a Goal) -> Verdict<'a> {
        Verdict { goal, found: self.about(&goal.about) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_goal_is_met_or_not_or_nobody_knows() {
        let figure = |who: &str, ns: f64| Figure {
            item: PAIR.into(),
            case: "32 bytes".into(),
            who: who.into(),
            ns: vec![ns; 3],
        };
        let mut found = Found {
            figures: vec![figure("rskq", 11.0), figure("C", 10.0)],
            counts: Counts { rustc: String::new(), figures: BTreeMap::new() },
            sizes: Vec::new(),
            holds: Holds { times: 1, median: 1, p9999: 3_000, max: 4_000 },
            outside: Vec::new(),
            restarts: Vec::new(),
            switched_off: None,
        };
        let goals = goals();
        assert_eq!(found.verdict(&goals[0]).met(), Some(true));
        found.figures[0].ns = vec![11.1; 3];
        assert_eq!(found.verdict(&goals[0]).met(), Some(false));
        assert_eq!(found.verdict(&goals[1]).met(), None);
        let about = |what: &str| goals.iter().find(|goal| goal.text.contains(what)).unwrap();
        assert_eq!(found.verdict(about("hold")).met(), Some(false));
        assert_eq!(found.verdict(about("switched off")).met(), None);
        assert_eq!(found.verdict(about("rolling restarts")).met(), None);
        found.switched_off = Some("the same".into());
        assert_eq!(found.verdict(about("switched off")).met(), Some(true));
    }
}
