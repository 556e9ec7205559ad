//! `nexosim`, on its executor of one thread: one model that schedules events for itself.

use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Host<W: Work> {
    work: Counted<W>,
}

#[Model]
impl<W: Work> Host<W> {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>, _: &mut ()) {
        self.work.start(|delay, event| schedule(context, delay, event));
    }

    #[nexosim(schedulable)]
    async fn happen(&mut self, event: Event, context: &Context<Self>) {
        self.work.handle(event, |delay, event| schedule(context, delay, event));
    }
}

fn schedule<W: Work>(context: &Context<Host<W>>, delay: u64, event: Event) {
    // It takes no event for the present instant.
    let delay = Duration::from_nanos(delay.max(1));
    context.schedule_event(delay, schedulable!(Host::<W>::happen), event).expect("a time to come");
}

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (work, report) = Counted::new(work, size);
    let start = SimInit::with_num_threads(1).add_model(Host { work }, Mailbox::new(), "host");
    let mut simulation = start.init(MonotonicTime::EPOCH).expect("a simulation");
    while !report.done() {
        simulation.step().expect("another step");
    }
    report.outcome(size)
}
