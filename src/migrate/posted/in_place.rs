//! Half-open requests rewritten in place: the fifth patch of the first version, kept in the second.
//!
//! At the SYN-ACK timer and at a packet, where the request's listener is not in LISTEN:
//!
//! 1. another member is picked, by the program or by the hash;
//! 2. `qlen` moves from the old listener to the new one, and `young` if no timeout was counted;
//! 3. a reference on the old one is put, one on the new one is taken, and the request names the new one.
//!
//! What it leaves undone: 1 is a bare pointer into `socks[]`, and 3 takes a reference on it that may not be
//! there to take. Who loaded the old name before 3 holds a listener that may be gone. Two who come here
//! together both do 2 and 3: the old one is put twice and one reference on the new one is never put. Who
//! completes the handshake takes the charge from the listener that *it* looked up. And 2 looks at the
//! timeouts while the timer counts them.

use super::Site;
use crate::listener::Listener;
use crate::net::{OwnerRef, RequestRef};
use crate::queue::Charges;
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// Makes a request of `old`, which the owner `from` stands for, that of another listener, if the design
    /// does that and there is one. Returns the other one, held once more.
    pub(super) fn rewritten(
        &self,
        request: &RequestRef<'a, 's, C, B>,
        from: u32,
        old: &Listener<C, B>,
    ) -> Option<OwnerRef<'a, 's, C, B>> {
        if !self.design.moves_half_open_in_place() {
            return None;
        }
        let hash = Self::key(request)?.hashes.sk_hash;
        let new = self.net.listeners.get(self.net.pick_unheld(old, hash)?)?;
        let charge = Charges::one(request.is_young());
        old.accept_queue.charge_unlocked(-charge);
        new.accept_queue.charge_unlocked(charge);
        self.put(from);
        let Some(held) = self.hold(new.home.load(Ordering::Relaxed)) else {
            self.rename(request, NONE);
            return None;
        };
        self.rename(request, held.clone().into_raw());
        Some(held)
    }
}
