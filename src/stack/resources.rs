//! What a stack is made of.

use crate::group::{Member, SockReuseport};
use crate::hash::{BindBucket, Bucket, EhashBucket};
use crate::listener::Listener;
use crate::request::{Owner, RequestSock};
use crate::slab::{Slot, Storage};
use crate::sync::Backend;

/// The memory of a stack, handed over until the stack is gone.
///
/// Each part is a slice of the embedder's (`&'s mut [..]`, from a static for instance) or, with
/// feature `alloc`, [`Storage::boxed`].
pub struct Resources<'s, C, B: Backend> {
    /// Listeners, including closed ones that connections still name.
    pub listeners: Storage<'s, Slot<Listener<C, B>, B>>,
    /// Connections that wait to be accepted.
    pub requests: Storage<'s, Slot<RequestSock<C, B>, B>>,
    /// Owners: as many as listeners, and one more for each shut-down socket that handed its own over.
    pub owners: Storage<'s, Slot<Owner<B>, B>>,
    /// Reuseport groups: one for each local address, and one more for each that only has closed
    /// members left.
    pub groups: Storage<'s, Slot<SockReuseport<B>, B>>,
    /// The groups' `socks[]`, which groups take as they grow and give back as they shrink, 64 at a time:
    /// what [`Member::count_for`] says, for each group.
    pub socks: Storage<'s, Member<B>>,
    /// Buckets of the table of ports: about as many as ports that sockets are bound to.
    pub ports: Storage<'s, BindBucket<C, B>>,
    /// Buckets of the listening table: about as many as addresses that sockets listen at.
    pub buckets: Storage<'s, Bucket<B>>,
    /// Buckets of the established table: about as many as half-open connections are expected.
    pub ehash: Storage<'s, EhashBucket<C, B>>,
}

#[cfg(feature = "alloc")]
impl<C: Send + 'static, B: Backend> Resources<'_, C, B> {
    /// Memory from the allocator for so many listeners, and so many connections that are half open or
    /// wait, by what is said of each part.
    #[must_use]
    pub fn boxed(listeners: u32, connections: u32) -> Self {
        // Every listener may have been closed once and be kept by a connection that still names it.
        let (slots, connections) = (listeners as usize * 2, connections as usize);
        Self {
            listeners: Storage::boxed(slots),
            requests: Storage::boxed(connections),
            owners: Storage::boxed(slots),
            groups: Storage::boxed(slots),
            socks: Storage::boxed(slots * Member::<B>::count_for(listeners)),
            ports: Storage::boxed(slots),
            buckets: Storage::boxed(slots),
            ehash: Storage::boxed(connections),
        }
    }
}
