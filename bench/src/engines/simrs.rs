//! `simrs`: one component that schedules events for itself.

use std::cell::RefCell;
use std::time::Duration;

use simrs::{Component, ComponentId, Scheduler, Simulation, State};

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

struct Host<W>(RefCell<Counted<W>>);

impl<W: Work> Component for Host<W> {
    type Event = Event;

    fn process_event(&self, me: ComponentId<Event>, event: &Event, scheduler: &mut Scheduler, _: &mut State) {
        let schedule = |delay, event| scheduler.schedule(Duration::from_nanos(delay), me, event);
        self.0.borrow_mut().handle(*event, schedule);
    }
}

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (mut work, report) = Counted::new(work, size);
    let mut first = Vec::new();
    work.start(|delay, event| first.push((delay, event)));
    let mut simulation = Simulation::default();
    let host = simulation.add_component(Host(RefCell::new(work)));
    for (delay, event) in first {
        simulation.schedule(Duration::from_nanos(delay), host, event);
    }
    while !report.done() && simulation.step() {}
    report.outcome(size)
}
