//! Impairments: a network that works badly for a while.
//!
//! An impairment slows, loses, doubles or throttles messages from some sites to others. Several at once compose:
//! factors multiply, extra delays add up, losses are independent of each other, the narrowest bandwidth counts.

use std::collections::BTreeSet;

use replisim_engine::{Bandwidth, Duration};

use crate::message::Site;

/// A running impairment, to be named when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImpairmentId(pub(crate) u64);

/// What is wrong with the links from some sites to others.
#[derive(Clone, PartialEq, Debug)]
pub struct Impairment {
    /// The sending sites.
    pub from: BTreeSet<Site>,
    /// The receiving sites.
    pub to: BTreeSet<Site>,
    /// Whether the links back are impaired too.
    pub both: bool,
    /// How many times as long delays become.
    pub factor: f64,
    /// What is added to every delay, after that.
    pub extra: Duration,
    /// The share of messages lost, from 0 to 1, on top of what the link loses anyway.
    pub loss: f64,
    /// The share of messages doubled, likewise; ordered links throw the copies away.
    pub duplicate: f64,
    /// The most that gets onto the wire.
    pub bandwidth: Option<Bandwidth>,
}

/// What all impairments of a link together do to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Effect {
    factor: f64,
    extra: Duration,
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    pub(crate) bandwidth: Option<Bandwidth>,
}

impl Impairment {
    /// Nothing wrong yet with the links from `from` to `to` and back.
    pub fn between(from: impl IntoIterator<Item = Site>, to: impl IntoIterator<Item = Site>) -> Impairment {
        Impairment {
            from: from.into_iter().collect(),
            to: to.into_iter().collect(),
            both: true,
            factor: 1.0,
            extra: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            bandwidth: None,
        }
    }

    /// Whether it concerns messages from `from` to `to`.
    pub(crate) fn concerns(&self, from: Site, to: Site) -> bool {
        let way = |a: Site, b: Site| self.from.contains(&a) && self.to.contains(&b);
        way(from, to) || (self.both && way(to, from))
    }
}

impl Effect {
    /// What `impairments` do together; `None` if there are none.
    pub(crate) fn of<'a>(impairments: impl Iterator<Item = &'a Impairment>) -> Option<Effect> {
        impairments.fold(None, |effect, next| {
            let before = effect.unwrap_or(Effect {
                factor: 1.0,
                extra: Duration::ZERO,
                loss: 0.0,
                duplicate: 0.0,
                bandwidth: None,
            });
            Some(Effect {
                factor: before.factor * next.factor,
                extra: before.extra + next.extra,
                loss: either(before.loss, next.loss),
                duplicate: either(before.duplicate, next.duplicate),
                bandwidth: narrowest(before.bandwidth, next.bandwidth),
            })
        })
    }

    #[inline]
    pub(crate) fn delay(&self, delay: Duration) -> Duration {
        Duration::from_nanos_f64(delay.nanos() as f64 * self.factor) + self.extra
    }
}

/// The chance that at least one of two independent things happens.
#[inline]
pub(crate) fn either(a: f64, b: f64) -> f64 {
    if a == 0.0 { b } else { 1.0 - (1.0 - a) * (1.0 - b) }
}

#[inline]
pub(crate) fn narrowest(a: Option<Bandwidth>, b: Option<Bandwidth>) -> Option<Bandwidth> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
