//! The final ACK in the merged design: a request whose listener has left is cloned for another one.
//!
//! 1. The request is looked up, and its listener; where that has left LISTEN, a target is picked.
//! 2. The child takes the request's place in the table; who is late looks again, and may find a clone that
//!    the timer put there.
//! 3. The timer is cancelled and the charge taken from the listener that the request names.
//! 4. Where there is a target, a clone is made for it and added to the target's queue; the request is let go
//!    of. A target that has closed by then costs the connection.

use super::super::clone::CloneFixes;
use super::Site;
use super::timer::Charged;
use crate::counters::count;
use crate::lockdep::{Held, Nothing};
use crate::net::{ListenerRef, OwnerRef, RequestRef};
use crate::outcome::{Delivered, Refusal, Refused};
use crate::queue::Charges;
use crate::request::{RequestSock, Tuple};
use crate::reuseport::Migration;
use crate::slab::Fresh;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// Makes a request like `request` that is `target`'s. Counts a failure. (Linux: `inet_reqsk_clone()`.)
    pub(in super::super) fn clone_of(
        &self,
        request: &RequestSock<C, B>,
        target: &ListenerRef<'a, 's, C, B>,
    ) -> Option<RequestRef<'a, 's, C, B>> {
        let key = Self::key(request)?;
        // A target that is gone for good is as good as none.
        let home = OwnerRef::try_get(self.net, target.home.load(Ordering::Relaxed));
        let fresh = home.is_some().then(|| Fresh::<RequestSock<C, B>, _>::alloc(self.net)).flatten();
        let (Some(home), Some(fresh)) = (home, fresh) else {
            count(&self.net.counters.TCPMigrateReqFailure);
            return None;
        };
        // SAFETY: fresh from the slab, not published.
        unsafe { fresh.fill(key) };
        fresh.num_timeout.store(request.num_timeout.load(Ordering::Relaxed), Ordering::Relaxed);
        let _none = fresh.set_owner(home.into_raw());
        Some(fresh.publish())
    }

    /// Frees a clone that never was in the table. Before A7 that was done whoever had a reference on it.
    pub(in super::super) fn free_unhashed(&self, clone: RequestRef<'a, 's, C, B>) {
        let rejected = self.design.fixes().is_none_or(|fixes| fixes.unhashed_rejected);
        if !rejected && self.net.requests.is_shared(clone.index()) {
            B::violated("I6/I7", "a request is freed on which somebody has a reference", clone.index());
        }
        drop(clone);
    }

    pub(super) fn ack_cloning(
        &self,
        fixes: CloneFixes,
        tuple: &Tuple,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Delivered<C, B>, Refused<C>> {
        let refused = |child, why| Err(Refused { child, why });
        loop {
            let Some(request) = self.lookup(tuple, held) else { return refused(child, Refusal::NoRequest) };
            let owner = self.hold(self.name(&request));
            let Some(sk) = owner.as_ref().and_then(|owner| self.listener(owner)) else {
                return refused(child, Refusal::NoRequest);
            };
            let mut target = None;
            if !sk.is_listening() {
                let hash = Self::key(&request).map_or(0, |key| key.hashes.sk_hash);
                let Migration::To(picked) = self.net.migrate_sock_as_posted(sk, hash) else {
                    if self.drop_half_open(&request, Some(sk), Some(fixes), held) {
                        return refused(child, Refusal::NoListener);
                    }
                    continue;
                };
                target = Some(picked);
            }
            let parent = target.as_deref().unwrap_or(sk);
            if parent.is_full(parent.accept_queue.len()) {
                if target.is_some() {
                    count(&self.net.counters.TCPMigrateReqFailure);
                }
                return refused(child, self.overflow());
            }
            let Some(hashed) = self.replace_by_child(&request, held) else { continue };
            if self.cancel(fixes, &request) == Charged::Canceller {
                sk.accept_queue.charge_unlocked(-Charges::one(request.is_young()));
            }
            drop(hashed);
            let Some(target) = target else {
                let established = self.establish(sk, request, child, held);
                return established.or_else(|(child, _request)| refused(child, Refusal::NoListener));
            };
            let Some(clone) = self.clone_of(&request, &target) else {
                request.posted.child_hashed.store(0, Ordering::Relaxed);
                return refused(child, Refusal::NoListener);
            };
            clone.posted.child_hashed.store(1, Ordering::Relaxed);
            request.posted.child_hashed.store(0, Ordering::Relaxed);
            let established = self.establish(&target, clone, child, held);
            count(match established {
                Ok(_) => &self.net.counters.TCPMigrateReqSuccess,
                Err(_) => &self.net.counters.TCPMigrateReqFailure,
            });
            return established.or_else(|(child, clone)| {
                self.free_unhashed(clone);
                refused(child, Refusal::NoListener)
            });
        }
    }
}
