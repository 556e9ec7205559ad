//! When the operations of a workload come.
//!
//! Open-loop arrivals come when they are due, whether or not earlier operations have been answered. Where the rate
//! varies (bursts, a curve) they are a Poisson process all the same, by inversion: the operations that have come by a
//! time are a Poisson process of rate 1 in the area below the rate until then. A closed loop asks its think time
//! after each answer, and reads that follow others come after their acknowledgements: neither has a timetable.

use std::collections::VecDeque;

use replisim_engine::random::open_unit;
use replisim_engine::{Duration, Law, Rate, Sampler, Share, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When operations come.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Independently of each other, at this mean rate.
    Poisson(Rate),
    /// At equal distances, from a phase drawn at the start.
    Fixed(Rate),
    /// Independently of each other, at a rate that goes along straight lines from point to point; before the first and
    /// after the last point it stays. Two points at one time are a jump; at `0/s` nothing comes.
    Curve(Vec<CurvePoint>),
    /// Independently of each other, at one rate for a while and at another, or not at all, for a while, in turn.
    Bursts(Bursts),
    /// From clients that each have one operation at a time, and the next a while after its end. A slow system is asked
    /// less; in exchange the throughput shows what it can do.
    ClosedLoop(ClosedLoop),
    /// A read of the same key after each acknowledged write of other workloads: how soon are writes seen?
    ReadAfterAck(ReadAfterAck),
}

/// A point of a curve of rates.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CurvePoint {
    /// When, from the start of the run.
    pub at: Duration,
    /// The rate at that moment.
    pub rate: Rate,
}

/// Bursts and the silence between them; a run begins with a burst.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bursts {
    /// The rate during a burst.
    pub rate: Rate,
    /// How long each burst lasts.
    pub on: Law,
    /// How long it is until the next.
    pub off: Law,
    /// The rate between bursts; nothing comes unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_rate: Option<Rate>,
}

/// Clients that wait for their answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClosedLoop {
    /// How many. Each is a session of its own.
    pub clients: u32,
    /// How long each thinks before its first operation and between two: not at all unless given.
    #[serde(default = "no_time")]
    pub think: Law,
}

/// Reads that follow the writes of others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReadAfterAck {
    /// The workload whose writes it follows, or a list of several.
    pub of: Vec<String>,
    /// How long after the acknowledgement each read comes. At the very instant (`constant: 0s`) it is concurrent with the
    /// write and may miss it without being stale; `1ns` is after it.
    pub after: Law,
    /// The share of the acknowledged writes that it follows.
    #[schemars(extend("default" = "100%"))]
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub share: Share,
}

/// How long an operation of a closed loop is taken to last where its rate must be guessed.
const ANSWER_NANOS: f64 = 1e7;

impl Arrivals {
    /// The laws in it, each with its path.
    pub fn laws(&self) -> Vec<(&'static str, &Law)> {
        match self {
            Arrivals::Poisson(_) | Arrivals::Fixed(_) | Arrivals::Curve(_) => Vec::new(),
            Arrivals::Bursts(bursts) => vec![("bursts.on", &bursts.on), ("bursts.off", &bursts.off)],
            Arrivals::ClosedLoop(closed) => vec![("closed-loop.think", &closed.think)],
            Arrivals::ReadAfterAck(follows) => vec![("read-after-ack.after", &follows.after)],
        }
    }

    /// The same, to be filled in.
    pub fn laws_mut(&mut self) -> Vec<(&'static str, &mut Law)> {
        match self {
            Arrivals::Poisson(_) | Arrivals::Fixed(_) | Arrivals::Curve(_) => Vec::new(),
            Arrivals::Bursts(bursts) => vec![("bursts.on", &mut bursts.on), ("bursts.off", &mut bursts.off)],
            Arrivals::ClosedLoop(closed) => vec![("closed-loop.think", &mut closed.think)],
            Arrivals::ReadAfterAck(follows) => vec![("read-after-ack.after", &mut follows.after)],
        }
    }

    /// Operations a second that are offered, over a long time; none by reads that follow others. A closed loop offers
    /// what it is answered: a guess.
    pub(crate) fn mean_rate(&self) -> f64 {
        let mean = |law: &Law| law.sampler().ok().and_then(|law| law.mean_nanos()).unwrap_or(0.0);
        match self {
            Arrivals::Poisson(rate) | Arrivals::Fixed(rate) => rate.get(),
            Arrivals::Curve(points) => {
                let rates = points.iter().map(|point| point.rate.get());
                rates.sum::<f64>() / points.len().max(1) as f64
            }
            Arrivals::Bursts(Bursts { rate, on, off, idle_rate }) => {
                let (on, off) = (mean(on), mean(off));
                (on * rate.get() + off * idle_rate.map_or(0.0, Rate::get)) / (on + off).max(1.0)
            }
            Arrivals::ClosedLoop(closed) => {
                f64::from(closed.clients) * 1e9 / (mean(&closed.think) + ANSWER_NANOS)
            }
            Arrivals::ReadAfterAck(_) => 0.0,
        }
    }
}

