//! What a scenario can set, and what is wrong with it.

use std::collections::BTreeSet;

use replisim_engine::{Duration, Share};
use replisim_observe::Member;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::Level;
use super::ring::MOST_COPIES;
use crate::protocol::{Configuration, Members, SettingProblem};

/// Leaderless quorums: any coordinator writes to the copies of a key and reads from them, as Dynamo, Cassandra and Riak do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// How many nodes keep each key (N); all of them unless given. Key k is kept by this many nodes of the ring in file
    /// order, from number k (modulo their count) on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// How many copies must answer a read (R): a number, or `one`, `local-one`, `quorum`, `local-quorum`,
    /// `each-quorum`, `all`.
    pub read: Level,
    /// How many copies must have a write before it is acknowledged (W): the same, or `any`, for which a hint is enough.
    pub write: Level,
    /// Who asks the copies on a client's behalf: a node that keeps the key, any node, or a library in the client.
    pub coordinator: Coordinator,
    /// Whom a read asks: all copies, or no more than must answer, of these all but one for a digest.
    pub contact_reads: ContactReads,
    /// Whom a write is sent to: all copies, or no more than must have it.
    pub contact_writes: ContactWrites,
    /// What becomes of two writes that did not know of each other.
    pub conflicts: Conflicts,
    /// What a read does with copies that it finds to be old.
    pub read_repair: ReadRepair,
    /// What becomes of a write that one of its copies could not get.
    pub hints: Hints,
    /// How often a node with hints tries to hand them over.
    pub handoff_every: Duration,
    /// How long a hint is kept from its last write on; never longer than `gc-grace`.
    pub hint_window: Duration,
    /// Comparison of copies in the background by Merkle trees; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anti_entropy: Option<AntiEntropy>,
    /// How long tombstones are kept.
    pub gc_grace: Duration,
    /// Whether a node answers when a write is on its disk (`batch`) or at once (`periodic`).
    pub commit_log: CommitLog,
    /// How long a coordinator waits for copies; one that did not answer is taken for dead until it is heard of again.
    pub timeout: Duration,
    /// How often a node that is taken for dead is asked whether it is alive.
    pub probe_every: Duration,
}

/// Who asks the copies on a client's behalf.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Coordinator {
    /// A library in the client: no hop more, and its own clock and suspicions.
    Client,
    /// A node that keeps the key (a token-aware driver), which of them the workload's `read-from` says.
    #[default]
    Replica,
    /// Any node, which the workload's `read-from` says.
    Any,
}

/// Whom a read asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContactReads {
    /// All copies; the first answers count.
    #[default]
    All,
    /// As many as must answer, drawn at random (the coordinator's own copy is one like any other).
    Quorum,
    /// The same, but only the first of them for the value, the others for its fingerprint. If these differ, all are
    /// asked for the value.
    Digests,
}

/// Whom a write is sent to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContactWrites {
    /// All copies; the first acknowledgements count.
    #[default]
    All,
    /// As many as must have it, drawn at random; the others never get it from the coordinator.
    Quorum,
}

/// What becomes of two writes that did not know of each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conflicts {
    /// The one with the later timestamp stands, the other is gone.
    LastWriterWins(LastWriterWins),
    /// Both stand, as siblings, until a client that has read them writes what it made of them (version vectors).
    Siblings,
}

/// Where timestamps come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LastWriterWins {
    /// Whose clock they show.
    pub timestamps: Timestamps,
}

/// Whose clock timestamps show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timestamps {
    /// The client driver's.
    #[default]
    Client,
    /// The coordinator's.
    Coordinator,
}

/// What a read does with copies that it finds to be old.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadRepair {
    /// Nothing.
    None,
    /// Before it answers, it brings those up to date whose answers it counted.
    #[default]
    Blocking,
    /// With this probability it waits for all that it asked, after it has answered, and brings them up to date.
    Probability(Share),
}

