//! Seeds: one for each kind of violation, and a nesting that is right.

use super::{Input, Op, Op::*};

fn lock(class: usize) -> Op {
    Lock { cpu: 0, class, key: 0, other: false, ordered: false, at_once: false }
}

fn unlock(below: usize) -> Op {
    Unlock { cpu: 0, below, at_once: false }
}

/// Takes the locks one in another and releases them.
fn nest(classes: &[usize]) -> Vec<Op> {
    let locks = classes.iter().map(|&class| lock(class));
    locks.chain(classes.iter().map(|_| unlock(0))).collect()
}

/// Returns every seed, the same each time.
#[must_use]
pub fn all() -> Vec<Vec<u8>> {
    let key = |key| Lock { cpu: 0, class: 0, key, other: false, ordered: true, at_once: true };
    let hard = true;
    let seeds = [
        (0, [nest(&[0, 1, 2]), nest(&[0, 2])].concat()),
        (0, [nest(&[0, 1]), nest(&[1, 2]), nest(&[2, 0])].concat()),
        (3, [nest(&[2, 0]), nest(&[1, 5]), nest(&[5, 0])].concat()),
        (0, vec![key(0), key(1), unlock(1), key(0), key(1), key(1), lock(0)]),
        (0, vec![lock(9), lock(0), unlock(1), unlock(0), unlock(0)]),
        (0, vec![lock(0), Enter { cpu: 0, hard }, lock(0), unlock(0), Leave { cpu: 0 }, unlock(0)]),
        (
            0,
            [
                vec![Off { cpu: 0, hard }, lock(1), lock(2), unlock(0), On { cpu: 0, hard }, unlock(0)],
                vec![lock(2), unlock(0), Enter { cpu: 0, hard }, lock(1), unlock(0), Leave { cpu: 0 }],
                vec![Enter { cpu: 0, hard: false }, lock(3), unlock(0), Leave { cpu: 0 }],
                nest(&[3, 4]),
            ]
            .concat(),
        ),
        (
            0,
            vec![
                lock(1),
                TryLock { cpu: 0, class: 0, key: 0, other: false },
                Wait { cpu: 0, class: 2, key: 0, other: false, ordered: false },
                UnlockAny { cpu: 1, class: 1, key: 0, other: false },
                unlock(1),
                lock(1),
            ],
        ),
        (0, [lock(0); 34].into_iter().chain([unlock(0); 34]).collect()),
    ];
    seeds.map(|(declared, ops)| Input::new(declared, &ops).bytes()).to_vec()
}
