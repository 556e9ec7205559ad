//! `manifest.json`: what has to be known to run a study again, bit for bit; and back from it to a scenario.

use replisim_experiment::Study;
use replisim_scenario::{LoadError, Loaded};
use serde::{Deserialize, Serialize};

/// The name of the file. A folder that has one is a folder of ours.
pub const NAME: &str = "manifest.json";

/// Enough to replay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of this file.
    pub schema: u32,
    /// The version of replisim that ran it.
    pub version: String,
    /// Name of the scenario.
    pub name: String,
    /// Its text.
    pub scenario: String,
    /// The `--set` arguments.
    pub overrides: Vec<String>,
    /// Files that it refers to.
    pub files: Vec<ManifestFile>,
    /// The seeds, in order.
    pub seeds: Vec<u64>,
    /// The digest that a replay must have.
    pub digest: String,
}

/// A referenced file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManifestFile {
    /// As the scenario names it.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Manifest {
    /// The manifest of a study.
    pub fn of(study: &Study) -> Manifest {
        let loaded = &study.loaded;
        Manifest {
            schema: 1,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: loaded.scenario.name.clone(),
            scenario: loaded.text.clone(),
            overrides: loaded.overrides.clone(),
            files: loaded
                .referenced
                .iter()
                .map(|file| ManifestFile { path: file.path.clone(), text: file.text.clone() })
                .collect(),
            seeds: study.runs.iter().map(|run| run.seed).collect(),
            digest: study.digest(),
        }
    }

    /// Reads a manifest.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        serde_json::from_str(text).map_err(|error| format!("is not a manifest of replisim: {error}"))
    }

    /// The scenario of the manifest, with more overrides after its own.
    pub fn load(&self, more_overrides: &[String]) -> Result<Loaded, LoadError> {
        let overrides: Vec<String> = self.overrides.iter().chain(more_overrides).cloned().collect();
        let open = |path: &str| {
            let file = self.files.iter().find(|file| file.path == path);
            file.map(|file| file.text.clone()).ok_or_else(|| "is not in the manifest".to_owned())
        };
        Loaded::from_text(NAME, &self.name, self.scenario.clone(), &overrides, open)
    }
}
