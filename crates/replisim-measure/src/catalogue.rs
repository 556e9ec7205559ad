//! Every measure there is: its slug, its unit, what it means in one line.

/// What a measure is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Simulated nanoseconds inside, milliseconds outside; the slug ends in `_ms`.
    Milliseconds,
    /// Writes or versions.
    Versions,
    /// Attempts at an operation.
    Attempts,
    /// A number of things.
    Count,
    /// A part of a whole.
    Share,
    /// Operations per second.
    PerSecond,
    /// Bytes.
    Bytes,
}

/// One entry of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MeasureInfo {
    /// Its name everywhere: code, YAML, CSV, JSON, charts.
    pub slug: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// A quantity over time, of which there are statistics, even if it is a count.
    pub over_time: bool,
    /// What it means in a line.
    pub about: &'static str,
    /// The names of the [definitions](crate::definition()) with the exact words, its own first.
    pub defined: &'static [&'static str],
    /// The kinds of scope it is also given by: `workload`, `node`, `kind`.
    pub scopes: &'static [&'static str],
}

const fn info(slug: &'static str, unit: Unit, about: &'static str) -> MeasureInfo {
    MeasureInfo { slug, unit, over_time: false, about, defined: &[], scopes: &[] }
}

const fn over_time(slug: &'static str, unit: Unit, about: &'static str) -> MeasureInfo {
    MeasureInfo { slug, unit, over_time: true, about, defined: &[], scopes: &[] }
}

impl MeasureInfo {
    /// The same, with the exact words under these names.
    const fn defined(self, names: &'static [&'static str]) -> MeasureInfo {
        MeasureInfo { defined: names, ..self }
    }

    /// The same, given by these kinds of scope too.
    const fn by(self, scopes: &'static [&'static str]) -> MeasureInfo {
        MeasureInfo { scopes, ..self }
    }
}

