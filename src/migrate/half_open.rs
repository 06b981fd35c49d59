//! Ours, half open: a request whose listener has left is adopted by who listens now.
//!
//! A handed-over request needs nothing: its owner leads to the heir. For every other one the second and
//! third of Linux's migration points, the SYN-ACK timer and the final ACK, come here when they find that
//! nobody is at home. The request itself moves, and no clone: under the lock of its bucket it is still
//! hashed and names the same owner, or somebody else was faster, so that exactly one thread moves it and
//! its charge.
//!
//! 1. T1's timer goes off for a request of A, which is closed; it selects B.
//! 2. T2's ACK finds the same request, and selects B, too.
//! 3. T1 locks the bucket, makes B the owner, charges B and takes the charge from A.
//! 4. T2 locks the bucket and finds that somebody is at home.
//!
//! The model of this schedule is `timer_ack_of_closed`.

use crate::hash::EstablishedTable;
use crate::listener::AddError;
use crate::lockdep::{Before, Held, order::EstablishedBucket};
use crate::net::{ListenerRef, Net, OwnerRef, RequestRef};
use crate::queue::Charges;
use crate::request::RequestState;
use crate::slab::NONE;
use crate::sync::Backend;

/// Makes `target` the listener of a half-open request, unless the request does not name `owner` any more.
///
/// # Errors
///
/// [`AddError::NotAtHome`] if the target does not listen.
pub(crate) fn adopt<'a, 's, C: Send + 'static, B: Backend, H: Before<EstablishedBucket>>(
    net: &'a Net<'s, C, B>,
    ehash: &EstablishedTable<'s, C, B>,
    target: &ListenerRef<'a, 's, C, B>,
    request: &RequestRef<'a, 's, C, B>,
    owner: &OwnerRef<'a, 's, C, B>,
    held: &mut Held<'_, H>,
) -> Result<(), AddError> {
    // SAFETY: the request was filled in, and a reference is held.
    let Some(key) = (unsafe { request.key() }) else { return Ok(()) };
    let Some((bucket, mut held)) = ehash.lock(&key.tuple, held) else { return Ok(()) };
    if request.state() != RequestState::Hashed || request.peek_owner() != owner.index() {
        return Ok(()); // somebody else was faster
    }
    let charge = Charges::one(request.is_young());
    let before = {
        let mut queue = target.accept_queue.lock(&mut held);
        if !target.is_at_home(&queue) {
            return Err(AddError::NotAtHome);
        }
        queue.charge(charge);
        target.adopt(&queue, request, net)
    };
    let ((), root) = net.at_root(owner, &mut held, |_, queue, _| queue.charge(-charge));
    drop(bucket);
    drop(root);
    if before != NONE {
        net.put_owner(before);
    }
    Ok(())
}
