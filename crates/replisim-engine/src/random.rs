//! Streams of randomness found by name.
//!
//! The idea: every draw is a pure function of (seed, name of the stream, index of the draw). A stream's name says what
//! it is for (`workload/readers/arrivals`, the link `p → r1`), never a position in a list, so that adding a node or
//! flipping a switch leaves all other streams' draws as they were: two settings can be compared on the same luck.
//!
//! Two generators, both published: ChaCha8 for the few named streams, and Philox2x64-10 (Salmon et al., SC 2011) for
//! links, of which there may be a million: its whole state is a counter.

use std::convert::Infallible;

use rand::rand_core::TryRng;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::digest::Label;

/// The source of all streams of one run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

/// A named stream: ChaCha8 on a stream number of its own.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

/// A stream of *draws*, each with as many numbers as it wants: draw `i` never depends on what draw `i − 1` took.
#[derive(Clone, Debug)]
pub struct LinkStream {
    key: u64,
}

/// The numbers of one draw of a [`LinkStream`].
#[derive(Debug)]
pub struct LinkDraw {
    key: u64,
    index: u64,
    block: u64,
    spare: Option<u64>,
}

impl Streams {
    /// All streams of `seed`.
    pub fn new(seed: u64) -> Streams {
        Streams { seed }
    }

    /// The stream called `name`, from its start.
    pub fn named(&self, name: &str) -> Stream {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(Label::of(name).get());
        Stream(generator)
    }

    /// The link stream with this label.
    pub fn link(&self, label: Label) -> LinkStream {
        LinkStream { key: philox2x64([label.get(), self.seed], 0x7265_706c_6973_696d)[0] }
    }
}

impl LinkStream {
    /// The numbers of draw `index` among the draws of one `kind` of message.
    #[inline]
    pub fn draw(&self, kind: Label, index: u64) -> LinkDraw {
        LinkDraw { key: self.key ^ kind.get(), index, block: 0, spare: None }
    }
}

/// A uniform number strictly between 0 and 1, on a grid of 2^-53 shifted by half a step: its logarithm always exists.
#[inline]
pub fn open_unit(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// A whole number below `n`, unbiased up to 2^-64 (one multiplication, no rejection: one draw each).
#[inline]
pub fn below(rng: &mut impl Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

// `Rng` of rand is implemented for every infallible `TryRng`.
impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl TryRng for LinkDraw {
    type Error = Infallible;
    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        if let Some(word) = self.spare.take() {
            return Ok(word);
        }
        let [first, second] = philox2x64([self.index, self.block], self.key);
        self.block += 1;
        self.spare = Some(second);
        Ok(first)
    }
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Philox2x64 with ten rounds: a keyed bijection of 128 bits.
#[inline]
fn philox2x64(counter: [u64; 2], key: u64) -> [u64; 2] {
    const MULTIPLIER: u64 = 0xd2b7_4407_b1ce_6e93;
    const WEYL: u64 = 0x9e37_79b9_7f4a_7c15;
    let [mut x, mut y] = counter;
    let mut key = key;
    for _ in 0..10 {
        let product = u128::from(MULTIPLIER) * u128::from(x);
        (x, y) = ((product >> 64) as u64 ^ key ^ y, product as u64);
        key = key.wrapping_add(WEYL);
    }
    [x, y]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_matches_the_published_vectors() {
        // kat_vectors of Random123 1.09, philox2x64 10.
        for (counter, key, out) in [
            ([0, 0], 0, [0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5]),
            ([u64::MAX, u64::MAX], u64::MAX, [0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20]),
            (
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344],
                0xa409_3822_299f_31d0,
                [0x0a5e_742c_2997_341c, 0xb0f8_83d3_8000_de5d],
            ),
        ] {
            assert_eq!(philox2x64(counter, key), out);
        }
    }

    #[test]
    fn a_named_stream_does_not_depend_on_others() {
        let streams = Streams::new(42);
        let alone = streams.named("b").next_u64();
        let mut a = streams.named("a");
        for _ in 0..10 {
            a.next_u64();
        }
        assert_eq!(streams.named("b").next_u64(), alone);
        assert_ne!(streams.named("c").next_u64(), alone);
        assert_ne!(Streams::new(43).named("b").next_u64(), alone);
    }

    #[test]
    fn draw_i_of_a_link_does_not_depend_on_how_much_draw_i_minus_one_took() {
        let link = Streams::new(7).link(Label::of("p → r1"));
        let kind = Label::of("replicate");
        let mut greedy = link.draw(kind, 4);
        let taken: Vec<u64> = (0..9).map(|_| greedy.next_u64()).collect();
        assert_eq!(link.draw(kind, 4).next_u64(), taken[0]);
        assert!(!taken.contains(&link.draw(kind, 5).next_u64()));
    }
}