/// All measures, in the order in which tables show them.
pub const fn catalogue() -> &'static [MeasureInfo] {
    use Unit::*;
    const ALL: &[MeasureInfo] = &[
        info(
            "staleness_ms",
            Milliseconds,
            "age of the oldest acknowledged write that a read missed; 0 when fresh (all ok reads)",
        ).defined(&["staleness (time)", "missed writes `M(r)`"])
        .by(&["workload"]),
        info("staleness_when_stale_ms", Milliseconds, "the same over stale reads alone").defined(&["staleness (time)", "missed writes `M(r)`"]).by(&["workload"]),
        info("staleness_versions", Versions, "how many acknowledged writes of its key a read missed").defined(&["staleness (versions)", "missed writes `M(r)`"])
            .by(&["workload"]),
        info("stale_reads", Count, "reads that missed an acknowledged write, of all ok reads").defined(&["stale read", "missed writes `M(r)`"])
            .by(&["workload"]),
        info("t_visibility", Share, "share of reads that reflect the write acknowledged last before them").defined(&["t-visibility curve"])
            .by(&["workload"]),
        info("replication_delay_ms", Milliseconds, "from the commit of a write to its apply at a replica; negative: it was there before").defined(&["replication delay of w at n"])
            .by(&["node"]),
        info(
            "visible_after_ack_ms",
            Milliseconds,
            "from the ack of a write to its apply at a replica; negative: the replica was first",
        ).defined(&["replication delay of w at n"]),
        over_time(
            "lag_ms",
            Milliseconds,
            "age of the oldest committed write that a node lacks, over time (the whole: over all nodes)",
        ).defined(&["replication lag (time) of n at t"])
        .by(&["node"]),
        over_time(
            "lag_versions",
            Versions,
            "how many committed writes a node lacks, over time (the whole: over all nodes)",
        ).defined(&["replication lag (versions, bytes)"])
        .by(&["node"]),
        over_time(
            "lag_bytes",
            Bytes,
            "how many bytes of committed writes a node lacks, over time (the whole: over all nodes)",
        ).defined(&["replication lag (versions, bytes)"])
        .by(&["node"]),
        info("convergence_ms", Milliseconds, "from the commit of a write to its apply at the last owner").defined(&["write convergence time"]),
        info(
            "inconsistency_window_ms",
            Milliseconds,
            "from the ack of a write to its apply at the last owner; 0 if that was first",
        ).defined(&["inconsistency window"]),
        info(
            "recovery_convergence_ms",
            Milliseconds,
            "from the end of a fault until no live owner lacks a write committed before",
        ).defined(&["recovery convergence time"]),
        info(
            "catch_up_ms",
            Milliseconds,
            "from the end of a fault until a node's lag is what it was before, for a second",
        ).defined(&["catch-up time of n"])
        .by(&["node"]),
        info(
            "quiescent_convergence_ms",
            Milliseconds,
            "from the clients' last write until all live owners agree for good",
        ).defined(&["quiescent convergence time"]),
        over_time("divergence_keys", Count, "keys whose live owners differ in what they show, over time").defined(&["divergence at t"]),
        info(
            "unconverged_writes",
            Count,
            "committed writes that some owner still lacks at the end of settle",
        ).defined(&["write convergence time"]),
        info("unconverged_at_live_owners", Count, "those of them that a live owner lacks").defined(&["write convergence time"]),
        info("regressed_writes", Count, "writes that every owner held, and some owner lost again").defined(&["write convergence time"]),
        info("abandoned_writes", Count, "committed writes that the rightful history excludes").defined(&["abandoned"]),
        info("lost_writes", Count, "acknowledged writes that were abandoned").defined(&["lost write", "abandoned"]),
        info("lost_then_overwritten", Count, "lost writes of keys on which a later write stands").defined(&["lost write", "abandoned"]),
        info("stranded_writes", Count, "lost writes that still stand in the log of some node").defined(&["lost write", "abandoned"]),
        info("destroyed_writes", Count, "lost writes that no node has any more").defined(&["lost write", "abandoned"]),
        over_time(
            "rpo_writes",
            Versions,
            "acknowledged writes that the loss of the primary's node alone would cost, over time: those not logged at the node \
             that would be promoted, wherever it is, even where it is cut off together with the primary",
        ).defined(&["RPO exposure at t"]),
        over_time("rpo_bytes", Bytes, "their bytes, over time").defined(&["RPO exposure at t"]),
        over_time("rpo_age_ms", Milliseconds, "time since the ack of the oldest of them, over time").defined(&["RPO exposure at t"]),
        info(
            "skew_loss",
            Count,
            "acknowledged writes that a version acknowledged before their invocation superseded: dead on arrival",
        ).defined(&["skew loss"]),
        info(
            "conflict_loss",
            Count,
            "acknowledged writes discarded for another, of which neither knew of the other",
        ).defined(&["conflict loss"]),
        info(
            "lost_updates",
            Count,
            "acknowledged read-modify-writes and adds undone by a later one that did not read them",
        ).defined(&["lost update"]),
        info(
            "resurrected_writes",
            Count,
            "versions that stand again though every owner had held an acknowledged later one",
        ).defined(&["resurrected"]),
        info(
            "order_stale_reads",
            Count,
            "reads of what was acknowledged before the invocation of a write that it yet supersedes, of all ok reads",
        ).defined(&["order-stale read"])
        .by(&["workload"]),
        info(
            "resurrected_reads",
            Count,
            "reads of a version below an acknowledged one that every owner had held and none shows, of all ok reads",
        ).defined(&["resurrected"])
        .by(&["workload"]),
        info(
            "dirty_reads",
            Count,
            "reads that returned a write that is later abandoned or failed, of all ok reads",
        ).defined(&["dirty read"])
        .by(&["workload"]),
        info(
            "early_reads",
            Count,
            "reads that returned a write not yet committed when answered, of all ok reads",
        ).defined(&["dirty read"])
        .by(&["workload"]),
        info(
            "reads_missing_lost",
            Count,
            "reads that missed a lost write, until a later write of its key is acknowledged, of all ok reads",
        ).defined(&["reads missing lost"])
        .by(&["workload"]),
        info("stale_primary_acks", Count, "ok writes answered by a primary of the past, of all ok writes").defined(&["stale-primary ack", "rightful primary"])
            .by(&["workload"]),
        info(
            "rto_ms",
            Milliseconds,
            "from the loss of the primary to the ack of the first write invoked after it in a later term; so it counts, other than \
             unavailability, from the loss itself and to the answer",
        ).defined(&["RTO (per replication group)"]),
        info(
            "time_to_serve_ms",
            Milliseconds,
            "from the loss of the primary until its successor would accept a write",
        ).defined(&["RTO (per replication group)", "rightful primary"]),
        info(
            "unavailability_ms",
            Milliseconds,
            "lengths of the times in which no operation of a kind succeeded, from when the first of them was sent to when the \
             next that succeeded was; one that lasts to the end of the clients' time is only known to be at least so long. \
             `expect` takes none as 0",
        ).defined(&["unavailability window"])
        .by(&["kind"]),
        info("read_latency_ms", Milliseconds, "from when a read was scheduled to its answer (ok reads)").defined(&["latency"])
            .by(&["workload"]),
        info("write_latency_ms", Milliseconds, "from when a write was scheduled to its answer (ok writes)").defined(&["latency"])
            .by(&["workload"]),
        info("availability", Share, "operations that ended ok before their time-out, of all scheduled").defined(&["availability"])
            .by(&["workload", "kind"]),
        info("throughput_ops", PerSecond, "operations that ended ok, per second of the window").defined(&["throughput"])
            .by(&["workload"]),
        info("attempts", Attempts, "how often an operation was tried until it ended, where clients try again").defined(&["attempts"])
            .by(&["workload"]),
        info(
            "duplicate_applies",
            Count,
            "write operations applied more than once, by several attempts, of all; where clients try again",
        ).defined(&["duplicate apply"])
        .by(&["workload"]),
        info("messages", Count, "messages handed to the network").defined(&["traffic"]),
        info("bytes", Bytes, "bytes handed to the network").defined(&["traffic"]),
    ];
    ALL
}

/// The entry of `slug`, if there is one.
pub fn find(slug: &str) -> Option<&'static MeasureInfo> {
    catalogue().iter().find(|info| info.slug == slug)
}
