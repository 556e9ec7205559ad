//! The run loop: pop the next event, advance the clock, hand it to the model.

use crate::queue::Queue;
use crate::time::Time;

/// What is simulated: state that events act on.
pub trait Model {
    /// What can happen.
    type Event: Copy;

    /// Where the model keeps its pending events.
    fn queue(&mut self) -> &mut Queue<Self::Event>;

    /// Acts on `event`, which happens at `now`; new events go into the queue at `now` or later.
    fn handle(&mut self, now: Time, event: Self::Event);

    /// May [fetch](mod@crate::prefetch) what handling `next` will touch, and what `after`, the one after that, will. A guess:
    /// either may turn out to come later than something else.
    #[inline]
    fn foresee(&self, next: Option<Self::Event>, after: Option<Self::Event>) {
        let _ = (next, after);
    }
}

/// Lets everything happen that is due at or before `limit`; returns how many events that was.
pub fn run_until<M: Model>(model: &mut M, limit: Time) -> u64 {
    run_for(model, limit, u64::MAX)
}

/// The same, but stops after `most` events: if it returns less than that, everything due has happened.
pub fn run_for<M: Model>(model: &mut M, limit: Time, most: u64) -> u64 {
    let mut events = 0;
    while events < most
        && let Some((now, event)) = model.queue().pop_until(limit)
    {
        let [next, after] = model.queue().upcoming();
        model.foresee(next, after);
        model.handle(now, event);
        events += 1;
    }
    events
}
