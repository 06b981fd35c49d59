//! A frame arrives: whose it is, and whether a SYN is admitted.

use super::{HalfOpen, Held, Parked, Shard, Site, Stage};
use crate::connection::{Connection, Event};
use crate::frame::{Look, OneFrame, Segment};
use crate::supply::Supply;
use rskq::sync::Backend;
use rskq::{Arrival, Hashes, Refusal, RequestId, Syn};
use smoltcp::iface::{Interface, PollIngressSingleResult, SocketHandle};
use smoltcp::phy::TxToken;
use smoltcp::socket::{Socket, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::HardwareAddress;

/// What becomes of a SYN that opens a connection.
enum Admission<B: Backend> {
    /// smoltcp gets it, and nobody listens: it answers with a reset, or not at all, as it does.
    Pass,
    /// Nobody gets it: the client tries again.
    Drop,
    /// One socket gets it.
    Arm(SocketHandle, RequestId<Connection, B>),
}

impl<S: Supply, B: Backend> Shard<'_, '_, S, B> {
    /// Gives a frame to the interface, if it is to have it, and looks at the one connection that it
    /// may have changed.
    pub(super) fn ingress<T: TxToken, F: FnMut(Event<'_, B>)>(
        &mut self,
        now: Instant,
        frame: &[u8],
        mut device: OneFrame<'_, T>,
        iface: &mut Interface,
        site: &mut Site<'_, '_, F>,
    ) -> PollIngressSingleResult {
        let segment = match device.look() {
            Look::Segment(segment) => segment,
            Look::Other => return iface.poll_ingress_single(now, &mut device, site.sockets),
            Look::Hidden => {
                let result = iface.poll_ingress_single(now, &mut device, site.sockets);
                self.review_all(site);
                return result;
            }
        };
        let hash = self.hash(&segment.tuple);
        if let Some(departed) = self.departed.find(&segment.tuple, hash)
            && let Some((_, departed)) = self.departed.get(departed)
        {
            (site.tell)(Event::Elsewhere { shard: departed.to, frame });
            return PollIngressSingleResult::PacketProcessed;
        }
        let mut known = self.connections.find(&segment.tuple, hash);
        if segment.opens {
            known = known.filter(|&place| !self.is_over(place, site));
        }
        if known.is_none() && segment.opens {
            match self.admit(&segment, hash, iface, site) {
                Admission::Pass => {}
                Admission::Drop => return PollIngressSingleResult::PacketProcessed,
                Admission::Arm(handle, request) => {
                    let result = iface.poll_ingress_single(now, &mut device, site.sockets);
                    self.armed(&segment, hash, handle, request, site);
                    return result;
                }
            }
        }
        let result = iface.poll_ingress_single(now, &mut device, site.sockets);
        if let Some(place) = known {
            self.review(place, site);
        }
        result
    }

    /// Asks the stack who takes a connection that nobody knows, and has a socket listen for it.
    fn admit<F: FnMut(Event<'_, B>)>(
        &mut self,
        segment: &Segment,
        hash: u32,
        iface: &Interface,
        site: &mut Site<'_, '_, F>,
    ) -> Admission<B> {
        if !is_for(segment, iface) || is_taken(segment, site) {
            return Admission::Pass;
        }
        let arrival = Arrival { tuple: segment.tuple, hashes: Hashes { syn_hash: hash, sk_hash: hash } };
        let request = match self.stack.syn(arrival, site.here) {
            Ok(Syn::New { request, .. }) => request,
            // The stack has a half-open request without a socket: somebody else's, or one that is about to
            // go. The client tries again.
            Ok(Syn::Duplicate(_)) => return Admission::Drop,
            Ok(Syn::Cookie(_)) => {
                self.counters.no_cookie = self.counters.no_cookie.wrapping_add(1);
                return Admission::Drop;
            }
            Err(Refusal::NoListener | Refusal::DroppedByProgram) => return Admission::Pass,
            Err(_) => return Admission::Drop,
        };
        let room = self.connections.room() > self.reserved;
        if let Some(handle) = if room { self.supply.take(site.sockets) } else { None } {
            let socket = site.sockets.get_mut::<tcp::Socket<'_>>(handle);
            if socket.listen(segment.tuple.local).is_ok() {
                return Admission::Arm(handle, request);
            }
            self.supply.give_back(handle, site.sockets);
        }
        self.counters.no_socket = self.counters.no_socket.wrapping_add(1);
        let _ = self.stack.reset(&segment.tuple);
        Admission::Drop
    }

    /// The frame went in that a socket was armed for: it has taken the SYN, or it listens no longer.
    fn armed<F>(
        &mut self,
        segment: &Segment,
        hash: u32,
        handle: SocketHandle,
        request: RequestId<Connection, B>,
        site: &mut Site<'_, '_, F>,
    ) {
        let socket = site.sockets.get_mut::<tcp::Socket<'_>>(handle);
        let ends = (socket.local_endpoint(), socket.remote_endpoint());
        let taken = socket.state() == tcp::State::SynReceived
            && ends == (Some(segment.tuple.local.into()), Some(segment.tuple.remote.into()));
        if taken {
            let deadline = site.here.now + Self::backoff(0);
            let stage = Stage::HalfOpen(HalfOpen { request, deadline, parked: Parked::No });
            if self.connections.insert(segment.tuple, hash, Held { handle, from: None, stage }).is_ok() {
                self.wake_by(deadline);
                return;
            }
        }
        self.counters.not_taken = self.counters.not_taken.wrapping_add(1);
        super::ending::silence(socket);
        self.supply.give_back(handle, site.sockets);
        let _ = self.stack.reset(&segment.tuple);
    }

    /// Tells whether a connection has ended, though its socket was not given back. The client that opens
    /// another one has forgotten it: a reset that is still to be sent is not.
    fn is_over<F: FnMut(Event<'_, B>)>(&mut self, place: u32, site: &mut Site<'_, '_, F>) -> bool {
        let Some((_, held)) = self.connections.get(place) else { return true };
        let over = site.sockets.get::<tcp::Socket<'_>>(held.handle).state() == tcp::State::Closed;
        if over && held.stage.is_ending() {
            self.end(Some(place), site);
        }
        over
    }
}

/// Tells whether smoltcp would look for a socket for the segment.
fn is_for(segment: &Segment, iface: &Interface) -> bool {
    let (local, remote) = (segment.tuple.local.ip(), segment.tuple.remote.ip());
    let hardware = segment.hardware.is_none_or(|to| iface.hardware_addr() == HardwareAddress::Ethernet(to));
    hardware && iface.has_ip_addr(local) && smoltcp::wire::IpAddress::from(remote).is_unicast()
}

/// Tells whether a socket that is not the shard's has the segment's ends: one that connected, for instance. It is
/// its segment.
fn is_taken<F>(segment: &Segment, site: &Site<'_, '_, F>) -> bool {
    let ends = (Some(segment.tuple.local.into()), Some(segment.tuple.remote.into()));
    site.sockets.iter().any(|(_, socket)| {
        #[allow(irrefutable_let_patterns)] // other kinds of sockets are features of smoltcp
        let Socket::Tcp(socket) = socket else { return false };
        socket.is_open() && (socket.local_endpoint(), socket.remote_endpoint()) == ends
    })
}
