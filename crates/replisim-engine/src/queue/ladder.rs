//! A priority queue by (time, sequence) that does no more for an entry the more there are.
//!
//! The idea is that of the ladder queue (Tang, Goh and Thng, 2005): what is due soon is kept sorted, everything else
//! only roughly, in buckets that are put in order when their turn comes; and a bucket with too much in it is divided
//! into finer ones first. Here the buckets are fields of bits of the time, so that nothing has to be guessed about
//! delays, and an entry's bucket is found without a loop:
//!
//! - The *bottom* is a sorted list of all that is due by `bottom_last`.
//! - All else differs from `base`, a time at or before the bottom's, in some highest bit. Bits belong either to a
//!   *rung* of up to 1024 buckets of equal width, numbered by a field of the bits of the time, or they are *octaves*,
//!   each with one bucket that is as wide as all below it together. A time-out of a second so lies in an octave,
//!   untouched, while messages of microseconds come and go in the rungs below it.
//! - When the bottom is used up, the earliest bucket that holds anything takes its place. One with more than [`FEW`]
//!   entries becomes a rung of its own, as fine as it has entries. Equal times need no division, and are one bottom.
//! - When the bottom itself is [`CROWDED`], as it is while there is nothing else yet, it is divided the same way.
//!
//! Few entries lie in the bottom and in two or three octaves: a sorted list, with no structure to pay for.
//!
//! What it leaves out: removal, and any change of an entry.

use super::buckets::Buckets;

/// So many entries are sorted rather than divided.
const FEW: usize = 48;

/// A bottom of so many is divided.
const CROWDED: usize = 96;

/// A rung has at most 2 to the power of so many buckets.
const FINEST: u32 = 10;

/// Buckets of octaves come first.
const OCTAVES: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<T> {
    pub(super) time: u64,
    pub(super) sequence: u64,
    pub(super) content: T,
}

#[derive(Debug)]
pub(super) struct Ladder<T> {
    /// Sorted; what lies before `head` is gone.
    bottom: Vec<Entry<T>>,
    head: usize,
    /// What is due by then goes into the bottom.
    bottom_last: u64,
    /// The bottom is divided when it holds more.
    crowded: usize,
    /// All that is in buckets is due at this time or later.
    base: u64,
    /// The time of the last entry taken.
    now: u64,
    /// So many low bits of the time have no buckets: the bottom takes whatever differs from `base` in them only.
    width: u32,
    /// By the number of bits up to the highest one in which a time differs from `base`: where its bucket is.
    fields: [Field; 65],
    /// Coarse to fine.
    rungs: Vec<Rung>,
    buckets: Buckets<Entry<T>>,
}

/// Buckets numbered by some bits of the time, from `first` on.
#[derive(Clone, Copy, Debug)]
struct Field {
    first: u32,
    mask: u32,
    shift: u32,
}

/// 2^(top - shift) buckets, each 2^shift nanoseconds wide.
#[derive(Clone, Copy, Debug)]
struct Rung {
    shift: u32,
    top: u32,
    /// The word of the buckets' bits to look at first.
    word: usize,
}

/// The earliest bucket that holds anything: when it starts, and over how many bits of time it goes.
struct Found {
    bucket: usize,
    start: u64,
    width: u32,
}

impl<T: Copy> Ladder<T> {
    pub(super) fn new() -> Ladder<T> {
        let mut buckets = Buckets::new();
        buckets.extend_to(OCTAVES);
        let mut ladder = Ladder {
            bottom: Vec::with_capacity(4 * CROWDED),
            head: 0,
            bottom_last: u64::MAX,
            crowded: CROWDED,
            base: 0,
            now: 0,
            width: 64,
            fields: [Field { first: 0, mask: 0, shift: 0 }; 65],
            rungs: Vec::new(),
            buckets,
        };
        ladder.make_octaves(0, 64);
        ladder
    }

