//! A scenario to run, and what came of a run of it, as the command runs it: every measure on, but no files.

use std::path::{Path, PathBuf};

use replisim_experiment::measure::Leaf;
use replisim_experiment::run;
use replisim_scenario::{LoadError, Loaded};

use crate::measure::processor_nanos;

/// What most parts run, each in its own way.
pub const PRIMARY_BACKUP: &str = "bench/scenarios/primary-backup.yaml";

/// A scenario, from the root of the repository, with changes.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub scenario: &'static str,
    pub sets: &'static [&'static str],
    /// The change that makes it short.
    pub quick: &'static str,
}

/// What a run came to.
pub struct Outcome {
    pub events: u64,
    /// What clients asked for.
    pub operations: u64,
    /// Committed writes that some node still lacked at the end.
    pub unconverged: u64,
    /// How long it was for the clients.
    pub simulated_seconds: f64,
    pub processor_nanos: u64,
}

impl Case {
    /// The changes, and the one more that makes it short.
    pub fn sets(&self, quick: bool) -> Vec<String> {
        self.sets.iter().copied().chain(quick.then_some(self.quick)).map(str::to_owned).collect()
    }

    pub fn load(&self, quick: bool) -> Loaded {
        load(self.scenario, &self.sets(quick))
    }
}

/// Where a scenario is that is named from the root of the repository.
pub fn path(scenario: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(scenario)
}

pub fn load(scenario: &str, sets: &[String]) -> Loaded {
    Loaded::from_file(&path(scenario), sets).unwrap_or_else(|error| match error {
        LoadError::Unreadable(path, reason) => panic!("{}: {reason}", path.display()),
        LoadError::Wrong(diagnostics) => panic!("{scenario}: {}", diagnostics[0].problem.message),
    })
}

/// Runs one seed on this thread.
pub fn time(loaded: &Loaded) -> Outcome {
    let begun = processor_nanos();
    let study = run(loaded, &[loaded.scenario.seed], 1, &()).expect("a run");
    let processor_nanos = processor_nanos() - begun;
    let leaf = |slug| study.merged.leaf(slug, None);
    let operations = match leaf("availability") {
        Some(Leaf::Count { of: Some(of), .. }) => *of,
        _ => panic!("the operations are not counted"),
    };
    let unconverged = match leaf("unconverged_writes") {
        Some(Leaf::Count { count, .. }) => *count,
        _ => panic!("the unconverged writes are not counted"),
    };
    let simulated_seconds = loaded.scenario.duration.nanos() as f64 / 1e9;
    Outcome { events: study.events(), operations, unconverged, simulated_seconds, processor_nanos }
}
