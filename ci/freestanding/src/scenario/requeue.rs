//! The policy that loses nothing: a closed listener's connections go to who listens now.

use super::{FIRST, HERE, LOCAL, accept, deliver};
use crate::child::Child;
use crate::memory::{ImageStack, Memory};
use crate::sys::{expect, must};
use rskq::{Config, Design, Outcome};

pub(super) fn run() {
    let mut memory = Memory::new();
    let stack = ImageStack::new(memory.lend(), Config::with(Design::Requeue));
    let a = must(stack.listen_at(LOCAL, 4, true), "listen: shared");
    let b = must(stack.listen_at(LOCAL, 4, true), "listen: shared with the first");
    expect(deliver(&stack, LOCAL, FIRST, 1) == Ok(a), "deliver: the hash selects the first");
    expect(deliver(&stack, LOCAL, FIRST, 2) == Ok(a), "deliver: the first again");
    for outcome in must(stack.close(a, HERE), "close: two wait") {
        let Outcome::Moved { to, wake } = outcome else {
            return expect(false, "close: somebody listens, so that all move");
        };
        expect(to == b && wake.is_some_and(|wake| wake.listener() == b), "close: who gained is woken");
    }
    expect(accept(&stack, b) == Some(1) && accept(&stack, b) == Some(2), "accept: in order");
    expect(must(stack.close(b, HERE), "close: the last").next().is_none(), "close: nothing waits");
    expect(Child::live() == 0, "no child is left");
}
