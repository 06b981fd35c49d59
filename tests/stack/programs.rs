//! Who is selected where a group has a program.

use super::*;
use common::programs::{Asked, TestProgram, client, stack_with};
use std::sync::OnceLock;

pub(super) const MANY: Sizes = Sizes {
    listeners: 40,
    requests: 80,
    owners: 40,
    groups: 8,
    max_socks: 40,
    chunks: 8,
    buckets: 4,
    ehash: 4,
};

pub(super) fn pass(_: &mut SkReuseportMd<'_>) -> Verdict {
    Verdict::Pass
}

pub(super) fn drop_it(_: &mut SkReuseportMd<'_>) -> Verdict {
    Verdict::Drop
}

/// Selects the entry with the client's number, or drops the connection.
fn by_client(md: &mut SkReuseportMd<'_>) -> Verdict {
    match md.select(client(md)) {
        Ok(()) => Verdict::Pass,
        Err(_) => Verdict::Drop,
    }
}

/// Selects the entry with the client's number, if it can.
fn by_client_or_hash(md: &mut SkReuseportMd<'_>) -> Verdict {
    let _ = md.select(client(md));
    Verdict::Pass
}

fn modulo<const N: u32>(md: &mut SkReuseportMd<'_>) -> Verdict {
    assert_eq!(md.select(client(md) % N), Ok(()));
    Verdict::Pass
}

/// Migrates to the one in entry 0, if it can.
pub(super) fn migrates_to_0(md: &mut SkReuseportMd<'_>) -> Verdict {
    if md.occasion.migrates() {
        let _ = md.select(0);
    }
    Verdict::Pass
}

