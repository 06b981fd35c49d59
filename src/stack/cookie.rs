//! SYN cookies, as decisions: when to believe one. (RFC 4987, section 3.6.)
//!
//! What is in a cookie and whether it is genuine is the embedder's; that one was sent at all, lately and
//! by the group that the ACK falls on now, is known here. When to send one is in [`Stack::syn`].

use super::Stack;
use crate::counters::count;
use crate::event::{Arrival, Here};
use crate::group::SockReuseport;
use crate::listener::{AddError, Capacity, Listener};
use crate::net::{ListenerRef, Net, Syncookies};
use crate::outcome::{Delivered, Refusal, Refused, Wake};
use crate::reuseport::Selecting;
use crate::sync::{AtomicU32, Backend, Fault};
use core::sync::atomic::Ordering;

/// How long a cookie is good for, in seconds. (Linux: `TCP_SYNCOOKIE_VALID`.)
const VALID: u32 = 120;

/// An ACK without a request, at a group that lately had to send cookies: it may bear one.
#[must_use = "the cookie has to be checked"]
pub struct CookieAck<'a, 's, C: Send + 'static, B: Backend> {
    stack: &'a Stack<'s, C, B>,
    /// Who was selected: a program is not asked again.
    listener: ListenerRef<'a, 's, C, B>,
    arrival: Arrival,
    here: Here,
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// An ACK arrived that has no request: tells whether a cookie in it is worth checking. O(1). Takes
    /// `ListenBucket`. (Linux: `cookie_v4_check()`, as far as `tcp_synq_no_recent_overflow()`.)
    ///
    /// # Errors
    ///
    /// [`Refusal::NoListener`], [`Refusal::DroppedByProgram`], [`Refusal::NoCookieSent`]: to be answered with a
    /// reset.
    pub fn cookie_ack(&self, arrival: Arrival, here: Here) -> Result<CookieAck<'_, 's, C, B>, Refusal> {
        let held = &mut self.nothing_held();
        let selecting = Selecting::by_syn(arrival, here);
        let believed =
            self.net.sysctl.tcp_syncookies() != Syncookies::Never && !B::planted(Fault::CookieNotBelieved);
        self.table
            .offer(&self.net, None, &selecting, (), held, |listener, (), _| {
                let group = self.net.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire));
                let sent = believed && group.is_some_and(|group| group.has_sent_cookie(here));
                Ok(sent.then(|| CookieAck { stack: self, listener: listener.clone(), arrival, here }))
            })
            .map_err(|(why, ())| why)
            .and_then(|sent| sent.ok_or(Refusal::NoCookieSent))
    }
}

impl<C: Send + 'static, B: Backend> CookieAck<'_, '_, C, B> {
    /// The cookie is genuine, and `child` is its connection: delivers it to the listener that was selected for
    /// the ACK, or, if that has left, as [`Stack::deliver`] does. O(1). Takes `Rskq`, and then locks as there.
    ///
    /// # Errors
    ///
    /// Gives the child back with the reason.
    pub fn believe(self, child: C) -> Result<Delivered<C, B>, Refused<C>> {
        let Self { stack, listener, arrival, here } = self;
        count(&stack.net.counters.SyncookiesRecv);
        let held = &mut stack.nothing_held();
        let request = match stack.new_request(arrival, child) {
            Ok(request) => request,
            Err(child) => return Err(Refused { child, why: Refusal::NoRequestSlot }),
        };
        let delivered = match listener.queue_add(request, &stack.net, Capacity::Enforced, held) {
            Ok(()) => Delivered { listener: listener.id(), wake: Some(Wake(listener.id())) },
            Err((AddError::Full, request)) => return Err(stack.refused(Refusal::AcceptQueueFull, &request)),
            Err((AddError::NotAtHome, request)) => {
                stack.deliver_by(&Selecting::by_syn(arrival, here), None, request, held)?
            }
        };
        count(&stack.net.counters.PassiveOpens);
        Ok(delivered)
    }

    /// The cookie is not genuine: the ACK is to be answered with a reset.
    pub fn reject(self) {
        count(&self.stack.net.counters.SyncookiesFailed);
    }
}

impl<C: Send + 'static, B: Backend> Net<'_, C, B> {
    /// Remembers that a member of the listener's group sends a cookie. (Linux: `tcp_synq_overflow()`.)
    ///
    /// If the listener leaves its group meanwhile it may be another group that is marked, which then checks
    /// cookies that it need not.
    pub(super) fn synq_overflow(&self, listener: &Listener<C, B>, here: Here) {
        if let Some(group) = self.groups.get(listener.sk_reuseport_cb.load(Ordering::Acquire)) {
            group.synq_overflow_ts.store(seconds(here), Ordering::Relaxed);
        }
    }
}

impl<B: Backend> SockReuseport<B> {
    fn has_sent_cookie(&self, here: Here) -> bool {
        let sent = self.synq_overflow_ts.load(Ordering::Relaxed);
        // Another CPU's clock may be a little behind.
        sent != 0 && seconds(here).wrapping_sub(sent).min(sent.wrapping_sub(seconds(here))) <= VALID
    }
}

/// Seconds, and never 0, which is for a group that sent none.
fn seconds(here: Here) -> u32 {
    ((here.now / 1000) as u32).max(1)
}
