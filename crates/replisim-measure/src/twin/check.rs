//! Compares streamed values with what a twin expects of them.

use replisim_observe::{Client, Time};

use crate::distribution::{Distribution, Quantile, rank};
use crate::findings::{Findings, Leaf};
use crate::weighted::TimeWeighted;

/// Collects disagreements with `findings`.
pub(super) struct Check<'a> {
    pub(super) findings: &'a Findings,
    pub(super) found: Vec<String>,
}

/// The kind and the name of a scope; none for the whole run.
pub(super) type Scope<'a> = Option<(&'a str, &'a str)>;

/// A quantity for a while: its first and last value, between which it grows evenly, and how long that took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) lasted: u64,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Piece {
    /// The same value from `from` to `to`.
    pub(super) fn level(from: Time, to: Time, value: u64) -> Piece {
        Piece { lasted: to.since(from).nanos(), first: value, last: value }
    }

    /// The age of what happened at `birth`, from `from` to `to`; 0 if nothing did.
    pub(super) fn age(from: Time, to: Time, birth: Option<Time>) -> Piece {
        let age = |at: Time| birth.map_or(0, |birth| at.since(birth).nanos());
        Piece { lasted: to.since(from).nanos(), first: age(from), last: age(to) }
    }
}

impl<'a> Check<'a> {
    pub(super) fn clients(&self) -> impl Iterator<Item = (Client, &'a str)> + use<'a> {
        let names = self.findings.roster.clients.iter();
        names.enumerate().map(|(i, name)| (Client(i as u32), name.as_str()))
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        self.findings.roster.members.iter().map(String::as_str).enumerate()
    }

    /// So many, of a whole.
    pub(super) fn count(&mut self, slug: &str, scope: Scope<'_>, expected: (usize, usize)) {
        let streamed = match self.findings.leaf(slug, scope) {
            Some(Leaf::Count { count, of }) => (*count as usize, of.unwrap_or_default() as usize),
            _ => (0, 0),
        };
        if streamed != expected {
            self.differs(slug, scope, &streamed, &expected);
        }
    }

    /// Samples, and lower bounds of censored ones.
    pub(super) fn samples(&mut self, slug: &str, scope: Scope<'_>, (known, censored): &(Vec<i64>, Vec<u64>)) {
        let empty = Distribution::default();
        let streamed = match self.findings.leaf(slug, scope) {
            Some(Leaf::Distribution(distribution)) => distribution,
            _ => &empty,
        };
        let mut sorted = known.clone();
        sorted.sort();
        let sum: i128 = known.iter().map(|sample| i128::from(*sample)).sum();
        let facts = (streamed.count(), streamed.count_censored(), streamed.sum(), streamed.min());
        let n = (known.len() + censored.len()) as u64;
        let expected = (n, censored.len() as u64, sum, sorted.first().copied());
        if facts != expected {
            self.differs(slug, scope, &facts, &expected);
            return;
        }
        if !censored.is_empty() || sorted.is_empty() {
            return; // bounds of quantiles are tested with the distribution
        }
        for q in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = sorted[rank(q, n) as usize - 1];
            let close = |value: i64| (value - exact).unsigned_abs() <= exact.unsigned_abs() / 100;
            if !matches!(streamed.quantile(q), Some(Quantile::Value(value)) if close(value)) {
                self.differs(&format!("p{q} of {slug}"), scope, &streamed.quantile(q), &exact);
            }
        }
    }

    /// A quantity over time, piece by piece.
    pub(super) fn over_time(&mut self, slug: &str, scope: Scope<'_>, pieces: &[Piece]) {
        let empty = TimeWeighted::default();
        let streamed = match self.findings.leaf(slug, scope) {
            Some(Leaf::TimeWeighted(quantity)) => quantity,
            _ => &empty,
        };
        let facts = (streamed.weight(), streamed.twice_integral(), streamed.max().unwrap_or_default());
        let expected = pieces.iter().fold((0u128, 0u128, 0u64), |(weight, twice_integral, max), piece| {
            let lasted = u128::from(piece.lasted);
            let twice = lasted * (u128::from(piece.first) + u128::from(piece.last));
            (weight + lasted, twice_integral + twice, max.max(if lasted > 0 { piece.last } else { 0 }))
        });
        if facts != expected {
            self.differs(slug, scope, &facts, &expected);
        }
    }

    /// The identities, in the order of [`crate::Accounting::entries`].
    pub(super) fn accounting(&mut self, expected: &[usize]) {
        for ((name, value), expected) in self.findings.accounting.entries().into_iter().zip(expected) {
            if value != *expected as u64 {
                self.differs(&format!("accounting of {name}"), None, &value, expected);
            }
        }
        if !self.findings.accounting.holds() {
            self.found.push("accounting does not add up".to_owned());
        }
    }

    fn differs(
        &mut self,
        slug: &str,
        scope: Scope<'_>,
        streamed: &dyn std::fmt::Debug,
        expected: &dyn std::fmt::Debug,
    ) {
        let name = scope.map_or(slug.to_owned(), |(kind, name)| format!("{slug}{{{kind}={name}}}"));
        self.found.push(format!("{name}: streamed {streamed:?}, by definition {expected:?}"));
    }
}
