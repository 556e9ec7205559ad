//! Clocks and medians, and a piece of work that counts its events and reads the clock of processor time when the warm-up
//! ends and when the work is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::work::{Event, Work};

/// How many events are handled before the clock starts, and how many on it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Size {
    pub warm: u64,
    pub timed: u64,
}

impl Size {
    /// Enough to see that it runs.
    pub const QUICK: Size = Size { warm: 100, timed: 10_000 };
}

/// A piece of work that counts itself. What comes of it is in the report, which the engine's caller shares.
#[derive(Default, Serialize, Deserialize)]
pub struct Counted<W> {
    work: W,
    size: Size,
    seen: u64,
    begun: u64,
    #[serde(skip)]
    report: Arc<Report>,
}

/// What came of a piece of work.
#[derive(Default)]
pub struct Report {
    done: AtomicBool,
    nanos: AtomicU64,
    sum: AtomicU64,
}

impl<W: Work> Counted<W> {
    pub fn new(work: W, size: Size) -> (Counted<W>, Arc<Report>) {
        let report = Arc::new(Report::default());
        (Counted { work, size, seen: 0, begun: 0, report: report.clone() }, report)
    }

    pub fn start(&mut self, schedule: impl FnMut(u64, Event)) {
        self.work.start(schedule);
    }

    #[inline]
    pub fn handle(&mut self, event: Event, schedule: impl FnMut(u64, Event)) {
        self.work.handle(event, schedule);
        self.seen += 1;
        if self.seen == self.size.warm {
            self.begun = processor_nanos();
        } else if self.seen == self.size.warm + self.size.timed {
            self.report.nanos.store(processor_nanos() - self.begun, Ordering::Relaxed);
            self.report.sum.store(self.work.sum(), Ordering::Relaxed);
            self.report.done.store(true, Ordering::Relaxed);
        }
    }
}

impl Report {
    #[inline]
    pub fn done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// Million events per second of processor time, and the sum of what was done.
    pub fn outcome(&self, size: Size) -> (f64, u64) {
        let nanos = self.nanos.load(Ordering::Relaxed).max(1);
        (size.timed as f64 * 1e3 / nanos as f64, self.sum.load(Ordering::Relaxed))
    }
}

/// Prints figures that stand beside a goal of the project.
pub fn print_ratios(ratios: &[(String, f64)]) {
    ratios.iter().for_each(|(name, value)| println!("ratio: {name} {value:.2}"));
}

/// Of an even number of values the upper of the two in the middle; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Processor time of this process, all threads.
pub fn processor_nanos() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

/// Time as it passes for whoever waits.
pub fn wall_nanos() -> u64 {
    nanos(ClockId::Monotonic)
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
