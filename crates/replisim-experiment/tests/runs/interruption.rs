//! Whoever says stop is heard soon, and nothing new begins after that.

use std::sync::Mutex;

use crate::support::load;
use replisim_experiment::{Progress, RunError, run};

/// Says stop once `seed` is heard of for the `asks`-th time; remembers which seeds it heard of, and how often.
struct Stop {
    seed: u64,
    asks: usize,
    heard: Mutex<Vec<u64>>,
}

impl Progress for Stop {
    fn advance(&self, seed: u64, _: f64) -> bool {
        let mut heard = self.heard.lock().unwrap();
        heard.push(seed);
        heard.iter().filter(|other| **other == self.seed).count() < self.asks
    }
}

fn scenario(duration: &str) -> String {
    format!(
        "duration: {duration}\ntopology: {{ nodes: {{ p: a, r: b }}, rtts: [{{ between: [a, b], rtt: 40ms }}] }}\n\
         protocol: primary-backup\nworkload:\n  - {{ name: w, at: a, arrivals: {{ poisson: 500/s }}, reads: 50% }}\n"
    )
}

/// Runs until the stop; returns the seeds that were finished and those that were heard of.
fn stopped(duration: &str, threads: usize, seed: u64, asks: usize) -> (Vec<u64>, Vec<u64>) {
    let stop = Stop { seed, asks, heard: Mutex::default() };
    let seeds: Vec<u64> = (1..=9).collect();
    let result = run(&load(&scenario(duration)), &seeds, threads, &stop);
    let Err(RunError::Interrupted(study)) = result else { panic!("it was told to stop") };
    let finished = study.map_or(Vec::new(), |study| study.runs.iter().map(|run| run.seed).collect());
    let mut heard = stop.heard.into_inner().unwrap();
    heard.sort();
    heard.dedup();
    (finished, heard)
}

#[test]
fn a_run_that_would_take_years_stops_soon_and_no_other_seed_starts() {
    // A step of the progress bar is 500 simulated hours here; this test ends because it is asked within the first.
    for asks in [1, 3] {
        assert_eq!(stopped("100000h", 1, 1, asks), (vec![], vec![1]), "{asks} asks");
    }
}

#[test]
fn seeds_that_were_finished_before_the_stop_are_kept() {
    assert_eq!(stopped("100ms", 1, 4, 1), (vec![1, 2, 3], vec![1, 2, 3, 4]));
    assert_eq!(stopped("100ms", 1, 1, 1), (vec![], vec![1]));
    let (finished, heard) = stopped("100ms", 2, 4, 1);
    // Besides the fourth, the other thread may be in the middle of a seed.
    let cut_short = heard.len() - finished.len();
    assert!(!finished.contains(&4) && (1..=2).contains(&cut_short), "{finished:?} of {heard:?}");
}
