//! Closed forms and measured databases, through `scenarios/basics/by-hand.yaml` with changes. `docs/known-answers.md`
//! derives every formula; the tests it names hold many more cases.

use super::Effort;
use super::row::{Estimate, Row, Table, Unit};
use super::simulate::{Job, Outcome, Scope};

/// An answer that is known.
struct Answer {
    case: &'static str,
    measure: &'static str,
    unit: Unit,
    reference: Estimate,
    /// By how much ours may differ for reasons that are known, and stand in `measure`.
    slack: f64,
    set: &'static [&'static str],
    seeds: usize,
    ours: Ours,
}

type Ours = fn(&Outcome) -> Result<Estimate, String>;

/// So many runs for an error to be trusted.
const SEEDS: usize = 40;
/// Where nothing is left to chance.
const FEW: usize = 2;

/// Acknowledged by how many replicas.
const SEMI_SYNC: &str = "protocol.primary-backup.acknowledge=semi-sync";
const SYNC: &str = "protocol.primary-backup.acknowledge=sync";
const SHIP_EVERY: &str = "protocol.primary-backup.ship-every=500ms";

/// The ways to the replicas take exponential times with means of 20 and 50 ms, all others 1 ms; a write a second, so
/// that none waits for another.
const EXPONENTIAL_WAYS: &str = "network={ default: { latency: { constant: 1ms } }, links: [\
    { from: primary, to: near, kinds: { replicate: { latency: { exponential: { mean: 20ms } } } } }, \
    { from: primary, to: far, kinds: { replicate: { latency: { exponential: { mean: 50ms } } } } }] }";
const ONE_A_SECOND: &str = "workload=[{ name: writer, at: C, arrivals: { fixed: 1/s }, reads: 0% }]";

/// One key, and an exponential way to the near replica; heartbeats would take part in the order of arrivals.
const IN_ORDER: &[&str] = &[
    "network={ links: [{ from: primary, to: near, latency: { exponential: { mean: 20ms } } }] }",
    "protocol={ primary-backup: { heartbeat: 1000h } }",
    "workload.writer.arrivals={ poisson: 50/s }",
    "workload.writer.keys={ uniform: { count: 1 } }",
    "workload.reader.keys={ uniform: { count: 1 } }",
    "warmup=2s",
    "duration=32s",
];
/// λ/μ there.
const RHO: f64 = 1.0;
/// An acknowledgement is 10 ms on its way to the writer, a read 20 ms to the replica.
fn missing() -> f64 {
    RHO * libm::exp(-(10.0 + 20.0) / 20.0)
}

/// 12 ms between any two nodes, clients beside the primary, 500 writes a second, a cut of a second.
const UNFENCED_CUT: &[&str] = &[
    "network={ default: { latency: { constant: 12ms }, ordered: false }, same-zone: { latency: { constant: 1ms } } }",
    "protocol={ primary-backup: { heartbeat: 10ms, failover: { automatic: { after: 120ms } }, fencing: false } }",
    "workload=[{ name: writer, at: P, arrivals: { poisson: 500/s }, reads: 0%, timeout: 100ms }]",
    "faults=[{ at: 2s, partition: { isolate: [primary] }, for: 1s }]",
    "duration=4s",
];
/// 10 ms between any two nodes, a fenced primary.
const FENCED_CUT: &[&str] = &[
    "network={ default: { latency: { constant: 10ms } }, same-zone: { latency: { constant: 0s } } }",
    "protocol={ primary-backup: { heartbeat: 50ms, failover: { automatic: { after: 500ms } } } }",
    "workload=[{ name: writer, at: P, arrivals: { poisson: 1000/s }, reads: 0%, timeout: 100ms }]",
    "faults=[{ at: 2s, partition: { isolate: [primary] }, for: 3s }]",
    "duration=6s",
];
const DEATH: &[&str] = &[
    "network={ default: { latency: { constant: 20ms } }, same-zone: { latency: { constant: 0s } } }",
    "protocol={ primary-backup: { heartbeat: 50ms, failover: { automatic: { after: 1s } } } }",
    "workload=[{ name: writer, at: P, arrivals: { poisson: 0.001/s }, reads: 0%, timeout: 100ms }]",
    "faults=[{ at: 2s, crash: { nodes: [primary] }, for: 3s }]",
    "duration=6s",
];
/// A process is killed and its replica, 5 ms away, promoted at once.
const KILLED: &[&str] = &[
    "topology={ nodes: { primary: P, near: N } }",
    "network={ default: { latency: { constant: 5ms } }, same-zone: { latency: { constant: 0s } } }",
    "protocol={ primary-backup: { failover: manual, fencing: false } }",
    "workload=[{ name: writer, at: P, arrivals: { poisson: 400/s }, reads: 0% }]",
    "faults=[{ at: 1500ms, crash: { nodes: [primary], scope: process } }, { at: 1500ms, promote: { node: near } }]",
    "duration=2s",
];
/// The client is beside the primary, a replica 20 ms away.
const REDIS: &[&str] = &[
    "topology={ nodes: { primary: P, near: N } }",
    "network={ default: { latency: { constant: 20ms } }, same-zone: { latency: { constant: 0s } } }",
    "workload=[{ name: writer, at: P, arrivals: { poisson: 100/s }, reads: 0% }]",
];
const REDIS_WAIT: &[&str] = &[REDIS[0], REDIS[1], REDIS[2], SEMI_SYNC];
const POSTGRESQL: &[&str] = &[REDIS[0], REDIS[1], REDIS[2], SYNC, "disk={ fsync: { constant: 0.46ms } }"];
const POSTGRESQL_CUT: &[&str] = &[
    REDIS[0],
    REDIS[1],
    "workload=[{ name: writer, at: P, arrivals: { poisson: 100/s }, reads: 0%, value: 246B }]",
    "faults=[{ at: 3s, partition: { isolate: [near] }, for: 5s }]",
    "duration=13s",
];

