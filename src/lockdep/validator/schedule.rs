//! Draws schedules that deadlock, one column a CPU.

use super::class::ClassId;
use super::context::Acquisition;
use super::irq::Irq;
use super::report::Report;
use crate::sync::Backend;
use core::fmt::{self, Display, Formatter};

/// How wide a column is at least.
const WIDTH: usize = 24;

/// Writes `what` in the column of `cpu`.
fn row(f: &mut Formatter<'_>, width: usize, cpu: usize, what: impl Display) -> fmt::Result {
    writeln!(f, "  {:indent$}{what}", "", indent = cpu * width)
}

fn heading(f: &mut Formatter<'_>, width: usize, cpus: usize) -> fmt::Result {
    write!(f, "a schedule that deadlocks:\n  ")?;
    for cpu in 0..cpus - 1 {
        write!(f, "CPU {cpu:<0$}", width - 4)?;
    }
    writeln!(f, "CPU {}", cpus - 1)
}

/// The context of the report holds `held` and wants `wanted`; each further CPU follows one known
/// order, until one wants what the first holds.
pub(super) fn cycle<B: Backend>(
    report: &Report<'_, B>,
    f: &mut Formatter<'_>,
    wanted: Acquisition,
    held: Acquisition,
) -> fmt::Result {
    let way = || report.way(wanted.class, held.class, true);
    let longest = way().map(|hop| report.name(hop.from).len()).max().unwrap_or(0);
    let width = WIDTH.max(longest + 14);
    heading(f, width, 1 + way().count())?;
    let name = |class| report.name(class);
    row(f, width, 0, format_args!("lock({})", name(held.class)))?;
    for (cpu, hop) in (1..).zip(way()) {
        row(f, width, cpu, format_args!("lock({})", name(hop.from)))?;
    }
    row(f, width, 0, format_args!("lock({}) waits", name(wanted.class)))?;
    for (cpu, hop) in (1..).zip(way()) {
        row(f, width, cpu, format_args!("lock({}) waits", name(hop.to)))?;
    }
    Ok(())
}

/// Two locks of one class, taken in both orders.
pub(super) fn pair<B: Backend>(
    report: &Report<'_, B>,
    f: &mut Formatter<'_>,
    wanted: Acquisition,
    held: Acquisition,
) -> fmt::Result {
    let width = WIDTH.max(report.name(wanted.class).len() + 20);
    // Two locks with one key: the one and the other.
    let other = if wanted.key == held.key { "'" } else { "" };
    let (held, wanted) = (report.lock(held), report.lock(wanted));
    heading(f, width, 2)?;
    row(f, width, 0, format_args!("lock({held})"))?;
    row(f, width, 1, format_args!("lock({wanted}{other})"))?;
    row(f, width, 0, format_args!("lock({wanted}{other}) waits"))?;
    row(f, width, 1, format_args!("lock({held}) waits"))
}

/// A handler waits for a lock that what it interrupted holds.
pub(super) fn interrupted<B: Backend>(
    report: &Report<'_, B>,
    f: &mut Formatter<'_>,
    irq: Irq,
    class: ClassId,
) -> fmt::Result {
    let name = report.name(class);
    heading(f, WIDTH, 1)?;
    row(f, WIDTH, 0, format_args!("lock({name})"))?;
    row(f, WIDTH, 0, format_args!("<{}>", irq.name()))?;
    row(f, WIDTH, 0, format_args!("  lock({name}) waits"))
}

/// A handler waits for a lock whose holder waits for what the interrupted CPU holds.
pub(super) fn interrupted_order<B: Backend>(
    report: &Report<'_, B>,
    f: &mut Formatter<'_>,
    irq: Irq,
    in_handler: ClassId,
    exposed: ClassId,
) -> fmt::Result {
    let (inner, outer) = (report.name(exposed), report.name(in_handler));
    let width = WIDTH.max(inner.len().max(outer.len()) + 16);
    heading(f, width, 2)?;
    row(f, width, 0, format_args!("lock({inner})"))?;
    row(f, width, 1, format_args!("{}s off", irq.name()))?;
    row(f, width, 1, format_args!("lock({outer})"))?;
    row(f, width, 1, format_args!("lock({inner}) waits"))?;
    row(f, width, 0, format_args!("<{}>", irq.name()))?;
    row(f, width, 0, format_args!("  lock({outer}) waits"))
}
