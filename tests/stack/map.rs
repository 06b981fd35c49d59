//! The map that programs select from: what may be put in, and when it goes.

use super::programs::{MANY, group_with, migrates_to_0, pass};
use super::*;
use common::programs::{TestProgram, stack_with};

/// A stack whose map has two entries.
fn stack_with_map() -> TestStack {
    stack_with(MANY, Design::Linux, &[], 2)
}

fn map(stack: &mut TestStack) -> Vec<Option<u32>> {
    graph(stack).map
}

fn slots<const N: usize>(ids: [Option<Listener>; N]) -> Vec<Option<u32>> {
    ids.iter().map(|id| id.map(|id| id.index())).collect()
}

#[test]
fn an_update_minds_its_flag_and_a_listener_is_in_one_entry() {
    use MapError::{Busy, Exists, NoSuchIndex, NotFound};
    use MapFlag::{Any, Exist, NoExist};
    let mut stack = stack_with_map();
    let [a, b] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
    for flag in [Any, Exist, NoExist] {
        assert_eq!(stack.map_update(2, a, flag), Err(NoSuchIndex));
        assert_eq!(stack.map_update(u32::MAX, a, flag), Err(NoSuchIndex));
    }
    assert_eq!(
        [0, 2, u32::MAX].map(|index| stack.map_delete(index)),
        [NotFound, NoSuchIndex, NoSuchIndex].map(Err)
    );
    assert_eq!(stack.map_update(0, a, Exist), Err(NotFound));
    assert_eq!(stack.map_update(0, a, NoExist), Ok(()));
    assert_eq!(stack.map_update(0, b, NoExist), Err(Exists));
    // The entry that it is in, and another one.
    for index in [0, 1] {
        assert_eq!(stack.map_update(index, a, Any), Err(Busy));
    }
    assert_eq!(map(&mut stack), slots([Some(a), None]));
    // What is replaced may be put in again.
    assert_eq!(stack.map_update(0, b, Exist), Ok(()));
    assert_eq!(stack.map_update(1, a, Any), Ok(()));
    assert_eq!(map(&mut stack), slots([Some(b), Some(a)]));
    assert_eq!((stack.map_delete(1), stack.map_delete(1)), (Ok(()), Err(NotFound)));
    assert_eq!(stack.map_update(1, a, Any), Ok(()));
    finish(stack, &[a, b]);
}

#[test]
fn only_who_listens_in_a_group_is_put_in() {
    use MapError::{Invalid, Stale};
    let stack = stack_with(MANY, Design::Linux, &[TestProgram::new(AttachType::Select, pass)], 2);
    let update = |id| stack.map_update(0, id, MapFlag::Any);
    let unbound = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
    assert_eq!(update(unbound), Err(Invalid));
    assert_eq!(stack.bind(unbound, addr()), Ok(()));
    assert_eq!(update(unbound), Err(Invalid));
    // A group of its own is not enough.
    assert_eq!(stack.attach_reuseport_prog(unbound, ProgramId(0)), Ok(()));
    assert_eq!(update(unbound), Err(Invalid));
    let alone = stack.listen_at(at("127.0.0.1:81"), 4, false).unwrap();
    assert_eq!(update(alone), Err(Invalid));
    assert_eq!(close(&stack, alone), []);
    assert_eq!(update(alone), Err(Stale));
    assert_eq!((stack.listen(unbound, 4), update(unbound)), (Ok(()), Ok(())));
    finish(stack, &[unbound]);
}

