//! Every measure there is: its slug, its unit, what it means in one line.

/// What a measure is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Simulated nanoseconds inside, milliseconds outside; the slug ends in `_ms`.
    Milliseconds,
    /// Writes or versions.
    Versions,
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
    /// What it means; `docs/definitions.md` has the exact words.
    pub about: &'static str,
}

const fn info(slug: &'static str, unit: Unit, about: &'static str) -> MeasureInfo {
    MeasureInfo { slug, unit, about }
}

/// All measures, in the order in which tables show them.
pub const fn catalogue() -> &'static [MeasureInfo] {
    use Unit::*;
    const ALL: &[MeasureInfo] = &[
        info(
            "staleness_ms",
            Milliseconds,
            "age of the oldest acknowledged write that a read missed; 0 when fresh (all ok reads)",
        ),
        info("staleness_when_stale_ms", Milliseconds, "the same over stale reads alone"),
        info("staleness_versions", Versions, "how many acknowledged writes of its key a read missed"),
        info("stale_reads", Count, "reads that missed an acknowledged write, of all ok reads"),
        info("t_visibility", Share, "share of reads that reflect the write acknowledged last before them"),
        info("replication_delay_ms", Milliseconds, "from the commit of a write to its apply at a replica"),
        info(
            "visible_after_ack_ms",
            Milliseconds,
            "from the ack of a write to its apply at a replica; negative: the replica was first",
        ),
        info(
            "lag_ms",
            Milliseconds,
            "age of the oldest committed write that a node lacks, over time; the whole: over time and all nodes",
        ),
        info(
            "lag_versions",
            Versions,
            "how many committed writes a node lacks, over time; the whole: over time and all nodes",
        ),
        info("convergence_ms", Milliseconds, "from the commit of a write to its apply at the last owner"),
        info(
            "inconsistency_window_ms",
            Milliseconds,
            "from the ack of a write to its apply at the last owner; 0 if that was first",
        ),
        info(
            "recovery_convergence_ms",
            Milliseconds,
            "from the end of a fault until no live owner lacks a write committed before",
        ),
        info(
            "unconverged_writes",
            Count,
            "committed writes that some owner still lacks at the end of settle",
        ),
        info("abandoned_writes", Count, "committed writes that the rightful history excludes"),
        info("lost_writes", Count, "acknowledged writes that were abandoned"),
        info(
            "dirty_reads",
            Count,
            "reads that returned a write that is later abandoned or failed, of all ok reads",
        ),
        info(
            "early_reads",
            Count,
            "reads that returned a write not yet committed when answered, of all ok reads",
        ),
        info(
            "reads_missing_lost",
            Count,
            "reads that missed an acknowledged write that is abandoned, until a later write of its key is acknowledged",
        ),
        info("stale_primary_acks", Count, "ok writes answered by a primary of the past, of all ok writes"),
        info(
            "rto_ms",
            Milliseconds,
            "from the loss of the primary to the ack of the first write invoked after it and committed under a later term",
        ),
        info(
            "time_to_serve_ms",
            Milliseconds,
            "from the loss of the primary until its successor would accept a write",
        ),
        info(
            "unavailability_ms",
            Milliseconds,
            "lengths of the times in which no operation of a kind succeeded",
        ),
        info("read_latency_ms", Milliseconds, "from when a read was scheduled to its answer (ok reads)"),
        info("write_latency_ms", Milliseconds, "from when a write was scheduled to its answer (ok writes)"),
        info("availability", Share, "operations that ended ok before their time-out, of all scheduled"),
        info("throughput_ops", PerSecond, "operations that ended ok, per second of the window"),
        info("messages", Count, "messages handed to the network"),
        info("bytes", Bytes, "bytes handed to the network"),
    ];
    ALL
}

/// The entry of `slug`, if there is one.
pub fn find(slug: &str) -> Option<&'static MeasureInfo> {
    catalogue().iter().find(|info| info.slug == slug)
}
