//! Instruction counts, by valgrind's callgrind: the same on every run, whatever else the machine does.
//!
//! A probe runs in a process of its own under valgrind, which counts inside of [`counted`] only.

use crate::close::{CLONE, Closes};
use crate::handshake::ListenSide;
use crate::handshake::{Batch, MANY, Ours, Safe, filled, whole_path};
use crate::locks::{Locks, Rskq, Spin};
use crate::queue::{AcceptQueue, CLink, CReal, Link, Real};
use crate::select::Group;
use crate::served;
use crate::world::hash;
use rskq::Design;
use std::process::Command;

/// Does what is counted so many times, each in [`counted`].
pub type Run = Box<dyn FnMut(u64)>;

/// What is counted.
#[derive(Clone, Copy)]
pub struct Probe {
    /// Its name, which says in what it is counted.
    pub name: &'static str,
    /// How often it is done.
    pub times: u64,
    /// What the figure is divided by, for once.
    pub per_time: u64,
    /// Whether a change is a failure.
    pub gated: bool,
    make: fn() -> Run,
}

/// Runs `f`, and is the function inside of which valgrind counts.
#[inline(never)]
pub fn counted(f: &mut dyn FnMut()) {
    f();
}

fn queue<Q: AcceptQueue>() -> Run {
    let queue = Q::empty();
    Box::new(move |times| {
        counted(&mut || {
            for number in 0..times {
                assert!(queue.push(number & 127));
                assert!(queue.pop().is_some());
            }
        });
    })
}

fn close(design: Design, waiting: usize) -> Run {
    let closes = Closes::new(design, waiting);
    closes.check().expect("the design does what it says");
    Box::new(move |times| {
        for _ in 0..times {
            let mut close = Some(closes.prepared());
            counted(&mut || close.take().expect("called once")());
            closes.renew();
        }
    })
}

fn select(members: usize) -> Run {
    let group = Group::of(members);
    Box::new(move |times| {
        counted(&mut || {
            for i in 0..times {
                std::hint::black_box(group.select(hash(i)));
            }
        });
    })
}

fn leave(members: usize) -> Run {
    let group = Group::of(members);
    Box::new(move |times| {
        counted(&mut || (0..times).for_each(|i| group.leave_and_join(hash(i) as usize % members)));
    })
}

fn handshake<S: ListenSide>(half_open: u64) -> Run {
    let side = filled::<S>(half_open);
    Box::new(move |times| counted(&mut || (0..times).for_each(|i| whole_path(&side, half_open + i))))
}

fn duplicate(half_open: u64) -> Run {
    let side = filled::<Ours>(half_open);
    Box::new(move |times| counted(&mut || (0..times).for_each(|i| assert!(!side.syn(i % half_open, 0)))))
}

fn batch(accept: fn(&mut Batch) -> usize) -> Run {
    let mut batch = Batch::default();
    Box::new(move |times| {
        for _ in 0..times {
            batch.fill();
            counted(&mut || assert_eq!(accept(&mut batch), MANY));
        }
    })
}

fn locks<L: Locks>(take: fn(&L)) -> Run {
    let locks = L::default();
    // The first time teaches the validator the order.
    take(&locks);
    Box::new(move |times| counted(&mut || (0..times).for_each(|_| take(&locks))))
}

fn requests<S: served::Server + 'static>(clients: usize) -> Run {
    let mut site = served::warm::<S>(clients);
    Box::new(move |times| {
        counted(&mut || {
            for _ in 0..times {
                site.everybody().expect("as before");
            }
        });
    })
}

/// Everything that is counted.
#[must_use]
pub fn probes() -> Vec<Probe> {
    let gated = |name, times, make| Probe { name, times, per_time: 1, gated: true, make };
    let beside = |name, times, make| Probe { gated: false, ..gated(name, times, make) };
    let mut all = vec![
        gated("1 push and pop", 1000, || queue::<Link>()),
        beside("1 push and pop, C", 1000, || queue::<CLink>()),
        gated("1 push and pop, request", 1000, || queue::<Real>()),
        beside("1 push and pop, request, C", 1000, || queue::<CReal>()),
        gated("3 close of 1, handover", 25, || close(Design::Handover, 1)),
        gated("3 close of 4096, handover", 25, || close(Design::Handover, 4096)),
        Probe { per_time: 4096, ..gated("3 a connection, requeue", 25, || close(Design::Requeue, 4096)) },
        Probe { per_time: 4096, ..gated("3 a connection, abort", 25, || close(Design::Abort, 4096)) },
        gated("4 select of 16", 1000, || select(16)),
        gated("4 select of 65535", 1000, || select(65535)),
        gated("4 leave and join 16", 1000, || leave(16)),
        gated("4 leave and join 65535", 1000, || leave(65535)),
        gated("5 SYN, ACK, accept", 1000, || handshake::<Ours>(100)),
        beside("5 SYN, ACK, accept, HashMap", 1000, || handshake::<Safe>(100)),
        gated("5 duplicate SYN", 1000, || duplicate(100)),
        Probe { per_time: MANY as u64, ..gated("5 accept, in one call", 100, || batch(Batch::in_one_call)) },
        Probe { per_time: MANY as u64, ..beside("5 accept, one by one", 100, || batch(Batch::one_by_one)) },
        gated("7 two nested", 1000, || locks(Rskq::two)),
        beside("7 two nested, spin", 1000, || locks(Spin::two)),
        gated("7 eight nested", 1000, || locks(Rskq::eight)),
        beside("7 eight nested, spin", 1000, || locks(Spin::eight)),
        Probe { per_time: 16, ..beside("10 a request over smoltcp", 25, || requests::<served::Ours>(16)) },
        Probe {
            per_time: 16,
            ..beside("10 a request over smoltcp, listening sockets", 25, || requests::<served::Plain>(16))
        },
    ];
    if CLONE.is_some() {
        let clone = || close(CLONE.expect("this build has it"), 4096);
        all.push(Probe { per_time: 4096, ..beside("3 a connection, clone", 25, clone) });
    }
    all
}

impl Probe {
    /// Does what is counted; in the control, four in a hundred more often.
    pub fn run(&self, slower: bool) {
        let times = if slower { self.times + self.times / 25 } else { self.times };
        (self.make)()(times);
    }

    /// Counts, in a process of its own: instructions for each time.
    ///
    /// # Errors
    ///
    /// What valgrind says.
    pub fn count(&self, slower: bool) -> Result<f64, String> {
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let out = std::env::temp_dir().join(format!("rskq-bench.{}", std::process::id()));
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--toggle-collect=rskq_bench::probe::counted*"]);
        valgrind.arg(format!("--callgrind-out-file={}", out.display()));
        valgrind.arg(exe).args(["probe", self.name]).args(slower.then_some("--slower"));
        let done =
            valgrind.output().map_err(|error| format!("valgrind: {error} (Debian: package valgrind)"))?;
        if !done.status.success() {
            return Err(format!("{}: {}", self.name, String::from_utf8_lossy(&done.stderr)));
        }
        let counts = std::fs::read_to_string(&out).map_err(|error| error.to_string())?;
        std::fs::remove_file(&out).map_err(|error| error.to_string())?;
        let total = counts.lines().find_map(|line| line.strip_prefix("totals: ")?.parse::<u64>().ok());
        let total =
            total.filter(|&total| total > 0).ok_or_else(|| format!("{}: nothing was counted", self.name))?;
        Ok(total as f64 / (self.times * self.per_time) as f64)
    }
}