/// What becomes of a write that one of its copies could not get.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hints {
    /// Nothing.
    None,
    /// The coordinator keeps it and hands it over later (Cassandra). A hint counts for nothing but `any`.
    #[default]
    Coordinator,
    /// The next node of the ring that is not taken for dead stands in: it counts as a copy for reads and writes, and
    /// hands over what it got later (Dynamo, Riak).
    Sloppy,
}

/// Comparison of copies in the background.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AntiEntropy {
    /// How often a node compares itself with the next of those with which it shares keys.
    pub every: Duration,
    /// Into how many leaves of a Merkle tree the keys of a range fall.
    pub leaves: u32,
}

/// When a node acknowledges what it has taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitLog {
    /// Once it is on the disk.
    #[default]
    Batch,
    /// At once; a crash of the machine may lose it.
    Periodic,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            copies: None,
            read: Level::Quorum,
            write: Level::Quorum,
            coordinator: Coordinator::default(),
            contact_reads: ContactReads::default(),
            contact_writes: ContactWrites::default(),
            conflicts: Conflicts::default(),
            read_repair: ReadRepair::default(),
            hints: Hints::default(),
            handoff_every: Duration::from_secs(10),
            hint_window: Duration::from_secs(3 * 3600),
            anti_entropy: None,
            gc_grace: Duration::from_secs(10 * 24 * 3600),
            commit_log: CommitLog::default(),
            timeout: Duration::from_secs(2),
            probe_every: Duration::from_secs(1),
        }
    }
}

impl Default for Conflicts {
    fn default() -> Conflicts {
        Conflicts::LastWriterWins(LastWriterWins::default())
    }
}

impl Default for AntiEntropy {
    fn default() -> AntiEntropy {
        AntiEntropy { every: Duration::from_secs(10), leaves: 1_024 }
    }
}

impl Config {
    /// How many members keep each key.
    pub(super) fn copies(&self, members: Members<'_>) -> u32 {
        self.copies.unwrap_or(members.count()).min(members.count())
    }

    /// Whether every key has a copy in every region in which an operation may be coordinated.
    fn covers_all_regions(&self, members: Members<'_>) -> bool {
        let (count, copies) = (members.count(), self.copies(members));
        let coordinators = match self.coordinator {
            Coordinator::Client => count.max(members.regions.len() as u32),
            Coordinator::Replica | Coordinator::Any => count,
        };
        let region_of = |member: u32| members.region(Member(member));
        let regions: BTreeSet<u32> = (0..coordinators).map(region_of).collect();
        regions.into_iter().all(|region| {
            (0..count).all(|first| (0..copies).any(|place| region_of((first + place) % count) == region))
        })
    }

    pub(super) fn has_siblings(&self) -> bool {
        self.conflicts == Conflicts::Siblings
    }
}

impl Configuration for Config {
    fn members_named(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }

