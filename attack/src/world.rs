//! A stack under attack: its memory, its clock, its bells, the threads that use it, and how it ends.

use crate::bells::{Bells, packed, unpacked};
use crate::clerk::Clerk;
use crate::host::Host;
use crate::report::Report;
use crate::tally::{Deed, Tally, mixed};
use crate::{Child, Listener};
use rskq::inspect::Graph;
use rskq::{Arrival, Config, Hashes, Member, Program, Resources, Stack, Storage, Tuple};
use std::any::Any;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How much memory a stack gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) listeners: usize,
    pub(crate) requests: usize,
    pub(crate) owners: usize,
    pub(crate) groups: usize,
    pub(crate) chunks: usize,
    pub(crate) ports: usize,
    pub(crate) buckets: usize,
    pub(crate) ehash: usize,
}

/// Time for a stack: a thousand times as fast as ours, so that timers of seconds go off.
pub(crate) struct Clock {
    /// When it began to run, unless it stands still.
    begin: Option<Instant>,
    /// Milliseconds that are left out.
    ahead: AtomicU64,
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        let runs = self.begin.map_or(0, |begin| begin.elapsed().as_micros() as u64);
        runs + self.ahead.load(Ordering::Relaxed)
    }

    /// Leaves some milliseconds out.
    pub(crate) fn skip(&self, milliseconds: u64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// Most sockets of a stack that are open at a time.
const PLACES: usize = 8;

/// A stack under attack.
pub struct World<B: Host> {
    pub(crate) stack: Stack<'static, Child, B>,
    pub(crate) clock: Clock,
    pub(crate) bells: Bells,
    /// The sockets that are to be closed at the end.
    listeners: [AtomicU64; PLACES],
    done: AtomicBool,
    threads: AtomicU64,
}

/// What a thread does.
pub(crate) type Job<'j, B> = Box<dyn FnOnce(&mut Clerk<'_, B>) + Send + 'j>;

impl<B: Host> World<B> {
    pub(crate) fn new(sizes: Sizes, config: Config) -> Self {
        Self::with_programs(sizes, config, &[], 0)
    }

