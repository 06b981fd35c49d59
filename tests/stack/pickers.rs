//! Who picks: each answer of the discussion, for a queue and for one connection.

use super::*;
use rskq::migrate::{Picker, Program};

/// Four listeners; one connection waits on the first, whose hash falls on member `target` of the three that
/// are left when it closes. These are, in order, the last, which was moved, the second and the third.
fn closed_first(
    design: Design,
    picker: Picker,
    target: u32,
    prepare: fn(&TestStack, [Listener; 4]),
) -> Option<usize> {
    let stack = stack(design);
    let listeners: [Listener; 4] = std::array::from_fn(|_| stack.listen_at(addr(), 4, true).unwrap());
    assert_eq!(deliver_at(&stack, (0, 4), (target, 3), 7), listeners[0]);
    stack.set_picker(picker);
    prepare(&stack, listeners);
    let ends = close(&stack, listeners[0]);
    let got = match ends[..] {
        [End::Moved(to) | End::Spliced(to)] => listeners.iter().position(|&listener| listener == to),
        [End::Aborted(7)] => None,
        _ => panic!("{ends:?}"),
    };
    let waits = listeners.iter().skip(1).position(|&listener| stack.queue_len(listener) == Ok((1, 4)));
    assert_eq!(waits.map(|index| index + 1), got);
    listeners[1..].iter().for_each(|&listener| drop(accept_all(&stack, listener)));
    got
}

fn nothing(_: &TestStack, _: [Listener; 4]) {}

const MOVED: usize = 3;

#[test]
fn a_queue_goes_to_the_moved_member_or_to_whom_the_picker_says() {
    for (picker, got) in [
        (Picker::AsPosted, Some(MOVED)),
        (Picker::LastMoved, Some(MOVED)),
        // A queue has no hash, so that it is the first member, which is the moved one.
        (Picker::SynHash, Some(MOVED)),
        (Picker::Program, Some(MOVED)),
        (Picker::Nobody, None),
    ] {
        assert_eq!(closed_first(Design::Splice, picker, 1, nothing), got, "{picker:?}");
    }
}

/// From the second place it shows who is the first member, and who was moved.
#[test]
fn a_queue_has_no_hash_and_goes_to_the_first_member_or_to_the_moved_one() {
    for (picker, got) in [(Picker::AsPosted, 3), (Picker::LastMoved, 3), (Picker::SynHash, 0)] {
        let stack = stack(Design::Splice);
        let listeners: [Listener; 4] = std::array::from_fn(|_| stack.listen_at(addr(), 4, true).unwrap());
        stack.set_picker(picker);
        assert_eq!(deliver_at(&stack, (1, 4), (0, 1), 7), listeners[1]);
        assert_eq!(close(&stack, listeners[1]), [End::Spliced(listeners[got])], "{picker:?}");
        assert_eq!(accept_all(&stack, listeners[got]), [7]);
        finish(stack, &[0, 2, 3].map(|index: usize| listeners[index]));
    }
}

#[test]
fn of_the_last_member_a_queue_goes_to_nobody_whoever_picks() {
    let random = Picker::Random(1);
    let by_program = Picker::ProgramPerQueue;
    for picker in [Picker::AsPosted, Picker::LastMoved, Picker::SynHash, random, by_program, Picker::Nobody] {
        let stack = stack(Design::Splice);
        let listener = stack.listen_at(addr(), 4, true).unwrap();
        stack.set_picker(picker);
        assert_eq!(deliver(&stack, 7), Ok(listener));
        assert_eq!(close(&stack, listener), [End::Aborted(7)], "{picker:?}");
        finish(stack, &[]);
    }
}

