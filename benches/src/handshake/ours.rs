//! Ours: a stack with one listener.

use super::ListenSide;
use crate::world::{ListenerId, Size, Stack, arrival, local, stack, tuple};
use rskq::event::Payload;
use rskq::{Design, Here, Syn, SynAckTimer};

/// A stack with one listener.
pub struct Ours<B: rskq::sync::Backend = rskq::DefaultBackend> {
    stack: Stack<B>,
    listener: ListenerId<B>,
}

fn at(now: u64) -> Here {
    Here { cpu: 0, now }
}

impl<B: rskq::sync::Backend> ListenSide for Ours<B> {
    fn with_room(half_open: usize) -> Self {
        let stack = stack(Design::Handover, Size { listeners: 1, requests: half_open });
        let listener = stack.listen_at(local(), u32::MAX, false).expect("there is room");
        Self { stack, listener }
    }

    #[inline(never)]
    fn syn(&self, number: u64, now: u64) -> bool {
        match self.stack.syn(arrival(number), at(now)) {
            Ok(syn) => matches!(syn, Syn::New { .. }),
            Err(refusal) => panic!("a SYN was refused: {refusal:?}"),
        }
    }

    #[inline(never)]
    fn ack(&self, number: u64, now: u64) -> bool {
        self.stack.ack(&tuple(number), Payload::None, at(now), [number; 4]).is_ok()
    }

    #[inline(never)]
    fn accept(&self) -> Option<u64> {
        Some(self.stack.accept(self.listener).expect("it listens")?[0])
    }

    #[inline(never)]
    fn expire(&self, now: u64) -> Option<u64> {
        let gone = self.stack.poll(at(now))?;
        assert_eq!(gone.outcome, SynAckTimer::Expired);
        let std::net::SocketAddr::V4(remote) = gone.tuple.remote else { panic!("no IPv4 tuple came in") };
        let client = u64::from(remote.ip().to_bits() - 0x0b00_0000);
        Some(client << 15 | u64::from(remote.port() & 0x7fff))
    }
}
