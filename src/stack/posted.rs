//! What a stack has for the designs of the discussion alone.

use super::Stack;
use crate::event::Here;
use crate::migrate::{Picker, Program, Site};
use crate::outcome::{HandshakeEnd, SockError, SynAckTimer};
use crate::request::{RequestSock, Tuple};
use crate::sync::Backend;

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Tells whether requests are handled as in Linux: the design is one of the discussion.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        self.design.is_posted()
    }

    pub(super) fn posted(&self) -> Option<Site<'_, 's, C, B>> {
        let Self { net, ehash, design, table: _, ports: _, timers: _ } = self;
        design.is_posted().then_some(Site { net, ehash, design: *design })
    }

    pub(super) fn tuple(request: &RequestSock<C, B>) -> Option<Tuple> {
        // SAFETY: the caller holds a reference.
        unsafe { request.key() }.map(|key| key.tuple)
    }

    /// Says who picks targets, before anything migrates.
    pub fn set_picker(&self, picker: Picker) {
        self.net.picking.set_picker(picker);
    }

    /// Attaches a selection program to every group, or takes it away, at any time.
    pub fn set_program(&self, program: Option<Program>) {
        self.net.picking.set_program(program);
    }

    /// As [`synack_timer`](Self::synack_timer), for whichever request has the tuple now: in the merged design
    /// that may be a clone.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn synack_timer_of(&self, tuple: &Tuple, retries: u32) -> Result<SynAckTimer, SockError> {
        let posted = self.posted().ok_or(SockError::Stale)?;
        posted.synack_timer(tuple, retries, &mut self.nothing_held())
    }

    /// As [`fastopen_remove`](Self::fastopen_remove), for whichever request the child with this tuple names
    /// now.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fastopen_remove_of(&self, tuple: &Tuple, end: HandshakeEnd, here: Here) -> Result<(), SockError> {
        let posted = self.posted().ok_or(SockError::Stale)?;
        posted.fastopen_remove(tuple, end, here, &mut self.nothing_held())
    }
}
