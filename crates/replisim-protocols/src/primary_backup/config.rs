//! What a scenario can set, and what is wrong with it.

use std::collections::BTreeSet;

use replisim_engine::{Bytes, Duration};
use replisim_observe::Member;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::{first_primary, majority};
use crate::protocol::{Configuration, Members, SettingProblem};

/// Primary–backup by log shipping: one node takes all writes and ships its log to the others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The node that takes all writes at first; the first node of the topology unless named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// When the client gets its answer. `async`: as soon as the primary has applied the write. `semi-sync`: when so
    /// many replicas have it. `sync`: when all replicas have logged it.
    pub acknowledge: Acknowledge,
    /// How another node becomes the primary.
    pub failover: Failover,
    /// Whether a primary that does not hear from a majority stops, so that there are never two.
    pub fencing: bool,
    /// How often new log entries are shipped: at fixed multiples of this interval, from a phase drawn at the start.
    /// 0: each write is shipped as it comes.
    pub ship_every: Duration,
    /// The most bytes of log entries, or of copied values, in one message.
    pub batch: Bytes,
    /// The most bytes on the way to a replica that it has not acknowledged.
    pub window: Bytes,
    /// How much of the log is kept for replicas that lag or are down; one that needs more gets a copy of the store.
    pub retain: Bytes,
    /// How often the primary tells each replica how far it ought to be.
    pub heartbeat: Duration,
}

/// When a write is acknowledged to its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// As soon as the primary has applied it.
    #[default]
    Async,
    /// When some replicas have it: those that answer first, which may all stand in the zone of the primary.
    SemiSync(SemiSync),
    /// When all replicas have logged it.
    Sync,
}

/// Waiting for some replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SemiSync {
    /// How many.
    pub replicas: u32,
    /// When a replica counts as having a write.
    pub ack_at: AckAt,
    /// How long a write waits before `on-timeout` applies.
    pub timeout: Duration,
    /// What happens then.
    pub on_timeout: OnTimeout,
}

/// When a replica counts as having a write.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AckAt {
    /// When it is in its memory; a crash of the machine may lose it.
    Received,
    /// When it is safe on its disk.
    #[default]
    Logged,
    /// When reads there show it. Replicas apply what they have logged in the same instant.
    Applied,
}

/// What happens to a write for which too few replicas answer in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnTimeout {
    /// The primary answers, and goes on without waiting until enough replicas have caught up.
    Async,
    /// It goes on waiting.
    #[default]
    Block,
}

/// How another node becomes the primary.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failover {
    /// Never.
    #[default]
    None,
    /// By an order in the schedule of faults.
    Manual,
    /// By a vote of those who miss its heartbeats.
    Automatic(Automatic),
}

/// Fail-over by heartbeats and votes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Automatic {
    /// How long a replica hears nothing before it suspects the primary.
    pub after: Duration,
    /// Who is to take over.
    pub promote: Promote,
}

/// Who is to take over.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promote {
    /// One that has at least as much of the log as each of those who vote for it.
    #[default]
    MostAdvanced,
    /// The first that asks, whatever it has.
    FirstToNotice,
    /// The first in this order that is alive, whatever it has; nodes left out come last.
    Order(Vec<String>),
}

impl Default for Config {
    fn default() -> Config {
        Config {
            primary: None,
            acknowledge: Acknowledge::default(),
            failover: Failover::default(),
            fencing: true,
            ship_every: Duration::ZERO,
            batch: Bytes::new(64 << 10),
            window: Bytes::new(16 << 20),
            retain: Bytes::new(64 << 20),
            heartbeat: Duration::from_millis(100),
        }
    }
}

impl Default for SemiSync {
    fn default() -> SemiSync {
        SemiSync {
            replicas: 1,
            ack_at: AckAt::default(),
            timeout: Duration::from_secs(1),
            on_timeout: OnTimeout::default(),
        }
    }
}

