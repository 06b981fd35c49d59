//! The policy that moves everything at once: what a listener held is its heir's.

use super::handshakes::{ack, syn};
use super::{FIRST, HERE, LOCAL, accept, deliver};
use crate::child::Child;
use crate::memory::{ImageStack, Memory};
use crate::sys::{expect, must};
use rskq::{Config, Design, Outcome};

pub(super) fn run() {
    let mut memory = Memory::new();
    let stack = ImageStack::new(memory.lend(), Config::with(Design::Handover));
    let mut a = must(stack.listen_at(LOCAL, 4, true), "listen: shared");
    let mut b = must(stack.listen_at(LOCAL, 4, true), "listen: shared with the first");
    for _ in 0..3 {
        expect(deliver(&stack, LOCAL, FIRST, 1) == Ok(a), "deliver: the hash selects the first");
        expect(syn(&stack, 2).is_ok_and(|(new, _)| new), "syn: the first again");
        let mut steps = must(stack.shutdown(a, HERE), "shutdown: one waits, one is half open");
        let Some(Outcome::HandedOver { to, connections: 1, wake }) = steps.next() else {
            return expect(false, "shutdown: hands everything over");
        };
        expect(to == b && wake.is_some_and(|wake| wake.listener() == b), "shutdown: the heir is woken");
        expect(steps.next().is_none(), "shutdown: in one step");
        expect(ack(&stack, 2) == Ok(b), "ack: the heir's");
        expect(accept(&stack, b) == Some(1) && accept(&stack, b) == Some(2), "accept: in order");
        must(stack.listen(a, 4), "listen_again: with an owner of its own");
        core::mem::swap(&mut a, &mut b);
    }
    for id in [a, b] {
        expect(must(stack.close(id, HERE), "close: nothing waits").next().is_none(), "close: nothing moves");
    }
    expect(Child::live() == 0, "no child is left");
}
