//! Replication groups: that there are enough nodes and not too many groups, and a protocol that has primaries.

use replisim_observe::PromotionRule;
use replisim_protocols::Members;

use super::Check;
use crate::scenario::GroupSettings;

/// The most members of all groups together: each costs about a kilobyte.
const MOST_MEMBERSHIPS: u64 = 300_000;
/// The most clients × groups: a driver remembers whom it takes for the primary of each.
const MOST_BELIEFS: u64 = 10_000_000;

impl Check<'_> {
    pub(super) fn groups(&mut self) {
        let scenario = self.scenario;
        let Some(GroupSettings { count, members }) = scenario.groups else { return };
        let nodes = scenario.topology.nodes.len() as u64;
        let memberships = u64::from(count) * u64::from(members);
        let beliefs = u64::from(count) * scenario.client_names().count() as u64;
        if count == 0 {
            self.report_with("groups.count", "no group, and so nobody to keep a key", "must be at least 1");
        } else if members == 0 {
            self.report_with("groups.members", "a group of nobody", "must be at least 1");
        } else if u64::from(members) > nodes {
            let message = format!("groups of {members}, and there are {nodes} nodes");
            self.report_with("groups.members", message, "can be at most the number of nodes");
        } else if memberships < nodes {
            let message =
                format!("{count} groups of {members} leave nodes without a group: there are {nodes}");
            self.report_with("groups", message, "count × members must be at least the number of nodes");
        } else if memberships > MOST_MEMBERSHIPS {
            let message = format!("{count} groups of {members} have {memberships} members");
            self.report_with("groups", message, format!("there can be at most {MOST_MEMBERSHIPS}"));
        } else if beliefs > MOST_BELIEFS {
            let message = format!("{beliefs} pairs of a client and a group");
            self.report_with("groups.count", message, format!("there can be at most {MOST_BELIEFS}"));
        }
        self.protocol_of_groups();
    }

    /// Groups are for protocols that leave it to others which nodes keep a key, and what is named must mean all groups.
    fn protocol_of_groups(&mut self) {
        let protocol = &self.scenario.protocol;
        let name = protocol.name();
        let (names, regions) = (self.scenario.node_names(), self.scenario.regions());
        let rule = protocol.promotion(Members { names: &names, regions: &regions });
        if rule == PromotionRule::Leaderless {
            let message = format!("`{name}` places keys on a ring of its own");
            return self.report_with("groups", message, "leave it out");
        }
        let named = protocol.members_named();
        for (field, node) in &named {
            let message = format!("`{node}` cannot lead every group");
            let path = format!("protocol.{name}.{field}");
            self.report_with(path, message, "leave it out: the first node of each group is its primary");
        }
        if named.is_empty() && matches!(rule, PromotionRule::Order(_)) {
            self.report_with(format!("protocol.{name}"), "no order holds for every group", "name no order");
        }
    }
}
