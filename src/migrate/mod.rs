//! What happens to the connections of a listener that closes: one file a design.

mod abort;
#[cfg(feature = "designs")]
mod clone;
mod half_open;
mod handover;
mod requeue;
#[cfg(feature = "designs")]
mod splice;

#[cfg(feature = "designs")]
pub use clone::{CloneFixes, Wakeup};
pub(crate) use half_open::adopt;

use crate::hash::{EstablishedTable, ListenTable};
use crate::lockdep::{Held, Nothing, order::ListenerSock};
use crate::net::{ListenerRef, Net, RequestRef};
use crate::outcome::Outcome;
use crate::sync::Backend;
use core::net::SocketAddr;

/// What closing a listener does with the connections that it holds, waiting or half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Design {
    /// Each is aborted. (Linux before 5.14, and later with `tcp_migrate_req` off.)
    Abort,
    /// Each goes to the listener at the same address that its hash falls on now; it is aborted only
    /// if nobody listens there. Whether `tcp_migrate_req` is on is not asked: who chose this wants it.
    Requeue,
    /// All go to one listener at the same address together, in O(1); each is aborted only if nobody
    /// listens there. Where owner slots run out, as [`Requeue`](Self::Requeue).
    Handover,
    /// The queue is spliced onto another listener's, as in the patch of 1 December 2020.
    #[cfg(feature = "designs")]
    Splice,
    /// Each is cloned for a target of its own, as merged in Linux 5.14, with later fixes by choice.
    #[cfg(feature = "designs")]
    Clone(CloneFixes),
}

/// A listener that leaves LISTEN, and what it leaves.
pub(crate) struct Leaving<'a, 's, C: Send + 'static, B: Backend> {
    pub(crate) net: &'a Net<'s, C, B>,
    pub(crate) table: &'a ListenTable<'s, C, B>,
    pub(crate) ehash: &'a EstablishedTable<'s, C, B>,
    pub(crate) listener: &'a ListenerRef<'a, 's, C, B>,
    pub(crate) addr: SocketAddr,
    /// Whether the socket is closed; otherwise it is shut down and may listen again.
    pub(crate) close: bool,
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

impl Design {
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
            Design::Handover => handover::unhash(at, held),
            #[cfg(feature = "designs")]
            Design::Splice => splice::unhash(at, held),
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
            Left::Group if self == Design::Requeue => {
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
    pub(crate) fn stop_one<'a, C: Send + 'static, B: Backend>(
        self,
        at: &Leaving<'a, '_, C, B>,
        request: RequestRef<'a, '_, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> Option<Outcome<C, B>> {
        match self {
            Design::Abort => abort::child_forget(at, request),
            Design::Requeue | Design::Handover => requeue::stop_one(at, request, held),
            #[cfg(feature = "designs")]
            Design::Splice => abort::child_forget(at, request),
            #[cfg(feature = "designs")]
            Design::Clone(fixes) => clone::stop_one(fixes, at, request, held),
        }
    }
}
