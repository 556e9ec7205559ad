//! Numbers of the replicas in order, so that "the k-th best" is a look and a change moves one number a few places.

/// One number a replica, ascending.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Ranks(Vec<u64>);

impl Ranks {
    /// `count` zeros.
    pub(super) fn zeros(count: usize) -> Ranks {
        Ranks(vec![0; count])
    }

    /// One of the replicas that had `from` has `to` now.
    pub(super) fn change(&mut self, from: u64, to: u64) {
        let place = |number| self.0.partition_point(|other| *other < number);
        let (old, new) = (place(from), place(to));
        if old < new {
            self.0[old..new].rotate_left(1);
            self.0[new - 1] = to;
        } else {
            self.0[new..=old].rotate_right(1);
            self.0[new] = to;
        }
    }

    /// The `k`-th largest: so much, or more, have `k` of them. Without limit for `k` = 0.
    pub(super) fn kth(&self, k: u32) -> u64 {
        match k as usize {
            0 => u64::MAX,
            k => self.0.len().checked_sub(k).map_or(0, |i| self.0[i]),
        }
    }

    /// The smallest, if there is any.
    pub(super) fn least(&self) -> Option<u64> {
        self.0.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_stay_in_order_whatever_changes() {
        let mut ranks = Ranks::zeros(3);
        for (from, to, expected) in
            [(0, 5, [0, 0, 5]), (0, 9, [0, 5, 9]), (5, 7, [0, 7, 9]), (9, 1, [0, 1, 7]), (1, 1, [0, 1, 7])]
        {
            ranks.change(from, to);
            assert_eq!(ranks, Ranks(expected.to_vec()), "{from} to {to}");
        }
        assert_eq!([0, 1, 2, 3, 4].map(|k| ranks.kth(k)), [u64::MAX, 7, 1, 0, 0]);
    }
}