/// A group of `N` with the first of the programs, each listener at its own index of the map.
pub(super) fn group_with<const N: usize>(
    programs: &[&'static TestProgram],
    entries: usize,
) -> (TestStack, [Listener; N]) {
    let stack = stack_with(MANY, Design::Linux, programs, entries);
    let listeners = std::array::from_fn(|_| stack.listen_at(addr(), 64, true).unwrap());
    assert_eq!(stack.attach_reuseport_prog(listeners[0], ProgramId(0)), Ok(()));
    for (index, &id) in (0..).zip(&listeners).take(entries) {
        assert_eq!(stack.map_update(index, id, MapFlag::NoExist), Ok(()));
    }
    (stack, listeners)
}

fn new_one(client: u32, hash: u32, cpu: u32) -> Asked {
    Asked { client, hash, cpu, occasion: Occasion::Syn, from: None }
}

#[test]
fn a_program_sees_what_arrives() {
    let program = TestProgram::new(AttachType::Select, pass);
    let (stack, ids) = group_with::<2>(&[program], 0);
    let arrival = arrival_at((1, 2), (0, 2), 7);
    let here = Here { cpu: 5, now: 9 };
    assert_eq!(delivered(stack.deliver(arrival, here, 7), 7), Ok(ids[1]));
    assert_eq!(program.asked(), [new_one(7, hash_of(1, 2), 5)]);
    let _ = syn(&stack, arrival_at((0, 2), (0, 2), 8));
    assert_eq!(program.asked(), [new_one(8, hash_of(0, 2), 0)]);
    // Whose a half-open request is was decided at its SYN.
    assert_eq!(ack(&stack, 8), Ok(ids[0]));
    assert_eq!(program.asked(), []);
    finish(stack, &ids);
}

/// `select_reuseport`: 32 sockets that listened in the other order than that of the map.
#[test]
fn what_is_selected_is_in_the_map_or_an_error_that_the_program_answers() {
    let programs = [
        TestProgram::new(AttachType::Select, by_client),
        TestProgram::new(AttachType::Select, by_client_or_hash),
    ];
    let stack = stack_with(MANY, Design::Linux, &programs, 33);
    let mut ids: Vec<_> = (0..32).map(|_| stack.listen_at(addr(), 10, true).unwrap()).collect();
    assert_eq!(stack.attach_reuseport_prog(ids[0], ProgramId(0)), Ok(()));
    ids.reverse();
    for (index, &id) in (0..).zip(&ids) {
        assert_eq!(stack.map_update(index, id, MapFlag::NoExist), Ok(()));
    }
    let try_one = |client| deliver_to(&stack, addr(), Hashes::default(), client);
    // Entry 32 is empty, and there is no 33.
    assert_eq!([32, 33].map(try_one), [Err(Refusal::DroppedByProgram); 2]);
    assert!(ids.iter().all(|&id| stack.queue_len(id) == Ok((0, 10))), "nobody got it");
    for (client, &id) in (0..).zip(&ids) {
        assert_eq!(try_one(client), Ok(id));
        assert_eq!(accept_all(&stack, id), [client]);
    }
    assert_eq!(stack.attach_reuseport_prog(ids[9], ProgramId(1)), Ok(()));
    assert_eq!([32, 33].map(try_one), [Ok(ids[31]); 2], "the hash falls on who was first");
    assert_eq!(programs.map(|program| program.asked().len()), [34, 2]);
    assert_eq!(stack.detach_reuseport_prog(ids[0]), Ok(()));
    assert_eq!(stack.detach_reuseport_prog(ids[1]), Err(AttachError::NotFound), "it was the group's");
    assert_eq!(try_one(3), Ok(ids[31]));
    assert_eq!(programs.map(|program| program.asked().len()), [0, 0]);
    finish(stack, &ids);
}

/// `select_reuseport`, syncookie: minted through one listener, believed at another.
#[test]
fn a_cookie_is_believed_at_whomever_the_program_selects_for_its_ack() {
    static FOR_THE_SYN: OnceLock<()> = OnceLock::new();
    fn answer(md: &mut SkReuseportMd<'_>) -> Verdict {
        assert_eq!(md.select(u32::from(FOR_THE_SYN.set(()).is_ok())), Ok(()));
        Verdict::Pass
    }
    let program = TestProgram::new(AttachType::Select, answer);
    let (stack, ids) = group_with::<2>(&[program], 2);
    stack.set_sysctl(Sysctl { tcp_syncookies: Syncookies::Always, ..stack.sysctl() });
    assert!(matches!(stack.syn(arrival(4), HERE), Ok(Syn::Cookie(id)) if id == ids[1]));
    let cookie = stack.cookie_ack(arrival(4), HERE).map_err(drop).unwrap();
    assert_eq!(delivered(cookie.believe(4), 4), Ok(ids[0]));
    finish(stack, &ids);
}

/// `reuseport_bpf`: 2N connections, then another program by way of socket 0.
#[test]
fn a_program_that_is_replaced_is_asked_no_more_and_its_members_idle() {
    let programs = [
        TestProgram::new(AttachType::Select, modulo::<10>),
        TestProgram::new(AttachType::Select, modulo::<5>),
    ];
    let (stack, ids) = group_with::<10>(&programs, 10);
    for (program, members) in [(0, 10), (1, 5)] {
        assert_eq!(stack.attach_reuseport_prog(ids[0], ProgramId(program)), Ok(()));
        for client in 0..20 {
            assert_eq!(
                deliver_to(&stack, addr(), Hashes { syn_hash: u32::MAX, sk_hash: 0 }, client),
                Ok(ids[(client % members) as usize])
            );
        }
        for (index, &id) in (0..).zip(&ids) {
            let expected: Vec<_> = (0..20).filter(|client| client % members == index).collect();
            assert_eq!(accept_all(&stack, id), expected);
        }
    }
    assert_eq!(programs.map(|program| program.asked().len()), [20, 20]);
    finish(stack, &ids);
}

/// `reuseport_bpf_cpu`: forward, in reverse, the even ones, the odd ones.
#[test]
fn a_program_selects_by_cpu() {
    fn answer(md: &mut SkReuseportMd<'_>) -> Verdict {
        assert_eq!(md.select(md.cpu), Ok(()));
        Verdict::Pass
    }
    let (stack, ids) = group_with::<8>(&[TestProgram::new(AttachType::Select, answer)], 8);
    let even = (0..8).step_by(2);
    let odd = (1..8).step_by(2);
    for cpu in (0..8).chain((0..8).rev()).chain(even).chain(odd) {
        let here = Here { cpu, ..HERE };
        assert_eq!(delivered(stack.deliver(arrival(cpu), here, cpu), cpu), Ok(ids[cpu as usize]));
    }
    finish(stack, &ids);
}

#[test]
fn of_several_selections_the_last_that_succeeds_counts_and_a_drop_undoes_it() {
    fn answer(md: &mut SkReuseportMd<'_>) -> Verdict {
        assert_eq!([2, 1, 7].map(|index| md.select(index)), [Ok(()), Ok(()), Err(SelectError::NoEntry)]);
        if client(md) == 1 { Verdict::Drop } else { Verdict::Pass }
    }
    let (stack, ids) = group_with::<3>(&[TestProgram::new(AttachType::Select, answer)], 3);
    assert_eq!(deliver(&stack, 0), Ok(ids[1]));
    assert_eq!(deliver(&stack, 1), Err(Refusal::DroppedByProgram));
    finish(stack, &ids);
}

#[test]
fn a_drop_refuses_whatever_is_new_and_counts_nothing() {
    let (stack, ids) = group_with::<1>(&[TestProgram::new(AttachType::Select, drop_it)], 0);
    stack.set_fastopen(ids[0], 4).unwrap();
    assert_eq!(deliver(&stack, 1), Err(Refusal::DroppedByProgram));
    assert_eq!(stack.syn(arrival(2), HERE).map(drop), Err(Refusal::DroppedByProgram));
    assert_eq!(stack.syn_fastopen(arrival(3), HERE, 3).map(drop).unwrap_err().why, Refusal::DroppedByProgram);
    assert_eq!(stack.cookie_ack(arrival(4), HERE).map(drop), Err(Refusal::DroppedByProgram));
    assert_eq!(stack.counters(), Snapshot::default());
    finish(stack, &ids);
}

/// The schedule of a race, on one thread: programs run with no lock held.
#[test]
fn who_was_selected_and_leaves_is_selected_again() {
    static WORLD: OnceLock<(&'static TestStack, [Listener; 2])> = OnceLock::new();
    fn answer(md: &mut SkReuseportMd<'_>) -> Verdict {
        let (stack, ids) = WORLD.get().unwrap();
        if md.select(1).is_ok() {
            assert_eq!(close(stack, ids[1]), []);
        }
        Verdict::Pass
    }
    let program = TestProgram::new(AttachType::Select, answer);
    let (stack, ids) = group_with::<2>(&[program], 2);
    let stack = WORLD.get_or_init(|| (Box::leak(Box::new(stack)), ids)).0;
    assert_eq!(deliver_to(stack, addr(), Hashes { syn_hash: u32::MAX, sk_hash: 0 }, 1), Ok(ids[0]));
    assert_eq!(program.asked().len(), 2);
    assert_eq!((accept_all(stack, ids[0]), close(stack, ids[0])), (vec![1], vec![]));
}

/// Rules 17 and 18: what waits goes to whom the program selects, in order; a drop is a failure for each.
#[test]
fn a_migration_goes_where_the_program_says_or_is_cancelled() {
    fn or_drop(md: &mut SkReuseportMd<'_>) -> Verdict {
        if md.occasion.migrates() && client(md) == 2 { Verdict::Drop } else { migrates_to_0(md) }
    }
    // The sysctl is not asked where a program is for migrations.
    for migrate_req in [true, false] {
        let program = TestProgram::new(AttachType::SelectOrMigrate, or_drop);
        let (stack, ids) = group_with::<3>(&[program], 3);
        stack.set_migrate_req(migrate_req);
        let sent = [1, 2, 3].map(|client| deliver_at(&stack, (2, 3), (1, 2), client));
        assert_eq!(sent, [ids[2]; 3]);
        program.asked();
        let ends: Vec<_> = stack.close(ids[2], Here { cpu: 6, ..HERE }).unwrap().map(end).collect();
        assert_eq!(ends, [End::Moved(ids[0]), End::Aborted(2), End::Moved(ids[0])]);
        let asked = |client| Asked {
            occasion: Occasion::Close,
            from: Some(ids[2].index()),
            ..new_one(client, hash_of(1, 2), 6)
        };
        assert_eq!(program.asked(), [1, 2, 3].map(asked), "with the hash of the connection");
        let counted = Snapshot { TCPMigrateReqSuccess: 2, TCPMigrateReqFailure: 1, ..Snapshot::default() };
        assert_eq!(mishaps(&stack), counted);
        assert_eq!(accept_all(&stack, ids[0]), [1, 3]);
        finish(stack, &ids[..2]);
    }
}

/// Rule 18: where the program finds nobody and passes, the hash decides.
#[test]
fn a_migration_to_an_empty_entry_goes_where_its_hash_falls() {
    let program = TestProgram::new(AttachType::SelectOrMigrate, migrates_to_0);
    let (stack, ids) = group_with::<3>(&[program], 1);
    assert_eq!(stack.map_delete(0), Ok(()));
    assert_eq!(deliver_at(&stack, (2, 3), (1, 2), 1), ids[2]);
    assert_eq!(close(&stack, ids[2]), [End::Moved(ids[1])]);
    let counted = Snapshot { TCPMigrateReqSuccess: 1, ..Snapshot::default() };
    assert_eq!(mishaps(&stack), counted);
    finish(stack, &ids[..2]);
}

/// Rules 6 and 17: a program for new connections only leaves migration to the sysctl.
#[test]
fn a_program_for_new_connections_is_not_asked_of_a_migration() {
    for migrate_req in [true, false] {
        let program = TestProgram::new(AttachType::Select, drop_it);
        let (stack, ids) = group_with::<3>(&[program], 3);
        stack.set_migrate_req(migrate_req);
        assert_eq!(stack.detach_reuseport_prog(ids[0]), Ok(()));
        assert_eq!(deliver_at(&stack, (2, 3), (1, 2), 1), ids[2]);
        assert_eq!(stack.attach_reuseport_prog(ids[0], ProgramId(0)), Ok(()));
        let (went, counted) = if migrate_req { (End::Moved(ids[1]), 1) } else { (End::Aborted(1), 0) };
        assert_eq!(close(&stack, ids[2]), [went]);
        let counted = Snapshot { TCPMigrateReqSuccess: counted, ..Snapshot::default() };
        assert_eq!((mishaps(&stack), program.asked()), (counted, vec![]));
        finish(stack, &ids[..2]);
    }
}

#[test]
fn a_program_is_told_on_which_occasion_a_connection_migrates() {
    let program = TestProgram::new(AttachType::SelectOrMigrate, migrates_to_0);
    let (stack, ids) = group_with::<2>(&[program], 1);
    stack.set_fastopen(ids[1], 4).unwrap();
    let to_1 = |client| arrival_at((1, 2), (0, 1), client);
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 1), ids[1]);
    let FastOpened { delivered: went, handshake } = stack.syn_fastopen(to_1(2), HERE, 2).unwrap();
    assert_eq!(delivered(Ok(went), 2), Ok(ids[1]));
    let [_, late] = [3, 4].map(|client| syn(&stack, to_1(client)));
    assert_eq!(program.occasions(), [Occasion::Syn; 4]);
    assert_eq!(close(&stack, ids[1]), [End::Moved(ids[0]), End::Moved(ids[0])]);
    assert_eq!(program.occasions(), [Occasion::Close, Occasion::CloseFastOpen]);
    assert_eq!(ack(&stack, 3), Ok(ids[0]));
    assert_eq!(program.occasions(), [Occasion::Ack]);
    assert_eq!(stack.synack_timer(late, 9, HERE), Ok(SynAckTimer::Retransmit { timeouts: 1 }));
    assert_eq!(program.occasions(), [Occasion::Timer]);
    // It is a listener's that listens, which nobody has to choose again.
    assert_eq!(ack(&stack, 4), Ok(ids[0]));
    assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
    assert_eq!(program.occasions(), []);
    finish(stack, &ids[..1]);
}

