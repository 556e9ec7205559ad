//! `desru`: an event is a boxed closure.

use std::cell::RefCell;
use std::rc::Rc;

use desru::EventScheduler;

use crate::measure::{Counted, Size};
use crate::work::{Event, Work};

pub fn run<W: Work>(work: W, size: Size) -> (f64, u64) {
    let (work, report) = Counted::new(work, size);
    let work = Rc::new(RefCell::new(work));
    let mut scheduler = EventScheduler::new();
    work.borrow_mut().start(|delay, event| schedule(&work, &mut scheduler, delay, event));
    let done = report.clone();
    scheduler.run(Box::new(move |_| done.done()), Some(Box::new(|_, _| false)));
    report.outcome(size)
}

fn schedule<W: Work>(
    work: &Rc<RefCell<Counted<W>>>,
    scheduler: &mut EventScheduler,
    delay: u64,
    event: Event,
) {
    let work = work.clone();
    let action = move |scheduler: &mut EventScheduler| {
        work.borrow_mut().handle(event, |delay, event| schedule(&work, scheduler, delay, event));
        None
    };
    scheduler.timeout(delay as f64, Some(Box::new(action)), None);
}
