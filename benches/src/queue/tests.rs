use super::*;
use std::collections::VecDeque;
use std::sync::Mutex;

#[test]
fn every_contender_is_an_accept_queue() {
    assert_eq!(check(&Link::empty()), Ok(()));
    assert_eq!(check(&Real::empty()), Ok(()));
    assert_eq!(check(&CLink::empty()), Ok(()));
    assert_eq!(check(&CReal::empty()), Ok(()));
    assert_eq!(check(&ByValue::empty()), Ok(()));
    assert_eq!(check(&LinkedValue::empty()), Ok(()));
    assert_eq!(check(&Array::empty()), Ok(()));
    assert_eq!(check(&Heapless::empty()), Ok(()));
    assert_eq!(check(&Boxed::empty()), Ok(()));
}

/// A queue that is none: last in first out, without a bound, or one that keeps what was popped.
struct Wrong<const KIND: u8>(Mutex<VecDeque<u64>>);

impl<const KIND: u8> AcceptQueue for Wrong<KIND> {
    fn empty() -> Self {
        Self(Mutex::default())
    }
    fn push(&self, number: u64) -> bool {
        let mut queue = self.0.lock().unwrap();
        if KIND != 1 && queue.len() > BACKLOG {
            return false;
        }
        queue.push_back(number);
        true
    }
    fn pop(&self) -> Option<u64> {
        let mut queue = self.0.lock().unwrap();
        match KIND {
            0 => queue.pop_back(),
            2 => queue.front().copied(),
            _ => queue.pop_front(),
        }
    }
}

#[test]
fn what_is_none_is_refused() {
    assert_eq!(check(&Wrong::<0>::empty()), Err("round 0: Some(127) in the place of 0".into()));
    assert_eq!(check(&Wrong::<1>::empty()), Err("round 0: takes one more than 128".into()));
    assert_eq!(check(&Wrong::<2>::empty()), Err("round 0: Some(0) in the place of 1".into()));
}
