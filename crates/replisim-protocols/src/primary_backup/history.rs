//! Where each term begins in a log (PostgreSQL: the history of timelines).
//!
//! A term has one primary, and that primary alone writes entries of the term. So two logs agree wherever their
//! histories do, and the last position that they have in common follows from the histories without a look at entries.

use std::sync::Arc;

/// The terms of a log, each with the position of its first entry, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct History(Arc<[Begin]>);

/// The beginning of a term.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Begin {
    term: u32,
    first: u64,
}

impl History {
    /// What everybody knows at the beginning of time.
    pub(super) fn first_term() -> History {
        History(Arc::new([Begin { term: 1, first: 1 }]))
    }

    /// From `first` on, entries are of `term`.
    pub(super) fn begin(&mut self, term: u32, first: u64) {
        let before = self.0.iter().copied().filter(|begin| begin.first < first);
        self.0 = before.chain([Begin { term, first }]).collect();
    }

    /// The term of the entry at `position`; 0 before the first.
    pub(super) fn term_at(&self, position: u64) -> u32 {
        self.0.iter().rev().find(|begin| begin.first <= position).map_or(0, |begin| begin.term)
    }

    /// The latest term of which a log that ends at `end` has all that went before.
    pub(super) fn reached(&self, end: u64) -> u32 {
        self.term_at(end + 1)
    }

    /// The last position at which a log of this history that ends at `end` agrees with one of `other`.
    pub(super) fn common(&self, other: &History, end: u64) -> u64 {
        let shared = self.0.iter().zip(other.0.iter()).take_while(|(a, b)| a == b).count();
        let part = [self, other].into_iter().filter_map(|history| history.0.get(shared));
        part.map(|begin| begin.first - 1).min().unwrap_or(end).min(end)
    }

    /// Bytes on the wire.
    pub(super) fn bytes(&self) -> u64 {
        10 * self.0.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(begins: &[(u32, u64)]) -> History {
        History(begins.iter().map(|&(term, first)| Begin { term, first }).collect())
    }

    #[test]
    fn two_logs_agree_up_to_where_their_histories_part() {
        for (mine, end, theirs, expected) in [
            (vec![], 0, vec![(1, 1)], 0),                           // nothing yet
            (vec![(1, 1)], 10, vec![(1, 1)], 10),                   // the same term
            (vec![(1, 1)], 10, vec![(1, 1), (4, 6)], 5), // five entries never reached the new primary
            (vec![(1, 1)], 3, vec![(1, 1), (4, 6)], 3),  // behind, and nothing wrong with it
            (vec![(1, 1), (2, 6)], 7, vec![(1, 1), (3, 6)], 5), // two primaries from the same position
            (vec![(1, 1), (2, 6)], 9, vec![(1, 1), (3, 9)], 5), // the other has never heard of term 2
            (vec![(1, 1), (4, 900)], 5, vec![(1, 1), (7, 950)], 5), // told of more than it has
            (vec![(1, 1), (2, 4)], 9, vec![(1, 1), (2, 4), (5, 8)], 7),
        ] {
            assert_eq!(
                history(&mine).common(&history(&theirs), end),
                expected,
                "{mine:?} to {end}, {theirs:?}"
            );
        }
    }

    #[test]
    fn a_new_term_takes_the_place_of_terms_without_entries() {
        let mut terms = history(&[(1, 1), (2, 6)]);
        terms.begin(3, 6);
        assert_eq!(terms, history(&[(1, 1), (3, 6)]));
        assert_eq!([0, 5, 6, 7].map(|position| terms.term_at(position)), [0, 1, 3, 3]);
        assert_eq!([4, 5].map(|end| terms.reached(end)), [1, 3]);
    }
}
