//! The established table as Linux has it: looked up without its lock, with a child in its request's place.

use super::Site;
use crate::lockdep::{Before, Held, order::EstablishedBucket};
use crate::net::RequestRef;
use crate::request::{RequestSock, RequestState, Tuple};
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// Returns the half-open request for `tuple`. (Linux: `__inet_lookup_established()`.)
    ///
    /// Where Linux walks the chain without a lock, what is found is found under the lock here; the reference
    /// is taken after it is released, so that the slot may hold another request by then. Without the check
    /// that came late, one that is not in the table is returned if its tuple is the same.
    pub(super) fn lookup<H: Before<EstablishedBucket>>(
        &self,
        tuple: &Tuple,
        held: &mut Held<'_, H>,
    ) -> Option<RequestRef<'a, 's, C, B>> {
        loop {
            let (bucket, inner) = self.ehash.lock(tuple, held)?;
            let slot = bucket.find(self.net, tuple)?.index();
            let Some(fixes) = self.design.fixes() else {
                return RequestRef::try_get(self.net, slot);
            };
            drop((bucket, inner));
            let Some(request) = RequestRef::try_get(self.net, slot) else { continue };
            if Self::key(&request).is_none_or(|key| key.tuple != *tuple) {
                continue;
            }
            if fixes.unhashed_rejected {
                if request.posted.hashed.load(Ordering::Acquire) == 0 {
                    continue;
                }
            } else if request.posted.hashed.peek() == 0 {
                B::violated("I24", "a lookup returns a request that is not in the table", slot);
            }
            return Some(request);
        }
    }

    /// Takes a request off the table, if it is still there, with the table's reference.
    pub(super) fn unhash<H: Before<EstablishedBucket>>(
        &self,
        request: &RequestSock<C, B>,
        held: &mut Held<'_, H>,
    ) -> Option<RequestRef<'a, 's, C, B>> {
        let (mut bucket, _held) = self.ehash.lock(&Self::key(request)?.tuple, held)?;
        let gone = bucket.remove(self.net, request)?;
        request.posted.hashed.store(0, Ordering::Release);
        Some(gone)
    }

    /// Puts the request's child in its place in the table; tells, with the table's reference, whether the
    /// request was still there: whether the caller owns it. (Linux: `inet_ehash_insert()` with an old
    /// socket.)
    ///
    /// Before the fix the request left first and the child came after it: a reader that came between found
    /// neither.
    pub(super) fn replace_by_child<H: Before<EstablishedBucket>>(
        &self,
        request: &RequestSock<C, B>,
        held: &mut Held<'_, H>,
    ) -> Option<RequestRef<'a, 's, C, B>> {
        let (mut bucket, _held) = self.ehash.lock(&Self::key(request)?.tuple, held)?;
        let gone = bucket.remove(self.net, request)?;
        let child = || request.posted.child_hashed.store(1, Ordering::Relaxed);
        if self.design.replaces_in_place() {
            child();
            request.posted.hashed.store(0, Ordering::Release);
        } else {
            request.posted.hashed.store(0, Ordering::Release);
            child();
        }
        Some(gone)
    }

    /// Puts a clone, whose reference is the table's from now on, in the request's place. The same, with
    /// another request for the child.
    ///
    /// # Errors
    ///
    /// Returns the clone if the request was not there any more.
    pub(super) fn replace<'r, H: Before<EstablishedBucket>>(
        &self,
        request: &RequestSock<C, B>,
        clone: RequestRef<'r, 's, C, B>,
        held: &mut Held<'_, H>,
    ) -> Result<RequestRef<'a, 's, C, B>, RequestRef<'r, 's, C, B>> {
        let Some(key) = Self::key(request) else { return Err(clone) };
        let Some((mut bucket, _held)) = self.ehash.lock(&key.tuple, held) else { return Err(clone) };
        if request.state() != RequestState::Hashed {
            return Err(clone);
        }
        let hashed = self.net.requests.get(clone.index()).map(|clone| &clone.posted.hashed);
        let mark = || hashed.inspect(|hashed| hashed.store(1, Ordering::Release));
        let Some(gone) = bucket.remove(self.net, request) else { return Err(clone) };
        if self.design.replaces_in_place() {
            bucket.insert(clone);
            request.posted.hashed.store(0, Ordering::Release);
        } else {
            request.posted.hashed.store(0, Ordering::Release);
            bucket.insert(clone);
        }
        mark();
        Ok(gone)
    }
}
