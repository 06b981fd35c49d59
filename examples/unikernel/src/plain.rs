//! What one CPU has without listeners: sockets that listen, each again once its connection is over. In place of
//! `worker` with feature `plain`, to be measured beside it.

use crate::http::{self, Progress};
use crate::port::Port;
use crate::server::{PORT, now};
use heapless::Vec;
use rskq::DefaultBackend;
use rskq_smoltcp::Pool;
use smoltcp::iface::{Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, State};

/// Sockets that listen, which is how many may connect at once: more than are asked of it.
const LISTENING: usize = 64;

type Shard = rskq_smoltcp::Shard<'static, 'static, Pool<'static>, DefaultBackend>;

/// What one CPU has.
pub struct Worker {
    cpu: usize,
    iface: Interface,
    sockets: SocketSet<'static>,
    listening: Vec<SocketHandle, LISTENING>,
}

impl Worker {
    /// Makes a CPU's worker of the same sockets.
    pub fn new(cpu: usize, iface: Interface, sockets: SocketSet<'static>, _: Shard) -> Self {
        let listening = sockets.iter().map(|(handle, _)| handle).take(LISTENING).collect();
        Self { cpu, iface, sockets, listening }
    }

    /// Does what there is to do, once. Tells whether there was anything.
    pub fn work(&mut self) -> bool {
        let Self { cpu, iface, sockets, listening } = self;
        let port = &mut Port { cpu: *cpu };
        let polled = iface.poll(now(), port, sockets);
        let mut worked = false;
        for &mut handle in listening {
            let socket = sockets.get_mut::<Socket<'_>>(handle);
            match socket.state() {
                State::Closed => {
                    socket.listen(PORT).expect("it is closed");
                    worked = true;
                }
                State::Established | State::CloseWait if socket.can_recv() || !socket.may_recv() => {
                    match http::request(socket) {
                        Progress::Waits => {}
                        Progress::Over => socket.close(),
                        Progress::Came(request) => http::answer(socket, request, *cpu),
                    }
                    worked = true;
                }
                _ => {}
            }
        }
        if worked {
            iface.poll_egress(now(), port, sockets);
        }
        worked || polled == PollResult::SocketStateChanged
    }
}
