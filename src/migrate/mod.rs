//! What happens to the connections of a listener that closes: one file a design.

mod abort;
#[cfg(feature = "designs")]
mod clone;
mod requeue;
#[cfg(feature = "designs")]
mod splice;

#[cfg(feature = "designs")]
pub use clone::{CloneFixes, Wakeup};

use crate::hash::ListenTable;
use crate::listener::Listener;
use crate::net::{Net, RequestRef};
use crate::outcome::Outcome;
use crate::sync::Backend;
use core::net::SocketAddr;

/// What closing a listener does with the connections in its accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Design {
    /// Each is aborted. (Linux before 5.14, and later with `tcp_migrate_req` off.)
    Abort,
    /// Each goes to the listener at the same address that its hash falls on now; it is aborted only
    /// if nobody listens there. Whether `tcp_migrate_req` is on is not asked: who chose this wants it.
    Requeue,
    /// The queue is spliced onto another listener's, as in the patch of 1 December 2020.
    #[cfg(feature = "designs")]
    Splice,
    /// Each is cloned for a target of its own, as merged in Linux 5.14, with later fixes by choice.
    #[cfg(feature = "designs")]
    Clone(CloneFixes),
}

/// A listener that leaves LISTEN, and what it leaves.
pub(crate) struct Leaving<'a, 's, C, B: Backend> {
    pub(crate) net: &'a Net<'s, C, B>,
    pub(crate) table: &'a ListenTable<'s, C, B>,
    pub(crate) listener: &'a Listener<C, B>,
    pub(crate) addr: SocketAddr,
}

impl Design {
    /// Takes the listener out of the table and its group, and moves what moves at that point.
    /// Returns what moved. Under `ListenerSock`.
    pub(crate) fn unhash<C: Send + 'static, B: Backend>(
        self,
        at: Leaving<'_, '_, C, B>,
    ) -> Option<Outcome<C, B>> {
        match self {
            Design::Abort | Design::Requeue => abort::unhash(&at, false),
            #[cfg(feature = "designs")]
            Design::Splice => splice::unhash(&at),
            #[cfg(feature = "designs")]
            Design::Clone(_) => clone::unhash(&at),
        }
    }

    /// Deals with one connection that a listener in CLOSE still held.
    pub(crate) fn stop_one<'a, C: Send + 'static, B: Backend>(
        self,
        at: &Leaving<'a, '_, C, B>,
        request: RequestRef<'a, '_, C, B>,
    ) -> Option<Outcome<C, B>> {
        match self {
            Design::Abort => abort::child_forget(at, request),
            Design::Requeue => requeue::stop_one(at, request),
            #[cfg(feature = "designs")]
            Design::Splice => abort::child_forget(at, request),
            #[cfg(feature = "designs")]
            Design::Clone(fixes) => clone::stop_one(fixes, at, request),
        }
    }
}
