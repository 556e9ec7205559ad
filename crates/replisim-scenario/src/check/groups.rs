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

#[cfg(test)]
mod tests {
    use crate::load::{LoadError, Loaded};

    fn load(nodes: &str, groups: &str, protocol: &str) -> Result<Loaded, LoadError> {
        let text = format!(
            "duration: 1s\ntopology:\n  nodes: {{ {nodes} }}\n\
             groups: {groups}\n\
             protocol: {protocol}\n\
             workload: [{{ name: w, at: a, arrivals: {{ poisson: 1/s }}, reads: 0% }}]\n"
        );
        Loaded::from_text("s.yaml", "s", text, &[], |_| Err("no files".to_owned()))
    }

    /// The first message, and what is said where it points to: line, column and label.
    #[track_caller]
    fn check((nodes, groups, protocol): (&str, &str, &str), message: &str, place: &str, label: &str) {
        match load(nodes, groups, protocol) {
            Err(LoadError::Wrong(diagnostics)) => {
                let text = diagnostics[0].render(false);
                assert!(text.starts_with(&format!("error: {message}\n")), "{text}");
                assert!(text.contains(&format!("s.yaml:{place}\n")) && text.contains(label), "{text}");
            }
            other => panic!("{other:?} for {message}"),
        }
    }

    const SIX: &str = "n: { count: 6, at: a }";
    const PAIRS: &str = "{ count: 3, members: 2 }";
    const PLAIN: &str = "primary-backup";

    #[test]
    fn rows_of_nodes_are_expanded_in_their_place_of_the_order() {
        let loaded =
            load("p: a/x, r: { count: 3, at: a/y }, z: a/z", "{ count: 5, members: 2 }", PLAIN).unwrap();
        let nodes: Vec<_> = loaded.scenario.topology.nodes.iter().map(|(n, p)| format!("{n}@{p}")).collect();
        assert_eq!(nodes, ["p@a/x", "r1@a/y", "r2@a/y", "r3@a/y", "z@a/z"]);
        let again =
            Loaded::from_text("s", "s", loaded.scenario.to_yaml().unwrap(), &[], |_| Err(String::new()));
        assert_eq!(again.unwrap().scenario, loaded.scenario);
    }

    #[test]
    fn rows_that_make_no_sense_are_refused() {
        let many = "10001 nodes in a row: it must be from 1 to 10000";
        check(("n: { count: 10001, at: a }", PAIRS, PLAIN), many, "3:12", "");
        check(
            ("n: { count: 0, at: a }", PAIRS, PLAIN),
            "0 nodes in a row: it must be from 1 to 10000",
            "3:12",
            "",
        );
        let twice = "`n` makes a node whose name another has";
        check(("n2: a, n: { count: 3, at: a }", PAIRS, PLAIN), twice, "3:19", "");
        check(
            ("n: { cuont: 3, at: a }", PAIRS, PLAIN),
            "unknown field `cuont`",
            "3:17",
            "did you mean `count`?",
        );
        check(("n: { count: 3 }", PAIRS, PLAIN), "the field `at` is missing", "3:12", "");
        check(("n: 5", PAIRS, PLAIN), "expected a place, or `{ count, at }`, found the number 5", "3:15", "");
    }

    #[test]
    fn groups_that_cannot_be_are_refused() {
        for (groups, message, place, label) in [
            ("{ count: 0, members: 2 }", "no group, and so nobody to keep a key", "4:18", "at least 1"),
            ("{ count: 3, members: 0 }", "a group of nobody", "4:30", "at least 1"),
            (
                "{ count: 3, members: 7 }",
                "groups of 7, and there are 6 nodes",
                "4:30",
                "at most the number of nodes",
            ),
            (
                "{ count: 2, members: 2 }",
                "2 groups of 2 leave nodes without a group: there are 6",
                "4:9",
                "count × members",
            ),
            (
                "{ count: 200000, members: 2 }",
                "200000 groups of 2 have 400000 members",
                "4:9",
                "at most 300000",
            ),
        ] {
            check((SIX, groups, PLAIN), message, place, label);
        }
    }

    #[test]
    fn settings_that_cannot_hold_for_every_group_are_refused() {
        for (protocol, message, place, label) in [
            ("quorum", "`quorum` places keys on a ring of its own", "4:9", "leave it out"),
            (
                "{ primary-backup: { primary: n3 } }",
                "`n3` cannot lead every group",
                "5:40",
                "first node of each group",
            ),
            (
                "{ primary-backup: { acknowledge: { semi-sync: { replicas: 2 } } } }",
                "there are not so many replicas: no write could ever be acknowledged",
                "5:69",
                "at most 1, all but the primary",
            ),
        ] {
            check((SIX, PAIRS, protocol), message, place, label);
        }
    }
}