    // The parts of an entry come one by one: passed as one they would go through memory.
    #[inline]
    pub(super) fn push(&mut self, time: u64, sequence: u64, content: T) {
        if time <= self.bottom_last {
            self.insert(Entry { time, sequence, content });
        } else {
            let bucket = self.fields[bits(time ^ self.base) as usize].bucket(time);
            self.buckets.push(bucket, Entry { time, sequence, content });
        }
    }

    /// Takes the first entry, if it is due at or before `limit`.
    #[inline]
    pub(super) fn pop_until(&mut self, limit: u64) -> Option<Entry<T>> {
        loop {
            if let Some(entry) = self.bottom.get(self.head) {
                if entry.time > limit {
                    return None;
                }
                self.head += 1;
                self.now = entry.time;
                return Some(*entry);
            }
            if !self.refill(limit) {
                return None;
            }
        }
    }

    /// What comes next, as far as it lies in the bottom.
    #[inline]
    pub(super) fn upcoming(&self) -> [Option<T>; 2] {
        [0, 1].map(|ahead| self.bottom.get(self.head + ahead).map(|entry| entry.content))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let buckets = OCTAVES + (self.rungs.len() << FINEST);
        self.bottom.len() - self.head + (0..buckets).map(|bucket| self.buckets.len(bucket)).sum::<usize>()
    }

    /// Puts an entry in its place in the bottom.
    #[inline]
    fn insert(&mut self, entry: Entry<T>) {
        if self.bottom.len() == self.bottom.capacity() && self.head >= self.bottom.len() / 2 {
            self.bottom.drain(..self.head);
            self.head = 0;
        }
        let live = &self.bottom[self.head..];
        let at = live.partition_point(|other| other.turn() < entry.turn());
        self.bottom.insert(self.head + at, entry);
        if self.bottom.len() - self.head > self.crowded {
            self.divide_bottom();
        }
    }

    /// The bottom is used up: fills it with the entries of the earliest bucket. Returns whether there are any that may
    /// be due at or before `limit`.
    #[inline(never)]
    fn refill(&mut self, limit: u64) -> bool {
        self.bottom.clear();
        self.head = 0;
        self.crowded = CROWDED;
        while let Some(Found { bucket, start, width }) = self.find() {
            if start > limit {
                return false;
            }
            // From here on nothing is left before `start`.
            while self.rungs.last().is_some_and(|rung| rung.shift < width) {
                self.rungs.pop();
            }
            if let Some(rung) = self.rungs.last_mut().filter(|rung| rung.shift == width) {
                rung.word = bucket / 64;
            }
            self.base = start;
            if self.buckets.len(bucket) <= FEW {
                self.settle(bucket, width);
                return true;
            }
            let (mut least, mut most) = (u64::MAX, 0);
            self.buckets.look(bucket, |entries| {
                for entry in entries {
                    least = least.min(entry.time);
                    most = most.max(entry.time);
                }
            });
            if least == most {
                self.base = least;
                self.make_octaves(0, width);
                self.settle(bucket, 0);
                return true;
            }
            let top = bits(least ^ most);
            self.base = least & !low(top);
            self.width = width;
            let field = self.add_rung(top, self.buckets.len(bucket));
            // Nothing belongs to the bottom yet. From 0 on, either the rung's first bucket is empty or is next.
            self.bottom_last = self.base.checked_sub(1).unwrap_or(low(field.shift));
            self.buckets.distribute(bucket, |entry| field.bucket(entry.time));
        }
        // Whatever comes is the first again.
        self.rungs.clear();
        (self.base, self.bottom_last, self.width) = (0, u64::MAX, 64);
        self.make_octaves(0, 64);
        false
    }

    /// Makes the entries of a bucket that starts at `base` the bottom.
    fn settle(&mut self, bucket: usize, width: u32) {
        self.buckets.move_out(bucket, &mut self.bottom);
        if !self.bottom.is_sorted_by(|a, b| a.turn() <= b.turn()) {
            self.bottom.sort_unstable_by_key(Entry::turn);
        }
        self.width = width;
        self.bottom_last = self.base | low(width);
    }

