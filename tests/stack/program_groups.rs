//! Which group a program belongs to, and when it is lost.

use super::programs::{MANY, drop_it, pass};
use super::*;
use common::programs::{TestProgram, stack_with};

fn socket(stack: &TestStack, reuseport: bool) -> Listener {
    stack.open(SockOptions { reuseport, v6only: false }).unwrap()
}

fn bound(stack: &TestStack) -> Listener {
    let id = socket(stack, true);
    assert_eq!(stack.bind(id, addr()), Ok(()));
    id
}

/// The group of a socket: its slot, its program, and how many members it has that listen, and that do not.
fn group_of(stack: &mut TestStack, id: Listener) -> Option<(u32, Option<u32>, usize, usize)> {
    let graph = graph(stack);
    let slot = graph.listeners[id.index() as usize].group?;
    let group = &graph.groups[slot as usize];
    Some((slot, group.prog, group.listening.len(), group.closed.len()))
}

const P: ProgramId = ProgramId(0);
const Q: ProgramId = ProgramId(1);

/// A stack with a program for new connections and one for migrations, which drop everything.
fn two_programs() -> TestStack {
    let [p, q] = [AttachType::Select, AttachType::SelectOrMigrate].map(|t| TestProgram::new(t, drop_it));
    stack_with(MANY, Design::Linux, &[p, q], 4)
}

#[test]
fn a_program_is_attached_to_who_shares_and_is_open() {
    use AttachError::{Invalid, NotFound, Stale, Stopping};
    let stack = two_programs();
    let listener = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!(stack.attach_reuseport_prog(listener, ProgramId(2)), Err(NotFound));
    assert_eq!(stack.attach_reuseport_prog(listener, ProgramId(u32::MAX)), Err(NotFound));
    assert_eq!(stack.detach_reuseport_prog(listener), Err(NotFound));

    let [unbound, alone] = [(); 2].map(|()| socket(&stack, false));
    assert_eq!(stack.bind(alone, at("127.0.0.1:81")), Ok(()));
    let listens = stack.listen_at(at("127.0.0.1:82"), 4, false).unwrap();
    for id in [unbound, alone, listens] {
        assert_eq!(stack.attach_reuseport_prog(id, P), Err(Invalid));
        assert_eq!(stack.detach_reuseport_prog(id), Err(Invalid));
    }
    let sharing = socket(&stack, true);
    assert_eq!(stack.detach_reuseport_prog(sharing), Err(NotFound));

    drop(stack.shutdown(listener, HERE).unwrap());
    assert_eq!(stack.attach_reuseport_prog(listener, P), Err(Stopping));
    assert_eq!(stack.detach_reuseport_prog(listener), Err(NotFound));
    drop(stack.close(listener, HERE).unwrap());
    let closed = socket(&stack, true);
    assert_eq!(close(&stack, closed), []);
    for id in [listener, closed] {
        assert_eq!(stack.attach_reuseport_prog(id, P), Err(Stale));
        assert_eq!(stack.detach_reuseport_prog(id), Err(Stale));
    }
    finish(stack, &[unbound, alone, listens, sharing, listener]);
}

#[test]
fn there_may_be_no_room_for_a_group_of_its_own() {
    for sizes in [Sizes { groups: 0, ..MANY }, Sizes { chunks: 0, ..MANY }, Sizes { max_socks: 0, ..MANY }] {
        let program = TestProgram::new(AttachType::Select, pass);
        let stack = stack_with(sizes, Design::Linux, &[program], 0);
        let id = socket(&stack, true);
        assert_eq!(stack.attach_reuseport_prog(id, P), Err(AttachError::NoGroupRoom));
        finish(stack, &[id]);
    }
}

