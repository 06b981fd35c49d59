//! Rules 6, 7, 10, 11, 13, 16 and 18, as far as a group has a program, a map or CPUs.

use super::*;
use rskq::group::{AttachError, AttachType, MapError, MapFlag, ProgramId, Verdict};

/// Asked about new connections only: selects entry 0.
const SELECT: ProgramId = ProgramId(0);
/// Asked about migrations, too: selects entry 1 for those, whoever is in it, and leaves the rest to the hash.
const MIGRATE: ProgramId = ProgramId(1);
/// The same, and cancels them.
const DROP: ProgramId = ProgramId(2);

/// A group of `N` with a map of four entries, and without `tcp_migrate_req`.
fn programmed<const N: usize>() -> (TestStack, [Listener; N]) {
    let programs = [
        program(AttachType::Select, |md| {
            let _ = md.select(0);
            Verdict::Pass
        }),
        program(AttachType::SelectOrMigrate, |md| {
            if md.occasion.migrates() {
                let _ = md.select(1);
            }
            Verdict::Pass
        }),
        program(AttachType::SelectOrMigrate, |md| {
            if md.occasion.migrates() { Verdict::Drop } else { Verdict::Pass }
        }),
    ];
    let stack = with_programs(stack(Design::Linux), programs, 4);
    migration_off(&stack);
    let ids = std::array::from_fn(|_| stack.listen_at(addr(), 8, true).unwrap());
    (stack, ids)
}

fn enter(stack: &TestStack, index: u32, id: Listener) {
    assert_eq!(stack.map_update(index, id, MapFlag::NoExist), Ok(()));
}

/// Rule 6: a program that is asked about migrations keeps a socket that stops in its group, one that is not
/// does not; it is the one at that moment that counts.
#[test]
fn rule_6_a_program_that_migrates_keeps_who_stops_in_the_group() {
    for (at_stop, later, stays) in
        [(SELECT, MIGRATE, false), (MIGRATE, SELECT, true), (DROP, SELECT, true), (SELECT, SELECT, false)]
    {
        let (mut stack, [a, b]) = programmed();
        assert_eq!(stack.attach_reuseport_prog(b, at_stop), Ok(()));
        assert_eq!(shutdown(&stack, a), []);
        assert_eq!(stack.attach_reuseport_prog(b, later), Ok(()));
        let closed = if stays { slots([a]) } else { vec![] };
        assert_eq!(sections(&mut stack, b), (slots([b]), closed));
        finish(stack, &[a, b]);
    }
}

/// Rule 7: who listens again alone has no program, and who joins others has theirs.
#[test]
fn rule_7_a_program_is_lost_with_its_group() {
    let (mut stack, [a, b]) = programmed();
    assert_eq!(stack.attach_reuseport_prog(a, DROP), Ok(()));
    assert_eq!(shutdown(&stack, a), []);
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(stack.detach_reuseport_prog(a), Ok(()));
    assert_eq!(stack.detach_reuseport_prog(b), Err(AttachError::NotFound));
    assert_eq!(stack.attach_reuseport_prog(b, DROP), Ok(()));
    let group = group_slot(&mut stack, b);
    assert_eq!((shutdown(&stack, a), shutdown(&stack, b)), (vec![], vec![]));
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_ne!(group_slot(&mut stack, a), group);
    assert_eq!(stack.detach_reuseport_prog(a), Err(AttachError::NotFound));
    finish(stack, &[a, b]);
}

/// Rule 10: a socket leaves the map when it stops, whether anything migrates or not, and is not in it when it
/// listens again.
#[test]
fn rule_10_who_stops_leaves_the_map_and_has_to_be_added_again() {
    for migrate in [false, true] {
        let (stack, [a, b]) = programmed();
        stack.set_migrate_req(migrate);
        assert_eq!(stack.attach_reuseport_prog(a, SELECT), Ok(()));
        enter(&stack, 0, b);
        // Entry 0 decides, whatever the hash.
        assert_eq!(connect(&stack, arrival(1), 1), Ok(b));
        assert_eq!(accept_all(&stack, b), [1]);
        assert_eq!(shutdown(&stack, b), []);
        assert_eq!(stack.map_delete(0), Err(MapError::NotFound));
        assert_eq!(stack.map_update(0, b, MapFlag::Any), Err(MapError::Invalid));
        assert_eq!(connect(&stack, arrival(2), 2), Ok(a));
        assert_eq!(stack.listen(b, 8), Ok(()));
        assert_eq!(connect(&stack, arrival(3), 3), Ok(a));
        enter(&stack, 0, b);
        assert_eq!(connect(&stack, arrival(4), 4), Ok(b));
        assert_eq!(accept_all(&stack, b), [4]);
        assert_eq!(close(&stack, b), []);
        assert_eq!(stack.map_delete(0), Err(MapError::NotFound));
        assert_eq!(accept_all(&stack, a), [2, 3]);
        counted(&stack, Snapshot { PassiveOpens: 4, ..NOTHING });
        finish(stack, &[a]);
    }
}

