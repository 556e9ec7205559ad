//! A loop around `std::collections::BinaryHeap`, in exact order: what one writes without an engine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

struct Entry {
    turn: Reverse<(u64, u64)>,
    event: Event,
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        self.turn.cmp(&other.turn)
    }
}

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.turn == other.turn
    }
}

impl Eq for Entry {}

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (mut work, report) = Counted::new(work, size);
    let mut heap = BinaryHeap::new();
    let mut scheduled = 0;
    let mut push = |heap: &mut BinaryHeap<Entry>, at, event| {
        heap.push(Entry { turn: Reverse((at, scheduled)), event });
        scheduled += 1;
    };
    work.start(|delay, event| push(&mut heap, delay, event));
    while !report.done()
        && let Some(Entry { turn: Reverse((now, _)), event }) = heap.pop()
    {
        work.handle(event, |delay, event| push(&mut heap, now + delay, event));
    }
    report.outcome(size)
}