impl Default for Automatic {
    fn default() -> Automatic {
        Automatic { after: Duration::from_secs(1), promote: Promote::default() }
    }
}

impl Configuration for Config {
    fn members_named(&self) -> Vec<(&'static str, &str)> {
        let primary = self.primary.iter().map(|name| ("primary", name.as_str()));
        let order = self.order().iter().map(|name| ("failover.automatic.promote.order", name.as_str()));
        primary.chain(order).collect()
    }

    fn problems(&self, members: Members<'_>) -> Vec<SettingProblem> {
        let replicas = members.count().saturating_sub(1);
        let (semi_sync, after) = (self.semi_sync(), self.after());
        let order = self.order();
        let most = format!("at most {replicas}, all but the primary: the nodes are {}", members.listed());
        let named_twice = order.iter().enumerate().any(|(i, name)| order[..i].contains(name));
        let table = [
            (
                self.heartbeat == Duration::ZERO,
                "heartbeat",
                "a primary without heartbeats never learns of a lost message",
                "must be more than 0",
            ),
            (self.batch.get() == 0, "batch", "a batch of nothing ships nothing", "must be more than 0B"),
            (self.window.get() == 0, "window", "a window of nothing ships nothing", "must be more than 0B"),
            (
                semi_sync.is_some_and(|semi_sync| semi_sync.replicas == 0),
                "acknowledge.semi-sync.replicas",
                "waiting for no replica is not waiting",
                "must be at least 1; `acknowledge: async` waits for none",
            ),
            (
                semi_sync.is_some_and(|semi_sync| semi_sync.replicas > replicas.max(1)),
                "acknowledge.semi-sync.replicas",
                "there are not so many replicas: no write could ever be acknowledged",
                &most,
            ),
            (
                semi_sync.is_some() && replicas == 0,
                "acknowledge.semi-sync",
                "the only node has no replica to wait for",
                "add a node, or write `acknowledge: async`",
            ),
            (
                after.is_some() && members.count() < 3,
                "failover.automatic",
                "without the primary there is no majority of the nodes, so nobody can be elected",
                "add a third node (a witness), or write `failover: manual`",
            ),
            (
                after.is_some_and(|after| after.nanos() < self.heartbeat.nanos().saturating_mul(3)),
                "failover.automatic.after",
                "a replica would suspect its primary over one late heartbeat",
                "must be at least three times `heartbeat`",
            ),
            (
                self.failover == Failover::Manual && self.fencing && members.count() == 2,
                "failover.manual",
                "with fencing a promotion needs a majority, and one of two nodes is none",
                "add a third node (a witness), or write `fencing: false`",
            ),
            (
                named_twice,
                "failover.automatic.promote.order",
                "a node stands in the order twice",
                "name each node once",
            ),
        ];
        let wrong = table.into_iter().filter(|(wrong, ..)| *wrong);
        wrong.map(|(_, field, message, fix)| SettingProblem { field, message, fix: fix.to_owned() }).collect()
    }

    fn caveats(&self) -> Vec<String> {
        match self.failover {
            Failover::Automatic(_) if !self.fencing => vec![
                "Fail-over is automatic and `fencing` is false: a primary that is cut off goes on taking writes \
                 while another is elected, and what it acknowledges in that time is lost."
                    .to_string(),
            ],
            _ => Vec::new(),
        }
    }

