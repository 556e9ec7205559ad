//! What was found out: measures by slug and scope.

use replisim_observe::Roster;

use crate::catalogue::{MeasureInfo, find};
use crate::distribution::Distribution;
use crate::series::{Series, Visibility};
use crate::weighted::TimeWeighted;

/// The results of one run, or of several merged.
#[derive(Clone, Debug)]
pub struct Findings {
    /// In the order of the catalogue.
    pub measures: Vec<Measure>,
    /// The identities.
    pub accounting: Accounting,
    /// Time series of a single run; none after a merge.
    pub series: Option<Series>,
    /// The t-visibility curve, by client.
    pub visibility: Vec<(String, Visibility)>,
    /// How many ok reads each member served in the window.
    pub reads_served: Vec<u64>,
    /// Names of who took part.
    pub roster: Roster,
}

/// One measure with all its scopes.
#[derive(Clone, Debug)]
pub struct Measure {
    /// What it is.
    pub info: &'static MeasureInfo,
    /// The value of the whole run; none where the measure does not apply.
    pub all: Option<Leaf>,
    /// Values by scope: the kind of scope (`workload`, `node`, `kind`), the name in it, the value.
    pub scopes: Vec<(&'static str, Vec<(String, Leaf)>)>,
}

/// A value.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // a few dozen a run
pub enum Leaf {
    /// Samples.
    Distribution(Distribution),
    /// A quantity over time.
    TimeWeighted(TimeWeighted),
    /// So many, of a whole if it is one.
    Count {
        /// How many.
        count: u64,
        /// Of how many.
        of: Option<u64>,
    },
    /// So many in so much time.
    Rate {
        /// How many.
        count: u64,
        /// In how many nanoseconds.
        nanos: u64,
    },
}

/// What must add up in every run: committed = converged + unconverged + abandoned; operations = ok + failed +
/// unknown; messages sent + duplicated = delivered + lost + in flight. Over the whole run, warm-up included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)] // the names are the definitions
pub struct Accounting {
    pub operations: u64,
    pub ok: u64,
    pub failed: u64,
    pub unknown: u64,
    pub committed: u64,
    pub converged: u64,
    pub unconverged: u64,
    pub abandoned: u64,
    pub messages_sent: u64,
    pub messages_duplicated: u64,
    pub messages_delivered: u64,
    pub messages_lost: u64,
    pub messages_in_flight: u64,
    /// The most write records that had to be kept at a time.
    pub backlog_peak_writes: u64,
}

impl Findings {
    /// The measure called `slug`.
    pub fn measure(&self, slug: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.info.slug == slug)
    }

    /// The value of `slug`, in `scope` (such as `("workload", "readers")`) or of the whole run.
    pub fn leaf(&self, slug: &str, scope: Option<(&str, &str)>) -> Option<&Leaf> {
        let measure = self.measure(slug)?;
        match scope {
            None => measure.all.as_ref(),
            Some((kind, name)) => {
                let (_, values) = measure.scopes.iter().find(|(other, _)| *other == kind)?;
                values.iter().find(|(other, _)| other == name).map(|(_, leaf)| leaf)
            }
        }
    }

    /// Takes in another run of the same scenario.
    pub fn merge(&mut self, other: &Findings) {
        for (mine, theirs) in self.measures.iter_mut().zip(&other.measures) {
            match (&mut mine.all, &theirs.all) {
                (Some(mine), Some(theirs)) => mine.merge(theirs),
                (mine @ None, theirs) => *mine = theirs.clone(),
                _ => {}
            }
            for ((_, mine), (_, theirs)) in mine.scopes.iter_mut().zip(&theirs.scopes) {
                for (name, leaf) in theirs {
                    match mine.iter_mut().find(|(other, _)| other == name) {
                        Some((_, mine)) => mine.merge(leaf),
                        None => mine.push((name.clone(), leaf.clone())),
                    }
                }
            }
        }
        for ((_, mine), (_, theirs)) in self.visibility.iter_mut().zip(&other.visibility) {
            mine.merge(theirs);
        }
        self.reads_served.iter_mut().zip(&other.reads_served).for_each(|(mine, theirs)| *mine += theirs);
        self.accounting.add(&other.accounting);
        self.series = None;
    }
}

impl Measure {
    pub(crate) fn new(slug: &str, all: Option<Leaf>) -> Measure {
        Measure { info: find(slug).expect("a slug of the catalogue"), all, scopes: Vec::new() }
    }

    pub(crate) fn scope(mut self, kind: &'static str, values: Vec<(String, Leaf)>) -> Measure {
        self.scopes.push((kind, values));
        self
    }
}

impl Leaf {
    /// Number of samples, or of things counted.
    pub fn count(&self) -> u64 {
        match self {
            Leaf::Distribution(distribution) => distribution.count(),
            Leaf::TimeWeighted(_) => 0,
            Leaf::Count { count, .. } | Leaf::Rate { count, .. } => *count,
        }
    }

    /// Takes in the value of another run.
    pub fn merge(&mut self, other: &Leaf) {
        match (self, other) {
            (Leaf::Distribution(mine), Leaf::Distribution(theirs)) => mine.merge(theirs),
            (Leaf::TimeWeighted(mine), Leaf::TimeWeighted(theirs)) => mine.merge(theirs),
            (Leaf::Count { count, of }, Leaf::Count { count: more, of: of_more }) => {
                *count += more;
                *of = of.zip(*of_more).map(|(mine, theirs)| mine + theirs);
            }
            (Leaf::Rate { count, nanos }, Leaf::Rate { count: more, nanos: longer }) => {
                *count += more;
                *nanos += longer;
            }
            _ => unreachable!("one measure has one kind of value"),
        }
    }
}

impl Accounting {
    /// Whether everything adds up.
    pub fn holds(&self) -> bool {
        self.operations == self.ok + self.failed + self.unknown
            && self.committed == self.converged + self.unconverged + self.abandoned
            && self.messages_sent + self.messages_duplicated
                == self.messages_delivered + self.messages_lost + self.messages_in_flight
    }

    /// Names and values, in the order of the definition.
    pub fn entries(&self) -> [(&'static str, u64); 14] {
        [
            ("operations", self.operations),
            ("ok", self.ok),
            ("failed", self.failed),
            ("unknown", self.unknown),
            ("committed", self.committed),
            ("converged", self.converged),
            ("unconverged", self.unconverged),
            ("abandoned", self.abandoned),
            ("messages_sent", self.messages_sent),
            ("messages_duplicated", self.messages_duplicated),
            ("messages_delivered", self.messages_delivered),
            ("messages_lost", self.messages_lost),
            ("messages_in_flight", self.messages_in_flight),
            ("backlog_peak_writes", self.backlog_peak_writes),
        ]
    }

    fn add(&mut self, other: &Accounting) {
        self.operations += other.operations;
        self.ok += other.ok;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.committed += other.committed;
        self.converged += other.converged;
        self.unconverged += other.unconverged;
        self.abandoned += other.abandoned;
        self.messages_sent += other.messages_sent;
        self.messages_duplicated += other.messages_duplicated;
        self.messages_delivered += other.messages_delivered;
        self.messages_lost += other.messages_lost;
        self.messages_in_flight += other.messages_in_flight;
        self.backlog_peak_writes = self.backlog_peak_writes.max(other.backlog_peak_writes);
    }
}
