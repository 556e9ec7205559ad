//! Samples that come at every operation, on their way into a [`Distribution`].
//!
//! The idea: a histogram is some tens of kilobytes of which each sample changes eight bytes. Taken in one by one, between
//! everything else that happens, nearly each of these waits for memory; a few dozen taken in together wait together.

use std::ops::Deref;

use crate::distribution::Distribution;

/// A distribution, and what it has not taken in yet. To be [settled](Samples::settle) before anything is asked of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    distribution: Distribution,
    pending: Vec<i64>,
}

/// So many samples are taken in together.
const TOGETHER: usize = 64;

impl Samples {
    /// None yet; quantiles keep `digits` decimal digits.
    pub(crate) fn new(digits: u8) -> Samples {
        Samples { distribution: Distribution::new(digits), pending: Vec::new() }
    }

    #[inline]
    pub(crate) fn record(&mut self, value: i64) {
        if self.pending.len() == TOGETHER {
            self.settle();
        }
        self.pending.push(value);
    }

    pub(crate) fn record_censored(&mut self, at_least: u64) {
        self.distribution.record_censored(at_least);
    }

    /// Takes in all that is pending.
    #[inline(never)]
    pub(crate) fn settle(&mut self) {
        for value in self.pending.drain(..) {
            self.distribution.record(value);
        }
    }

    /// Takes in all of `other`, which is settled.
    pub(crate) fn merge(&mut self, other: &Samples) {
        self.settle();
        self.distribution.merge(other);
    }
}

impl Deref for Samples {
    type Target = Distribution;

    fn deref(&self) -> &Distribution {
        debug_assert!(self.pending.is_empty(), "settled before it is asked");
        &self.distribution
    }
}
