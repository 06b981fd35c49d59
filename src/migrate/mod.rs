//! What happens to the connections of a listener that closes: one file a design.

mod abort;
#[cfg(feature = "designs")]
mod clone;
mod half_open;
mod handover;
mod linux;
#[cfg(feature = "designs")]
mod naive;
#[cfg(feature = "designs")]
mod nested;
#[cfg(feature = "designs")]
mod posted;
#[cfg(feature = "designs")]
mod relabel;
mod requeue;
#[cfg(feature = "designs")]
mod splice;

#[cfg(feature = "designs")]
pub use crate::net::{Picker, PostedProgram as Program};
#[cfg(feature = "designs")]
pub use clone::{CloneFixes, Wakeup};
pub(crate) use half_open::adopt;
#[cfg(feature = "designs")]
pub(crate) use posted::Site;

use crate::event::Here;
use crate::hash::{EstablishedTable, ListenTable, LockedBucket, Lookup};
use crate::lockdep::{Before, Held, Nothing, order::ListenBucket, order::ListenerSock};
use crate::net::{ListenerRef, Net, RequestRef};
use crate::outcome::Outcome;
use crate::sync::Backend;

/// What closing a listener does with the connections that it holds, waiting or half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Design {
    /// Each is aborted. (Linux before 5.14, and later with `tcp_migrate_req` off.)
    Abort,
    /// Each goes where Linux sends it: to the member of its group that the group's program chooses, or its
    /// hash if `tcp_migrate_req` is on; otherwise it is aborted. (Linux since 5.14.)
    Linux,
    /// Each goes to the listener at the same address that its hash falls on now; it is aborted only
    /// if nobody listens there. Whether `tcp_migrate_req` is on is not asked: who chose this wants it.
    Requeue,
    /// All go to one listener at the same address together, in O(1); each is aborted only if nobody
    /// listens there. Where owner slots run out, as [`Requeue`](Self::Requeue).
    Handover,
    /// The queue is spliced onto another listener's, as in the third patch of 1 December 2020.
    #[cfg(feature = "designs")]
    Splice,
    /// With the fourth patch: fast-open connections are mended at accept.
    #[cfg(feature = "designs")]
    SpliceTfo,
    /// The fifth patch alone: half-open requests are rewritten in place; what waits is aborted.
    #[cfg(feature = "designs")]
    InPlace,
    /// The patches of 7 December 2020: the splice with its locks in order, and the fourth and fifth patch.
    #[cfg(feature = "designs")]
    SpliceNested,
    /// The seven steps of the discussion: the queue is spliced without two locks.
    #[cfg(feature = "designs")]
    Relabel,
    /// The prototype of 10 December 2020: requests are moved one by one, and half-open ones rewritten in
    /// place.
    #[cfg(feature = "designs")]
    RequeueNaive,
    /// Each is cloned for a target of its own, as merged in Linux 5.14, with later fixes by choice.
    #[cfg(feature = "designs")]
    Clone(CloneFixes),
}

/// A listener that leaves LISTEN, and what it leaves.
pub(crate) struct Leaving<'a, 's, C: Send + 'static, B: Backend> {
    pub(crate) net: &'a Net<'s, C, B>,
    pub(crate) table: &'a ListenTable<'s, B>,
    pub(crate) ehash: &'a EstablishedTable<'s, C, B>,
    pub(crate) listener: &'a ListenerRef<'a, 's, C, B>,
    /// Where that happens.
    pub(crate) here: Here,
    /// Whether the socket is closed; otherwise it is shut down and may listen again.
    pub(crate) close: bool,
}

impl<'a, 's, C: Send + 'static, B: Backend> Leaving<'a, 's, C, B> {
    /// Locks the bucket that the listener's group is in. Under `ListenerSock`.
    #[track_caller]
    fn lock<'b, H: Before<ListenBucket>>(&'b self, held: &'b mut Held<'_, H>) -> Option<LockedBucket<'b, B>> {
        self.table.lock(&self.listener.bound_to()?, held)
    }

    /// Takes a reference on who joined last of those who listen at the same address.
    fn heir(&self, held: &mut Held<'_, ListenerSock>) -> Option<ListenerRef<'a, 's, C, B>> {
        self.table.heir_at(self.net, &self.listener.bound_to()?, held)
    }
}

/// What a listener left when it left its group.
pub(crate) enum Left<'a, 's, C: Send + 'static, B: Backend> {
    /// Nothing but itself.
    Group,
    /// What it held moved already.
    #[cfg(feature = "designs")]
    Moved(Outcome<C, B>),
    /// This is who gets what it holds, if somebody still listens.
    Heir(Option<ListenerRef<'a, 's, C, B>>),
}

/// What moved as a whole when a listener stopped.
pub(crate) enum Moved<C, B: Backend> {
    /// Everything that the listener held: there are no steps to take.
    All(Option<Outcome<C, B>>),
    /// Some of it, or nothing: the steps deal with the rest.
    NotAll(Option<Outcome<C, B>>),
}

