//! What kernels differ in, found out at start.

use super::Kernel;
use super::error::StepError;
use crate::trace::{Connect, EpisodeStart, Open, Operation};

const SOURCE: u32 = 0;
const TARGET: u32 = 1;
/// The source ports of two clients.
const FIRST: u16 = 20_001;
const SECOND: u16 = 20_002;

impl Kernel {
    /// Finds out whether a half-open Fast Open connection that migrates counts in its new listener's
    /// `fastopenq.qlen`: then it fills a queue of one, and the next client's Fast Open is refused.
    pub(super) fn probe_fastopen_charged(&mut self) -> Result<bool, StepError> {
        self.episode(EpisodeStart { migrate_req: true })?;
        let open = |listener| Operation::Open(Open { fastopen: Some(1), ..Open::new(listener, 8) });
        let hold = |listener| Operation::Hold { listener, on: true };
        let connect = |conn| Operation::Connect(Connect { fast: true, ..Connect::new(conn) });
        let before =
            [open(SOURCE), hold(SOURCE), connect(FIRST), open(TARGET), Operation::Close { listener: SOURCE }];
        for mut operation in before {
            self.step(&mut operation)?;
        }
        let second = self.step(&mut connect(SECOND))?;
        self.episode(EpisodeStart { migrate_req: false })?;
        Ok(!second.counters.contains_key("TCPFastOpenPassive"))
    }
}
