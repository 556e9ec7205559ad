//! A partition: some nodes cannot reach the others, nor be reached, until it heals.
//!
//! What happens: messages between the sides are lost, or, on ordered links, wait for a retransmission after the heal.
//! Clients stay with the nodes of their zone (or region, where their zone has none): those beside a node that is cut
//! off reach it and no other. What is kept: every node goes on as it was, with all it has.

use replisim_network::{InFlight, Partition, Site};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, Named, Scene, nodes_in};

/// Cuts nodes off from each other: `isolate` some from all others; or split into `groups`; or only one way, `from`
/// some `to` others. Names are those of nodes, or of zones or regions for all nodes there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PartitionFault {
    /// The nodes that are cut off from the others (not from each other).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isolate: Vec<String>,
    /// Groups of nodes that cannot reach each other. Nodes in no group still reach everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Vec<String>>,
    /// What these nodes send does not reach the nodes under `to`; the way back stays open. Clients are not concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// See `from`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Whether the clients beside these nodes are cut off from the rest together with them (the default), or from
    /// them. Of groups, the first then keeps all clients.
    #[serde(default = "yes")]
    pub with_clients: bool,
    /// What becomes of messages already on the wire.
    #[serde(default)]
    pub in_flight: InFlight,
}

/// As many groups as a partition can tell apart.
const MOST_GROUPS: usize = 30;

fn yes() -> bool {
    true
}

impl PartitionFault {
    /// For each node the sides that it stands on, as bits.
    fn sides(&self, scene: &Scene<'_>) -> Vec<u32> {
        let mut sides = vec![if self.groups.is_empty() { 1 } else { u32::MAX }; scene.nodes.len()];
        let groups = match self.groups.is_empty() {
            true => vec![(1 << 1, &self.isolate)],
            false => (0..).map(|i| 1u32 << i).zip(&self.groups).collect(),
        };
        for (side, names) in groups {
            for member in names.iter().flat_map(|name| scene.members(name)) {
                sides[member.index()] = side;
            }
        }
        sides
    }

    fn is_one_way(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty()
    }
}

impl Fault for PartitionFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        let lists = [("isolate", &self.isolate), ("from", &self.from), ("to", &self.to)];
        let lists = lists.into_iter().map(|(field, list)| (field.to_owned(), list));
        let groups = (0..).zip(&self.groups).map(|(i, group): (usize, _)| (format!("groups[{i}]"), group));
        lists.chain(groups).flat_map(|(field, list)| nodes_in(&field, list)).collect()
    }

    fn problem(&self, scene: &Scene<'_>) -> Option<(String, String)> {
        let say = |path: &str, message: &str| Some((path.to_owned(), message.to_owned()));
        match (self.isolate.is_empty(), self.groups.is_empty(), self.is_one_way()) {
            (true, true, false) => return say("isolate", "name at least one node"),
            (false, true, false) | (true, false, false) | (true, true, true) => {}
            _ => return say("", "give one of `isolate`, `groups`, and `from` with `to`"),
        }
        if self.is_one_way() {
            if !self.with_clients {
                return say("with-clients", "clients are not concerned by a cut of one way between nodes");
            }
            let members = |names: &[String]| -> Vec<_> {
                names.iter().flat_map(|name| scene.members(name)).collect()
            };
            let (from, to) = (members(&self.from), members(&self.to));
            return match (from.is_empty(), to.is_empty()) {
                (true, _) => say("from", "name at least one node that is not heard"),
                (_, true) => say("to", "name at least one node that does not hear"),
                _ if from.iter().any(|member| to.contains(member)) => say("to", "a node always hears itself"),
                _ => None,
            };
        }
        if self.groups.len() == 1 || self.groups.len() > MOST_GROUPS {
            return say("groups", &format!("a partition has from 2 to {MOST_GROUPS} groups"));
        }
        let mut seen = Vec::new();
        for (i, member) in self
            .groups
            .iter()
            .enumerate()
            .flat_map(|(i, group)| group.iter().flat_map(|name| scene.members(name)).map(move |member| (i, member)))
        {
            if seen.contains(&member) {
                let name = &scene.nodes[member.index()].name;
                return Some((format!("groups[{i}]"), format!("`{name}` stands in two groups")));
            }
            seen.push(member);
        }
        if self.groups.is_empty() && self.sides(scene).iter().all(|side| *side != 1) {
            return say("isolate", "all nodes are named: nobody is left to be cut off from");
        }
        None
    }

    fn label(&self) -> String {
        if self.is_one_way() {
            return format!("{} not heard by {}", self.from.join(", "), self.to.join(", "));
        }
        match self.groups.is_empty() {
            true => format!("{} cut off", self.isolate.join(", ")),
            false => self.groups.iter().map(|group| group.join(", ")).collect::<Vec<_>>().join(" | "),
        }
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        if self.is_one_way() {
            let sites = |names: &[String]| -> Vec<Site> {
                names.iter().flat_map(|name| scene.members(name)).map(|member| Site(member.0)).collect()
            };
            return vec![Change::Cut(Partition::one_way(
                scene.sites(),
                &sites(&self.from),
                &sites(&self.to),
                self.in_flight,
            ))];
        }
        let sides = self.sides(scene);
        let mut partition = Partition::new(scene.sites(), self.in_flight);
        for (i, bits) in (0u32..).zip(&sides) {
            partition.put(Site(i), *bits);
        }
        for (site, client) in scene.clients() {
            let beside = scene.beside(client).into_iter().fold(0, |bits, member| bits | sides[member.index()]);
            // A client between nodes of both sides still reaches both.
            partition.put(site, if self.with_clients && beside > 0 { beside } else { 1 });
        }
        vec![Change::Cut(partition)]
    }
}
