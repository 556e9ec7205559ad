//! A pause: a process stops and goes on later, as under a long garbage collection, SIGSTOP or a stalled virtual CPU.
//!
//! What happens: nothing is handled and no timer acts until it ends; then everything that came meanwhile is handled in
//! the order in which it came, as if no time had passed. The kernel goes on acknowledging.
//! What is kept: everything. That is what makes it dangerous: it does not know that it was away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, FaultKind, Named, Scene, nodes_in, none_in};

/// Stops processes without killing them: everything that comes meanwhile is handled when it ends, as if no time had
/// passed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PauseFault {
    /// The nodes; or a zone or region, for all nodes there.
    pub nodes: Vec<String>,
}

impl Fault for PauseFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        nodes_in("nodes", &self.nodes)
    }

    fn problem(&self, _: &Scene<'_>) -> Option<(String, String)> {
        none_in("nodes", &self.nodes)
    }

    fn label(&self) -> String {
        format!("{} paused", self.nodes.join(", "))
    }

    fn each(&self) -> Vec<FaultKind> {
        let by_itself = |node: &String| PauseFault { nodes: vec![node.clone()] };
        self.nodes.iter().map(by_itself).map(FaultKind::Pause).collect()
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        self.nodes.iter().flat_map(|name| scene.members(name)).map(Change::Pause).collect()
    }
}