const NEAR: Scope<'_> = Some(("node", "near"));
const FAR: Scope<'_> = Some(("node", "far"));
const WRITER: Scope<'_> = Some(("workload", "writer"));
const READER: Scope<'_> = Some(("workload", "reader"));

/// `∫₀¹ (1 − e^(−xy)) / y dy`, by its power series.
fn ein(x: f64) -> f64 {
    let (mut term, mut sum) = (-1.0, 0.0);
    for k in 1..200 {
        term *= -x / f64::from(k);
        sum += term / f64::from(k);
    }
    sum
}

fn answers() -> Vec<Answer> {
    use Unit::{Count, Milliseconds, Share};
    let known = Estimate::exact;
    let answer = |case, measure, unit, reference, set, seeds, ours| Answer {
        case,
        measure,
        unit,
        reference,
        slack: 0.0,
        set,
        seeds,
        ours,
    };
    let write: Ours = |outcome| outcome.mean("write_latency_ms", WRITER);
    let lost: Ours = |outcome| outcome.per_seed("lost_writes");
    let within = |slack, answer| Answer { slack, ..answer };
    let ms = |value| known(value);
    vec![
        answer("asynchronous", "write latency = 2c", Milliseconds, ms(20.0), &[], FEW, write),
        answer("semi-sync", "write latency = 2c + 2d₁", Milliseconds, ms(60.0), &[SEMI_SYNC], FEW, write),
        answer("sync", "write latency = 2c + 2d₂", Milliseconds, ms(120.0), &[SYNC], FEW, write),
        answer("asynchronous", "replication delay = d₂", Milliseconds, ms(50.0), &[], FEW, |outcome| {
            outcome.mean("replication_delay_ms", FAR)
        }),
        answer(
            "shipped every s",
            "replication delay = d₁ + s/2",
            Milliseconds,
            ms(270.0),
            &[SHIP_EVERY],
            SEEDS,
            |outcome| outcome.mean("replication_delay_ms", NEAR),
        ),
        answer(
            "exponential ways, semi-sync",
            "write latency: the faster of two",
            Milliseconds,
            ms(3.0 + 1.0 / (1.0 / 20.0 + 1.0 / 50.0)),
            &[EXPONENTIAL_WAYS, ONE_A_SECOND, SEMI_SYNC, "duration=201s"],
            SEEDS,
            write,
        ),
        answer(
            "exponential ways, sync",
            "write latency: the slower of two",
            Milliseconds,
            ms(3.0 + 20.0 + 50.0 - 1.0 / (1.0 / 20.0 + 1.0 / 50.0)),
            &[EXPONENTIAL_WAYS, ONE_A_SECOND, SYNC, "duration=201s"],
            SEEDS,
            write,
        ),
        answer(
            "applied in order",
            "stale reads = 1 − e^(−x)",
            Share,
            known(-libm::expm1(-missing())),
            IN_ORDER,
            SEEDS,
            |outcome| outcome.share("stale_reads", READER),
        ),
        answer(
            "applied in order",
            "mean staleness = Ein(x)/μ",
            Milliseconds,
            ms(20.0 * ein(missing())),
            IN_ORDER,
            SEEDS,
            |outcome| outcome.mean("staleness_ms", READER),
        ),
        answer(
            "applied in order",
            "mean lag = Ein(ρ)/μ",
            Milliseconds,
            ms(20.0 * ein(RHO)),
            IN_ORDER,
            SEEDS,
            |outcome| outcome.mean("lag_ms", NEAR),
        ),
        answer(
            "unfenced primary, cut off for T",
            "lost writes = λ (T + d + h/2)",
            Count,
            known(500.0 * (1.0 + 0.012 + 0.005)),
            UNFENCED_CUT,
            SEEDS,
            lost,
        ),
        answer(
            "fenced primary, cut off",
            "lost writes = λ (A − d − 3h/2)",
            Count,
            known(1_000.0 * (0.5 - 0.01 - 0.075)),
            FENCED_CUT,
            SEEDS,
            lost,
        ),
        // Two candidates may stand so close together that the later one wins: up to d² / (A/4) longer.
        within(
            1.6,
            answer(
                "the primary dies",
                "time to serve = A − h/2 + A/6 + 5d",
                Milliseconds,
                ms(1_000.0 - 25.0 + 1_000.0 / 6.0 + 100.0),
                DEATH,
                200,
                |outcome| outcome.mean("time_to_serve_ms", None),
            ),
        ),
        answer("killed, promoted at once", "lost writes = λ d", Count, known(2.0), KILLED, 400, lost),
        answer(
            "Redis 7 killed, 400/s, 5 ms",
            "lost writes: mean of six kills",
            Count,
            Estimate { value: 13.0 / 6.0, error: libm::sqrt(13.0) / 6.0, runs: None },
            KILLED,
            400,
            lost,
        ),
        within(
            1.0,
            answer(
                "Redis 7, 20 ms",
                "visible after the ack, p50; processes take up to 1 ms",
                Milliseconds,
                ms(20.58),
                REDIS,
                FEW,
                |outcome| outcome.number("visible_after_ack_ms", None, "p50").map(Estimate::exact),
            ),
        ),
        within(
            1.0,
            answer(
                "Redis 7, WAIT 1, 20 ms",
                "write latency p50; processes take up to 1 ms",
                Milliseconds,
                ms(40.54),
                REDIS_WAIT,
                FEW,
                |outcome| outcome.number("write_latency_ms", None, "p50").map(Estimate::exact),
            ),
        ),
        within(
            1.5,
            answer(
                "PostgreSQL 15, synchronous, 20 ms",
                "write latency p50; processes take up to 1.5 ms",
                Milliseconds,
                ms(41.90),
                POSTGRESQL,
                FEW,
                |outcome| outcome.number("write_latency_ms", None, "p50").map(Estimate::exact),
            ),
        ),
        within(
            0.2 * 3_276.0,
            answer(
                "PostgreSQL 15, cut off for 5 s",
                "all is there after the heal; a single run, 20 %",
                Milliseconds,
                ms(3_276.0),
                POSTGRESQL_CUT,
                SEEDS,
                |outcome| outcome.mean("recovery_convergence_ms", None),
            ),
        ),
    ]
}

