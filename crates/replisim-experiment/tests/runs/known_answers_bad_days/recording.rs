//! Everything that was seen of a run, for answers that no measure gives alone.

use std::collections::BTreeSet;

use replisim_experiment::run::observe;
use replisim_observe::{Group, Member, Observation, Observer, Time, Write};

use crate::support::load;

/// All observations in order.
#[derive(Default)]
pub(crate) struct Recording(Vec<(Time, Observation)>);

impl Observer for Recording {
    fn observe(&mut self, at: Time, _: Group, what: Observation) {
        self.0.push((at, what));
    }
}

impl Recording {
    #[track_caller]
    pub(crate) fn of(yaml: &str, seed: u64) -> Recording {
        observe(&load(yaml), seed, Recording::default(), &()).expect("a scenario that runs").0
    }

    /// When `member` showed the writes committed before `until_ms`, in order.
    pub(crate) fn shown_of_those_before(&self, until_ms: f64, member: Member) -> Vec<f64> {
        let mut committed: BTreeSet<Write> = BTreeSet::new();
        let mut shown = Vec::new();
        for (at, what) in &self.0 {
            let at_ms = at.nanos() as f64 / 1e6;
            match *what {
                Observation::Committed { write, .. } if at_ms < until_ms => {
                    committed.insert(write);
                }
                Observation::Applied { member: by, stored, .. }
                    if by == member && committed.contains(&stored.write) =>
                {
                    shown.push(at_ms);
                }
                _ => {}
            }
        }
        shown
    }

    /// When `member` last accepted a write, in milliseconds.
    pub(crate) fn last_accepted_by(&self, member: Member) -> Option<f64> {
        let is_its_own = |what: &Observation| matches!(what, Observation::Committed { accepted_by, .. } if *accepted_by == member);
        let last = self.0.iter().rev().find(|(_, what)| is_its_own(what));
        last.map(|(at, _)| at.nanos() as f64 / 1e6)
    }
}
