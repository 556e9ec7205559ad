//! The clocks on the wall of nodes and clients: what they read as the time of day, and give timestamps by.
//!
//! A clock that is wrong is off by an offset from the start, runs fast or slow, and is stepped by faults. Nothing that
//! is measured knows of it: measures use the true time. What it leaves out: a clock's own jitter, synchronisation that
//! pulls it back, and the drift of stopwatches: timers, time-outs and leases run at the true rate.

use replisim_engine::{Drift, Duration, Shift, Time};
use replisim_protocols::WALL_CLOCK_START;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the clock of a node or client is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClockSettings {
    /// By how much it is ahead (or, if negative, behind) at the start.
    pub offset: Shift,
    /// By how much it runs fast (or, if negative, slow).
    pub drift: Drift,
}

/// The most that a clock may be off, or be stepped by: timestamps have no room for more.
pub const MOST_OFF: Duration = Duration::from_secs(366 * 24 * 3_600);

/// A clock at run time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Clock {
    /// How far it is off without its drift, in nanoseconds.
    off: i128,
    drift: Drift,
}

impl Clock {
    pub(crate) fn new(settings: &ClockSettings) -> Clock {
        Clock { off: i128::from(settings.offset.nanos()), drift: settings.drift }
    }

    /// Somebody sets it.
    pub(crate) fn step(&mut self, by: Shift) {
        self.off += i128::from(by.nanos());
    }

    /// Somebody takes that back.
    pub(crate) fn step_back(&mut self, by: Shift) {
        self.off -= i128::from(by.nanos());
    }

    /// What it shows at the true time `now`. It stops at the ends of what can be shown.
    pub(crate) fn shows(&self, now: Time) -> Time {
        let right = WALL_CLOCK_START + now.since(Time::ZERO);
        let shown = i128::from(right.nanos()) + self.off + self.drift.over(now.nanos());
        Time::from_nanos(shown.clamp(0, i128::from(u64::MAX)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_the_true_time_with_its_offset_drift_and_steps() {
        let second = 1_000_000_000;
        for (offset, drift, steps, after_10_s) in [
            ("0s", "0ppm", &[][..], 10 * second),
            ("-50ms", "0ppm", &[], 10 * second - second / 20),
            ("0s", "100ppm", &[], 10 * second + second / 1_000),
            ("0s", "-100ppm", &["2s"], 12 * second - second / 1_000),
            ("1s", "1ppm", &["-2s", "500ms"], 9 * second + second / 2 + 10_000),
        ] {
            let settings = ClockSettings { offset: offset.parse().unwrap(), drift: drift.parse().unwrap() };
            let mut clock = Clock::new(&settings);
            let steps: Vec<Shift> = steps.iter().map(|step| step.parse().unwrap()).collect();
            steps.iter().for_each(|step| clock.step(*step));
            let shown = clock.shows(Time::from_nanos(10 * second as u64)).signed_since(WALL_CLOCK_START);
            assert_eq!(shown, after_10_s, "{offset}, {drift}, {steps:?}");
            steps.iter().for_each(|step| clock.step_back(*step));
            assert_eq!(clock, Clock::new(&settings));
        }
    }

    #[test]
    fn a_clock_stops_at_the_ends_of_what_it_can_show() {
        for (step, shown) in [("-2500000h", 0), ("2500000h", u64::MAX)] {
            let mut clock = Clock::default();
            (0..3).for_each(|_| clock.step(step.parse().unwrap()));
            assert_eq!(clock.shows(Time::ZERO).nanos(), shown, "{step}");
        }
    }
}
