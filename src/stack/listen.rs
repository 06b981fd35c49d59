//! Listen, and listen again.

use super::Stack;
use crate::counters::count;
use crate::hash::HashError;
use crate::listener::{Descriptor, Listener, ListenerId};
use crate::net::ListenerRef;
use crate::outcome::ListenError;
use crate::sync::{AtomicU32, Backend};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;

impl<C: Send + 'static, B: Backend> Stack<'_, C, B> {
    /// Opens a socket that listens at `addr`; a backlog of N holds N + 1 connections, and is at most
    /// [`somaxconn`](crate::Sysctl::somaxconn).
    ///
    /// With `reuseport` the address is shared with every other socket there that also says so, and
    /// connections are spread over them by hash. Takes `ListenerSock`, `ListenBucket`, `Reuseport`.
    /// O(addresses in the bucket). (Linux: `socket`, `bind` and `inet_csk_listen_start()`.)
    ///
    /// # Errors
    ///
    /// [`ListenError::AddrInUse`], [`ListenError::NoListenerSlot`], [`ListenError::NoGroupRoom`].
    pub fn listen_at(
        &self,
        addr: SocketAddr,
        backlog: u32,
        reuseport: bool,
    ) -> Result<ListenerId<C, B>, ListenError> {
        let held = &mut self.nothing_held();
        let Some(listener) = self.net.alloc_listener(held) else {
            count(&self.net.counters.ListenerSlabFull);
            return Err(ListenError::NoListenerSlot);
        };
        let (mut descriptor, mut inner) = listener.sock.lock_and(held);
        self.set_backlog(&listener, backlog);
        let hashed = match self.table.lock(addr, &mut inner) {
            Some(mut bucket) => bucket.bind_and_hash(&self.net, &listener, addr, reuseport),
            None => Err(HashError::NoRoom),
        };
        if let Err(error) = hashed {
            drop(descriptor);
            self.put_home(&listener);
            return Err(self.no_room(error));
        }
        listener.accept_queue.lock(&mut inner).set_open(true);
        *descriptor = Descriptor::Listening;
        drop(descriptor);
        let id = listener.id();
        // The descriptor's reference, until close.
        let _ = listener.into_raw();
        Ok(id)
    }

    /// Listens again on a socket that was shut down, or changes the backlog of one that listens.
    ///
    /// A socket that listens again joins the group that listens at its address now, or begins a
    /// fresh one if none does. Locks as [`listen_at`](Self::listen_at). (Linux: `inet_listen()`.)
    ///
    /// # Errors
    ///
    /// [`ListenError::Stale`], [`ListenError::Stopping`], [`ListenError::NoGroupRoom`].
    pub fn listen(&self, id: ListenerId<C, B>, backlog: u32) -> Result<(), ListenError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(ListenError::Stale)?;
        let held = &mut self.nothing_held();
        let (mut descriptor, mut inner) = listener.sock.lock_and(held);
        match *descriptor {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => return Err(ListenError::Stale),
            Descriptor::Stopping { close: false, .. } => return Err(ListenError::Stopping),
            Descriptor::Listening => {
                self.set_backlog(&listener, backlog);
                return Ok(());
            }
            Descriptor::Shut => {}
        }
        let addr = listener.bound_to().ok_or(ListenError::Stale)?;
        self.set_backlog(&listener, backlog);
        let hashed = match self.table.lock(addr, &mut inner) {
            Some(mut bucket) => bucket.hash(&self.net, &listener, addr),
            None => Err(HashError::NoRoom),
        };
        if let Err(error) = hashed {
            return Err(self.no_room(error));
        }
        listener.accept_queue.lock(&mut inner).set_open(true);
        *descriptor = Descriptor::Listening;
        Ok(())
    }

    /// Sets the backlog, as far as the embedder allows. (Linux: `__sys_listen()`.)
    fn set_backlog(&self, listener: &Listener<C, B>, backlog: u32) {
        let backlog = backlog.min(self.net.sysctl.somaxconn());
        listener.sk_max_ack_backlog.store(backlog, Ordering::Relaxed);
    }

    fn no_room(&self, error: HashError) -> ListenError {
        match error {
            HashError::AddrInUse => ListenError::AddrInUse,
            HashError::NoRoom => {
                count(&self.net.counters.GroupFull);
                ListenError::NoGroupRoom
            }
            HashError::NoSocks => {
                count(&self.net.counters.SocksFull);
                ListenError::NoGroupRoom
            }
        }
    }
}