    /// The bottom holds more than is well kept sorted: moves its later part into rungs.
    #[inline(never)]
    fn divide_bottom(&mut self) {
        // What was before that is over, and not worth being told apart.
        self.base = self.base.max(self.now);
        while let live = &self.bottom[self.head..]
            && live.len() > FEW
            && let Some(last) = live.last()
            && last.time > self.base
        {
            let top = bits(last.time ^ self.base);
            let field = self.add_rung(top, live.len());
            self.width = field.shift;
            self.bottom_last = self.base | low(self.width);
            let live = &self.bottom[self.head..];
            let keep = live.partition_point(|entry| entry.time <= self.bottom_last);
            for entry in &live[keep..] {
                self.buckets.push(field.bucket(entry.time), *entry);
            }
            self.bottom.truncate(self.head + keep);
        }
        self.crowded = CROWDED.max(2 * (self.bottom.len() - self.head));
    }

    /// The earliest bucket that holds anything.
    fn find(&self) -> Option<Found> {
        let octave = self.buckets.first_of(0..OCTAVES / 64);
        let width = octave.unwrap_or(OCTAVES) as u32;
        for (i, rung) in self.rungs.iter().enumerate().rev() {
            if width < rung.shift {
                break;
            }
            let first = first_bucket(i);
            let words = rung.word..(first + (1 << (rung.top - rung.shift))).div_ceil(64);
            if let Some(bucket) = self.buckets.first_of(words) {
                let start = self.base & !low(rung.top) | ((bucket - first) as u64) << rung.shift;
                return Some(Found { bucket, start, width: rung.shift });
            }
        }
        octave.map(|bucket| Found { bucket, start: (self.base >> width | 1) << width, width })
    }

    /// A rung for all times that differ from `base` in the lowest `top` bits only, where there are `count` entries now.
    /// Above it, up to the present width, come octaves.
    fn add_rung(&mut self, top: u32, count: usize) -> Field {
        let fineness = (count.ilog2() - 1).clamp(1, FINEST).min(top);
        let first = first_bucket(self.rungs.len());
        self.buckets.extend_to(first + (1 << FINEST));
        self.rungs.push(Rung { shift: top - fineness, top, word: first / 64 });
        let field = Field { first: first as u32, mask: low(fineness) as u32, shift: top - fineness };
        self.fields[..=top as usize].fill(field);
        self.make_octaves(top + 1, self.width);
        field
    }

    /// Makes octaves of these numbers of bits.
    fn make_octaves(&mut self, from: u32, to: u32) {
        for bits in from..=to {
            self.fields[bits as usize] = Field { first: bits.saturating_sub(1), mask: 0, shift: 0 };
        }
    }
}

impl<T> Entry<T> {
    /// When an entry's turn comes: earlier time first, then earlier sequence.
    #[inline]
    fn turn(&self) -> u128 {
        u128::from(self.time) << 64 | u128::from(self.sequence)
    }
}

impl Field {
    #[inline]
    fn bucket(self, time: u64) -> usize {
        (self.first + ((time >> self.shift) as u32 & self.mask)) as usize
    }
}

/// Where the buckets of a rung begin.
fn first_bucket(rung: usize) -> usize {
    OCTAVES + (rung << FINEST)
}