    fn caveats_without(&self, down: &BTreeSet<Member>, members: Members<'_>) -> Vec<String> {
        let names: Vec<&str> = down.iter().map(|member| members.names[member.index()].as_str()).collect();
        let names = names.join("`, `");
        let loses_primary = down.contains(&first_primary(members, self));
        let (all, left) = (members.count(), members.count() - down.len() as u32);
        let majority = majority(all);
        let votes =
            self.failover != Failover::None && (self.fencing || loses_primary && self.after().is_some());
        let mut caveats = Vec::new();
        if votes && left < majority {
            caveats.push(format!(
                "While `{names}` are down, {left} of {all} nodes are left, and it takes a majority, {majority}, to elect a primary \
                 or to stay one: nobody can write. Put more nodes elsewhere, such as a third region with one that votes."
            ));
        }
        if let Some(SemiSync { replicas, .. }) = self.semi_sync()
            && loses_primary
            && (replicas + 1..all).contains(&(down.len() as u32))
        {
            caveats.push(format!(
                "`semi-sync` waits for {replicas} of the replicas, whichever answer first. `{names}` go down together: a write \
                 that only they have is acknowledged and lost with them. `replicas: {}` waits for one more elsewhere.",
                down.len()
            ));
        }
        caveats
    }

    fn caveat_of_promotion(&self, reached: u32, members: Members<'_>) -> Option<String> {
        let (all, majority) = (members.count(), majority(members.count()));
        (self.fencing && self.failover != Failover::None && reached < majority).then(|| {
            format!(
                "it reaches {reached} of {all} nodes then, itself included, and with `fencing` it takes a majority, {majority}, to grant \
                 a promotion: it serves nobody before. `fencing: false` asks nobody, and the old primary may go on."
            )
        })
    }

    fn caveat_of_cut(&self, reached: u32, members: Members<'_>) -> Option<String> {
        let (all, majority) = (members.count(), majority(members.count()));
        (self.fencing && self.failover != Failover::None && reached < majority).then(|| {
            format!(
                "no node reaches more than {reached} of {all}, itself included, and it takes a majority, {majority}, to elect a \
                 primary or to stay one: nobody can write. Put more nodes elsewhere, such as a third region with one that \
                 votes."
            )
        })
    }
}

impl Config {
    fn semi_sync(&self) -> Option<SemiSync> {
        match self.acknowledge {
            Acknowledge::SemiSync(semi_sync) => Some(semi_sync),
            Acknowledge::Async | Acknowledge::Sync => None,
        }
    }

    fn after(&self) -> Option<Duration> {
        match &self.failover {
            Failover::Automatic(automatic) => Some(automatic.after),
            Failover::None | Failover::Manual => None,
        }
    }

