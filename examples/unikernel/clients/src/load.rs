//! Many clients at once.

use crate::client::{Ask, End, get};
use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a listener is offline, and then online.
const TURN: Duration = Duration::from_millis(15);

/// How the connections of a load ended.
#[derive(Default, Serialize)]
pub(crate) struct Ended {
    pub(crate) answered: usize,
    pub(crate) refused: usize,
    pub(crate) reset: usize,
    pub(crate) timed_out: usize,
}

impl Ended {
    fn count(&mut self, end: End) {
        *match end {
            End::Answered => &mut self.answered,
            End::Refused => &mut self.refused,
            End::Reset => &mut self.reset,
            End::TimedOut => &mut self.timed_out,
        } += 1;
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, refused, reset, timed_out } = self;
        write!(f, "{answered} answered, {refused} refused, {reset} reset, {timed_out} timed out")
    }
}

/// `clients` connections, all at once.
pub(crate) fn burst(server: SocketAddr, clients: usize) -> Ended {
    let start = Barrier::new(clients);
    let mut ended = Ended::default();
    thread::scope(|scope| {
        let one = || {
            start.wait();
            get(server, "/")
        };
        let all: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        for client in all {
            ended.count(client.join().expect("a client does not panic"));
        }
    });
    ended
}

/// `requests` of `clients`, while the second CPU's listener goes and comes back. Returns how they ended, how often
/// the listener went, and how many seconds it took.
pub(crate) fn while_restarting(server: SocketAddr, requests: usize, clients: usize) -> (Ended, usize, f64) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let restarter = scope.spawn(|| restart(server, &done));
        let (ended, seconds) = steady(server, get, requests, clients);
        done.store(true, Ordering::Relaxed);
        (ended, restarter.join().expect("does not panic"), seconds)
    })
}

/// `requests` of `clients`, each one after the other. Returns how they ended, and how many seconds it took.
pub(crate) fn steady(server: SocketAddr, ask: Ask, requests: usize, clients: usize) -> (Ended, f64) {
    let left = AtomicUsize::new(requests);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let mut ended = Ended::default();
    let start = Instant::now();
    thread::scope(|scope| {
        let client = || {
            let mut ended = Vec::new();
            while take() {
                ended.push(ask(server, "/"));
            }
            ended
        };
        let all: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        for client in all {
            client.join().expect("a client does not panic").into_iter().for_each(|end| ended.count(end));
        }
    });
    (ended, start.elapsed().as_secs_f64())
}

/// Takes the second CPU's listener offline and back until `done`, and tells how often it went. A request for it that is
/// lost is made again.
fn restart(server: SocketAddr, done: &AtomicBool) -> usize {
    let mut times = 0;
    while !done.load(Ordering::Relaxed) {
        for path in ["/offline", "/online"] {
            while !done.load(Ordering::Relaxed) && get(server, path) != End::Answered {}
            thread::sleep(TURN);
        }
        times += 1;
    }
    times
}
