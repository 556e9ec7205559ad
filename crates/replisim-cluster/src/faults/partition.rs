//! A partition: some nodes cannot reach the others, nor be reached, until it heals.
//!
//! What happens: messages between the two sides are lost, or, on ordered links, wait for a retransmission after the
//! heal. Clients stay with the nodes of their zone: those beside a node that is cut off reach it and no other.
//! What is kept: every node goes on as it was, with all it has.

use replisim_network::{InFlight, Partition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, Hands, Undo};

/// Cuts some nodes off from all others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartitionFault {
    /// The nodes that are cut off from the others (not from each other).
    pub isolate: Vec<String>,
    /// Whether the clients in the zones of these nodes are cut off from the rest together with them (the default), or
    /// from them.
    #[serde(default = "yes")]
    pub with_clients: bool,
    /// What becomes of messages already on the wire.
    #[serde(default)]
    pub in_flight: InFlight,
}

fn yes() -> bool {
    true
}

impl Fault for PartitionFault {
    fn nodes_named(&self) -> Vec<(String, &str)> {
        self.isolate.iter().enumerate().map(|(i, name)| (format!("isolate[{i}]"), name.as_str())).collect()
    }

    fn problem(&self) -> Option<(String, String)> {
        self.isolate.is_empty().then(|| ("isolate".to_owned(), "name at least one node".to_owned()))
    }

    fn label(&self) -> String {
        format!("{} cut off", self.isolate.join(", "))
    }

    fn begin(&self, hands: &mut Hands<'_>) -> Vec<Undo> {
        let isolated: Vec<_> = self.isolate.iter().filter_map(|name| hands.node(name)).collect();
        let mut partition = Partition::new(hands.network.sites().len(), self.in_flight);
        for node in hands.nodes() {
            partition.put(node, isolated.contains(&node).into());
        }
        for client in hands.clients() {
            let beside = |wanted: bool| {
                hands.nodes().any(|node| hands.same_zone(client, node) && isolated.contains(&node) == wanted)
            };
            match (beside(true), beside(false)) {
                // Between nodes of both sides: still reaches both.
                (true, true) if self.with_clients => {}
                (true, false) if self.with_clients => partition.put(client, 1),
                _ => partition.put(client, 0),
            }
        }
        vec![hands.cut(partition)]
    }
}
