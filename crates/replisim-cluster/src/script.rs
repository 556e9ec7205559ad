//! Single operations at given times, for lessons small enough to draw.

use replisim_engine::Duration;
use replisim_protocols::Consistency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::{ReadFrom, default_timeout};

/// One operation of a script: exactly one of `get`, `put`, `delete`, `compare-and-set` and `read-modify-write`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// When it is invoked, from the start of the run.
    pub at: Duration,
    /// Who invokes it: a name under `clients`.
    pub client: String,
    /// Read this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub get: Option<String>,
    /// Write this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<String>,
    /// Delete this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<String>,
    /// Write this key if it still is as this client last saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_and_set: Option<String>,
    /// Read this key, and write what was made of the answer as soon as it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_modify_write: Option<String>,
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

/// What a step does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Reads.
    Get,
    /// Writes.
    Put,
    /// Deletes.
    Delete,
    /// Writes if nobody else has.
    CompareAndSet,
    /// Reads, and writes what was made of it.
    ReadModifyWrite,
}

impl Step {
    /// What it does and to which key, if exactly one operation is given.
    pub fn action(&self) -> Option<(Action, &str)> {
        let given = [
            (Action::Get, &self.get),
            (Action::Put, &self.put),
            (Action::Delete, &self.delete),
            (Action::CompareAndSet, &self.compare_and_set),
            (Action::ReadModifyWrite, &self.read_modify_write),
        ];
        let mut given = given.into_iter().filter_map(|(action, key)| Some((action, key.as_deref()?)));
        match (given.next(), given.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The key, if exactly one operation is given.
    pub fn key(&self) -> Option<&str> {
        self.action().map(|(_, key)| key)
    }
}