fn no_time() -> Law {
    Law::Constant(Duration::ZERO)
}

fn all() -> Share {
    Share::new(1.0)
}

fn is_all(share: &Share) -> bool {
    *share == all()
}

/// When the next operation of an open-loop workload comes, all in nanoseconds. Sums are kept in floating point so that
/// rounding to whole ones never adds up.
#[derive(Debug)]
pub(crate) enum Timetable {
    /// The mean distance, and when the last one came.
    Poisson(f64, f64),
    /// The distance, and when the last one came, if one has.
    Fixed(f64, Option<f64>),
    Wave(Wave),
    /// The think time of the clients of a closed loop.
    AfterAnswers(Sampler),
    AfterOthers,
}

/// A rate that varies, seen from the last operation.
#[derive(Debug)]
pub(crate) struct Wave {
    at: f64,
    /// The rate now, and how fast it changes, until then.
    rate: f64,
    slope: f64,
    until: f64,
    /// Nothing comes after this.
    end: f64,
    rest: Rest,
}

/// How the rate goes on.
#[derive(Debug)]
enum Rest {
    /// Through these points.
    Points(VecDeque<(f64, f64)>),
    /// With the laws and rates of bursts and of what is between them.
    Phases { laws: [Sampler; 2], rates: [f64; 2], is_on: bool, stream: Box<Stream> },
}

impl Timetable {
    /// Fails with a sentence where a law is none. `phases` is where lengths of bursts are drawn from.
    pub(crate) fn new(arrivals: &Arrivals, end: f64, phases: Stream) -> Result<Timetable, String> {
        let sampler = |law: &Law| law.sampler().map_err(|error| error.to_string());
        let wave = |rest| Timetable::Wave(Wave { at: 0.0, rate: 0.0, slope: 0.0, until: 0.0, end, rest });
        Ok(match arrivals {
            Arrivals::Poisson(rate) => Timetable::Poisson(1e9 / rate.get(), 0.0),
            Arrivals::Fixed(rate) => Timetable::Fixed(1e9 / rate.get(), None),
            Arrivals::Curve(points) => {
                let points = points.iter().map(|point| (point.at.nanos() as f64, point.rate.get() / 1e9));
                let mut points: VecDeque<_> = points.collect();
                if let (Some((_, first)), Some((_, last))) = (points.front().copied(), points.back().copied())
                {
                    points.push_front((0.0, first));
                    points.push_back((end, last));
                }
                wave(Rest::Points(points))
            }
            Arrivals::Bursts(Bursts { rate, on, off, idle_rate }) => wave(Rest::Phases {
                laws: [sampler(off)?, sampler(on)?],
                rates: [idle_rate.map_or(0.0, Rate::get) / 1e9, rate.get() / 1e9],
                is_on: false,
                stream: Box::new(phases),
            }),
            Arrivals::ClosedLoop(closed) => Timetable::AfterAnswers(sampler(&closed.think)?),
            Arrivals::ReadAfterAck(_) => Timetable::AfterOthers,
        })
    }

    /// When the next operation comes, if one does by itself.
    pub(crate) fn next(&mut self, stream: &mut Stream) -> Option<f64> {
        match self {
            Timetable::Poisson(mean, last) => {
                *last += -*mean * libm::log(open_unit(stream));
                Some(*last)
            }
            Timetable::Fixed(distance, last) => {
                let phase = |stream| *distance * open_unit(stream);
                *last = Some(last.map_or_else(|| phase(stream), |last| last + *distance));
                *last
            }
            Timetable::Wave(wave) => wave.after(-libm::log(open_unit(stream))),
            Timetable::AfterAnswers(_) | Timetable::AfterOthers => None,
        }
    }
}

impl Wave {
    /// The moment up to which the area below the rate is `need` from now.
    fn after(&mut self, mut need: f64) -> Option<f64> {
        while self.at < self.end {
            let whole = self.until - self.at;
            let held = (self.rate + self.slope * whole / 2.0) * whole;
            if need <= held {
                // The root that stays exact where the slope is 0.
                let square = self.rate * self.rate + 2.0 * self.slope * need;
                let step = 2.0 * need / (self.rate + square.max(0.0).sqrt());
                self.at += step;
                self.rate += self.slope * step;
                return Some(self.at);
            }
            need -= held;
            self.turn();
        }
        None
    }

    /// The next stretch of the rate begins.
    fn turn(&mut self) {
        self.at = self.until;
        match &mut self.rest {
            Rest::Points(points) => {
                let (_, rate) = points.pop_front().unwrap_or((0.0, self.rate));
                let (until, next) = points.front().copied().unwrap_or((self.end, rate));
                let length = until - self.at;
                (self.rate, self.until) = (rate, until);
                self.slope = if length > 0.0 { (next - rate) / length } else { 0.0 };
            }
            Rest::Phases { laws, rates, is_on, stream } => {
                *is_on = !*is_on;
                self.rate = rates[usize::from(*is_on)];
                self.until = self.at + laws[usize::from(*is_on)].sample_nanos(&mut **stream);
            }
        }
    }
}
