use super::*;
use std::cell::Cell;

#[test]
fn every_contender_is_a_listen_side() {
    for half_open in [0, 1, 1000] {
        filled::<Ours>(half_open);
        filled::<Safe>(half_open);
    }
    let mut smoltcp = Smoltcp::filled(10);
    assert!(smoltcp.whole_path(10) && smoltcp.whole_path(11));
    // A number that is half open is not made again.
    assert!(!smoltcp.whole_path(3));
}

#[test]
fn what_is_half_open_expires_once() {
    fn expires<S: ListenSide>() {
        let side = filled::<S>(100);
        let mut expired: Vec<u64> = std::iter::from_fn(|| side.expire(LIVES)).collect();
        expired.sort_unstable();
        assert!(expired.into_iter().eq(0..100));
        assert!(!side.ack(0, LIVES));
    }
    expires::<Ours>();
    expires::<Safe>();
}

/// A listen side with one fault.
struct Wrong<const KIND: u8>(Safe, Cell<Option<u64>>);

impl<const KIND: u8> ListenSide for Wrong<KIND> {
    fn with_room(half_open: usize) -> Self {
        Self(Safe::with_room(half_open), Cell::new(None))
    }
    fn syn(&self, number: u64, now: u64) -> bool {
        self.0.syn(number, now) || KIND == 0
    }
    fn ack(&self, number: u64, now: u64) -> bool {
        self.0.ack(number, now) || KIND == 1
    }
    fn accept(&self) -> Option<u64> {
        let found = self.0.accept();
        // The next one first.
        if KIND == 2
            && let Some(next) = self.0.accept()
        {
            self.1.set(found);
            return Some(next);
        }
        found.or_else(|| self.1.take())
    }
    fn expire(&self, now: u64) -> Option<u64> {
        self.0.expire(now + if KIND == 3 { LIVES } else { 0 })
    }
}

#[test]
fn what_is_none_is_refused() {
    fn refused<const KIND: u8>(half_open: u64) -> String {
        let side = Wrong::<KIND>::with_room(half_open as usize + 2);
        (0..half_open).for_each(|number| assert!(side.syn(number, 0)));
        check(&side, half_open).expect_err("it has a fault")
    }
    assert_eq!(refused::<0>(5), "a duplicate SYN is recognised");
    assert_eq!(refused::<1>(5), "an ACK without a SYN is taken");
    assert_eq!(refused::<2>(5), "first come, first accepted");
    assert_eq!(refused::<3>(5), "nothing expires early");
    let lost = filled::<Safe>(5);
    assert!(lost.ack(0, 0));
    assert_eq!(check(&lost, 5).expect_err("one is gone"), "nothing to accept");
}