/// `reuseport_bpf`, the error cases.
#[test]
fn two_sockets_with_groups_of_their_own_are_not_bound_to_one_address() {
    let mut stack = two_programs();
    let ids = [(); 2].map(|()| socket(&stack, true));
    assert_eq!(ids.map(|id| stack.attach_reuseport_prog(id, P)), [Ok(()); 2]);
    let groups = ids.map(|id| group_of(&mut stack, id).unwrap());
    assert_ne!(groups[0].0, groups[1].0);
    assert_eq!(groups.map(|group| (group.1, group.2, group.3)), [(Some(0), 1, 0); 2]);
    assert_eq!(ids.map(|id| stack.bind(id, addr())), [Ok(()), Err(BindError::AddrInUse)]);
    // Closing them frees both groups.
    finish(stack, &ids);
}

#[test]
fn a_socket_that_does_not_listen_is_not_found_and_brings_its_program_along_when_it_does() {
    let stack = two_programs();
    for attach_first in [true, false] {
        let mut stack = two_programs();
        let id = socket(&stack, true);
        let attach = || assert_eq!(stack.attach_reuseport_prog(id, P), Ok(()));
        if attach_first {
            attach();
        }
        assert_eq!(stack.bind(id, addr()), Ok(()));
        if !attach_first {
            attach();
        }
        assert_eq!(deliver(&stack, 1), Err(Refusal::NoListener));
        // Attached again, detached, and replaced, it is still the one group.
        let before = group_of(&mut stack, id);
        assert_eq!(stack.attach_reuseport_prog(id, Q), Ok(()));
        assert_eq!(stack.detach_reuseport_prog(id), Ok(()));
        assert_eq!(stack.detach_reuseport_prog(id), Err(AttachError::NotFound));
        assert_eq!(stack.attach_reuseport_prog(id, P), Ok(()));
        assert_eq!(group_of(&mut stack, id), before);
        assert_eq!(stack.listen(id, 4), Ok(()));
        assert_eq!(deliver(&stack, 1), Err(Refusal::DroppedByProgram));
        // Who joins has it, too.
        let other = stack.listen_at(addr(), 4, true).unwrap();
        let (slot, prog, _, _) = before.unwrap();
        assert_eq!(group_of(&mut stack, other), Some((slot, prog, 2, 0)));
        assert_eq!(stack.detach_reuseport_prog(other), Ok(()));
        assert_eq!(deliver(&stack, 1), Ok(id));
        finish(stack, &[id, other]);
    }
    finish(stack, &[]);
}

#[test]
fn a_socket_with_a_group_of_its_own_does_not_listen_beside_others() {
    let stack = two_programs();
    let id = bound(&stack);
    assert_eq!(stack.attach_reuseport_prog(id, P), Ok(()));
    let listener = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!(stack.listen(id, 4), Err(ListenError::AddrInUse));
    assert_eq!(deliver(&stack, 1), Ok(listener), "the program is not theirs");
    assert_eq!(accept_all(&stack, listener), [1]);
    assert_eq!(close(&stack, listener), []);
    assert_eq!(stack.listen(id, 4), Ok(()));
    assert_eq!(deliver(&stack, 1), Err(Refusal::DroppedByProgram));
    finish(stack, &[id]);
}

/// Rule 6: what is decided when it stops is whether a socket stays in its group.
#[test]
fn a_shut_socket_stays_in_its_group_if_the_sysctl_or_the_program_says_so() {
    for (migrate_req, prog, stays) in [
        (false, None, false),
        (false, Some(P), false),
        (false, Some(Q), true),
        (true, None, true),
        (true, Some(P), true),
        (true, Some(Q), true),
    ] {
        let mut stack = two_programs();
        let [id, other] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
        if let Some(prog) = prog {
            assert_eq!(stack.attach_reuseport_prog(other, prog), Ok(()));
        }
        stack.set_migrate_req(migrate_req);
        assert_eq!(shutdown(&stack, id), []);
        // Too late to change that.
        stack.set_migrate_req(!migrate_req);
        let (slot, prog, ..) = group_of(&mut stack, other).unwrap();
        assert_eq!(group_of(&mut stack, id), stays.then_some((slot, prog, 1, 1)), "{migrate_req} {prog:?}");
        assert_eq!(stack.detach_reuseport_prog(id), Err(AttachError::NotFound), "it is not its any more");
        finish(stack, &[id, other]);
    }
}

