//! Runs a scenario: each seed by itself, on as many threads as asked for; the result does not depend on how many.

use replisim_cluster::World;
use replisim_engine::{Digest, Time};
use replisim_measure::{Findings, Measures};
use replisim_observe::{Member, Observer};
use replisim_protocols::Protocol;
use replisim_scenario::{Loaded, ProtocolSettings, build};

use crate::in_order::in_order;
use crate::study::{Gathering, Study};

/// What came of one seed.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The seed.
    pub seed: u64,
    /// The fingerprint of the whole run.
    pub digest: Digest,
    /// What was measured.
    pub findings: Findings,
    /// How many events happened.
    pub events: u64,
    /// When the run ended: the moment of quiet, or the end of settle.
    pub ended: Time,
    /// The member that takes all writes at first, if the protocol has one.
    pub primary: Option<Member>,
    /// Orders of operators that came to nothing, because the node was down or the protocol cannot obey.
    pub ignored_orders: u32,
}

/// Why there is no result.
#[derive(Debug)]
pub enum RunError {
    /// The scenario asks for what its protocol does not have; a sentence.
    Impossible(String),
    /// [`Progress`] said stop. What had been finished by then, if anything.
    Interrupted(Option<Box<Study>>),
}

/// Hears how far runs have come, and may stop them.
pub trait Progress: Sync {
    /// A seed has come to `share` of its way, from 0 to 1. Returns whether to go on.
    fn advance(&self, seed: u64, share: f64) -> bool;
}

/// Nobody watches.
impl Progress for () {
    fn advance(&self, _: u64, _: f64) -> bool {
        true
    }
}

/// Runs `seeds` on `threads` threads.
pub fn run(
    loaded: &Loaded,
    seeds: &[u64],
    threads: usize,
    progress: &dyn Progress,
) -> Result<Study, RunError> {
    let mut gathering = Gathering::default();
    let one = |i: usize| run_seed(loaded, seeds[i], progress);
    let done = in_order(seeds.len(), threads, one, |run| gathering.add(loaded, run));
    match (done, gathering.finish(loaded)) {
        (Ok(()), Some(study)) => Ok(study),
        (Ok(()), None) => Err(RunError::Impossible("no seeds to run".to_owned())),
        (Err(RunError::Interrupted(_)), finished) => Err(RunError::Interrupted(finished.map(Box::new))),
        (Err(error), _) => Err(error),
    }
}

/// Runs one seed and measures it.
pub fn run_seed(loaded: &Loaded, seed: u64, progress: &dyn Progress) -> Result<RunResult, RunError> {
    let scenario = &loaded.scenario;
    let measures = Measures::new(scenario.roster(), scenario.window());
    let (measures, end) = observe(loaded, seed, measures, progress)?;
    let End { digest, events, ended, primary, ignored_orders } = end;
    Ok(RunResult { seed, digest, findings: measures.finish(), events, ended, primary, ignored_orders })
}

/// What is known of a run besides what an observer saw.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The fingerprint.
    pub digest: Digest,
    /// How many events happened.
    pub events: u64,
    /// When it ended.
    pub ended: Time,
    /// The member that takes all writes at first.
    pub primary: Option<Member>,
    /// Orders of operators that came to nothing.
    pub ignored_orders: u32,
}

/// Makes one arm per protocol out of their table.
macro_rules! dispatch {
    ($(($name:literal, $variant:ident, $protocol:ty),)*) => {
        /// Runs one seed in front of any observer.
        pub fn observe<O: Observer>(
            loaded: &Loaded,
            seed: u64,
            observer: O,
            progress: &dyn Progress,
        ) -> Result<(O, End), RunError> {
            match &loaded.scenario.protocol {
                $(ProtocolSettings::$variant(config) => drive::<$protocol, O>(loaded, seed, config, observer, progress),)*
            }
        }
    };
}

replisim_protocols::for_each_protocol!(dispatch);

/// How often progress is reported …
const REPORTS: u64 = 200;
/// … and after how many events at the latest.
const MOST_UNASKED: u64 = 100_000;

fn drive<P: Protocol, O: Observer>(
    loaded: &Loaded,
    seed: u64,
    config: &P::Config,
    observer: O,
    progress: &dyn Progress,
) -> Result<(O, End), RunError> {
    let (setup, streams) = build::setup(loaded, seed).map_err(RunError::Impossible)?;
    let stop = setup.window.to;
    let mut world =
        World::<P, O>::new(setup, config.clone(), streams, observer).map_err(RunError::Impossible)?;
    let go_on = |world: &World<P, O>| {
        let share = world.now().nanos() as f64 / stop.nanos() as f64;
        if progress.advance(seed, share) { Ok(()) } else { Err(RunError::Interrupted(None)) }
    };
    go_on(&world)?;
    for step in 1..=REPORTS {
        let limit = u128::from(stop.nanos()) * u128::from(step) / u128::from(REPORTS);
        while !world.run_for(Time::from_nanos(limit as u64), MOST_UNASKED) {
            go_on(&world)?;
        }
        go_on(&world)?;
    }
    let mut stopped = false;
    world.settle(|_| {
        stopped = !progress.advance(seed, 1.0);
        !stopped
    });
    if stopped {
        return Err(RunError::Interrupted(None));
    }
    let end = End {
        digest: world.digest(),
        events: world.events(),
        ended: world.now(),
        primary: world.primary(),
        ignored_orders: world.ignored_orders(),
    };
    Ok((world.into_observer(), end))
}
