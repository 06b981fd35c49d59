//! Listen, and what ids are worth before and after close.

use super::{FIRST, HERE, LOCAL, OTHER, aborts, deliver};
use crate::memory::{ImageStack, ListenerId};
use crate::sys::{expect, must};
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use rskq::{BindError, ListenError, SockError, SockOptions};

const ANY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

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

    let c = must(stack.open(SockOptions { reuseport: false, v6only: true }), "open: a free slot");
    expect(stack.listen(c, 1) == Err(ListenError::NotBound), "listen: not bound");
    expect(stack.bind(c, SocketAddr::new(ANY, 0)) == Err(BindError::Invalid), "bind: port 0");
    must(stack.bind(c, SocketAddr::new(ANY, OTHER.port())), "bind: a wildcard");
    expect(stack.listen_at(OTHER, 1, false) == Err(ListenError::AddrInUse), "listen_at: beside a wildcard");
    must(stack.listen(c, 1), "listen: bound");
    must(deliver(stack, OTHER, FIRST, 1), "deliver: to a wildcard");
    let mut accepted = must(stack.accept_many::<2>(c), "accept_many: at the wildcard");
    expect(accepted.next().is_some_and(|child| child.number() == 1), "accept_many: what waits");
    expect(accepted.next().is_none(), "accept_many: nothing else");
    aborts(must(stack.shutdown(c, HERE), "shutdown: listening"), &[]);
    let d = must(stack.open(SockOptions::default()), "open: another");
    let there = SocketAddr::new(OTHER.ip(), 0);
    let found = must(stack.bind_any(d, there, [OTHER.port(), 1]), "bind_any: the second port");
    expect(found.port() == 1, "bind_any: the first is taken by a socket that was shut down");
    [c, d].into_iter().for_each(|id| aborts(must(stack.close(id, HERE), "close: not listening"), &[]));
    stale(stack, c);
}

/// Expects every operation to find `id` stale.
pub(super) fn stale(stack: &ImageStack<'_>, id: ListenerId) {
    expect(stack.queue_len(id) == Err(SockError::Stale), "queue_len: stale");
    expect(matches!(stack.accept(id), Err(SockError::Stale)), "accept: stale");
    expect(matches!(stack.accept_many::<1>(id), Err(SockError::Stale)), "accept_many: stale");
    expect(matches!(stack.shutdown(id, HERE), Err(SockError::Stale)), "shutdown: stale");
    expect(matches!(stack.close(id, HERE), Err(SockError::Stale)), "close: stale");
    expect(stack.bind(id, LOCAL) == Err(BindError::Stale), "bind: stale");
    expect(stack.listen(id, 1) == Err(ListenError::Stale), "listen_again: stale");
}