    fn problems(&self, members: Members<'_>) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut problem = |holds: bool, field, message, fix: &str| {
            if holds {
                problems.push(SettingProblem { field, message, fix: fix.to_owned() });
            }
        };
        let copies = self.copies(members);
        let of_nodes = format!("from 1 to {}, for the nodes are {}", members.count(), members.listed());
        let of_copies = match copies {
            1 => "1: each key has a single copy".to_owned(),
            _ => format!("from 1 to {copies}, for each key has {copies} copies"),
        };
        let too_many = |level| matches!(level, Level::Exactly(n) if n > copies && copies > 0);
        problem(self.copies == Some(0), "copies", "a key without a copy is kept nowhere", &of_nodes);
        problem(
            self.copies.is_some_and(|copies| copies > members.count()),
            "copies",
            "more copies of a key than there are nodes",
            &of_nodes,
        );
        problem(copies > MOST_COPIES, "copies", "more copies of a key than are counted", "at most 64");
        let none = Level::Exactly(0);
        problem(self.read == none, "read", "a read that no copy answers finds nothing", &of_copies);
        problem(
            self.write == none,
            "write",
            "a write that no copy needs to have is kept nowhere",
            &of_copies,
        );
        problem(too_many(self.read), "read", "more answers than a key has copies", &of_copies);
        problem(too_many(self.write), "write", "more acknowledgements than a key has copies", &of_copies);
        problem(
            self.read == Level::Any,
            "read",
            "a hint cannot answer a read",
            "`one` or more; `any` is for writes",
        );
        let in_client = self.coordinator == Coordinator::Client;
        problem(
            in_client && self.write == Level::Any,
            "write",
            "a library in the client keeps no hints",
            "with `coordinator: client`, `one` or more",
        );
        problem(
            self.has_siblings() && self.coordinator != Coordinator::Replica,
            "coordinator",
            "siblings get their versions from a node that keeps the key",
            "with `conflicts: siblings`, `replica`",
        );
        problem(
            self.has_siblings() && members.count() == 1,
            "conflicts",
            "at a single node no two writes are concurrent",
            "`last-writer-wins`, or more nodes",
        );
        problem(
            self.has_siblings() && self.hints == Hints::Sloppy,
            "hints",
            "a node that stands in would have to give versions of its own to siblings",
            "with `conflicts: siblings`, `coordinator` or `none`",
        );
        let regional = |level| matches!(level, Level::LocalOne | Level::LocalQuorum | Level::EachQuorum);
        let is_regional = regional(self.read) || regional(self.write);
        problem(
            is_regional && copies > 0 && !self.covers_all_regions(members),
            if regional(self.write) { "write" } else { "read" },
            "some keys have no copy in some region, and would never be served there",
            "more `copies`, nodes of the regions in turn, or a level without regions",
        );
        problem(
            is_regional && self.hints == Hints::Sloppy,
            "hints",
            "a node that stands in may be of another region, and would count for the wrong one",
            "with levels by region, `coordinator` or `none`",
        );
        problem(
            self.hints == Hints::Sloppy && copies == members.count(),
            "hints",
            "every node keeps every key: nobody is left to stand in",
            "fewer `copies` than nodes, or `coordinator`",
        );
        for (zero, field) in [
            (self.timeout == Duration::ZERO, "timeout"),
            (self.probe_every == Duration::ZERO, "probe-every"),
            (self.handoff_every == Duration::ZERO, "handoff-every"),
            (self.anti_entropy.is_some_and(|it| it.every == Duration::ZERO), "anti-entropy.every"),
        ] {
            problem(zero, field, "it would happen all the time", "more than 0");
        }
        problem(
            self.anti_entropy.is_some_and(|it| it.leaves == 0 || it.leaves > 1 << 20),
            "anti-entropy.leaves",
            "a tree has leaves, and not millions",
            "from 1 to 1048576",
        );
        problems
    }

    fn caveats(&self) -> Vec<String> {
        let mut caveats = Vec::new();
        let mut say = |caveat: &str| caveats.push(caveat.to_owned());
        if self.hints == Hints::Coordinator && self.coordinator == Coordinator::Client {
            say("a library in the client keeps no hints: what a copy misses it gets by repair alone");
        }
        if self.has_siblings() {
            say(
                "a node that loses its disk, or an unsynced tail, goes on in its old lane: siblings that it forgot count as \
                 heard of, and are counted as lost nowhere",
            );
        }
        if self.hints == Hints::Sloppy {
            say(
                "with `hints: sloppy` even a strong read may miss a write that others took in the stead of its owners",
            );
        }
        if self.write == Level::Any {
            say(
                "at `write: any` a hint is enough: until it is handed over no read finds the write, and a coordinator \
                 that dies before its disk has it takes it along",
            );
        }
        if self.commit_log == CommitLog::Periodic {
            say("nodes acknowledge before the disk has it: a machine that dies loses acknowledged writes");
        }
        let repairs = self.read_repair != ReadRepair::None || self.anti_entropy.is_some();
        if self.contact_writes == ContactWrites::Quorum && !repairs {
            say(
                "writes go to no more copies than must have them, and nothing repairs: the others never get them",
            );
        }
        caveats
    }

    fn caveats_of_blind_writes(&self) -> Vec<String> {
        let add_up =
            "blind writes (`writes: put`) replace no siblings: under `conflicts: siblings` they add up";
        self.has_siblings().then(|| add_up.to_owned()).into_iter().collect()
    }

    fn repairs_unasked(&self) -> bool {
        let hands_over = match self.hints {
            Hints::None => false,
            Hints::Coordinator => self.coordinator != Coordinator::Client,
            Hints::Sloppy => true,
        };
        hands_over || self.anti_entropy.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_copies_that_cannot_be_is_told_for_what_it_is() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let of =
            |copies, read| Config { copies: Some(copies), read: Level::Exactly(read), ..Config::default() };
        let of_three = "from 1 to 3, for each key has 3 copies";
        for (config, message, fix) in [
            (of(3, 7), "more answers than a key has copies", of_three),
            (of(3, 0), "a read that no copy answers finds nothing", of_three),
            (of(1, 2), "more answers than a key has copies", "1: each key has a single copy"),
            (of(0, 1), "a key without a copy is kept nowhere", "from 1 to 4, for the nodes are a, b, c, d"),
            (
                of(5, 1),
                "more copies of a key than there are nodes",
                "from 1 to 4, for the nodes are a, b, c, d",
            ),
        ] {
            let problems = config.problems(Members { names: &names, regions: &[0, 0, 1, 1] });
            let told: Vec<(&str, &str)> = problems.iter().map(|it| (it.message, it.fix.as_str())).collect();
            assert_eq!(told, [(message, fix)], "{config:?}");
        }
    }

    #[test]
    fn settings_that_cannot_be_are_told() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let (in_turn, apart) = (&[0, 1, 0, 1][..], &[0, 0, 1, 1][..]);
        let of_two = Config { copies: Some(2), ..Config::default() };
        let local = Config { read: Level::LocalQuorum, ..of_two.clone() };
        for (name, regions, config, expected) in [
            ("the defaults", apart, Config::default(), vec![]),
            ("no copy", apart, Config { copies: Some(0), ..Config::default() }, vec!["copies"]),
            (
                "more copies than nodes",
                apart,
                Config { copies: Some(5), ..Config::default() },
                vec!["copies"],
            ),
            (
                "more answers than copies",
                apart,
                Config { read: Level::Exactly(3), ..of_two.clone() },
                vec!["read"],
            ),
            (
                "answers of nobody",
                apart,
                Config { read: Level::Exactly(0), write: Level::Exactly(0), ..of_two.clone() },
                vec!["read", "write"],
            ),
            ("a read of hints", apart, Config { read: Level::Any, ..Config::default() }, vec!["read"]),
            ("keys of one region, read locally", apart, local.clone(), vec!["read"]),
            ("keys of both regions, read locally", in_turn, local.clone(), vec![]),
            ("and stood in for", in_turn, Config { hints: Hints::Sloppy, ..local }, vec!["hints"]),
            (
                "nobody to stand in",
                apart,
                Config { hints: Hints::Sloppy, ..Config::default() },
                vec!["hints"],
            ),
            (
                "siblings by a library",
                apart,
                Config {
                    conflicts: Conflicts::Siblings,
                    coordinator: Coordinator::Client,
                    ..Config::default()
                },
                vec!["coordinator"],
            ),
            (
                "no time at all",
                apart,
                Config { timeout: Duration::ZERO, probe_every: Duration::ZERO, ..Config::default() },
                vec!["timeout", "probe-every"],
            ),
        ] {
            let problems = config.problems(Members { names: &names, regions });
            let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
            assert_eq!(fields, expected, "{name}");
        }
    }
}