/// Rule 11: a program that is attached to a shut socket moves it to a group of its own; with that it cannot
/// listen again where others do.
#[test]
fn rule_11_a_program_for_a_shut_socket_takes_it_out_of_its_group() {
    let (mut stack, [a, b]) = programmed();
    assert_eq!(stack.attach_reuseport_prog(b, MIGRATE), Ok(()));
    let request = syn(&stack, arrival(1));
    assert_eq!(shutdown(&stack, a), []);
    assert_eq!(sections(&mut stack, b), (slots([b]), slots([a])));
    assert_eq!(stack.attach_reuseport_prog(a, DROP), Ok(()));
    assert_eq!(sections(&mut stack, b), (slots([b]), vec![]));
    assert_ne!(group_slot(&mut stack, a), group_slot(&mut stack, b));
    for _ in 0..2 {
        assert_eq!(stack.listen(a, 8), Err(ListenError::AddrInUse));
    }
    // Nobody finds it in its group meanwhile; what it held is asked about where it is.
    assert_eq!(connect(&stack, arrival(2), 2), Ok(b));
    assert_eq!(stack.synack_timer(request, 5, HERE), Ok(SynAckTimer::Dropped));
    assert_eq!(close(&stack, b), [End::Aborted(2)]);
    assert_eq!(stack.listen(a, 8), Ok(()));
    assert_eq!(stack.detach_reuseport_prog(a), Ok(()), "it kept its program");
    finish(stack, &[a]);
}

/// Rule 13: where some member is for a CPU, closed ones included, the first from where the hash falls that is
/// for the CPU at hand is chosen; if there is none, the hash decides.
#[test]
fn rule_13_a_member_for_this_cpu_comes_before_the_hash() {
    let (stack, ids @ [a, b, c, d]) = programmed();
    let client = std::cell::Cell::new(0);
    // Who gets what arrives on `cpu` for each place.
    let goes_to = |cpu| {
        [0, 1, 2, 3].map(|place| {
            client.set(client.get() + 1);
            let arrival = arrival_at((place, 4), (0, 1), client.get());
            let here = Here { cpu, now: 0 };
            assert!(matches!(stack.syn(arrival, here), Ok(Syn::New { .. })));
            let went = ack(&stack, client.get()).unwrap();
            assert_eq!(stack.accept(went), Ok(Some(client.get())));
            went
        })
    };
    assert_eq!(goes_to(1), ids);
    for (id, cpu) in [(b, Some(1)), (d, Some(1)), (c, Some(0))] {
        assert_eq!(stack.set_incoming_cpu(id, cpu), Ok(()));
    }
    assert_eq!(goes_to(1), [b, b, d, d]);
    assert_eq!(goes_to(0), [c; 4]);
    assert_eq!(goes_to(2), [a, b, c, d]);
    for id in [b, c, d] {
        assert_eq!(stack.set_incoming_cpu(id, None), Ok(()));
    }
    assert_eq!(goes_to(1), ids);
    counted(&stack, Snapshot { PassiveOpens: 20, ..NOTHING });
    finish(stack, &ids);
}

