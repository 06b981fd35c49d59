//! What a run is at: bars on a terminal, plain lines otherwise; and what it lacks if it is interrupted.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often bars are drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// How often a line says of a long exploration how far it is.
const LINE: Duration = Duration::from_secs(10);

/// The models of the run that are not done, for who interrupts it.
static LEFT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What of a run is done, and which models are being explored.
pub struct Progress {
    on_terminal: bool,
    models: usize,
    running: Mutex<Vec<Running>>,
    bars: MultiProgress,
    whole: ProgressBar,
}

struct Running {
    model: String,
    since: Instant,
    /// How many interleavings were explored so far.
    count: Arc<AtomicU64>,
    bar: ProgressBar,
}

impl Running {
    fn state(&self) -> String {
        let (count, seconds) = (self.count.load(Ordering::Relaxed), self.since.elapsed().as_secs());
        format!("{}: {count} interleavings so far, {seconds} s", self.model)
    }
}

impl Progress {
    /// Begins a run of these models, shown on the standard error stream.
    #[must_use]
    pub fn new(names: BTreeSet<String>) -> Self {
        let models = names.len();
        *open(&LEFT) = names;
        // These draw nothing where there is no terminal.
        let bars = MultiProgress::new();
        let whole = bars.add(
            ProgressBar::new(models as u64).with_style(
                ProgressStyle::with_template("exploring {bar:40} {pos}/{len} models, {elapsed}")
                    .expect("the template is well formed"),
            ),
        );
        let on_terminal = std::io::stderr().is_terminal();
        Self { on_terminal, models, running: Mutex::default(), bars, whole }
    }

    /// A model begins; returns where its interleavings are to be counted.
    #[must_use]
    pub fn begin(&self, model: &str) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        let style = ProgressStyle::with_template("  {msg}").expect("the template is well formed");
        let bar = self.bars.add(ProgressBar::new_spinner().with_style(style));
        let running =
            Running { model: model.to_owned(), since: Instant::now(), count: Arc::clone(&count), bar };
        open(&self.running).push(running);
        count
    }

    /// A model is done.
    pub fn done(&self, model: &str) {
        let mut running = open(&self.running);
        let Some(place) = running.iter().position(|r| r.model == model) else { return };
        let Running { model, since, count, bar } = running.swap_remove(place);
        bar.finish_and_clear();
        self.whole.inc(1);
        let mut left = open(&LEFT);
        left.remove(&model);
        let done = self.models - left.len();
        if !self.on_terminal {
            let (count, seconds) = (count.load(Ordering::Relaxed), since.elapsed().as_secs_f64());
            eprintln!("[{done}/{}] {model}: {count} interleavings, {seconds:.1} s", self.models);
        }
    }

    /// Does `work`, and shows meanwhile how far the models are.
    pub fn shown_while<R>(&self, work: impl FnOnce() -> R) -> R {
        let (stop, stopped) = mpsc::channel::<()>();
        let result = std::thread::scope(|scope| {
            scope.spawn(move || self.show_until(&stopped));
            let result = work();
            drop(stop);
            result
        });
        self.whole.finish_and_clear();
        result
    }

    fn show_until(&self, stopped: &mpsc::Receiver<()>) {
        let period = if self.on_terminal { REDRAW } else { LINE };
        while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
            self.whole.tick();
            for running in open(&self.running).iter() {
                if self.on_terminal {
                    running.bar.set_message(running.state());
                } else if running.since.elapsed() >= LINE {
                    eprintln!("{}", running.state());
                }
            }
        }
    }
}

/// Has an interrupted process say which models of its run are missing.
///
/// # Errors
///
/// If the signal cannot be handled.
pub fn tell_when_interrupted() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let left = open(&LEFT);
        eprintln!("\ninterrupted, {} models are missing; `--resume` keeps those that are done", left.len());
        left.iter().for_each(|model| eprintln!("missing: {model}"));
        // As a shell has it of a process that the signal ends.
        std::process::exit(130);
    })
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
