//! Axes: which interval they show, where their ticks stand and what the ticks say.
//!
//! Ticks stand at 1, 2 or 5 times a power of ten, or at the powers of ten themselves on a logarithmic axis. Every tick
//! carries its unit in the size a person would choose ("20 µs", "1.5 s", "90 %"): one size for a whole linear axis,
//! each its own on a logarithmic one.

use super::text;
use super::unit::{Unit, decade, pow10, usable, with_unit};

/// One axis of a chart.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What the axis shows. The ticks carry the unit, so that the label need not.
    pub label: String,
    /// The unit that the values are in.
    pub unit: Unit,
    /// How values are spread over the axis.
    pub scale: Scale,
    /// The interval shown; `None` (or an unusable interval) takes it from the data.
    pub range: Option<(f64, f64)>,
}

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances are equal differences.
    Linear,
    /// Equal distances are equal factors. Zero and negative values are drawn at the lower edge; the axis says so.
    Log,
}

impl Axis {
    /// A linear axis that takes its range from the data.
    pub fn linear(label: impl Into<String>, unit: Unit) -> Self {
        Self { label: label.into(), unit, scale: Scale::Linear, range: None }
    }

    /// A logarithmic axis that takes its range from the data.
    pub fn log(label: impl Into<String>, unit: Unit) -> Self {
        Self { label: label.into(), unit, scale: Scale::Log, range: None }
    }

    /// The same axis with a fixed range.
    pub fn within(self, from: f64, to: f64) -> Self {
        Self { range: Some((from, to)), ..self }
    }

    /// The interval to show for these values. A linear axis `from_zero` begins at zero unless a value is negative, and
    /// ends on a tick; any other ends with the data, or on a tick that is near.
    pub(super) fn interval(&self, values: impl Iterator<Item = f64> + Clone, from_zero: bool) -> (f64, f64) {
        let log = self.scale == Scale::Log;
        let possible = |v: f64| usable(v) && (!log || v > 0.0);
        if let Some((lo, hi)) = self.range
            && possible(lo)
            && possible(hi)
            && lo < hi
        {
            return (lo, hi);
        }
        let values = values.filter(|&v| possible(v));
        let lo = values.clone().fold(f64::INFINITY, f64::min);
        let hi = values.fold(f64::NEG_INFINITY, f64::max);
        match (log, lo <= hi) {
            (true, false) if self.unit == Unit::Share => (0.001, 1.0), // there is no share above 1
            (true, false) => (1.0, 10.0),
            (true, true) => round_out_log(lo, hi),
            (false, false) => (0.0, 1.0),
            (false, true) => self.round_out_linear(lo, hi, from_zero),
        }
    }

    fn round_out_linear(&self, mut lo: f64, mut hi: f64, from_zero: bool) -> (f64, f64) {
        if lo >= 0.0 && (from_zero || lo <= 0.1 * (hi - lo)) {
            lo = 0.0;
        }
        if hi - lo <= 1e-9 * hi.abs().max(lo.abs()) {
            let around = if lo == 0.0 { 1.0 } else { 0.1 * lo.abs() };
            (lo, hi) = if lo == 0.0 { (0.0, around) } else { (lo - around, hi + around) };
        }
        let step = self.step(lo, hi, USUAL_TICKS);
        let (tick_below, tick_above) = (step * (lo / step + 1e-9).floor(), step * (hi / step - 1e-9).ceil());
        let near = |tick: f64, end: f64| from_zero || (tick - end).abs() <= 0.03 * (hi - lo);
        let (near_below, near_above) = (near(tick_below, lo), near(tick_above, hi));
        lo = if near_below { tick_below } else { lo };
        hi = if near_above { tick_above } else { hi };
        (lo, hi)
    }

    /// The 1-2-5 distance that puts about `count` ticks between two values.
    fn step(&self, lo: f64, hi: f64, count: usize) -> f64 {
        let step = round_125((hi - lo) / count as f64, Rounding::Up);
        let whole = self.unit == Unit::Count && hi - lo >= 1.0;
        if whole { step.max(1.0) } else { step }
    }

