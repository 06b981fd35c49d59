//! The listening sockets.

use super::option::{self, TCP_LISTEN};
use crate::trace::{Descriptor, Open, Shut};
use nix::libc;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// A listening descriptor.
pub(super) struct Listener {
    pub(super) socket: Socket,
    /// Where it is bound; the port may be picked anew when it listens again.
    pub(super) address: IpAddr,
}

impl Listener {
    /// Returns a socket that is bound to `at` and listens if it is to.
    pub(super) fn open(open: &Open, at: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking(), None)?;
        if at.is_ipv6() {
            socket.set_only_v6(open.v6only)?;
        }
        if open.shared {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&at.into())?;
        let listener = Self { socket, address: at.ip() };
        if let Some(max_qlen) = open.fastopen {
            listener.set_fastopen(max_qlen)?;
        }
        if open.listen {
            listener.listen(open.backlog)?;
        }
        Ok(listener)
    }

    /// `listen()`, whose backlog is signed: what does not fit is negative.
    pub(super) fn listen(&self, backlog: u32) -> io::Result<()> {
        self.socket.listen(backlog as i32)
    }

    pub(super) fn set_fastopen(&self, max_qlen: u32) -> io::Result<()> {
        option::set(&self.socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, max_qlen as i32)
    }

    pub(super) fn set_defer_accept(&self, seconds: u32) -> io::Result<()> {
        option::set(&self.socket, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, seconds as i32)
    }

    pub(super) fn set_incoming_cpu(&self, cpu: i32) -> io::Result<()> {
        option::set(&self.socket, libc::SOL_SOCKET, libc::SO_INCOMING_CPU, cpu)
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.as_socket().map_or(0, |at| at.port()))
    }

    pub(super) fn shown(&self) -> io::Result<Descriptor> {
        let info = option::tcp_info(&self.socket)?;
        Ok(match info.state {
            TCP_LISTEN => Descriptor::Listening(info.unacked, info.sacked),
            _ => Descriptor::Shut(Shut::Shut),
        })
    }
}
