//! Linux's rules: open, bind, listen; switches, programs, timers, deferral, cookies.

use super::handshakes::{ack, arrival, syn};
use super::{FIRST, HERE, LOCAL, aborts, accept};
use crate::child::Child;
use crate::memory::{ImageStack, Memory};
use crate::sys::{expect, must};
use core::net::SocketAddr;
use rskq::{
    AttachType, BindError, Config, Design, Here, ListenError, MapEntry, MapFlag, Program, ProgramId, Refusal,
    SkReuseportMd, SockOptions, Syn, SynAckTimer, Syncookies, Sysctl, Verdict,
};

/// Selects the first entry of the map, or refuses.
struct First;

impl Program for First {
    fn attach_type(&self) -> AttachType {
        AttachType::Select
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        if md.select(0).is_ok() { Verdict::Pass } else { Verdict::Drop }
    }
}

static PROGRAMS: [&dyn Program; 1] = [&First];

pub(super) fn run() {
    let mut memory = Memory::new();
    let mut map = [const { MapEntry::new() }; 1];
    let stack = ImageStack::new(memory.lend(), Config::with(Design::Linux))
        .with_programs(&PROGRAMS, (&mut map).into());
    let shares = SockOptions { reuseport: true, v6only: false };
    let a = must(stack.open(shares), "open: a slot is free");
    expect(stack.listen(a, 8) == Err(ListenError::NotBound), "listen: not bound");
    expect(stack.bind(a, LOCAL) == Ok(()), "bind: a free address");
    expect(stack.bind(a, LOCAL) == Err(BindError::Invalid), "bind: bound already");
    expect(stack.listen(a, 8) == Ok(()), "listen: bound");
    let b = must(stack.open(shares), "open: another slot is free");
    let mut free = LOCAL;
    free.set_port(LOCAL.port() + 1);
    let found: Result<SocketAddr, _> = stack.bind_any(b, LOCAL, [LOCAL.port(), free.port()]);
    expect(found == Ok(free), "bind_any: the first free port");

    expect(stack.attach_reuseport_prog(a, ProgramId(0)) == Ok(()), "attach: it shares");
    expect(syn(&stack, 1) == Err(Refusal::DroppedByProgram), "syn: the map is empty");
    expect(stack.map_update(0, a, MapFlag::Any) == Ok(()), "map_update: it listens");
    let (_, request) = must(syn(&stack, 1), "syn: selected from the map");
    expect(stack.map_delete(0) == Ok(()), "map_delete: it was there");
    expect(stack.detach_reuseport_prog(a) == Ok(()), "detach: attached");
    expect(stack.set_incoming_cpu(a, Some(0)) == Ok(()), "set_incoming_cpu: open");

    expect(stack.next_deadline() == Some(1_000), "next_deadline: a second after the SYN");
    expect(stack.poll(HERE).is_none(), "poll: nothing is due");
    let due = stack.poll(Here { cpu: 0, now: 1_000 });
    let again = SynAckTimer::Retransmit { timeouts: 1 };
    expect(due.is_some_and(|due| due.request == request && due.outcome == again), "poll: due");
    expect(stack.rsk_listener(request) == Some(a), "rsk_listener: half open");

    expect(stack.set_defer_accept(a, 9) == Ok(()), "set_defer_accept: open");
    expect(ack(&stack, 1) == Err(Refusal::Deferred), "ack: without data");
    expect(stack.set_defer_accept(a, 0) == Ok(()), "set_defer_accept: off");
    expect(ack(&stack, 1) == Ok(a) && accept(&stack, a) == Some(1), "ack: enough");

    let always = Sysctl { tcp_syncookies: Syncookies::Always, ..stack.sysctl() };
    stack.set_sysctl(always);
    expect(stack.sysctl() == always, "sysctl: what was set");
    let second = arrival(LOCAL, FIRST, 2);
    expect(matches!(stack.syn(second, HERE), Ok(Syn::Cookie(to)) if to == a), "syn: a cookie is due");
    let cookie = must(stack.cookie_ack(second, HERE), "cookie_ack: one was sent");
    expect(cookie.believe(Child::new(2)).is_ok_and(|to| to.listener == a), "believe: delivered");
    expect(accept(&stack, a) == Some(2), "accept: by a cookie");
    must(stack.cookie_ack(second, HERE), "cookie_ack: another one").reject();

    expect(stack.set_fastopen(a, 2) == Ok(()), "set_fastopen: open");
    expect(stack.fastopen_len(a) == Ok((0, 2)), "fastopen_len: none, of two");
    for id in [a, b] {
        aborts(must(stack.close(id, HERE), "close: open"), &[]);
    }
    expect(stack.counters().SyncookiesRecv == 1 && stack.counters().SyncookiesFailed == 1, "counters");
}
