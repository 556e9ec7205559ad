//! A promotion by hand: an operator makes a node the primary.
//!
//! What happens: the node is told to take over, at once; how it makes sure that the old primary does not go on is the
//! protocol's affair (`fencing`). What is kept: every node's data; what the new primary lacks is out of the history.

use replisim_protocols::Command;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, Named, Scene};

/// An operator makes a node the primary; what it lacks is out of the history.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PromoteFault {
    /// The node.
    pub node: String,
}

impl Fault for PromoteFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        vec![("node".to_owned(), Named::Node(&self.node))]
    }

    fn label(&self) -> String {
        format!("{} promoted", self.node)
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        scene.members(&self.node).into_iter().map(|member| Change::Order(member, Command::Promote)).collect()
    }

    fn command(&self) -> Option<Command> {
        Some(Command::Promote)
    }
}
