//! Open, bind, listen.

use super::Stack;
use crate::address::{Port, RcvSaddr};
use crate::counters::count;
use crate::hash::HashError;
use crate::listener::{Descriptor, Listener, ListenerId};
use crate::lockdep::{Held, order::ListenerSock};
use crate::net::ListenerRef;
use crate::outcome::{BindError, ListenError};
use crate::sync::{AtomicU32, Backend, Fault};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;

/// What is said of a socket when it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SockOptions {
    /// Whether it shares its address with every other socket there that also says so: connections are
    /// spread over them by hash. (Linux: SO_REUSEPORT.)
    pub reuseport: bool,
    /// Whether, bound to an IPv6 address, it receives IPv6 only. Where it is not said, a socket that is
    /// bound to IPv6's wildcard receives IPv4, too. (Linux: IPV6_V6ONLY.)
    pub v6only: bool,
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Opens a socket that is not bound. Takes `ListenerSock`, in it `Rskq`. O(1). (Linux: `socket`, and
    /// `setsockopt`.)
    ///
    /// # Errors
    ///
    /// [`ListenError::NoListenerSlot`].
    pub fn open(&self, options: SockOptions) -> Result<ListenerId<C, B>, ListenError> {
        let listener = self.socket(options)?;
        *listener.sock.lock(&mut self.nothing_held()) = Descriptor::Idle;
        Ok(Self::given_out(listener))
    }

    /// Binds a socket to `addr`, for as long as it is open. An IPv4 address that is mapped into IPv6 is
    /// that IPv4 address.
    ///
    /// Two sockets may be bound to what overlaps, which is one address or a wildcard that includes it, if
    /// both share; but not the second of them, if it was given a group of its own before. Takes
    /// `ListenerSock`, in it `BindBucket`. O(sockets in the port's bucket that do not share) for a socket
    /// that shares, otherwise O(sockets in the bucket). (Linux: `inet_bind()`, `inet_csk_get_port()`.)
    ///
    /// # Errors
    ///
    /// [`BindError::AddrInUse`], [`BindError::Invalid`], [`BindError::NoBuckets`], [`BindError::Stale`],
    /// [`BindError::Stopping`].
    pub fn bind(&self, id: ListenerId<C, B>, addr: SocketAddr) -> Result<(), BindError> {
        self.bind_as(id, addr, Port::Locked)
    }

    /// Binds a socket to the address of `addr`, whose port does not matter, and the first of `ports` that
    /// nobody is bound to there, not even to share it; returns what it is bound to.
    ///
    /// Such a socket is not bound any more once it is shut down. Locks and cost as [`bind`](Self::bind) for
    /// each port that is tried; none is held while the next is asked for. (Linux: a bind to port 0, and
    /// `inet_csk_find_open_port()`, whose choice of ports is the caller's.)
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind); [`BindError::AddrInUse`] if there is no free port.
    pub fn bind_any(
        &self,
        id: ListenerId<C, B>,
        mut addr: SocketAddr,
        ports: impl IntoIterator<Item = u16>,
    ) -> Result<SocketAddr, BindError> {
        for port in ports {
            addr.set_port(port);
            match self.bind_as(id, addr, Port::Found) {
                Err(BindError::AddrInUse) => {}
                result => return result.map(|()| addr),
            }
        }
        Err(BindError::AddrInUse)
    }

    /// Makes a bound socket listen, for the first time or again, or changes the backlog of one that does; a
    /// backlog of N holds N + 1 connections, and is at most [`somaxconn`](crate::Sysctl::somaxconn).
    ///
    /// It joins the group that listens where it is bound, or begins one if none does. Takes `ListenerSock`;
    /// in it `ListenBucket`, in that `Reuseport`; and before that `BindBucket`, if it was given a group of
    /// its own. O(addresses in the bucket). (Linux: `inet_listen()`, `inet_csk_listen_start()`.)
    ///
    /// # Errors
    ///
    /// [`ListenError::Stale`], [`ListenError::Stopping`], [`ListenError::NotBound`],
    /// [`ListenError::AddrInUse`], [`ListenError::NoGroupRoom`].
    pub fn listen(&self, id: ListenerId<C, B>, backlog: u32) -> Result<(), ListenError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(ListenError::Stale)?;
        let held = &mut self.nothing_held();
        let (mut descriptor, mut held) = listener.sock.lock_and(held);
        match *descriptor {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => return Err(ListenError::Stale),
            Descriptor::Stopping { close: false, .. } => return Err(ListenError::Stopping),
            Descriptor::Listening => self.set_backlog(&listener, backlog),
            Descriptor::Idle => self.listen_start(&listener, &mut descriptor, backlog, &mut held)?,
        }
        Ok(())
    }

    /// Opens a socket that listens at `addr`: [`open`](Self::open), [`bind`](Self::bind) and
    /// [`listen`](Self::listen) in one. Where it fails there is no socket.
    ///
    /// # Errors
    ///
    /// As those.
    pub fn listen_at(
        &self,
        addr: SocketAddr,
        backlog: u32,
        reuseport: bool,
    ) -> Result<ListenerId<C, B>, ListenError> {
        let listener = self.socket(SockOptions { reuseport, v6only: false })?;
        let held = &mut self.nothing_held();
        let (mut descriptor, mut inner) = listener.sock.lock_and(held);
        let bound = self.bind_to(&listener, addr, Port::Locked, &mut inner).map_err(ListenError::from);
        let listens = bound.and_then(|()| self.listen_start(&listener, &mut descriptor, backlog, &mut inner));
        if let Err(error) = listens {
            self.ports.unbind(&listener, &mut inner);
            drop(descriptor);
            self.put_home(&listener);
            return Err(error);
        }
        drop(descriptor);
        Ok(Self::given_out(listener))
    }

    /// Takes the slots of a socket that is not bound, and that nobody knows yet.
    fn socket(&self, options: SockOptions) -> Result<ListenerRef<'_, 's, C, B>, ListenError> {
        let Some(listener) = self.net.alloc_listener(&mut self.nothing_held()) else {
            count(&self.net.counters.ListenerSlabFull);
            return Err(ListenError::NoListenerSlot);
        };
        let SockOptions { reuseport, v6only } = options;
        // SAFETY: nobody knows the socket, and it is in no chain.
        unsafe {
            listener.bind.with_mut(|bind| {
                bind.reuseport = reuseport;
                bind.v6only = v6only;
            });
        }
        Ok(listener)
    }

    /// Leaves the reference on a socket to its descriptor, until close.
    fn given_out(listener: ListenerRef<'_, 's, C, B>) -> ListenerId<C, B> {
        let id = listener.id();
        let _ = listener.into_raw();
        id
    }

    fn bind_as(&self, id: ListenerId<C, B>, addr: SocketAddr, port: Port) -> Result<(), BindError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(BindError::Stale)?;
        let held = &mut self.nothing_held();
        let (descriptor, mut held) = listener.sock.lock_and(held);
        match *descriptor {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => Err(BindError::Stale),
            Descriptor::Stopping { close: false, .. } => Err(BindError::Stopping),
            Descriptor::Listening => Err(BindError::Invalid),
            Descriptor::Idle => self.bind_to(&listener, addr, port, &mut held),
        }
    }

    fn bind_to(
        &self,
        listener: &Listener<C, B>,
        addr: SocketAddr,
        port: Port,
        held: &mut Held<'_, ListenerSock>,
    ) -> Result<(), BindError> {
        // SAFETY: the socket is not given out yet, or its `sock` is held.
        let (bound, v6only) = unsafe { listener.bind.with(|bind| (bind.addr, bind.v6only)) };
        if bound.is_some() {
            return Err(BindError::Invalid);
        }
        let addr = RcvSaddr::new(addr, v6only).ok_or(BindError::Invalid)?;
        self.ports.bind(&self.net, listener, addr, port, held)
    }

    fn listen_start(
        &self,
        listener: &Listener<C, B>,
        descriptor: &mut Descriptor,
        backlog: u32,
        held: &mut Held<'_, ListenerSock>,
    ) -> Result<(), ListenError> {
        let addr = listener.bound_to().ok_or(ListenError::NotBound)?;
        if !self.ports.may_listen(&self.net, listener, &addr, held) {
            return Err(ListenError::AddrInUse);
        }
        self.set_backlog(listener, backlog);
        let hashed = match self.table.lock(&addr, held) {
            Some(mut bucket) => bucket.hash(&self.net, listener, addr),
            None => Err(HashError::NoRoom),
        };
        hashed.map_err(|error| self.no_room(error))?;
        let (mut queue, mut held) = listener.accept_queue.lock_and(held);
        queue.set_open(true);
        if B::planted(Fault::FastChargesForgotten) {
            drop(listener.accept_queue.fastopenq.lock(&mut held).detach());
        }
        *descriptor = Descriptor::Listening;
        Ok(())
    }

    /// Sets the backlog, as far as the embedder allows. (Linux: `__sys_listen()`.)
    fn set_backlog(&self, listener: &Listener<C, B>, backlog: u32) {
        let most = if B::planted(Fault::BacklogClamped) { 8 } else { self.net.sysctl.somaxconn() };
        let backlog = backlog.min(most);
        listener.sk_max_ack_backlog.store(backlog, Ordering::Relaxed);
    }

    fn no_room(&self, error: HashError) -> ListenError {
        match error {
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
