//! A step of clocks: somebody, or a broken synchronisation, sets them.
//!
//! What happens: the clocks on the wall of the nodes jump, at once. With `for` they are set back by the same amount when
//! it ends; without, they stay as they are. What is kept: timers and stopwatches, which nobody sets.

use replisim_engine::Shift;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, FaultKind, Named, Scene, nodes_in, none_in};
use crate::clocks::MOST_OFF;

/// Sets the clocks of nodes, forwards or back; with `for`, until they are set right again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClockStepFault {
    /// The nodes; or a zone or region, for all nodes there.
    pub nodes: Vec<String>,
    /// By how much.
    pub by: Shift,
}

impl Fault for ClockStepFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        nodes_in("nodes", &self.nodes)
    }

    fn problem(&self, _: &Scene<'_>) -> Option<(String, String)> {
        none_in("nodes", &self.nodes).or_else(|| {
            let wrong = |message: String| Some(("by".to_owned(), message));
            match self.by.length() {
                length if length.nanos() == 0 => wrong("a step of nothing".to_owned()),
                length if length > MOST_OFF => wrong("a clock is stepped by a year at most".to_owned()),
                _ => None,
            }
        })
    }

    fn label(&self) -> String {
        let sign = if self.by.nanos() > 0 { "+" } else { "" };
        format!("clock of {} {sign}{}", self.nodes.join(", "), self.by)
    }

    fn each(&self) -> Vec<FaultKind> {
        let by_itself = |node: &String| ClockStepFault { nodes: vec![node.clone()], ..self.clone() };
        self.nodes.iter().map(by_itself).map(FaultKind::ClockStep).collect()
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        let members = self.nodes.iter().flat_map(|name| scene.members(name));
        members.map(|member| Change::Step(member, self.by)).collect()
    }

    fn stays(&self) -> bool {
        true
    }
}
