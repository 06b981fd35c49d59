//! Programs that compute whom they select, CPUs, and who may have a program when.

use super::*;
use rskq::group::{AttachError, AttachType, MapFlag, Program, ProgramId, Verdict};
use std::ops::Range;

const SHARES: SockOptions = SockOptions { reuseport: true, v6only: false };

/// So many sockets at `local`, in the map in the order in which they were opened.
fn group_at(
    local: SocketAddr,
    sockets: usize,
    programs: [&'static dyn Program; 2],
) -> (TestStack, Vec<Listener>) {
    let sizes = Sizes { listeners: sockets, owners: sockets, max_socks: sockets as u32, ..ENOUGH };
    let stack = with_programs(stack_of(sizes, Design::Linux), programs, sockets);
    let ids = (0..sockets as u32).map(|index| {
        let id = stack.listen_at(local, 4, true).unwrap();
        assert_eq!(stack.map_update(index, id, MapFlag::Any), Ok(()));
        id
    });
    let ids = ids.collect();
    (stack, ids)
}

/// Who gets the connection from `port` that arrives on `cpu`.
fn goes_to(stack: &TestStack, local: SocketAddr, port: u16, cpu: u32) -> Listener {
    let tuple = Tuple { local, remote: SocketAddr::new(local.ip(), port) };
    let here = Here { cpu, now: 0 };
    let hash = u32::from(port).wrapping_mul(0x9e37_79b9);
    let arrival = Arrival { tuple, hashes: Hashes { syn_hash: hash, sk_hash: hash } };
    assert!(matches!(stack.syn(arrival, here), Ok(Syn::New { .. })));
    let child = u32::from(port);
    let went = delivered(stack.ack(&tuple, Payload::Data, here, child), child).unwrap();
    assert_eq!(stack.accept(went), Ok(Some(child)));
    went
}

fn modulo(n: u32) -> &'static dyn Program {
    program(AttachType::Select, move |md| {
        md.select(u32::from(md.tuple.remote.port()) % n).map_or(Verdict::Drop, |()| Verdict::Pass)
    })
}

/// `reuseport_bpf`: a program by the client's port, and then another in its place, which leaves half of the
/// group idle.
#[test]
fn reuseport_bpf_a_program_is_replaced_through_any_member() {
    for (local, n) in [("127.0.0.1:80", 10), ("[::1]:80", 10), ("[::ffff:127.0.0.1]:80", 20)] {
        let local = at(local);
        let (stack, ids) = group_at(local, n, [modulo(n as u32), modulo(n as u32 / 2)]);
        for (through, program, selected) in [(n - 1, 0, n), (0, 1, n / 2)] {
            assert_eq!(stack.attach_reuseport_prog(ids[through], ProgramId(program)), Ok(()));
            for port in 0..2 * n {
                let went = goes_to(&stack, local, 20_000 + port as u16, 0);
                assert_eq!(went, ids[(20_000 + port) % selected]);
            }
        }
        finish(stack, &ids);
    }
}

/// `reuseport_bpf`: what is refused, before and after a socket is bound.
#[test]
fn reuseport_bpf_who_may_have_a_program() {
    let stack = with_programs(stack(Design::Linux), [modulo(1), modulo(2)], 1);
    // Two with a program each are of two groups before they are bound.
    let [one, other] = [(); 2].map(|()| stack.open(SHARES).unwrap());
    for id in [one, other] {
        assert_eq!(stack.attach_reuseport_prog(id, ProgramId(0)), Ok(()));
    }
    assert_eq!(stack.bind(one, addr()), Ok(()));
    assert_eq!(stack.bind(other, addr()), Err(BindError::AddrInUse));
    let alone = stack.open(SockOptions::default()).unwrap();
    for _ in ["open", "bound", "listening"] {
        assert_eq!(stack.attach_reuseport_prog(alone, ProgramId(0)), Err(AttachError::Invalid));
        assert_eq!(stack.detach_reuseport_prog(alone), Err(AttachError::Invalid));
        if stack.bind(alone, at("127.0.0.1:81")).is_err() {
            assert_eq!(stack.listen(alone, 4), Ok(()));
        }
    }
    assert_eq!(stack.attach_reuseport_prog(one, ProgramId(2)), Err(AttachError::NotFound));
    // Closing one that was bound ends its group with it, whether it listened or not.
    finish(stack, &[one, other, alone]);
}