/// Rule 13: the same goes for what migrates: the CPU that closes, that the ACK arrives at, or whose timer goes
/// off.
#[test]
fn rule_13_what_migrates_goes_to_a_member_for_this_cpu() {
    let on_1 = Here { cpu: 1, now: 0 };
    let (stack, [a, b, c]) = group(8);
    // In places 1 and 0 once A has left.
    assert_eq!(stack.set_incoming_cpu(b, Some(1)), Ok(()));
    connect_all(&stack, [1, 2], a);
    let timer = [3, 4, 5].map(|client| syn(&stack, arrival(client)))[0];
    let mut steps = stack.close(a, on_1).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Moved(b)));
    drop(steps);
    // The one that goes on with the steps is on another CPU.
    assert_eq!(close(&stack, a), [End::Moved(c)]);
    assert_eq!(delivered(stack.ack(&tuple(addr(), 4), Payload::None, on_1, 4), 4), Ok(b));
    assert_eq!(ack(&stack, 5), Ok(c));
    assert_eq!(stack.synack_timer(timer, 5, on_1), Ok(SynAckTimer::Retransmit { timeouts: 1 }));
    assert_eq!(ack(&stack, 3), Ok(b));
    assert_eq!((accept_all(&stack, b), accept_all(&stack, c)), (vec![1, 4, 3], vec![2, 5]));
    counted(&stack, Snapshot { PassiveOpens: 5, TCPTimeouts: 1, TCPMigrateReqSuccess: 5, ..NOTHING });
    finish(stack, &[b, c]);
}

/// Rule 16: a program that is asked about migrations moves them without `tcp_migrate_req`; one that is asked
/// about new connections only is not asked, and the switch decides alone.
#[test]
fn rule_16_a_program_moves_what_the_switch_would_not() {
    for (attached, migrate, to) in
        [(MIGRATE, false, Some(1)), (MIGRATE, true, Some(1)), (SELECT, false, None), (SELECT, true, Some(2))]
    {
        let (stack, ids @ [a, b, c]) = programmed();
        stack.set_migrate_req(migrate);
        enter(&stack, 1, b);
        assert_eq!(connect(&stack, arrival(1), 1), Ok(a));
        assert_eq!(stack.attach_reuseport_prog(c, attached), Ok(()));
        // C is in the place where the hash falls.
        assert_eq!(close(&stack, a), [to.map_or(End::Aborted(1), |to: usize| End::Moved(ids[to]))]);
        let moved = u32::from(to.is_some());
        counted(&stack, Snapshot { PassiveOpens: 1, TCPMigrateReqSuccess: moved, ..NOTHING });
        finish(stack, &[b, c]);
    }
}

/// Rule 18: a program that drops what migrates makes each a failure, and its client is reset.
#[test]
fn rule_18_a_program_that_drops_makes_failures() {
    for migrate in [false, true] {
        let (mut stack, [a, b]) = programmed();
        stack.set_migrate_req(migrate);
        assert_eq!(stack.attach_reuseport_prog(b, DROP), Ok(()));
        connect_all(&stack, [1, 2], a);
        let timer = [3, 4].map(|client| syn(&stack, arrival(client)))[0];
        assert_eq!(close(&stack, a), [1, 2].map(End::Aborted));
        assert_eq!(stack.synack_timer(timer, 5, HERE), Ok(SynAckTimer::Dropped));
        assert_eq!(ack(&stack, 4), Err(Refusal::NoListener));
        assert_eq!((charges(&mut stack, b), accept_all(&stack, b)), ((0, 0), vec![]));
        counted(&stack, Snapshot { PassiveOpens: 2, TCPMigrateReqFailure: 4, ..NOTHING });
        finish(stack, &[b]);
    }
}

/// Rule 18: one that passes and selected nobody, for the entry is empty, leaves it to the hash.
#[test]
fn rule_18_an_empty_entry_leaves_it_to_the_hash() {
    let (stack, [a, b, c]) = programmed();
    assert_eq!(stack.attach_reuseport_prog(b, MIGRATE), Ok(()));
    assert_eq!(connect(&stack, arrival_at((0, 3), (0, 2), 1), 1), Ok(a));
    assert_eq!(connect(&stack, arrival_at((0, 3), (1, 2), 2), 2), Ok(a));
    let mut steps = stack.close(a, HERE).unwrap();
    assert_eq!(steps.next().map(end), Some(End::Moved(c)));
    // Once it is filled the program decides.
    enter(&stack, 1, c);
    assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Moved(c)]);
    assert_eq!((accept_all(&stack, b), accept_all(&stack, c)), (vec![], vec![1, 2]));
    counted(&stack, Snapshot { PassiveOpens: 2, TCPMigrateReqSuccess: 2, ..NOTHING });
    finish(stack, &[b, c]);
}
