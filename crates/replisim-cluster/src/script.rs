//! Single operations at given times, for lessons small enough to draw.

use replisim_engine::Duration;
use replisim_protocols::Consistency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::{ReadFrom, default_timeout};

/// One operation of a script: exactly one of `put` and `get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// When it is invoked, from the start of the run.
    pub at: Duration,
    /// Who invokes it: a name under `clients`.
    pub client: String,
    /// Write this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<String>,
    /// Read this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub get: Option<String>,
    /// What a read asks for.
    #[serde(default)]
    pub consistency: Consistency,
    /// Which member serves an eventual read.
    #[serde(default)]
    pub read_from: ReadFrom,
    /// How long the client waits.
    #[serde(default = "default_timeout")]
    pub timeout: Duration,
}

impl Step {
    /// The key, if exactly one operation is given.
    pub fn key(&self) -> Option<&str> {
        match (&self.put, &self.get) {
            (Some(key), None) | (None, Some(key)) => Some(key),
            _ => None,
        }
    }
}
