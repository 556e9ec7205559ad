//! Many first-in-first-out buckets that share one memory.
//!
//! The idea: a bucket is a chain of chunks of [`CHUNK`] entries out of one arena. What one bucket gives back the next
//! one takes, still warm in the cache; the arena grows to the most that was ever pending and no further, and in a
//! steady state nothing is allocated. A bit for each bucket says whether it holds anything, so that the next one that
//! does is found 64 at a time.
//!
//! What it leaves out: any order. A bucket is emptied at once, by whoever knows what it is for.

/// Entries of a chunk.
const CHUNK: usize = 16;

/// No chunk.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Buckets<T> {
    chains: Vec<Chain>,
    /// A bit for each bucket: whether it holds anything.
    occupied: Vec<u64>,
    /// All chunks, one after the other.
    arena: Vec<T>,
    /// For each chunk the next of its chain, or of the free ones.
    next: Vec<u32>,
    free: u32,
}

/// The chunks of a bucket: all are full but the last.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE, len: 0 };

impl<T: Copy> Buckets<T> {
    pub(super) fn new() -> Buckets<T> {
        Buckets { chains: Vec::new(), occupied: Vec::new(), arena: Vec::new(), next: Vec::new(), free: NONE }
    }

    /// Sees to it that there are at least `count` buckets, a multiple of 64.
    pub(super) fn extend_to(&mut self, count: usize) {
        if self.chains.len() < count {
            self.chains.resize(count, EMPTY);
            self.occupied.resize(count / 64, 0);
        }
    }

    #[inline]
    pub(super) fn push(&mut self, bucket: usize, entry: T) {
        let chain = &mut self.chains[bucket];
        let within = chain.len as usize % CHUNK;
        if within == 0 {
            return self.push_to_new_chunk(bucket, entry);
        }
        chain.len += 1;
        self.arena[chain.last as usize * CHUNK + within] = entry;
    }

    #[inline(never)]
    fn push_to_new_chunk(&mut self, bucket: usize, entry: T) {
        let chunk = if self.free == NONE {
            let chunk = self.next.len() as u32;
            assert!(chunk < NONE, "fewer than 2^36 events are pending");
            self.next.push(NONE);
            self.arena.resize(self.arena.len() + CHUNK, entry);
            chunk
        } else {
            let chunk = self.free;
            self.free = self.next[chunk as usize];
            chunk
        };
        self.arena[chunk as usize * CHUNK] = entry;
        let chain = &mut self.chains[bucket];
        if chain.len == 0 {
            chain.first = chunk;
            self.occupied[bucket / 64] |= 1 << (bucket % 64);
        } else {
            self.next[chain.last as usize] = chunk;
        }
        chain.last = chunk;
        chain.len += 1;
    }

    #[inline]
    pub(super) fn len(&self, bucket: usize) -> usize {
        self.chains[bucket].len as usize
    }

    /// The first bucket that holds anything, of those of the words `words` of 64 buckets each.
    #[inline]
    pub(super) fn first_of(&self, mut words: std::ops::Range<usize>) -> Option<usize> {
        words.find_map(|word| {
            let bits = self.occupied[word];
            (bits != 0).then(|| word * 64 + bits.trailing_zeros() as usize)
        })
    }

    /// Calls `see` with all that a bucket holds, piece by piece, in order.
    pub(super) fn look(&self, bucket: usize, mut see: impl FnMut(&[T])) {
        let Chain { first: mut chunk, len, .. } = self.chains[bucket];
        let mut left = len as usize;
        while left > 0 {
            let count = left.min(CHUNK);
            let at = chunk as usize * CHUNK;
            see(&self.arena[at..at + count]);
            left -= count;
            chunk = self.next[chunk as usize];
        }
    }

    /// Empties a bucket to the end of `out`.
    pub(super) fn move_out(&mut self, bucket: usize, out: &mut Vec<T>) {
        self.look(bucket, |entries| out.extend_from_slice(entries));
        let Chain { first, last, len } = std::mem::replace(&mut self.chains[bucket], EMPTY);
        self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        if len > 0 {
            self.next[last as usize] = self.free;
            self.free = first;
        }
    }

    /// Empties a bucket into those that `to` names.
    pub(super) fn distribute(&mut self, bucket: usize, to: impl Fn(&T) -> usize) {
        let Chain { first: mut chunk, len, .. } = std::mem::replace(&mut self.chains[bucket], EMPTY);
        self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        let mut left = len as usize;
        while left > 0 {
            let count = left.min(CHUNK);
            let at = chunk as usize * CHUNK;
            for i in at..at + count {
                let entry = self.arena[i];
                self.push(to(&entry), entry);
            }
            left -= count;
            let next = self.next[chunk as usize];
            self.next[chunk as usize] = self.free;
            self.free = chunk;
            chunk = next;
        }
    }
}
