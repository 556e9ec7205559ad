//! Everything that was seen of a run, for answers that no measure gives alone.

use std::collections::BTreeMap;

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

    /// Of each write committed before `until_ms`, in order: when it was committed, and when `member` showed it.
    pub(crate) fn shown_of_those_before(&self, until_ms: f64, member: Member) -> Vec<(f64, f64)> {
        let mut committed: BTreeMap<Write, f64> = BTreeMap::new();
        let mut shown = Vec::new();
        for (at, what) in &self.0 {
            let at_ms = at.nanos() as f64 / 1e6;
            match *what {
                Observation::Committed { write, .. } if at_ms < until_ms => {
                    committed.insert(write, at_ms);
                }
                Observation::Applied { member: by, stored, .. } if by == member => {
                    shown.extend(committed.get(&stored.write).map(|committed_at| (*committed_at, at_ms)));
                }
                _ => {}
            }
        }
        shown
    }
}
