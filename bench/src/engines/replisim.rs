//! Ours, by its run loop.

use replisim_engine::{Model, Queue, Time, run_for};

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

struct World<W> {
    work: Counted<W>,
    queue: Queue<Event>,
}

impl<W: Work> Model for World<W> {
    type Event = Event;

    #[inline]
    fn queue(&mut self) -> &mut Queue<Event> {
        &mut self.queue
    }

    #[inline]
    fn handle(&mut self, now: Time, event: Event) {
        let queue = &mut self.queue;
        self.work.handle(event, |delay, event| queue.schedule(Time::from_nanos(now.nanos() + delay), event));
    }
}

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (work, report) = Counted::new(work, size);
    let mut world = World { work, queue: Queue::new() };
    let queue = &mut world.queue;
    world.work.start(|delay, event| queue.schedule(Time::from_nanos(delay), event));
    run_for(&mut world, Time::MAX, size.warm + size.timed);
    report.outcome(size)
}