/// Rule 10: whether it migrates or not, who stops is in no entry, and is put in again by whoever wants that.
#[test]
fn who_stops_listening_leaves_the_map() {
    for migrate_req in [true, false] {
        for design in [Design::Linux, Design::Abort, Design::Requeue, Design::Handover] {
            let mut stack = stack_with(MANY, design, &[], 2);
            stack.set_migrate_req(migrate_req);
            let [a, b] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
            for (index, id) in [(0, a), (1, b)] {
                assert_eq!(stack.map_update(index, id, MapFlag::NoExist), Ok(()));
            }
            let steps = stack.shutdown(a, HERE).unwrap();
            assert_eq!(stack.map_update(0, a, MapFlag::Any), Err(MapError::Invalid), "it has stopped");
            assert_eq!(stack.map_delete(0), Err(MapError::NotFound), "before the first step");
            drop(steps.map(end).collect::<Vec<_>>());
            assert_eq!(stack.listen(a, 4), Ok(()));
            assert_eq!(map(&mut stack), slots([None, Some(b)]), "{design:?}");
            assert_eq!(stack.map_update(0, a, MapFlag::NoExist), Ok(()));
            drop(close(&stack, b));
            assert_eq!(map(&mut stack), slots([Some(a), None]), "{design:?}");
            finish(stack, &[a]);
        }
    }
}

#[test]
fn who_takes_the_slot_of_one_that_left_is_not_in_its_entry() {
    let mut stack = stack_with(Sizes { listeners: 1, ..MANY }, Design::Linux, &[], 1);
    let old = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!(stack.map_update(0, old, MapFlag::Any), Ok(()));
    assert_eq!(close(&stack, old), []);
    let new = stack.listen_at(addr(), 4, true).unwrap();
    assert_eq!((new.index(), map(&mut stack)), (old.index(), vec![None]));
    assert_eq!(stack.map_update(0, old, MapFlag::Any), Err(MapError::Stale));
    finish(stack, &[new]);
}

/// Rule 12, and `select_reuseport`: a program selects in its own group only, and learns why not.
#[test]
fn a_listener_of_another_group_is_not_selected() {
    fn answer(md: &mut SkReuseportMd<'_>) -> Verdict {
        let results = [0, 1, 2, 3].map(|index| md.select(index));
        assert_eq!(
            results,
            [Ok(()), Err(SelectError::OtherGroup), Err(SelectError::NoEntry), Err(SelectError::NoEntry)]
        );
        Verdict::Pass
    }
    let stack = stack_with(MANY, Design::Linux, &[TestProgram::new(AttachType::Select, answer)], 3);
    let [first, here] = [(); 2].map(|()| stack.listen_at(addr(), 4, true).unwrap());
    let elsewhere = stack.listen_at(at("127.0.0.1:81"), 4, true).unwrap();
    assert_eq!(stack.attach_reuseport_prog(here, ProgramId(0)), Ok(()));
    for (index, id) in [(0, here), (1, elsewhere)] {
        assert_eq!(stack.map_update(index, id, MapFlag::Any), Ok(()));
    }
    assert_eq!(deliver(&stack, 1), Ok(here));
    finish(stack, &[first, here, elsewhere]);
}

/// The dance of `migrate_reuseport`: who has just stopped is not in the map any more, so that the hash finds
/// the only one that listens; rule 10 again where it comes back.
#[test]
fn a_queue_goes_there_and_back_by_hash_where_nobody_updates_the_map() {
    let program = TestProgram::new(AttachType::SelectOrMigrate, migrates_to_0);
    let (stack, [a, b]) = group_with::<2>(&[program], 1);
    stack.set_migrate_req(false);
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 1), b);
    assert_eq!(shutdown(&stack, b), [End::Moved(a)]);
    for _ in 0..3 {
        assert_eq!(stack.listen(b, 64), Ok(()));
        assert_eq!(shutdown(&stack, a), [End::Moved(b)]);
        assert_eq!(stack.listen(a, 64), Ok(()));
        assert_eq!(shutdown(&stack, b), [End::Moved(a)]);
    }
    assert_eq!(stack.map_delete(0), Err(MapError::NotFound));
    let counted = Snapshot { TCPMigrateReqSuccess: 7, ..Snapshot::default() };
    assert_eq!((mishaps(&stack), accept_all(&stack, a)), (counted, vec![1]));
    finish(stack, &[a, b]);
}