/// A requeue asks for each connection as Linux does, with the switch on or off.
#[test]
fn a_program_is_told_of_a_requeue_what_kind_of_connection_goes() {
    let program = TestProgram::new(AttachType::SelectOrMigrate, migrates_to_0);
    let stack = stack_with(MANY, Design::Requeue, &[program], 0);
    let ids: [Listener; 2] = std::array::from_fn(|_| stack.listen_at(addr(), 64, true).unwrap());
    assert_eq!(stack.attach_reuseport_prog(ids[0], ProgramId(0)), Ok(()));
    stack.set_fastopen(ids[1], 4).unwrap();
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 1), ids[1]);
    let FastOpened { delivered: went, handshake } =
        stack.syn_fastopen(arrival_at((1, 2), (0, 1), 2), HERE, 2).unwrap();
    assert_eq!(delivered(Ok(went), 2), Ok(ids[1]));
    assert_eq!(program.occasions(), [Occasion::Syn; 2]);
    assert_eq!(close(&stack, ids[1]), [End::Moved(ids[0]), End::Moved(ids[0])]);
    assert_eq!(program.occasions(), [Occasion::Close, Occasion::CloseFastOpen]);
    assert_eq!(stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
    finish(stack, &ids[..1]);
}

/// Rule 20: who may decide is looked at again at each choice.
#[test]
fn a_program_that_was_taken_away_since_decides_no_more() {
    let program = TestProgram::new(AttachType::SelectOrMigrate, migrates_to_0);
    for migrate_req in [true, false] {
        let (stack, ids) = group_with::<2>(&[program], 1);
        stack.set_migrate_req(migrate_req);
        let _ = syn(&stack, arrival_at((1, 2), (0, 1), 1));
        assert_eq!(close(&stack, ids[1]), []);
        assert_eq!(stack.detach_reuseport_prog(ids[0]), Ok(()));
        program.asked();
        let (went, counted) = if migrate_req {
            (Ok(ids[0]), Snapshot { TCPMigrateReqSuccess: 1, ..Snapshot::default() })
        } else {
            (Err(Refusal::NoListener), Snapshot { TCPMigrateReqFailure: 1, ..Snapshot::default() })
        };
        assert_eq!((ack(&stack, 1), mishaps(&stack), program.asked()), (went, counted, vec![]));
        finish(stack, &ids[..1]);
    }
}
