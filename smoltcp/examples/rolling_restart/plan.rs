//! What is done, and what is told of it.

use rskq::Design;
use serde::Serialize;

/// How many listeners are in the group.
pub(crate) const LISTENERS: usize = 4;
/// How many clients connect, each again as soon as it is answered.
pub(crate) const CLIENTS: usize = 64;
pub(crate) const BACKLOG: u32 = 128;
/// A listener is closed every so many milliseconds.
pub(crate) const PERIOD: u64 = 50;
/// For so many milliseconds.
pub(crate) const DOWN: u64 = 10;
/// How many connections each listener accepts in a millisecond: fewer than come, so that some always wait.
pub(crate) const ACCEPTED: usize = 1;
/// How long a client waits to be connected or answered, in milliseconds.
pub(crate) const PATIENCE: u64 = 5_000;
/// What an answer is.
pub(crate) const ANSWER: &[u8] = b".";

/// The close policies.
pub(crate) const DESIGNS: [Design; 3] = [Design::Abort, Design::Requeue, Design::Handover];

/// What is to be done with a listener.
pub(crate) enum Step {
    Close,
    Open,
}

/// Returns what is due in a millisecond after the start, and with which listener.
pub(crate) fn due(millisecond: u64) -> Option<(Step, usize)> {
    let listener = (millisecond / PERIOD) as usize % LISTENERS;
    match millisecond % PERIOD {
        _ if millisecond < PERIOD => None,
        0 => Some((Step::Close, listener)),
        DOWN => Some((Step::Open, listener)),
        _ => None,
    }
}

/// What became of the connections under one policy.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) policy: String,
    /// Connected, accepted and answered.
    pub(crate) answered: u32,
    /// Reset before there was an answer.
    pub(crate) reset: u32,
    /// Neither within [`PATIENCE`].
    pub(crate) timed_out: u32,
    /// Given to another listener when theirs closed. (Linux: `TCPMigrateReqSuccess`.)
    pub(crate) moved: u32,
    /// The longest that a client waited to be connected.
    pub(crate) worst_connect_ms: u64,
    /// Whether nobody may lose a connection; `Some(false)` if somebody has to. Of the kernel nothing is asked.
    #[serde(skip)]
    lossless: Option<bool>,
}

impl Row {
    /// What became of them where `design` says what close does, and `moved` connections were moved.
    pub(crate) fn under(self, design: Design, moved: u32) -> Self {
        Self { policy: format!("{design:?}"), moved, lossless: Some(design != Design::Abort), ..self }
    }

    /// Tells whether it came as the policy promises: nothing is lost, or, as the control, something is.
    pub(crate) fn is_as_promised(&self) -> bool {
        self.lossless.is_none_or(|lossless| lossless == (self.reset + self.timed_out == 0))
    }

    /// How many connections have come to an end.
    pub(crate) fn ended(&self) -> u32 {
        self.answered + self.reset + self.timed_out
    }

    /// A client was connected after so many milliseconds.
    pub(crate) fn connected_after(&mut self, ms: u64) {
        self.worst_connect_ms = self.worst_connect_ms.max(ms);
    }
}