    /// The labelled ticks for an interval: as many as `fits` accepts, which is asked about the whole set.
    pub(super) fn ticks(&self, lo: f64, hi: f64, fits: impl Fn(&[Tick]) -> bool) -> Vec<Tick> {
        let mut last = Vec::new();
        for candidate in self.tick_candidates(lo, hi) {
            if fits(&candidate) {
                return candidate;
            }
            last = candidate;
        }
        last.truncate(1);
        last
    }

    /// Sets of ticks, the densest first.
    fn tick_candidates(&self, lo: f64, hi: f64) -> Vec<Vec<Tick>> {
        match self.scale {
            Scale::Linear => (1..=USUAL_TICKS).rev().map(|n| self.linear_ticks(lo, hi, n)).collect(),
            Scale::Log => {
                let decades = log_values(lo, hi, &[1.0]);
                let dense = if decades.len() < 3 { log_values(lo, hi, &[1.0, 2.0, 5.0]) } else { Vec::new() };
                // Too narrow even for two of those: a logarithmic stretch that short is as good as linear.
                if decades.len() < 3 && dense.len() < 2 {
                    return (1..=USUAL_TICKS).rev().map(|n| self.linear_ticks(lo, hi, n)).collect();
                }
                let every = |n: usize| decades.iter().copied().step_by(n).collect::<Vec<_>>();
                let sets = [dense].into_iter().chain((1..=decades.len()).map(every));
                sets.filter(|set| !set.is_empty()).map(|set| self.log_ticks(&set)).collect()
            }
        }
    }

    fn linear_ticks(&self, lo: f64, hi: f64, count: usize) -> Vec<Tick> {
        let step = self.step(lo, hi, count);
        let (first, last) = ((lo / step - 1e-6).ceil(), (hi / step + 1e-6).floor());
        let (factor, suffix) = self.unit.size_for(lo.abs().max(hi.abs()));
        let tick = |i: usize| {
            let value = (first + i as f64) * step;
            Tick { value, label: with_unit(value * factor, step * factor, suffix) }
        };
        (0..=((last - first).max(0.0) as usize)).map(tick).collect()
    }

    fn log_ticks(&self, values: &[f64]) -> Vec<Tick> {
        let label = |value: f64| {
            let (factor, suffix) = self.unit.size_for(value);
            with_unit(value * factor, value * factor, suffix)
        };
        values.iter().map(|&value| Tick { value, label: label(value) }).collect()
    }

    /// The unlabelled ticks that show a logarithmic scale as such: 2 to 9 times each power of ten.
    pub(super) fn minor_ticks(&self, lo: f64, hi: f64) -> Vec<f64> {
        let few_decades = hi / lo < 1.1e7;
        match self.scale {
            Scale::Log if few_decades => log_values(lo, hi, &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            _ => Vec::new(),
        }
    }
}

/// A labelled tick.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// An axis laid along a row or column of pixels.
#[derive(Clone, Copy)]
pub(super) struct Ruler {
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) scale: Scale,
    /// The pixels of `lo` and `hi`.
    pub(super) pixels: (f64, f64),
    /// How far the frame is from these.
    pub(super) room: (f64, f64),
}

impl Ruler {
    /// The pixel of a value, which may lie outside the axis; a value that a logarithm cannot take is put at `lo`, or before
    /// it where there is room.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.lo) / (self.hi - self.lo),
            Scale::Log if value <= 0.0 => return self.pixels.0 - self.room.0 / 2.0,
            Scale::Log => libm::log(value / self.lo) / libm::log(self.hi / self.lo),
        };
        // Far outside is as good as very far outside, and keeps pixel arithmetic exact.
        self.pixels.0 + share.clamp(-1e6, 1e6) * (self.pixels.1 - self.pixels.0)
    }

    /// Whether labels of this size, centred on their ticks, keep apart.
    pub(super) fn labels_keep_apart(&self, ticks: &[Tick], size: f64) -> bool {
        let half = |tick: &Tick| text::width(&tick.label, size) / 2.0;
        let apart = |pair: &[Tick]| {
            let distance = (self.at(pair[1].value) - self.at(pair[0].value)).abs();
            distance >= half(&pair[0]) + half(&pair[1]) + 1.2 * size
        };
        ticks.windows(2).all(apart)
    }
}