/// The number of bits up to the highest one that is set.
#[inline]
fn bits(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// The lowest bits set.
#[inline]
fn low(bits: u32) -> u64 {
    if bits == 64 { u64::MAX } else { (1 << bits) - 1 }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::*;

    /// How far ahead the next entry is due.
    #[derive(Clone, Copy, Debug)]
    enum Schedule {
        /// Up to so many bits of nanoseconds.
        Spread(u32),
        /// Mostly microseconds, rarely seconds.
        Bimodal,
        /// Whole milliseconds: many at each instant.
        Bursts,
        /// At once.
        Now,
        /// Each later than all before.
        Later,
        /// Each earlier than all before, as far as time allows.
        Earlier,
        /// Just before and just after a power of two.
        Edges,
        /// The last instants there are.
        End,
    }

    use Schedule::*;

    fn due(schedule: Schedule, now: u64, count: u64, luck: u64) -> u64 {
        let at = match schedule {
            Spread(bits) => now.saturating_add(luck & low(bits)),
            Bimodal if luck.is_multiple_of(50) => now.saturating_add(luck >> 34),
            Bimodal => now.saturating_add(luck >> 50),
            Bursts => (now / 1_000_000).saturating_add(luck % 3).saturating_mul(1_000_000),
            Now => now,
            Later => now.saturating_add(count * 1_000),
            Earlier => (1u64 << 40).saturating_sub(count * 1_000),
            Edges => (1u64 << (luck % 64)).wrapping_add((luck >> 8) % 3).wrapping_sub(1),
            End => u64::MAX - luck % 200,
        };
        at.max(now)
    }

    fn schedule() -> impl Strategy<Value = Schedule> {
        prop_oneof![
            (0u32..=63).prop_map(Spread),
            Just(Bimodal),
            Just(Bursts),
            Just(Now),
            Just(Later),
            Just(Earlier),
            Just(Edges),
            Just(End),
        ]
    }

    /// Does the same to a ladder and to the standard heap. `look` asks for what is due long before anything may be.
    fn compare(phases: &[(Schedule, u32, u32, bool)], seed: u64) {
        let mut ladder = Ladder::new();
        let mut heap = BinaryHeap::new();
        let (mut now, mut sequence, mut luck) = (0, 0, seed);
        let pop = |ladder: &mut Ladder<u64>, heap: &mut BinaryHeap<Reverse<(u64, u64)>>, limit| {
            let expected = heap.peek().filter(|Reverse((at, _))| *at <= limit).copied();
            if expected.is_some() {
                heap.pop();
            }
            let popped = ladder.pop_until(limit);
            assert_eq!(popped.map(|entry| (entry.time, entry.sequence)), expected.map(|Reverse(turn)| turn));
            assert!(popped.is_none_or(|entry| entry.content == entry.sequence));
            popped.map(|entry| entry.time)
        };
        for &(schedule, pushes, pops, look) in phases {
            for i in 0..pushes.max(pops) {
                luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let luck = luck ^ luck >> 31;
                if i < pushes {
                    let at = due(schedule, now, u64::from(i), luck);
                    // Some come with an older sequence number than others, as timers do.
                    let number = if luck.is_multiple_of(7) { sequence } else { sequence + 1_000_000 };
                    ladder.push(at, number, number);
                    heap.push(Reverse((at, number)));
                    sequence += 1;
                }
                if look {
                    now = pop(&mut ladder, &mut heap, now.saturating_add(luck >> 40)).unwrap_or(now);
                } else if i < pops {
                    now = pop(&mut ladder, &mut heap, u64::MAX).unwrap_or(now);
                }
            }
        }
        while pop(&mut ladder, &mut heap, u64::MAX).is_some() {}
        assert_eq!(ladder.len(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn the_order_is_that_of_a_heap(
            phases in prop::collection::vec((schedule(), 0u32..400, 0u32..400, any::<bool>()), 1..8),
            seed: u64,
        ) {
            compare(&phases, seed);
        }
    }

    #[test]
    fn many_entries_go_through_every_depth_in_order() {
        for schedule in
            [Spread(63), Spread(40), Spread(20), Spread(9), Bimodal, Bursts, Now, Later, Earlier, Edges, End]
        {
            compare(
                &[
                    (schedule, 50_000, 0, false),
                    (schedule, 50_000, 50_000, false),
                    (schedule, 0, 20_000, true),
                ],
                1,
            );
        }
    }
}