#[cfg(feature = "designs")]
impl Design {
    /// Returns the fixes of the merged design.
    fn fixes(self) -> Option<CloneFixes> {
        match self {
            Design::Clone(fixes) => Some(fixes),
            _ => None,
        }
    }

    fn moves_half_open_in_place(self) -> bool {
        matches!(self, Design::InPlace | Design::SpliceNested | Design::RequeueNaive)
    }

    fn mends_at_accept(self) -> bool {
        matches!(self, Design::SpliceTfo | Design::SpliceNested)
    }

    fn replaces_in_place(self) -> bool {
        self.fixes().is_some_and(|fixes| fixes.replaced_in_place)
    }

    fn site<'a, 's, C: Send + 'static, B: Backend>(self, at: &Leaving<'a, 's, C, B>) -> Site<'a, 's, C, B> {
        Site { net: at.net, ehash: at.ehash, design: self }
    }
}

impl Design {
    /// Tells whether requests are handled by the protocol of the discussion: see `posted`.
    pub(crate) fn is_posted(self) -> bool {
        !matches!(self, Design::Abort | Design::Linux | Design::Requeue | Design::Handover)
    }

    /// Tells whether a half-open request whose listener has left is adopted by another one.
    pub(crate) fn adopts(self) -> bool {
        matches!(self, Design::Requeue | Design::Handover)
    }

    /// Takes the listener out of the table and its group. Under `ListenerSock`.
    pub(crate) fn leave<'a, 's, C: Send + 'static, B: Backend>(
        self,
        at: &Leaving<'a, 's, C, B>,
        held: &mut Held<'_, ListenerSock>,
    ) -> Left<'a, 's, C, B> {
        match self {
            Design::Abort | Design::Requeue => abort::unhash(at, false, held),
            Design::Linux => linux::unhash(at, held),
            Design::Handover => handover::unhash(at, held),
            #[cfg(feature = "designs")]
            Design::Splice => splice::unhash(at, false, held),
            #[cfg(feature = "designs")]
            Design::SpliceTfo => splice::unhash(at, true, held),
            #[cfg(feature = "designs")]
            Design::SpliceNested => nested::unhash(at, held),
            #[cfg(feature = "designs")]
            Design::Relabel => relabel::unhash(&self.site(at), at, held),
            // Closed members still find the group, for their half-open requests.
            #[cfg(feature = "designs")]
            Design::InPlace | Design::RequeueNaive => abort::unhash(at, true, held),
            #[cfg(feature = "designs")]
            Design::Clone(_) => clone::unhash(at, held),
        }
    }

    /// Makes the state of a listener that left its group CLOSE, and moves what moves as a whole. Under
    /// `ListenerSock`.
    ///
    /// Linux stores the state without a lock. Ours do so under the queue's, where it is looked at: who
    /// adds to the queue comes before or after, with nothing between.
    pub(crate) fn stop<'a, 's, C: Send + 'static, B: Backend>(
        self,
        at: &Leaving<'a, 's, C, B>,
        left: Left<'a, 's, C, B>,
        held: &mut Held<'_, ListenerSock>,
    ) -> Moved<C, B> {
        match left {
            Left::Group if matches!(self, Design::Linux | Design::Requeue) => {
                let _queue = at.listener.accept_queue.lock(held);
                at.listener.set_listening(false);
                Moved::NotAll(None)
            }
            Left::Group => {
                at.listener.set_listening(false);
                Moved::NotAll(None)
            }
            #[cfg(feature = "designs")]
            Left::Moved(outcome) => {
                at.listener.set_listening(false);
                Moved::NotAll(Some(outcome))
            }
            Left::Heir(heir) => handover::hand_over(at, heir, held),
        }
    }

    /// Deals with one connection that a listener in CLOSE still held.
    pub(crate) fn stop_one<'a, 's, C: Send + 'static, B: Backend>(
        self,
        at: &Leaving<'a, 's, C, B>,
        request: RequestRef<'a, 's, C, B>,
        lookup: &mut Option<Lookup<B>>,
        held: &mut Held<'_, Nothing>,
    ) -> Option<Outcome<C, B>> {
        match self {
            Design::Abort => abort::child_forget(at, request),
            Design::Linux => linux::stop_one(at, request, held),
            Design::Requeue | Design::Handover => requeue::stop_one(at, request, lookup, held),
            #[cfg(feature = "designs")]
            Design::RequeueNaive => naive::stop_one(&self.site(at), at, request, held),
            #[cfg(feature = "designs")]
            Design::Clone(fixes) => clone::stop_one(fixes, &self.site(at), at, request, held),
            #[cfg(feature = "designs")]
            _ => self.site(at).forget(at.listener, request, held).map(Outcome::Aborted),
        }
    }
}
