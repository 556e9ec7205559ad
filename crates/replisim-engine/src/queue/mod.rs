//! The event queue: hands events back in exact (time, insertion) order.
//!
//! Two kinds of entries share one order. *Events* are scheduled once and happen. *Timers* have a slot: arming a slot
//! again moves its one deadline, disarming it takes the deadline away. A move to a later time leaves the entry where it
//! is and re-files it when it surfaces, so a time-out that is pushed back by every message costs one
//! entry, not one per message; the (time, sequence) reserved at the last arming still decides its turn.
//!
//! What it leaves out: removing a scheduled event. Whoever may change its mind uses a timer.

mod buckets;
mod ladder;

use ladder::{Entry, Ladder};

use crate::time::Time;

/// Pending events and timers of type `E`.
#[derive(Debug)]
pub struct Queue<E> {
    pending: Ladder<Content<E>>,
    timers: Vec<Timer<E>>,
    next_sequence: u64,
}

/// A timer of a [`Queue`], made by [`Queue::new_timer`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerSlot(u32);

/// When an entry's turn comes: earlier time first, then earlier insertion.
type Turn = (Time, u64);

#[derive(Clone, Copy, Debug)]
enum Content<E> {
    Event(E),
    Timer(TimerSlot),
}

#[derive(Debug)]
struct Timer<E> {
    event: E,
    /// When the timer fires, if armed.
    due: Option<Turn>,
    /// The entry that stands for this timer; any other is a leftover to be passed over.
    filed: Option<Turn>,
}

impl<E: Copy> Default for Queue<E> {
    fn default() -> Self {
        Queue { pending: Ladder::new(), timers: Vec::new(), next_sequence: 0 }
    }
}

impl<E: Copy> Queue<E> {
    /// An empty queue.
    pub fn new() -> Queue<E> {
        Queue::default()
    }

    /// Schedules `event` at time `at`, after everything already scheduled for that time.
    #[inline]
    pub fn schedule(&mut self, at: Time, event: E) {
        let turn = self.reserve(at);
        self.file(turn, Content::Event(event));
    }

    /// Makes a timer that yields `event` whenever it fires; it starts disarmed.
    pub fn new_timer(&mut self, event: E) -> TimerSlot {
        let slot = TimerSlot(u32::try_from(self.timers.len()).expect("fewer than 2^32 timers"));
        self.timers.push(Timer { event, due: None, filed: None });
        slot
    }

    /// Sets the deadline of `slot` to `at`, in place of any earlier one.
    pub fn arm(&mut self, slot: TimerSlot, at: Time) {
        let turn = self.reserve(at);
        let timer = &mut self.timers[slot.0 as usize];
        timer.due = Some(turn);
        if timer.filed.is_none_or(|filed| filed > turn) {
            timer.filed = Some(turn);
            self.file(turn, Content::Timer(slot));
        }
    }

    /// Takes the deadline of `slot` away; does nothing if it has none.
    pub fn disarm(&mut self, slot: TimerSlot) {
        self.timers[slot.0 as usize].due = None;
    }

    /// Removes and returns the next event due at or before `limit`, with its time.
    #[inline]
    pub fn pop_until(&mut self, limit: Time) -> Option<(Time, E)> {
        loop {
            let Entry { time, sequence, content } = self.pending.pop_until(limit.nanos())?;
            let time = Time::from_nanos(time);
            match content {
                Content::Event(event) => return Some((time, event)),
                Content::Timer(slot) => {
                    if let Some(event) = self.surface(slot, (time, sequence)) {
                        return Some((time, event));
                    }
                }
            }
        }
    }

    /// The next two events as things stand, as far as they are known without effort. Of timers nothing is known.
    #[inline]
    pub fn upcoming(&self) -> [Option<E>; 2] {
        self.pending.upcoming().map(|content| match content {
            Some(Content::Event(event)) => Some(event),
            Some(Content::Timer(_)) | None => None,
        })
    }

    /// The entry of `slot` filed for `turn` came up: fire, file it anew, or pass over it.
    fn surface(&mut self, slot: TimerSlot, turn: Turn) -> Option<E> {
        let timer = &mut self.timers[slot.0 as usize];
        if timer.filed != Some(turn) {
            return None;
        }
        timer.filed = None;
        if timer.due == Some(turn) {
            timer.due = None;
            return Some(timer.event);
        }
        if let Some(due) = timer.due {
            timer.filed = Some(due);
            self.file(due, Content::Timer(slot));
        }
        None
    }

    #[inline]
    fn file(&mut self, (time, sequence): Turn, content: Content<E>) {
        self.pending.push(time.nanos(), sequence, content);
    }

    #[inline]
    fn reserve(&mut self, at: Time) -> Turn {
        let turn = (at, self.next_sequence);
        self.next_sequence += 1;
        turn
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64),
        Arm(usize, u64),
        Disarm(usize),
        Pop(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        // Few distinct times, so that ties are the rule.
        prop_oneof![
            (0u64..8).prop_map(Step::Schedule),
            (0usize..3, 0u64..8).prop_map(|(slot, after)| Step::Arm(slot, after)),
            (0usize..3).prop_map(Step::Disarm),
            (0u64..6).prop_map(Step::Pop),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_order_is_that_of_a_sorted_list(steps in prop::collection::vec(step(), 1..80)) {
            let mut queue = Queue::new();
            let slots: Vec<_> = (0..3).map(|i| queue.new_timer(1_000 + i as u64)).collect();
            let mut list: Vec<(Time, u64, u64)> = Vec::new(); // (time, sequence, event), kept sorted
            let mut now = Time::ZERO;
            for (sequence, step) in (0u64..).zip(steps) {
                match step {
                    Step::Schedule(after) => {
                        let at = Time::from_nanos(now.nanos() + after);
                        queue.schedule(at, sequence);
                        list.push((at, sequence, sequence));
                    }
                    Step::Arm(slot, after) => {
                        let at = Time::from_nanos(now.nanos() + after);
                        queue.arm(slots[slot], at);
                        list.retain(|entry| entry.2 != 1_000 + slot as u64);
                        list.push((at, sequence, 1_000 + slot as u64));
                    }
                    Step::Disarm(slot) => {
                        queue.disarm(slots[slot]);
                        list.retain(|entry| entry.2 != 1_000 + slot as u64);
                    }
                    Step::Pop(span) => {
                        let limit = Time::from_nanos(now.nanos() + span);
                        list.sort();
                        let expected = (!list.is_empty() && list[0].0 <= limit).then(|| list.remove(0));
                        let popped = queue.pop_until(limit);
                        prop_assert_eq!(popped, expected.map(|(at, _, event)| (at, event)));
                        if let Some((at, _)) = popped {
                            now = at;
                        }
                    }
                }
            }
            list.sort();
            for (at, _, event) in list {
                prop_assert_eq!(queue.pop_until(Time::MAX), Some((at, event)));
            }
            prop_assert_eq!(queue.pop_until(Time::MAX), None);
        }
    }

    #[test]
    fn a_timer_pushed_back_a_thousand_times_keeps_one_entry() {
        let mut queue = Queue::new();
        let slot = queue.new_timer("late");
        for ns in 0..1_000 {
            queue.arm(slot, Time::from_nanos(ns));
        }
        assert_eq!(queue.pending.len(), 1);
        assert_eq!(queue.pop_until(Time::MAX), Some((Time::from_nanos(999), "late")));
    }
}
