//! Shutdown and close in a group, with steps taken at once, late, or by a second call.

use super::addresses::stale;
use super::{FIRST, HERE, LAST, LOCAL, aborts, accept, deliver};
use crate::memory::ImageStack;
use crate::sys::{expect, must};
use rskq::{ListenError, SockError};

pub(super) fn run(stack: &ImageStack<'_>) {
    let a = must(stack.listen_at(LOCAL, 4, true), "listen: shared");
    let b = must(stack.listen_at(LOCAL, 4, true), "listen: shared with the first");
    expect(deliver(stack, LOCAL, FIRST, 1) == Ok(a), "deliver: the hash selects the first");
    expect(deliver(stack, LOCAL, LAST, 2) == Ok(b), "deliver: the hash selects the last");
    expect(deliver(stack, LOCAL, FIRST, 3) == Ok(a), "deliver: the first again");

    let mut steps = must(stack.shutdown(a, HERE), "shutdown: listening");
    expect(steps.next().is_some(), "shutdown: the first step");
    drop(steps);
    expect(stack.listen(a, 4) == Err(ListenError::Stopping), "listen_again: steps are left");
    not_listening(stack, a);
    aborts(must(stack.shutdown(a, HERE), "shutdown: goes on"), &[3]);
    not_listening(stack, a);
    expect(matches!(stack.shutdown(a, HERE), Err(SockError::NotListening)), "shutdown: shut already");

    expect(deliver(stack, LOCAL, FIRST, 4) == Ok(b), "deliver: only the second is left");
    must(stack.listen(a, 4), "listen_again: shut");
    expect(deliver(stack, LOCAL, LAST, 5) == Ok(a), "deliver: the first joined again, as the last");
    expect(accept(stack, a) == Some(5), "accept: what came after listening again");

    // Closed without a step taken: stale for all but the call that goes on.
    drop(must(stack.close(b, HERE), "close: listening"));
    expect(stack.listen(b, 4) == Err(ListenError::Stale), "listen_again: being closed");
    expect(stack.queue_len(b) == Err(SockError::Stale), "queue_len: being closed");
    expect(matches!(stack.shutdown(b, HERE), Err(SockError::Stale)), "shutdown: being closed");
    aborts(must(stack.close(b, HERE), "close: goes on"), &[2, 4]);
    stale(stack, b);

    aborts(must(stack.shutdown(a, HERE), "shutdown: listening"), &[]);
    aborts(must(stack.close(a, HERE), "close: shut"), &[]);
    stale(stack, a);
}

fn not_listening(stack: &ImageStack<'_>, id: crate::memory::ListenerId) {
    expect(stack.queue_len(id) == Err(SockError::NotListening), "queue_len: not listening");
    expect(matches!(stack.accept(id), Err(SockError::NotListening)), "accept: not listening");
}
