//! The work: what happens on an event and what it schedules. It is the same code for every engine.
//!
//! Delays come from a table that is drawn once, so that sampling, which costs more than many a queue, does not hide
//! what is compared.

use std::sync::LazyLock;

use replisim_engine::{Duration, Law, Streams};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::measure::Size;

/// What can happen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Event {
    Hop { process: u32 },
    Write,
    Replicate { write: u32 },
    Ack { write: u32 },
}

/// State that events act on. `schedule` takes a delay in nanoseconds.
pub trait Work: Default + Send + Serialize + DeserializeOwned + 'static {
    fn start(&mut self, schedule: impl FnMut(u64, Event));
    fn handle(&mut self, event: Event, schedule: impl FnMut(u64, Event));
    /// Depends on the order of all events so far.
    fn sum(&self) -> u64;
}

/// A row of the table.
pub struct Load {
    pub name: &'static str,
    pub kind: Kind,
    pub size: Size,
    pub rounds: usize,
}

#[derive(Clone, Copy)]
pub enum Kind {
    Hold { pending: u32, delays: Delays },
    PingPong,
}

/// How long until the next event of a chain.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub enum Delays {
    /// Exponential, of mean 1 s.
    #[default]
    Exponential,
    /// Exponential: a timer of mean 1 s once in a thousand times, else a message of mean 10 µs.
    Bimodal,
    /// Always 1 ms: everything happens at the same instants.
    Bursts,
}

impl Load {
    pub fn all() -> Vec<Load> {
        let hold = |name, pending, delays, size, rounds| {
            let kind = Kind::Hold { pending, delays };
            Load { name, kind, size: Size { warm: u64::from(pending), timed: size }, rounds }
        };
        vec![
            hold("phold-1e2", 100, Delays::Exponential, 1_000_000, 7),
            hold("phold-1e4", 10_000, Delays::Exponential, 1_000_000, 7),
            hold("phold-1e6", 1_000_000, Delays::Exponential, 1_000_000, 3),
            Load {
                name: "ping-pong",
                kind: Kind::PingPong,
                size: Size { warm: 10_000, timed: 1_000_000 },
                rounds: 7,
            },
            hold("bimodal-1e4", 10_000, Delays::Bimodal, 1_000_000, 5),
            hold("bursts-1e4", 10_000, Delays::Bursts, 1_000_000, 5),
        ]
    }
}

/// PHOLD (Fujimoto 1990): every event schedules one more, at a random process after a random delay.
#[derive(Default, Serialize, Deserialize)]
pub struct Hold {
    pending: u32,
    delays: Delays,
    draws: Draws,
    processes: Vec<u64>,
    seen: u64,
}

impl Hold {
    pub fn new(pending: u32, delays: Delays) -> Hold {
        Hold { pending, delays, draws: Draws::default(), processes: vec![0; 1_000], seen: 0 }
    }

    #[inline]
    fn next(&mut self, mut schedule: impl FnMut(u64, Event)) {
        let draw = self.draws.next();
        let delay = match self.delays {
            Delays::Exponential => (draw * 1e9) as u64,
            Delays::Bimodal if self.seen.is_multiple_of(1_000) => (draw * 1e9) as u64,
            Delays::Bimodal => (draw * 1e4) as u64,
            Delays::Bursts => 1_000_000,
        };
        let process = (draw.to_bits() >> 8) as u32 % 1_000;
        schedule(delay, Event::Hop { process });
    }
}

impl Work for Hold {
    fn start(&mut self, mut schedule: impl FnMut(u64, Event)) {
        (0..self.pending).for_each(|_| self.next(&mut schedule));
    }

    #[inline]
    fn handle(&mut self, event: Event, schedule: impl FnMut(u64, Event)) {
        let Event::Hop { process } = event else { unreachable!("nothing else is scheduled") };
        self.seen += 1;
        self.processes[process as usize] += self.seen;
        self.next(schedule);
    }

    fn sum(&self) -> u64 {
        self.processes.iter().fold(0, |sum, seen| sum.wrapping_mul(31).wrapping_add(*seen))
    }
}

/// Poisson writes at 10 000 a second to a primary, which sends each to four replicas, over exponential delays of mean
/// 1 ms; each acknowledges, and the client has its answer after two: nine events a write.
#[derive(Default, Serialize, Deserialize)]
pub struct PingPong {
    draws: Draws,
    acks: Vec<u8>,
    written: u32,
    answered: u64,
}

impl PingPong {
    pub fn new() -> PingPong {
        PingPong { acks: vec![0; 1 << 12], ..PingPong::default() }
    }
}

impl Work for PingPong {
    fn start(&mut self, mut schedule: impl FnMut(u64, Event)) {
        schedule(0, Event::Write);
    }

    #[inline]
    fn handle(&mut self, event: Event, mut schedule: impl FnMut(u64, Event)) {
        match event {
            Event::Write => {
                let write = self.written;
                self.written += 1;
                self.acks[write as usize & 0xfff] = 0;
                for _ in 0..4 {
                    schedule((self.draws.next() * 1e6) as u64, Event::Replicate { write });
                }
                schedule((self.draws.next() * 1e5) as u64, Event::Write);
            }
            Event::Replicate { write } => schedule((self.draws.next() * 1e6) as u64, Event::Ack { write }),
            Event::Ack { write } => {
                let acks = &mut self.acks[write as usize & 0xfff];
                *acks += 1;
                if *acks == 2 {
                    self.answered = self.answered.wrapping_mul(31).wrapping_add(u64::from(write));
                }
            }
            Event::Hop { .. } => unreachable!("nothing of the kind is scheduled"),
        }
    }

    fn sum(&self) -> u64 {
        self.answered
    }
}

/// Numbers of an exponential law of mean 1, over and over.
#[derive(Default, Serialize, Deserialize)]
struct Draws {
    at: usize,
}

static TABLE: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let law = Law::Exponential { mean: Duration::from_nanos(1) }.sampler().expect("a law");
    let mut stream = Streams::new(1).named("delays");
    (0..1 << 14).map(|_| law.sample_nanos(&mut stream)).collect()
});

impl Draws {
    #[inline]
    fn next(&mut self) -> f64 {
        let draw = TABLE[self.at & 0x3fff];
        self.at += 1;
        draw
    }
}