/// Closed forms and measured databases.
pub(crate) fn table(_: Effort) -> Result<Table, String> {
    let mut table = Table {
        heading: "Closed forms, and real databases".to_owned(),
        words: "Reference: formulas that `docs/known-answers.md` derives (with c, d the one-way delays to the primary and from it to \
                replicas, λ writes a second, h a heartbeat, A the time to suspicion), and measurements of PostgreSQL 15.18 and Redis \
                7.0.15 between Linux network namespaces with a fixed delay. Ours: `scenarios/basics/by-hand.yaml`, with changes."
            .to_owned(),
        rows: Vec::new(),
        operations: 0,
    };
    let mut last: Option<(Job, Outcome)> = None;
    for (i, Answer { case, measure, unit, reference, slack, set, seeds, ours }) in (0..).zip(answers()) {
        let set = set.iter().map(|set| (*set).to_owned()).collect();
        let mut job = Job { scenario: "basics/by-hand", set, first_seed: 1 + 1_000 * i, seeds };
        // Rows of one run follow each other.
        let outcome = match last.take() {
            Some((same, outcome)) if same.set == job.set && same.seeds == job.seeds => {
                job = same;
                outcome
            }
            _ => {
                let outcome = job.run()?;
                table.operations += outcome.operations();
                outcome
            }
        };
        let (case, measure, ours) = (case.to_owned(), measure.to_owned(), ours(&outcome)?);
        last = Some((job, outcome));
        table.rows.push(Row { case, measure, unit, reference, ours, slack });
    }
    Ok(table)
}
