//! Who has accepted writes that are not committed yet, where no single member could know when they are.
//!
//! A quorum write is committed when enough members have it, at whatever moment its coordinator hears of that. The
//! members tell the stage, which counts.

use std::collections::BTreeMap;

use replisim_observe::{Member, Write};
use replisim_protocols::CommitRule;

/// Votes on writes that are short of some. A write that never gets them stays: it may be committed at any later time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ballots {
    open: BTreeMap<Write, Vec<(Member, CommitRule)>>,
}

impl Ballots {
    /// `member` has accepted `write`, perhaps not for the first time; returns whether that commits it.
    pub(crate) fn vote(&mut self, write: Write, member: Member, rule: CommitRule) -> bool {
        if rule.needed <= 1 && rule.classes <= 1 {
            return true;
        }
        let votes = self.open.entry(write).or_default();
        if votes.iter().all(|(other, _)| *other != member) {
            votes.push((member, rule));
        }
        let decides = |(i, (_, rule)): (usize, &(Member, CommitRule))| {
            let of_class = |votes: &[(Member, CommitRule)]| {
                votes.iter().filter(|(_, other)| other.class == rule.class).count() as u32
            };
            of_class(&votes[..i]) == 0 && of_class(votes) >= rule.needed
        };
        let decided = votes.iter().enumerate().filter(|vote| decides(*vote)).count() as u32;
        let committed = decided >= rule.classes;
        if committed {
            self.open.remove(&write);
        }
        committed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_committed_by_the_last_vote_that_it_needs() {
        let vote = |class, needed, classes| CommitRule { class, needed, classes };
        let cases: [(&str, &[CommitRule], &[bool]); 4] = [
            ("one of any", &[vote(0, 1, 1)], &[true]),
            ("two of three", &[vote(0, 2, 1); 2], &[false, true]),
            (
                "two in each of two regions",
                &[vote(0, 2, 2), vote(1, 2, 2), vote(0, 2, 2), vote(1, 2, 2)],
                &[false, false, false, true],
            ),
            (
                "one in each, of which one alone is not enough",
                &[vote(1, 1, 2), vote(1, 1, 2), vote(0, 1, 2)],
                &[false, false, true],
            ),
        ];
        for (name, votes, committed) in cases {
            let mut ballots = Ballots::default();
            let seen: Vec<bool> = (0..)
                .zip(votes)
                .map(|(member, rule)| ballots.vote(Write(7), Member(member), *rule))
                .collect();
            assert_eq!(seen, committed, "{name}");
            assert!(ballots.open.is_empty());
        }
    }
}