    /// The members named in the order of promotion.
    pub(super) fn order(&self) -> &[String] {
        match &self.failover {
            Failover::Automatic(Automatic { promote: Promote::Order(names), .. }) => names,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_that_no_majority_can_grant_is_told() {
        let names = ["p", "q", "r", "s"].map(str::to_string);
        let automatic = Failover::Automatic(Automatic::default());
        for (failover, fencing, nodes, reached, told) in [
            (Failover::Manual, true, 3, 1, true),
            (Failover::Manual, true, 3, 2, false),
            (Failover::Manual, true, 4, 2, true),
            (Failover::Manual, false, 3, 1, false),
            (automatic, true, 3, 1, true),
            (Failover::None, true, 3, 1, false),
        ] {
            let config = Config { failover, fencing, ..Config::default() };
            let members = Members { names: &names[..nodes], regions: &[] };
            assert_eq!(
                config.caveat_of_promotion(reached, members).is_some(),
                told,
                "{config:?}, {reached} of {nodes}"
            );
        }
    }

    #[test]
    fn what_is_lost_with_nodes_that_go_down_together_is_told() {
        let names = ["p", "q", "r"].map(str::to_string);
        let members = Members { names: &names, regions: &[] };
        let automatic = Failover::Automatic(Automatic::default());
        let with = |failover: &Failover, fencing, replicas| {
            let acknowledge = match replicas {
                0 => Acknowledge::Async,
                replicas => Acknowledge::SemiSync(SemiSync { replicas, ..SemiSync::default() }),
            };
            Config { failover: failover.clone(), fencing, acknowledge, ..Config::default() }
        };
        let (votes, copies) = ("it takes a majority, 2", "`replicas: 2` waits for one more elsewhere");
        for (config, down, expected) in [
            (with(&automatic, true, 0), &[0][..], &[][..]),
            (with(&automatic, true, 0), &[0, 1], &[votes]),
            (with(&automatic, true, 0), &[1, 2], &[votes]),
            (with(&automatic, false, 0), &[0, 1], &[votes]),
            // Nobody needs to be elected, and nothing makes the primary stop.
            (with(&automatic, false, 0), &[1, 2], &[]),
            (with(&Failover::Manual, true, 0), &[0, 1], &[votes]),
            (with(&Failover::Manual, false, 0), &[0, 1], &[]),
            (with(&Failover::None, true, 0), &[0, 1], &[]),
            (with(&Failover::None, true, 1), &[0, 1], &[copies]),
            (with(&Failover::None, true, 1), &[1, 2], &[]),
            (with(&Failover::None, true, 1), &[0], &[]),
            (with(&Failover::None, true, 2), &[0, 1], &[]),
            (with(&Failover::None, true, 1), &[0, 1, 2], &[]),
            (with(&automatic, true, 1), &[0, 1], &[votes, copies]),
        ] {
            let set = down.iter().copied().map(Member).collect();
            let found = config.caveats_without(&set, members);
            let right =
                found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.contains(e));
            assert!(right, "{config:?} without {down:?}: {found:#?}");
        }
    }

    #[test]
    fn settings_that_cannot_be_are_told() {
        let semi_sync = |replicas| {
            let acknowledge = Acknowledge::SemiSync(SemiSync { replicas, ..SemiSync::default() });
            Config { acknowledge, ..Config::default() }
        };
        let manual = |fencing| Config { failover: Failover::Manual, fencing, ..Config::default() };
        let automatic = |after, promote| {
            let failover = Failover::Automatic(Automatic { after: Duration::from_millis(after), promote });
            Config { failover, ..Config::default() }
        };
        let twice = Promote::Order(vec!["a".to_string(), "b".to_string(), "a".to_string()]);
        for (nodes, config, expected) in [
            (1, Config::default(), vec![]),
            (3, semi_sync(2), vec![]),
            (3, semi_sync(0), vec!["acknowledge.semi-sync.replicas"]),
            (3, semi_sync(3), vec!["acknowledge.semi-sync.replicas"]),
            (1, semi_sync(1), vec!["acknowledge.semi-sync"]),
            (3, automatic(300, Promote::MostAdvanced), vec![]),
            (3, automatic(299, Promote::MostAdvanced), vec!["failover.automatic.after"]),
            (2, automatic(1_000, Promote::MostAdvanced), vec!["failover.automatic"]),
            (3, automatic(1_000, twice), vec!["failover.automatic.promote.order"]),
            (
                3,
                Config {
                    heartbeat: Duration::from_nanos(u64::MAX),
                    ..automatic(1_000, Promote::MostAdvanced)
                },
                vec!["failover.automatic.after"],
            ),
            (2, manual(true), vec!["failover.manual"]),
            (2, manual(false), vec![]),
            (3, manual(true), vec![]),
            (
                2,
                Config {
                    heartbeat: Duration::ZERO,
                    batch: Bytes::new(0),
                    window: Bytes::new(0),
                    ..Config::default()
                },
                vec!["heartbeat", "batch", "window"],
            ),
        ] {
            let names: Vec<String> = ["a", "b", "c"][..nodes].iter().map(|name| name.to_string()).collect();
            let problems = config.problems(Members { names: &names, regions: &[] });
            let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
            assert_eq!(fields, expected, "{nodes} nodes, {config:?}");
        }
    }

    #[test]
    fn automatic_failover_without_fencing_is_warned_of() {
        let failover = Failover::Automatic(Automatic::default());
        for (config, expected) in [
            (Config { failover: failover.clone(), fencing: false, ..Config::default() }, 1),
            (Config { failover, ..Config::default() }, 0),
            (Config { fencing: false, ..Config::default() }, 0),
        ] {
            assert_eq!(config.caveats().len(), expected, "{config:?}");
        }
    }
}
