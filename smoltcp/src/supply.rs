//! Where the sockets of admitted connections come from.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use rskq::Storage;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;

/// Where the sockets of admitted connections come from, and go to.
pub trait Supply {
    /// Returns a TCP socket of `sockets` in CLOSED, or `None` if there is none: the SYN is dropped and counted,
    /// and the client tries again.
    fn take(&mut self, sockets: &mut SocketSet<'_>) -> Option<SocketHandle>;

    /// Takes back a socket that is in CLOSED again.
    fn give_back(&mut self, handle: SocketHandle, sockets: &mut SocketSet<'_>);
}

/// A fixed number of sockets, made by the embedder and never freed. Nothing allocates.
///
/// A socket that comes back keeps what its last user set, but for its timeout and its keep-alive.
pub struct Pool<'p> {
    /// The idle ones first.
    handles: Storage<'p, SocketHandle>,
    idle: usize,
}

impl<'p> Pool<'p> {
    /// Makes a pool of TCP sockets in CLOSED, all of one set.
    #[must_use]
    pub fn new(handles: impl Into<Storage<'p, SocketHandle>>) -> Self {
        let handles = handles.into();
        Self { idle: handles.len(), handles }
    }

    /// Returns how many sockets wait for a connection.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle
    }
}

impl Supply for Pool<'_> {
    fn take(&mut self, _sockets: &mut SocketSet<'_>) -> Option<SocketHandle> {
        self.idle = self.idle.checked_sub(1)?;
        self.handles.get(self.idle).copied()
    }

    fn give_back(&mut self, handle: SocketHandle, sockets: &mut SocketSet<'_>) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
        socket.set_timeout(None);
        socket.set_keep_alive(None);
        if let Some(place) = self.handles.get_mut(self.idle) {
            *place = handle;
            self.idle += 1;
        }
    }
}

/// Sockets that are made when they are needed and freed when they are not.
///
/// The set has to be one that grows.
#[cfg(feature = "alloc")]
pub struct Boxed {
    rx: usize,
    tx: usize,
    left: usize,
}

#[cfg(feature = "alloc")]
impl Boxed {
    /// At most `most` sockets at a time, with buffers of `rx` and `tx` bytes.
    #[must_use]
    pub fn new(rx: usize, tx: usize, most: usize) -> Self {
        Self { rx, tx, left: most }
    }
}

#[cfg(feature = "alloc")]
impl Supply for Boxed {
    fn take(&mut self, sockets: &mut SocketSet<'_>) -> Option<SocketHandle> {
        let left = self.left.checked_sub(1)?;
        let (rx, tx) = (zeroed(self.rx)?, zeroed(self.tx)?);
        self.left = left;
        Some(sockets.add(tcp::Socket::new(tcp::SocketBuffer::new(rx), tcp::SocketBuffer::new(tx))))
    }

    fn give_back(&mut self, handle: SocketHandle, sockets: &mut SocketSet<'_>) {
        drop(sockets.remove(handle));
        self.left += 1;
    }
}

/// Returns `len` zeroes, unless there is no memory for them.
#[cfg(feature = "alloc")]
fn zeroed(len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).ok()?;
    bytes.resize(len, 0);
    Some(bytes)
}
