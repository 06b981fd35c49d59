//! Backlogs and order.

use super::*;

#[test]
fn a_backlog_of_n_holds_n_and_one_more() {
    for backlog in [0, 1, 5] {
        let stack = stack(Design::Abort);
        let id = stack.listen_at(addr(), backlog, true).unwrap();
        for child in 0..=backlog {
            assert_eq!(deliver(&stack, child), Ok(id));
        }
        assert_eq!(deliver(&stack, 99), Err(Refusal::AcceptQueueFull));
        assert_eq!(stack.queue_len(id), Ok((backlog + 1, backlog)));
        let counters = stack.counters();
        assert_eq!((counters.ListenOverflows, counters.ListenDrops), (1, 1));
        assert_eq!(stack.accept(id), Ok(Some(0)));
        assert_eq!(deliver(&stack, 100), Ok(id));
        finish(stack, &[id]);
    }
}

#[test]
fn the_largest_backlog_is_what_the_embedder_allows() {
    let stack = stack(Design::Abort);
    let id = stack.listen_at(addr(), u32::MAX, true).unwrap();
    assert_eq!(stack.queue_len(id), Ok((0, Sysctl::LINUX.somaxconn)));
    stack.set_sysctl(Sysctl { somaxconn: u32::MAX, ..stack.sysctl() });
    finish(stack, &[id]);
}

#[test]
fn a_larger_one_is_bounded_by_memory_only() {
    let stack = stack(Design::Abort);
    stack.set_sysctl(Sysctl { somaxconn: u32::MAX, ..Sysctl::LINUX });
    let id = stack.listen_at(addr(), u32::MAX, true).unwrap();
    for child in 0..ENOUGH.requests as u32 {
        assert_eq!(deliver(&stack, child), Ok(id));
    }
    assert_eq!(deliver(&stack, 99), Err(Refusal::NoRequestSlot));
    assert_eq!(stack.queue_len(id), Ok((ENOUGH.requests as u32, u32::MAX)));
    finish(stack, &[id]);
}

#[test]
fn connections_are_accepted_in_the_order_of_their_arrival() {
    let stack = stack(Design::Abort);
    let id = stack.listen_at(addr(), 8, true).unwrap();
    for child in 0..4 {
        assert_eq!(deliver(&stack, child), Ok(id));
    }
    assert_eq!((stack.accept(id), stack.accept(id)), (Ok(Some(0)), Ok(Some(1))));
    assert_eq!(deliver(&stack, 4), Ok(id));
    assert_eq!(accept_all(&stack, id), [2, 3, 4]);
    assert_eq!(stack.accept(id), Ok(None));
    // The tail is in order again after the queue ran empty.
    assert_eq!((deliver(&stack, 5), deliver(&stack, 6)), (Ok(id), Ok(id)));
    assert_eq!(accept_all(&stack, id), [5, 6]);
    finish(stack, &[id]);
}

#[test]
fn a_full_member_turns_away_what_falls_on_it_though_others_have_room() {
    let stack = stack(CLONE);
    let a = stack.listen_at(addr(), 0, true).unwrap();
    let b = stack.listen_at(addr(), 0, true).unwrap();
    assert_eq!((deliver(&stack, 1), deliver(&stack, 2)), (Ok(a), Err(Refusal::AcceptQueueFull)));
    assert_eq!(deliver_at(&stack, (1, 2), (0, 1), 3), b);
    finish(stack, &[a, b]);
}

#[test]
fn many_are_accepted_in_the_order_of_their_arrival() {
    for design in DESIGNS {
        let stack = stack(design);
        let id = stack.listen_at(addr(), 8, true).unwrap();
        for child in 0..5 {
            assert_eq!(deliver(&stack, child), Ok(id));
        }
        assert_eq!(accept_many::<0>(&stack, id), Ok(vec![]));
        assert_eq!(accept_many::<2>(&stack, id), Ok(vec![0, 1]));
        assert_eq!(stack.queue_len(id), Ok((3, 8)));
        assert_eq!(accept_many::<8>(&stack, id), Ok(vec![2, 3, 4]));
        assert_eq!(accept_many::<8>(&stack, id), Ok(vec![]));
        assert_eq!(deliver(&stack, 5), Ok(id));
        assert_eq!(accept_many::<1>(&stack, id), Ok(vec![5]));
        assert_eq!(stack.shutdown(id, HERE).unwrap().count(), 0);
        assert_eq!(accept_many::<2>(&stack, id), Err(SockError::NotListening));
        assert_eq!(stack.close(id, HERE).unwrap().count(), 0);
        assert_eq!(accept_many::<2>(&stack, id), Err(SockError::Stale));
        finish(stack, &[]);
    }
}

fn accept_many<const N: usize>(stack: &TestStack, id: Listener) -> Result<Vec<u32>, SockError> {
    stack.accept_many::<N>(id).map(Iterator::collect)
}