const USUAL_TICKS: usize = 7;

#[derive(Clone, Copy, PartialEq)]
enum Rounding {
    Up,
    Down,
}

/// The nearest 1, 2 or 5 times a power of ten that is not below (or not above) a positive value.
fn round_125(value: f64, rounding: Rounding) -> f64 {
    let power = pow10(decade(value));
    let digit = value / power;
    let digits = [1.0, 2.0, 5.0, 10.0];
    let rounded = match rounding {
        Rounding::Up => digits.into_iter().find(|&d| d >= digit * (1.0 - 1e-9)),
        Rounding::Down => digits.into_iter().rev().find(|&d| d <= digit * (1.0 + 1e-9)),
    };
    rounded.unwrap_or(1.0) * power
}

fn round_out_log(lo: f64, hi: f64) -> (f64, f64) {
    let (lo, hi) = (round_125(lo, Rounding::Down), round_125(hi, Rounding::Up));
    if hi / lo > 1.1 { (lo, hi) } else { (lo / 2.0, hi * 2.0) }
}

/// All products of the digits and a power of ten within an interval, in order.
fn log_values(lo: f64, hi: f64, digits: &[f64]) -> Vec<f64> {
    let products = (decade(lo)..=decade(hi)).flat_map(|power| digits.iter().map(move |d| d * pow10(power)));
    products.filter(|&v| v >= lo * (1.0 - 1e-9) && v <= hi * (1.0 + 1e-9)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(axis: Axis, values: &[f64], expected: &str) {
        let (lo, hi) = axis.interval(values.iter().copied(), true);
        let labels: Vec<String> = axis.ticks(lo, hi, |_| true).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels.join(", ").replace('\u{a0}', " "), expected);
    }

    #[test]
    fn linear_ticks_share_one_unit_and_cover_the_data() {
        use Unit::*;
        check(Axis::linear("", Milliseconds), &[0.0, 1432.0], "0, 0.5 s, 1 s, 1.5 s");
        check(Axis::linear("", Milliseconds), &[0.0, 0.019], "0, 5 µs, 10 µs, 15 µs, 20 µs");
        check(Axis::linear("", Seconds), &[0.0, 60.0], "0, 10 s, 20 s, 30 s, 40 s, 50 s, 60 s");
        check(Axis::linear("", Share), &[0.0, 0.93], "0, 20 %, 40 %, 60 %, 80 %, 100 %");
        check(Axis::linear("", Share).within(0.99, 1.0), &[], "99 %, 99.2 %, 99.4 %, 99.6 %, 99.8 %, 100 %");
        check(Axis::linear("", Count), &[2.0], "0, 1, 2");
        check(
            Axis::linear("", Count),
            &[61_000.0],
            "0, 10 000, 20 000, 30 000, 40 000, 50 000, 60 000, 70 000",
        );
        check(Axis::linear("", Plain), &[-1.0, 1.0], "−1, −0.5, 0, 0.5, 1");
        check(Axis::linear("", PerSecond), &[], "0, 0.2 /s, 0.4 /s, 0.6 /s, 0.8 /s, 1 /s");
    }

    #[test]
    fn log_ticks_stand_at_decades_each_in_its_own_unit() {
        use Unit::*;
        check(Axis::log("", Milliseconds), &[0.8, 9_000.0], "1 ms, 10 ms, 100 ms, 1 s, 10 s");
        check(Axis::log("", Milliseconds), &[0.0, 60.0, 90.0], "50 ms, 100 ms");
        check(Axis::log("", Share), &[1e-4, 1.0], "0.01 %, 0.1 %, 1 %, 10 %, 100 %");
        check(Axis::log("", Share), &[], "0.1 %, 1 %, 10 %, 100 %");
        check(Axis::log("", Count), &[1.0, 1e7], "1, 10, 100, 1000, 10 000, 100 000, 1 M, 10 M");
        check(Axis::log("", Plain), &[7.0], "5, 10");
        check(Axis::log("", Plain).within(71.0, 79.0), &[], "72, 74, 76, 78");
    }
}
