//! The lists of armed timers, without their lock.

use super::backoff::LAST;
use crate::request::{Expires, RequestSock};
use crate::sync::{Backend, Link};
use core::mem::ManuallyDrop;
use intrusive_collections::linked_list::LinkedList;
use intrusive_collections::{UnsafeRef, intrusive_adapter};

intrusive_adapter!(
    TimerAdapter<C, B> = UnsafeRef<RequestSock<C, B>>: RequestSock<C, B> { rsk_timer => Link }
    where B: Backend
);

/// The request's timer is armed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyArmed;

/// A FIFO for each number of timeouts, the last one for all from [`LAST`] on. Each is in order of
/// deadlines. Dropping the lists touches nothing, because the slab may be gone by then.
pub(super) struct Deadlines<C, B: Backend> {
    levels: [ManuallyDrop<LinkedList<TimerAdapter<C, B>>>; LAST as usize + 1],
}

impl<C, B: Backend> Deadlines<C, B> {
    pub(super) const fn new() -> Self {
        Self { levels: [const { ManuallyDrop::new(LinkedList::new(TimerAdapter::NEW)) }; LAST as usize + 1] }
    }
}

impl<C: Send + 'static, B: Backend> Deadlines<C, B> {
    /// Adds a request to the list for `num_timeout`, none of whose deadlines is later. O(1).
    ///
    /// # Safety
    ///
    /// As [`LockedTimers::arm`](super::LockedTimers::arm).
    pub(super) unsafe fn push(
        &mut self,
        request: &RequestSock<C, B>,
        num_timeout: u32,
        deadline: u64,
    ) -> Result<(), AlreadyArmed> {
        if request.is_armed() {
            return Err(AlreadyArmed);
        }
        let level = num_timeout.min(LAST);
        // SAFETY: only who has the lists exclusively comes here, and the request is in no others.
        unsafe { request.expires.with_mut(|expires| *expires = Expires { deadline, level }) };
        // SAFETY: the request stays where it is until it has left the list, by the caller's contract.
        self.levels[level as usize].push_back(unsafe { UnsafeRef::from_raw(request) });
        Ok(())
    }

    /// Takes a request off its list; tells whether it was on one. O(1).
    pub(super) fn remove(&mut self, request: &RequestSock<C, B>) -> bool {
        if !request.is_armed() {
            return false;
        }
        let Expires { level, .. } = Self::expires(request);
        // SAFETY: an armed request is linked, in these lists by the contract of `push`, and in the one of
        // the level that was noted when it was added.
        unsafe { self.levels[level as usize].cursor_mut_from_ptr(request) }.remove().is_some()
    }

    /// Takes the request with the earliest deadline off its list, if that is not after `now`. O(lists).
    pub(super) fn pop_due(&mut self, now: u64) -> Option<UnsafeRef<RequestSock<C, B>>> {
        let first = self.first().filter(|first| first.deadline <= now)?;
        self.levels[first.level as usize].pop_front()
    }

    /// Returns the earliest deadline, and of equal ones the one in the list of fewer timeouts. O(lists).
    pub(super) fn first(&self) -> Option<Expires> {
        let heads = self.levels.iter().filter_map(|level| level.front().get());
        heads.map(Self::expires).min_by_key(|expires| expires.deadline)
    }

    fn expires(request: &RequestSock<C, B>) -> Expires {
        // SAFETY: written by `push` alone, to which the lists are exclusive.
        unsafe { request.expires.with(|expires| *expires) }
    }
}
