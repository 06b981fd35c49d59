//! Listen, and what ids are worth before and after close.

use super::{HERE, LOCAL, aborts};
use crate::memory::{ImageStack, ListenerId};
use crate::sys::{expect, must};
use rskq::{ListenError, SockError};

pub(super) fn run(stack: &ImageStack<'_>) {
    let a = must(stack.listen_at(LOCAL, 1, false), "listen: a free address");
    expect(stack.listen_at(LOCAL, 1, false) == Err(ListenError::AddrInUse), "listen: taken");
    expect(stack.listen_at(LOCAL, 1, true) == Err(ListenError::AddrInUse), "listen: not shared by the first");
    expect(stack.queue_len(a) == Ok((0, 1)), "queue_len: empty");
    must(stack.listen(a, 7), "listen_again: listening already");
    expect(stack.queue_len(a) == Ok((0, 7)), "listen_again: new backlog");
    aborts(must(stack.close(a, HERE), "close: listening"), &[]);
    stale(stack, a);

    let b = must(stack.listen_at(LOCAL, 1, true), "listen: free again");
    expect(b.index() == a.index() && b.generation() != a.generation(), "listen: a slot is used again");
    expect(ListenerId::from_parts(b.index(), b.generation()) == b, "an id survives its parts");
    stale(stack, a);
    stale(stack, ListenerId::from_parts(u32::MAX, 0));
    stale(stack, ListenerId::from_parts(b.index() + 1, 0));
    expect(
        stack.listen_at(LOCAL, 1, false) == Err(ListenError::AddrInUse),
        "listen: the newcomer does not share",
    );
    expect(stack.queue_len(b) == Ok((0, 1)), "a stale id touches nobody");
    aborts(must(stack.close(b, HERE), "close: listening"), &[]);
    stale(stack, b);
}

/// Expects every operation to find `id` stale.
pub(super) fn stale(stack: &ImageStack<'_>, id: ListenerId) {
    expect(stack.queue_len(id) == Err(SockError::Stale), "queue_len: stale");
    expect(matches!(stack.accept(id), Err(SockError::Stale)), "accept: stale");
    expect(matches!(stack.shutdown(id, HERE), Err(SockError::Stale)), "shutdown: stale");
    expect(matches!(stack.close(id, HERE), Err(SockError::Stale)), "close: stale");
    expect(stack.listen(id, 1) == Err(ListenError::Stale), "listen_again: stale");
}