    pub(crate) fn with_programs(
        sizes: Sizes,
        config: Config,
        programs: &'static [&'static dyn Program],
        map: usize,
    ) -> Self {
        let resources = Resources {
            listeners: Storage::boxed(sizes.listeners),
            requests: Storage::boxed(sizes.requests),
            owners: Storage::boxed(sizes.owners),
            groups: Storage::boxed(sizes.groups),
            socks: Storage::boxed(sizes.chunks * Member::<B>::count_for(1)),
            ports: Storage::boxed(sizes.ports),
            buckets: Storage::boxed(sizes.buckets),
            ehash: Storage::boxed(sizes.ehash),
        };
        Self {
            stack: Stack::new(resources, config).with_programs(programs, Storage::boxed(map)),
            clock: Clock { begin: Some(Instant::now()), ahead: AtomicU64::new(0) },
            bells: Bells::new(sizes.listeners),
            listeners: [const { AtomicU64::new(0) }; PLACES],
            done: AtomicBool::new(false),
            threads: AtomicU64::new(0),
        }
    }

    pub(crate) fn with_a_still_clock(mut self) -> Self {
        self.clock.begin = None;
        self
    }

    pub(crate) fn clerk(&self) -> Clerk<'_, B> {
        Clerk::new(self, self.threads.fetch_add(1, Ordering::Relaxed))
    }

    /// Says which socket is the one at `place`.
    pub(crate) fn set_listener(&self, place: usize, id: Listener<B>) {
        self.listeners[place].store(packed(id), Ordering::Release);
    }

    pub(crate) fn listener(&self, place: usize) -> Option<Listener<B>> {
        unpacked(self.listeners[place].load(Ordering::Acquire))
    }

    pub(crate) fn listeners(&self) -> impl Iterator<Item = Listener<B>> {
        (0..self.listeners.len()).filter_map(|place| self.listener(place))
    }

    /// Tells whether no worker is at work any more.
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Runs `workers` to their end, and `helpers` until then; returns what all did.
    pub(crate) fn run<'j>(
        &'j self,
        workers: Vec<Job<'j, B>>,
        helpers: Vec<Job<'j, B>>,
        report: &mut Report,
    ) -> Tally {
        self.done.store(false, Ordering::Release);
        let mut tally = Tally::default();
        let mut join = |thread: ScopedJoinHandle<'_, Tally>| match thread.join() {
            Ok(theirs) => tally += &theirs,
            Err(panic) => report.broken.push(panicked(&*panic)),
        };
        thread::scope(|scope| {
            let helpers: Vec<_> = helpers.into_iter().map(|job| self.spawn(scope, job)).collect();
            let workers: Vec<_> = workers.into_iter().map(|job| self.spawn(scope, job)).collect();
            workers.into_iter().for_each(&mut join);
            self.done.store(true, Ordering::Release);
            helpers.into_iter().for_each(&mut join);
        });
        tally
    }

    fn spawn<'s, 'j: 's>(&'j self, scope: &'s Scope<'s, '_>, job: Job<'j, B>) -> ScopedJoinHandle<'s, Tally> {
        let mut clerk = self.clerk();
        scope.spawn(move || {
            job(&mut clerk);
            clerk.tally
        })
    }

    /// Ends everything and holds the books against the stack: what is half open times out, what waits is accepted,
    /// every socket is closed, and nothing is left.
    pub(crate) fn settle(mut self, mut tally: Tally, report: &mut Report) {
        let broken = |graph: Graph<Child>| {
            graph.violations().into_iter().map(|v| format!("{}: {}", v.invariant, v.text))
        };
        report.broken.extend(broken(self.stack.graph_mut()));
        let mut clerk = self.clerk();
        while clerk.answer() {}
        for id in self.listeners() {
            if let Ok((waiting @ 1.., _)) = self.stack.queue_len(id) {
                report.broken.push(format!("{waiting} connections wait on {id:?}, and nobody was woken"));
            }
            while let Ok(Some(_)) = clerk.accept(id) {}
        }
        while let Some(deadline) = self.stack.next_deadline() {
            self.clock.skip(deadline.saturating_sub(self.clock.now()));
            if !clerk.poll() {
                report.broken.push("a timer is due and does not go off".into());
                break;
            }
        }
        for id in self.listeners() {
            // It may be closed already.
            let _ = clerk.close(id);
        }
        tally += &clerk.tally;
        report.broken.extend(tally.disagreements(&self.stack.counters()));
        if tally[Deed::OpenedFast] != tally[Deed::FastEnded] {
            let (began, ended) = (tally[Deed::OpenedFast], tally[Deed::FastEnded]);
            report.broken.push(format!("{began} fast-open handshakes began, {ended} ended"));
        }
        let graph = self.stack.graph_mut();
        report.broken.extend(graph.leftovers().into_iter().map(|v| format!("{}: {}", v.invariant, v.text)));
        report.broken.extend(broken(graph));
        report.deeds(&tally);
    }
}

/// Runs an attack on a fresh report, and says how long it took.
pub(crate) fn timed(name: String, attack: impl FnOnce(&mut Report)) -> Report {
    let begin = Instant::now();
    let mut report = Report { name, ..Report::default() };
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(|| attack(&mut report))) {
        report.broken.push(panicked(&*panic));
    }
    report.seconds = begin.elapsed().as_secs_f64();
    report
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("a thread panicked: {}", text.unwrap_or("without a word"))
}

/// Where the attacked sockets listen.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, 1), port).into()
}

/// Client number `client` connects to `local`: of 2^48 clients each has another address.
pub(crate) fn arrival(local: SocketAddr, client: u64) -> Arrival {
    let remote = (Ipv4Addr::from_bits((client >> 16) as u32), client as u16);
    let hash = mixed(client);
    let hashes = Hashes { syn_hash: hash as u32, sk_hash: (hash >> 32) as u32 };
    Arrival { tuple: Tuple { local, remote: remote.into() }, hashes }
}

/// Tells whether an attack that began then goes on: for its time, and on a machine that does other things as well until
/// what it is for was seen.
pub(crate) fn goes_on(begin: Instant, time: Duration, seen: bool) -> bool {
    begin.elapsed() < if seen { time } else { time.max(PATIENCE) }
}

/// Long enough for whatever has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