/// `reuseport_bpf_cpu`: a program by CPU, in whatever order these come.
#[test]
fn reuseport_bpf_cpu_each_cpu_has_its_socket() {
    const CPUS: u32 = 8;
    let by_cpu =
        program(AttachType::Select, |md| md.select(md.cpu).map_or(Verdict::Drop, |()| Verdict::Pass));
    for local in ["127.0.0.1:80", "[::1]:80"].map(at) {
        let (stack, ids) = group_at(local, CPUS as usize, [by_cpu, by_cpu]);
        assert_eq!(stack.attach_reuseport_prog(ids[0], ProgramId(0)), Ok(()));
        let orders = (0..CPUS).chain((0..CPUS).rev());
        let orders = orders.chain((0..CPUS).step_by(2)).chain((1..CPUS).step_by(2));
        for (port, cpu) in (20_000..).zip(orders) {
            assert_eq!(goes_to(&stack, local, port, cpu), ids[cpu as usize]);
        }
        finish(stack, &ids);
    }
}

/// When a server says which CPU it is for.
#[derive(Clone, Copy, PartialEq)]
enum Moment {
    BeforeReuseport,
    BeforeListen,
    AfterListen,
    AfterAll,
}

const SERVERS: u32 = 4;
const CLIENTS: u16 = 32;

fn open_for_cpu(stack: &TestStack, moment: Moment, cpu: u32) -> Listener {
    let id = stack.open(SHARES).unwrap();
    let says = |when| {
        if moment == when {
            assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
        }
    };
    says(Moment::BeforeReuseport);
    assert_eq!(stack.bind(id, addr()), Ok(()));
    says(Moment::BeforeListen);
    assert_eq!(stack.listen(id, SERVERS * u32::from(CLIENTS)), Ok(()));
    says(Moment::AfterListen);
    id
}

/// 32 clients on each CPU connect: each CPU's are accepted from its server, and from nobody else.
fn each_cpu_has_its_clients(stack: &TestStack, servers: &[Listener]) {
    let ports = |cpu: u32| -> Range<u16> { (cpu as u16 * CLIENTS)..(cpu as u16 + 1) * CLIENTS };
    for cpu in 0..SERVERS {
        for port in ports(cpu) {
            assert_eq!(goes_to(stack, addr(), 20_000 + port, cpu), servers[cpu as usize]);
        }
    }
}

/// `so_incoming_cpu`: test1 is without another socket; in test2 one that is for no CPU has come and gone, and in
/// test3 it is still there, and gets nothing.
#[test]
fn so_incoming_cpu_each_server_has_the_clients_of_its_cpu() {
    for moment in [Moment::BeforeReuseport, Moment::BeforeListen, Moment::AfterListen, Moment::AfterAll] {
        for (another, closed) in [(false, false), (true, true), (true, false)] {
            let stack = stack(Design::Linux);
            let mut servers = (0..SERVERS).map(|cpu| open_for_cpu(&stack, moment, cpu)).collect::<Vec<_>>();
            if moment == Moment::AfterAll {
                for (cpu, &id) in (0..).zip(&servers) {
                    assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
                }
            }
            let other = another.then(|| stack.listen_at(addr(), 4, true).unwrap());
            if let (Some(other), true) = (other, closed) {
                assert_eq!(close(&stack, other), []);
            }
            each_cpu_has_its_clients(&stack, &servers);
            servers.extend(other.filter(|_| !closed));
            finish(stack, &servers);
        }
    }
}

/// What counts in a group is right after members have left, were evicted and came back.
#[test]
fn so_incoming_cpu_members_that_leave_and_come_back_keep_their_cpu() {
    let (stack, ids) = group::<4>(8);
    for (cpu, id) in (0..).zip(ids) {
        assert_eq!(stack.set_incoming_cpu(id, Some(cpu)), Ok(()));
    }
    for migrate in [true, false] {
        stack.set_migrate_req(migrate);
        for id in ids {
            assert_eq!(shutdown(&stack, id), []);
            assert_eq!(stack.listen(id, 8), Ok(()));
            each_cpu_has_its_clients(&stack, &ids);
        }
        // The last one begins another group, which the others join.
        ids.iter().for_each(|&id| assert_eq!(shutdown(&stack, id), []));
        ids.iter().for_each(|&id| assert_eq!(stack.listen(id, 8), Ok(())));
        each_cpu_has_its_clients(&stack, &ids);
    }
    finish(stack, &ids);
}
