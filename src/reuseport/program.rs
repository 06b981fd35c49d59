//! Which program a group has, and what it says.

use super::select::Selecting;
use crate::group::{AttachType, Occasion, Program, SkReuseportMd, SockReuseport, Verdict};
use crate::net::{ListenerRef, Net};
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// Nobody is to be selected.
pub(super) struct Dropped;

impl<'s, C: Send + 'static, B: Backend> Net<'s, C, B> {
    /// Returns the program of a group that is asked on this occasion. One that is replaced meanwhile is asked
    /// for the last time.
    pub(super) fn program(&self, group: &SockReuseport<B>, occasion: Occasion) -> Option<&'s dyn Program> {
        let attached = || {
            let id = group.prog.load(Ordering::Acquire).checked_sub(1)?;
            self.programs.get(id as usize).copied()
        };
        let program = attached()?;
        let asked = !occasion.migrates()
            || program.attach_type() == AttachType::SelectOrMigrate
            || B::planted(Fault::SelectProgramMigrates);
        let program = if B::planted(Fault::ProgramLoadedTwice) { attached()? } else { program };
        asked.then_some(program)
    }

    /// Runs a program. It may select nobody.
    pub(super) fn run(
        &self,
        program: &dyn Program,
        group: &SockReuseport<B>,
        selecting: &Selecting,
    ) -> Result<Option<ListenerRef<'_, 's, C, B>>, Dropped> {
        let mut selected = None;
        let mut select = |index| {
            selected = Some(self.map_lookup(group, index)?);
            Ok(())
        };
        let &Selecting { tuple, hash, cpu, occasion, from } = selecting;
        let mut md = SkReuseportMd { tuple, hash, cpu, occasion, from, select: &mut select };
        match program.run(&mut md) {
            Verdict::Pass => Ok(selected),
            Verdict::Drop if B::planted(Fault::DropPasses) => Ok(selected),
            Verdict::Drop => Err(Dropped),
        }
    }
}
