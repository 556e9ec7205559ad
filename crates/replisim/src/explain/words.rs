//! Words that people look for and that are no names here, or names of something else than they may have in mind.

/// A word, in all its forms.
pub(super) struct Word {
    /// In lower case, with dashes.
    forms: &'static [&'static str],
    /// What it is here.
    pub(super) about: &'static str,
    /// Where more is said.
    pub(super) see: &'static [&'static str],
}

const fn word(forms: &'static [&'static str], about: &'static str, see: &'static [&'static str]) -> Word {
    Word { forms, about, see }
}

const WORDS: &[Word] = &[
    word(
        &["digest", "fingerprint", "hash"],
        "Of a run: the last line of `replisim run`, the fingerprint of all that happened; equal digests, equal runs. Under `quorum` a \
         read may ask some copies for the fingerprint of a value alone.",
        &["protocol.quorum.contact-reads.digests", "seed"],
    ),
    word(
        &["wal", "log", "binlog", "oplog", "redo-log", "journal"],
        "Under `primary-backup` every node keeps a log: a write is logged, then applied; the log is what is shipped to replicas. How \
         long an fsync of it takes is `disk`, what a crash leaves of it `crash`.",
        &[
            "protocol.primary-backup.ship-every",
            "protocol.primary-backup.retain",
            "disk",
            "faults.crash",
            "logged",
        ],
    ),
    word(
        &["witness", "arbiter", "tiebreaker", "voting-only"],
        "There is no node that votes and keeps no data. A small third node does its part in elections: give it a place of its own, \
         where it hears from both sides, and remember that the most advanced node is promoted, wherever it is.",
        &["protocol.primary-backup.failover.automatic"],
    ),
    word(
        &["vote", "votes", "voting", "term", "epoch", "election", "leader-election", "majority"],
        "An automatic fail-over is an election: replicas that have not heard from the primary for `after` stand for it in a new, \
         higher term, and the one for which a majority of all nodes votes is promoted. `fencing` stops a primary that hears from no \
         majority. In a leaderless quorum a majority is the level `quorum`.",
        &[
            "protocol.primary-backup.failover.automatic",
            "protocol.primary-backup.fencing",
            "protocol.quorum.write",
        ],
    ),
    word(
        &["leader", "master", "primary"],
        "The node that takes all writes, under `primary-backup`: the first of `topology.nodes` unless named. How another becomes it is \
         `failover`.",
        &[
            "protocol.primary-backup.primary",
            "protocol.primary-backup.failover",
            "faults.promote",
            "workload.read-from",
            "rightful primary",
        ],
    ),
    word(
        &["successor", "new-primary", "candidate"],
        "Who takes over when the primary is lost: by the rule `promote` of automatic fail-over, or whom the fault `promote` names.",
        &["protocol.primary-backup.failover.automatic.promote", "faults.promote", "rto", "rightful primary"],
    ),
    word(
        &["heal", "recover", "recovery", "repair", "end", "until"],
        "A fault ends by itself, `for` so long after it began (at random: after a time of mean `mttr`); without `for` it ends when \
         clients stop, but a node that it took down stays down.",
        &["faults.for", "faults.mttr", "recovery_convergence", "catch_up"],
    ),
    word(
        &["commit", "committed", "commits"],
        "When a write counts as done by the protocol's own rule; when its client is told is `acknowledge`, or the level of a quorum.",
        &["commit rules", "protocol.primary-backup.acknowledge", "protocol.quorum.write"],
    ),
    word(
        &["zone", "region", "place", "places", "location", "datacenter", "az"],
        "Nodes and clients stand in places, `region` or `region/zone`: those of a map, or any for which round-trip times are given. \
         Between two regions a time must be given; within a region there is one that holds unless given.",
        &[
            "topology",
            "topology.nodes",
            "topology.rtts",
            "workload.at",
            "faults.zone-outage",
            "faults.region-outage",
        ],
    ),
    word(
        &["latency", "delay"],
        "Of links: the law of the one-way delay, which replaces that of the map. Of operations: measures.",
        &[
            "network.default.latency",
            "network.default.jitter",
            "faults.slow-link",
            "read_latency",
            "write_latency",
        ],
    ),
    word(
        &["loss", "packet-loss"],
        "Of messages: of a link for the whole run, or as a fault. Of acknowledged writes: a measure.",
        &["network.default.loss", "faults.lossy-link", "lost_writes"],
    ),
    word(
        &["scope"],
        "In `expect`: which part of the run, `p99(staleness{workload=readers})`. Of a crash: the process or the machine.",
        &["expect", "faults.crash.scope"],
    ),
    word(
        &["kill", "stop", "restart", "failure"],
        "A fault `crash` takes nodes down and `for` says when they start again; `pause` only stops them for a while.",
        &["faults.crash", "faults.pause"],
    ),
    word(
        &["replica", "replicas", "follower", "standby", "backup", "replication-factor", "slave"],
        "Under `primary-backup` every node of `topology.nodes` but the primary; under `quorum` each key has `copies` of them.",
        &[
            "topology.nodes",
            "protocol.primary-backup.acknowledge.semi-sync",
            "protocol.quorum.copies",
            "protocol.quorum.coordinator",
        ],
    ),
    word(
        &["consistency-level", "cl"],
        "Of a quorum: how many copies must answer a read, and have a write.",
        &["protocol.quorum.read", "protocol.quorum.write", "workload.consistency"],
    ),
];

/// What is said of a word, in whatever form it is written.
pub(super) fn look_up(word: &str) -> Option<&'static Word> {
    let word = word.to_lowercase().replace([' ', '_'], "-");
    WORDS.iter().find(|known| known.forms.contains(&word.as_str()))
}

/// Every form of every word.
pub(super) fn forms() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(|word| word.forms.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{called, page};
    use replisim_scenario::language::Language;

    #[test]
    fn a_word_that_is_a_field_leads_to_the_field() {
        let language = Language::new();
        for Word { forms, see, .. } in WORDS {
            for entry in forms.iter().flat_map(|form| called(&language, form)) {
                let shown = see.iter().any(|path| [entry.path.as_str(), entry.parent()].contains(path));
                assert!(shown, "{forms:?} do not lead to {}", entry.path);
            }
        }
    }

    #[test]
    fn every_word_leads_to_screens_that_there_are() {
        let language = Language::new();
        for Word { forms, see, .. } in WORDS {
            for word in *see {
                assert!(
                    page(&language, word).is_some(),
                    "{forms:?} lead to `{word}`, of which nothing is known"
                );
            }
        }
    }
}
