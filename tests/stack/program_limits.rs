//! Programs and the map: what is refused, and what is left when memory for them runs out.

use super::*;
use crate::common::linux::{NOTHING, program, with_programs};
use rskq::group::{AttachError, AttachType, MapError, MapFlag, ProgramId, SelectError, Verdict};

/// Two sockets at one address and one at another; the one program selects what the tuple's port says.
fn three(entries: usize) -> (TestStack, [Listener; 3]) {
    let by_port = program(AttachType::Select, |md| {
        let index = u32::from(md.tuple.remote.port()) - 40_000;
        let answer = match index {
            0 => Ok(()),
            1 => Err(SelectError::OtherGroup),
            _ => Err(SelectError::NoEntry),
        };
        assert_eq!(md.select(index), answer);
        Verdict::Pass
    });
    let stack = with_programs(stack(Design::Linux), [by_port], entries);
    let ids = [addr(), addr(), at("127.0.0.1:81")].map(|addr| stack.listen_at(addr, 4, true).unwrap());
    (stack, ids)
}

#[test]
fn an_entry_has_one_listener_and_a_listener_one_entry() {
    let (stack, [a, b, c]) = three(3);
    assert_eq!(stack.map_update(0, a, MapFlag::Exist), Err(MapError::NotFound));
    assert_eq!(stack.map_update(0, a, MapFlag::NoExist), Ok(()));
    for flag in [MapFlag::Any, MapFlag::Exist] {
        assert_eq!(stack.map_update(0, a, flag), Err(MapError::Busy));
    }
    assert_eq!(stack.map_update(1, a, MapFlag::Any), Err(MapError::Busy));
    assert_eq!(stack.map_update(0, b, MapFlag::NoExist), Err(MapError::Exists));
    // Whoever was in it is out of it.
    assert_eq!(stack.map_update(0, b, MapFlag::Any), Ok(()));
    assert_eq!(stack.map_update(1, a, MapFlag::Any), Ok(()));
    assert_eq!(stack.map_update(0, c, MapFlag::Exist), Ok(()));
    assert_eq!((stack.map_delete(0), stack.map_delete(0)), (Ok(()), Err(MapError::NotFound)));
    assert_eq!(stack.map_update(2, b, MapFlag::NoExist), Ok(()));
    for beyond in [3, u32::MAX] {
        assert_eq!(stack.map_update(beyond, c, MapFlag::Any), Err(MapError::NoSuchIndex));
        assert_eq!(stack.map_delete(beyond), Err(MapError::NoSuchIndex));
    }
    finish(stack, &[a, b, c]);
}

#[test]
fn only_what_listens_and_shares_is_in_the_map() {
    let (stack, [a, b, c]) = three(1);
    let alone = stack.listen_at(at("127.0.0.1:82"), 4, false).unwrap();
    let idle = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
    assert_eq!(shutdown(&stack, a), []);
    for id in [alone, idle, a] {
        assert_eq!(stack.map_update(0, id, MapFlag::Any), Err(MapError::Invalid));
    }
    finish(stack, &[a, b, c, alone, idle]);
}

#[test]
fn a_member_of_another_group_an_empty_entry_and_one_that_is_none_are_not_selected() {
    let (stack, [a, b, c]) = three(3);
    assert_eq!(stack.attach_reuseport_prog(a, ProgramId(0)), Ok(()));
    assert_eq!(stack.map_update(0, b, MapFlag::Any), Ok(()));
    assert_eq!(stack.map_update(1, c, MapFlag::Any), Ok(()));
    // The hash says A.
    for (port, went) in [(40_000, b), (40_001, a), (40_002, a), (40_003, a)] {
        let tuple = Tuple { local: addr(), remote: SocketAddr::new(addr().ip(), port) };
        let arrival = Arrival { tuple, hashes: Hashes::default() };
        assert_eq!(delivered(stack.deliver(arrival, HERE, 1), 1), Ok(went));
    }
    assert_eq!(
        (stack.queue_len(a), stack.queue_len(b), stack.queue_len(c)),
        (Ok((3, 4)), Ok((1, 4)), Ok((0, 4)))
    );
    assert_eq!(stack.counters(), NOTHING);
    finish(stack, &[a, b, c]);
}

#[test]
fn a_program_that_was_not_handed_over_is_not_attached() {
    let (stack, ids @ [a, ..]) = three(0);
    for none in [1, u32::MAX] {
        assert_eq!(stack.attach_reuseport_prog(a, ProgramId(none)), Err(AttachError::NotFound));
    }
    assert_eq!(stack.detach_reuseport_prog(a), Err(AttachError::NotFound));
    finish(stack, &ids);
}

#[test]
fn a_program_for_who_does_not_listen_needs_a_group_slot_and_a_chunk() {
    for few in [Sizes { groups: 1, ..ENOUGH }, Sizes { chunks: 1, ..ENOUGH }] {
        let any = program(AttachType::Select, |_| Verdict::Pass);
        let stack = with_programs(stack_of(few, Design::Linux), [any], 0);
        let a = stack.listen_at(addr(), 4, true).unwrap();
        let idle = stack.open(SockOptions { reuseport: true, v6only: false }).unwrap();
        for _ in 0..3 {
            assert_eq!(stack.attach_reuseport_prog(idle, ProgramId(0)), Err(AttachError::NoGroupRoom));
        }
        assert_eq!(stack.attach_reuseport_prog(a, ProgramId(0)), Ok(()));
        assert_eq!(close(&stack, a), []);
        assert_eq!(stack.attach_reuseport_prog(idle, ProgramId(0)), Ok(()));
        assert_eq!((stack.bind(idle, addr()), stack.listen(idle, 4)), (Ok(()), Ok(())));
        assert_eq!(stack.detach_reuseport_prog(idle), Ok(()));
        finish(stack, &[idle]);
    }
}

#[test]
fn whoever_is_stopping_gets_no_program() {
    for (closes, why) in [(false, AttachError::Stopping), (true, AttachError::Stale)] {
        let (stack, [a, b, c]) = three(1);
        assert_eq!(deliver(&stack, 1), Ok(a));
        let steps = if closes { stack.close(a, HERE) } else { stack.shutdown(a, HERE) }.unwrap();
        assert_eq!(stack.attach_reuseport_prog(a, ProgramId(0)), Err(why));
        assert_eq!(steps.map(end).collect::<Vec<_>>(), [End::Moved(b)]);
        close_shut(&stack, a);
        finish(stack, &[b, c]);
    }
}