/// Rule 7: with others it joins their group and has their program; alone it begins one without.
#[test]
fn a_socket_that_listens_again_alone_has_lost_its_program() {
    for alone in [true, false] {
        let mut stack = two_programs();
        let [id, other] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
        assert_eq!(stack.attach_reuseport_prog(id, Q), Ok(()));
        if alone {
            assert_eq!(shutdown(&stack, other), []);
        }
        let before = group_of(&mut stack, id).unwrap();
        assert_eq!((shutdown(&stack, id), stack.listen(id, 4)), (vec![], Ok(())));
        let after = group_of(&mut stack, id).unwrap();
        if alone {
            assert_ne!(after.0, before.0);
            assert_eq!((after.1, after.2, after.3), (None, 1, 0));
            assert_eq!(group_of(&mut stack, other), Some((before.0, Some(1), 0, 1)), "the other has it");
        } else {
            assert_eq!(after, before);
        }
        finish(stack, &[id, other]);
    }
}

/// Rule 11: a program makes a shut socket leave for a group of its own.
#[test]
fn a_program_for_a_shut_socket_takes_it_out_of_its_group() {
    for migrate_req in [true, false] {
        let mut stack = two_programs();
        stack.set_migrate_req(migrate_req);
        let [id, other] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
        assert_eq!(stack.attach_reuseport_prog(other, P), Ok(()));
        assert_eq!(shutdown(&stack, id), []);
        assert_eq!(stack.attach_reuseport_prog(id, Q), Ok(()));
        let groups = [id, other].map(|id| group_of(&mut stack, id).unwrap());
        assert_ne!(groups[0].0, groups[1].0);
        assert_eq!(groups.map(|group| (group.1, group.2, group.3)), [(Some(1), 1, 0), (Some(0), 1, 0)]);
        assert_eq!(stack.listen(id, 4), Err(ListenError::AddrInUse));
        assert_eq!(close(&stack, other), []);
        assert_eq!(stack.listen(id, 4), Ok(()));
        assert_eq!(group_of(&mut stack, id), Some(groups[0]), "with its program");
        finish(stack, &[id]);
    }
}

/// Rule 11, of a request that is half open: nobody else is in the group of its listener, which Linux chooses
/// itself by hash, so that no failure is counted. It is counted if nobody is chosen at all.
#[test]
fn what_is_half_open_at_a_shut_socket_with_a_program_finds_nobody() {
    use AttachType::{Select, SelectOrMigrate};
    for (migrate_req, program, failures) in [
        (true, TestProgram::new(Select, drop_it), 0),
        (true, TestProgram::new(SelectOrMigrate, pass), 0),
        (true, TestProgram::new(SelectOrMigrate, drop_it), 1),
        (false, TestProgram::new(Select, drop_it), 1),
        (false, TestProgram::new(SelectOrMigrate, pass), 0),
    ] {
        let stack = stack_with(MANY, Design::Linux, &[program], 0);
        stack.set_migrate_req(migrate_req);
        let ids = [(); 2].map(|()| stack.listen_at(addr(), 64, true).unwrap());
        let _ = syn(&stack, arrival_at((1, 2), (0, 1), 1));
        assert_eq!(shutdown(&stack, ids[1]), []);
        assert_eq!(stack.attach_reuseport_prog(ids[1], P), Ok(()));
        assert_eq!(ack(&stack, 1), Err(Refusal::NoListener));
        let counted = Snapshot { TCPMigrateReqFailure: failures, ..Snapshot::default() };
        assert_eq!(mishaps(&stack), counted);
        finish(stack, &ids);
    }
}
