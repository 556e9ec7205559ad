//! A running fingerprint of everything that happened, so that two runs can be compared by 32 hexadecimal digits.
//!
//! It absorbs numbers and [`Label`]s. A label is the hash of a *name* (of a node, of a kind of event), never an enum
//! discriminant or an array position: adding a variant or reordering a list leaves the digests of old runs alone.
//! The mixing is a folded 64×64→128-bit multiply (as in wyhash) in two lanes; it guards against accidents, not
//! against an adversary.

use std::fmt;

/// The stable hash of a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Label(u64);

impl Label {
    /// The label of `name`. Can be evaluated at compile time.
    pub const fn of(name: &str) -> Label {
        // FNV-1a, then a final mix: names are short and few, what counts is that the value never changes.
        let bytes = name.as_bytes();
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            i += 1;
        }
        Label(fold(hash ^ LANE_A, LANE_B))
    }

    /// The label of this name within that of `outer`: of a message kind on a link, of an attempt of an operation.
    pub const fn within(self, outer: Label) -> Label {
        Label(fold(outer.0 ^ LANE_A, self.0 ^ LANE_C))
    }

    /// The label as a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A name known when the program is compiled, with its label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name {
    /// The name.
    pub text: &'static str,
    /// Its label.
    pub label: Label,
}

impl Name {
    /// This text as a name.
    pub const fn of(text: &'static str) -> Name {
        Name { text, label: Label::of(text) }
    }
}

/// A fingerprint of a sequence of numbers. Equal sequences have equal digests, on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest {
    a: u64,
    b: u64,
}

// Digits of pi: nothing up the sleeve.
const LANE_A: u64 = 0x243f_6a88_85a3_08d3;
const LANE_B: u64 = 0x1319_8a2e_0370_7345;
const LANE_C: u64 = 0xa409_3822_299f_31d1;

const fn fold(x: u64, y: u64) -> u64 {
    let product = x as u128 * y as u128;
    (product >> 64) as u64 ^ product as u64
}

impl Default for Digest {
    fn default() -> Self {
        Digest { a: LANE_A, b: LANE_B }
    }
}

impl Digest {
    /// The digest of nothing.
    pub fn new() -> Digest {
        Digest::default()
    }

    /// Takes one number in.
    #[inline]
    pub fn absorb(&mut self, word: u64) {
        // The rotation keeps a lane from sticking when a product happens to be zero.
        self.a = fold(self.a ^ word, LANE_C).wrapping_add(self.b.rotate_left(23));
        self.b = fold(self.b ^ word.rotate_left(32), LANE_B ^ LANE_C).wrapping_add(LANE_A);
    }

    /// Takes one label in.
    #[inline]
    pub fn absorb_label(&mut self, label: Label) {
        self.absorb(label.0);
    }

    /// The digest as a number.
    pub fn value(self) -> u128 {
        let mut end = self;
        end.absorb(0);
        u128::from(end.a) << 64 | u128::from(end.b)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(words: &[u64]) -> u128 {
        let mut digest = Digest::new();
        words.iter().for_each(|word| digest.absorb(*word));
        digest.value()
    }

    #[test]
    fn digests_are_the_same_on_every_machine() {
        assert_eq!(Label::of("primary-backup").get(), GOLDEN_LABEL);
        assert_eq!(digest(&[1, 2, 3]), GOLDEN_DIGEST);
    }

    const GOLDEN_LABEL: u64 = 10955081319594473831;
    const GOLDEN_DIGEST: u128 = 179518554480375159510124682783532952880;

    #[test]
    fn order_number_and_value_all_count() {
        let all: Vec<u128> = [&[][..], &[0], &[0, 0], &[1], &[1, 2], &[2, 1], &[1, 2, 0]]
            .iter()
            .map(|words| digest(words))
            .collect();
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a != b), "sequence {i} collides");
        }
    }

    #[test]
    fn one_flipped_bit_flips_about_half_of_the_digest() {
        for bit in 0..64 {
            let distance = (digest(&[7, 1 << bit, 9]) ^ digest(&[7, 0, 9])).count_ones();
            assert!((30..=98).contains(&distance), "bit {bit}: {distance} of 128 bits differ");
        }
    }
}
