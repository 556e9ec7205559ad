//! `simcore`: one handler that emits events to itself.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use simcore::{EventHandler, Simulation, SimulationContext, cast};

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

#[derive(Clone, Serialize)]
struct Message {
    event: Event,
}

struct Host<W> {
    work: Counted<W>,
    context: SimulationContext,
}

impl<W: Work> EventHandler for Host<W> {
    fn on(&mut self, event: simcore::Event) {
        let context = &self.context;
        cast!(match event.data {
            Message { event } => {
                self.work.handle(event, |delay, event| {
                    context.emit_self(Message { event }, delay as f64);
                });
            }
        })
    }
}

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (mut work, report) = Counted::new(work, size);
    let mut simulation = Simulation::new(1);
    let context = simulation.create_context("host");
    work.start(|delay, event| {
        context.emit_self(Message { event }, delay as f64);
    });
    simulation.add_handler("host", Rc::new(RefCell::new(Host { work, context })));
    while !report.done() && simulation.step() {}
    report.outcome(size)
}