#[test]
fn a_connection_goes_where_its_hash_falls_or_to_whom_the_picker_says() {
    for target in 0..3 {
        let by_hash = [MOVED, 1, 2][target as usize];
        for (picker, got) in [
            (Picker::AsPosted, Some(by_hash)),
            (Picker::SynHash, Some(by_hash)),
            (Picker::LastMoved, Some(2)),
            (Picker::Program, Some(by_hash)),
            (Picker::ProgramPerQueue, Some(MOVED)),
            (Picker::IncomingCpu(1), Some(by_hash)),
            (Picker::Nobody, None),
        ] {
            assert_eq!(closed_first(CLONE, picker, target, nothing), got, "{picker:?}");
        }
    }
}

#[test]
fn a_program_selects_drops_or_passes_and_learns_of_those_that_do_not_listen() {
    let selects_third: fn(&TestStack, [Listener; 4]) =
        |stack, listeners| stack.set_program(Some(Program::Select(listeners[2].index())));
    let selects_closed: fn(&TestStack, [Listener; 4]) =
        |stack, listeners| stack.set_program(Some(Program::Select(listeners[0].index())));
    let selects_nobody: fn(&TestStack, [Listener; 4]) =
        |stack, _| stack.set_program(Some(Program::Select(u32::MAX - 3)));
    let passes: fn(&TestStack, [Listener; 4]) = |stack, _| stack.set_program(Some(Program::Pass));
    let drops: fn(&TestStack, [Listener; 4]) = |stack, _| stack.set_program(Some(Program::Drop));
    let taken_away: fn(&TestStack, [Listener; 4]) = |stack, _| {
        stack.set_program(Some(Program::Drop));
        stack.set_program(None);
    };
    for (prepare, got) in [
        (selects_third, Some(2)),
        (selects_closed, Some(1)),
        (selects_nobody, Some(1)),
        (passes, Some(1)),
        (taken_away, Some(1)),
        (drops, None),
    ] {
        assert_eq!(closed_first(CLONE, Picker::Program, 1, prepare), got);
        // Once for a queue, with hash 0.
        let for_queue = got.map(|got| if got == 1 { MOVED } else { got });
        for design in [Design::Splice, Design::SpliceTfo, Design::SpliceNested, Design::Relabel] {
            assert_eq!(closed_first(design, Picker::ProgramPerQueue, 1, prepare), for_queue, "{design:?}");
        }
    }
}

#[test]
fn a_listener_is_for_the_connections_of_its_cpu() {
    let second_for_cpu: fn(&TestStack, [Listener; 4]) = |stack, listeners| {
        assert_eq!(stack.set_incoming_cpu(listeners[1], Some(0)), Ok(()));
        assert_eq!(stack.set_incoming_cpu(listeners[2], Some(1)), Ok(()));
    };
    for (cpu, got) in [(0, 1), (1, 2), (2, MOVED)] {
        assert_eq!(closed_first(CLONE, Picker::IncomingCpu(cpu), 0, second_for_cpu), Some(got));
    }
}

#[test]
fn a_seed_draws_the_same_member_again_and_seeds_reach_all() {
    let drawn = |seed| closed_first(CLONE, Picker::Random(seed), 0, nothing);
    let mut reached: Vec<_> = (0..32).filter_map(drawn).collect();
    assert_eq!(reached, (0..32).filter_map(drawn).collect::<Vec<_>>());
    reached.sort_unstable();
    reached.dedup();
    assert_eq!(reached, [1, 2, 3]);
}

#[test]
fn what_a_program_is_asked_is_which_one_is_attached_now() {
    let stack = stack(CLONE);
    let listeners: [Listener; 3] = std::array::from_fn(|_| stack.listen_at(addr(), 4, true).unwrap());
    stack.set_picker(Picker::Program);
    for child in [1, 2] {
        assert_eq!(deliver(&stack, child), Ok(listeners[0]));
    }
    let mut steps = stack.close(listeners[0], HERE).unwrap();
    for to in [1, 2] {
        stack.set_program(Some(Program::Select(listeners[to].index())));
        assert_eq!(steps.next().map(end), Some(End::Moved(listeners[to])));
    }
    assert_eq!(steps.next().map(end), None);
    drop(steps);
    finish(stack, &listeners[1..]);
}
