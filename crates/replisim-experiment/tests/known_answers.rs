//! Scenarios whose results are known from mathematics. `docs/known-answers.md` derives each answer, in the order of
//! the tests here, and `cargo test --test known_answers -- --nocapture` prints every figure beside its answer.
//!
//! Where delays are constant the answer must come out to the nanosecond. Where chance has a part in it, the error
//! comes from independent seeds and from nothing else: the reads of one run share their writes, so an error from
//! within a run would be far too small. A check also fails if its error is too large to tell right from wrong.

mod support;

use replisim_cluster::World;
use replisim_engine::{Label, Time};
use replisim_experiment::{RunResult, figure, run};
use replisim_measure::{Distribution, Findings, Leaf, Measures, TimeWeighted};
use replisim_observe::{Key, Member, Op, Stored, Write};
use replisim_protocols::primary_backup::Config;
use replisim_protocols::protocol::{self, version};
use replisim_protocols::{Effects, Members, MessageKind, Protocol, Reply, Request, Route};
use replisim_scenario::{ProtocolSettings, Statistic, build};
use support::load;

/// Enough independent runs for an error to be trusted.
const SEEDS: u64 = 40;
const THREADS: usize = 2;
const MS: i64 = 1_000_000;
const READERS: Option<(&str, &str)> = Some(("workload", "readers"));
const WRITERS: Option<(&str, &str)> = Some(("workload", "writers"));
const REPLICA: Option<(&str, &str)> = Some(("node", "r"));

/// Compares the mean of independent `samples` with the known answer. `bias` bounds by how much the simulated model is
/// known to differ from that of the formula.
#[track_caller]
fn check(claim: &str, samples: &[f64], expected: f64, bias: f64) {
    let n = samples.len() as f64;
    assert!(n >= 30.0, "{claim}: an error from {n} seeds means little");
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f64>() / (n - 1.0);
    check_estimate(claim, mean, (variance / n).sqrt(), expected, bias);
}

/// Compares an estimate whose standard error is known. 4.5 standard errors come by chance once in 10⁴ checks with 40
/// seeds; here the seeds are fixed, so a check that holds once holds always.
#[track_caller]
fn check_estimate(claim: &str, estimate: f64, error: f64, expected: f64, bias: f64) {
    let off = if error > 0.0 { (estimate - expected) / error } else { 0.0 };
    println!("{claim}: expected {expected:.6}, measured {estimate:.6} ± {error:.6} ({off:+.1} errors)");
    let tolerance = 4.5 * error + bias;
    assert!(
        tolerance > 0.0 && tolerance < 0.06 * expected,
        "{claim}: ± {tolerance} cannot tell right from wrong"
    );
    assert!((estimate - expected).abs() <= tolerance, "{claim}: {estimate} ± {error}, not {expected}");
}

/// Runs a scenario with many seeds.
#[track_caller]
fn runs(yaml: &str, seeds: u64) -> Vec<RunResult> {
    let seeds: Vec<u64> = (1..=seeds).collect();
    let study = run(&load(yaml), &seeds, THREADS, &()).expect("a scenario that runs");
    assert!(study.runs.iter().all(|run| run.findings.accounting.holds()), "{yaml}");
    study.runs
}

/// One statistic of every run; durations in nanoseconds.
#[track_caller]
fn of_each(runs: &[RunResult], slug: &str, scope: Option<(&str, &str)>, statistic: Statistic) -> Vec<f64> {
    runs.iter().map(|run| value(&run.findings, slug, scope, statistic)).collect()
}

#[track_caller]
fn value(findings: &Findings, slug: &str, scope: Option<(&str, &str)>, statistic: Statistic) -> f64 {
    let leaf = findings.leaf(slug, scope).unwrap_or_else(|| panic!("no {slug} of {scope:?}"));
    figure(leaf, statistic).unwrap_or_else(|| panic!("no {statistic:?} of {slug}")).number()
}

#[track_caller]
fn samples<'a>(findings: &'a Findings, slug: &str, scope: Option<(&str, &str)>) -> &'a Distribution {
    match findings.leaf(slug, scope) {
        Some(Leaf::Distribution(samples)) => samples,
        other => panic!("{slug} of {scope:?} is {other:?}"),
    }
}

#[track_caller]
fn over_time<'a>(findings: &'a Findings, slug: &str, scope: Option<(&str, &str)>) -> &'a TimeWeighted {
    match findings.leaf(slug, scope) {
        Some(Leaf::TimeWeighted(value)) => value,
        other => panic!("{slug} of {scope:?} is {other:?}"),
    }
}

/// Asserts that all samples are the same whole number of nanoseconds, and returns how many there are.
#[track_caller]
fn all_equal(samples: &Distribution, nanos: i64) -> u64 {
    let count = samples.count();
    assert!(count > 0, "there are samples");
    assert_eq!(samples.count_censored(), 0);
    assert_eq!((samples.min(), samples.sum()), (Some(nanos), i128::from(nanos) * i128::from(count)));
    count
}

/// `∫₀¹ (1 − e^(−xy)) / y dy`, the complementary exponential integral, by its power series.
fn ein(x: f64) -> f64 {
    let (mut term, mut sum) = (-1.0, 0.0);
    for k in 1..200 {
        term *= -x / f64::from(k);
        sum += term / f64::from(k);
    }
    sum
}

#[test]
fn constant_delays_come_out_to_the_nanosecond() {
    // One-way delays in milliseconds: client to primary, primary to each of two replicas.
    for (client, near, far) in [(10, 20, 75), (40, 5, 60), (0, 3, 3), (7, 0, 1)] {
        let yaml = format!(
            "
duration: 5s
topology:
  nodes: {{ p: P, r1: R1, r2: R2 }}
  rtts:
    - {{ between: [C, P], rtt: {}ms }}
    - {{ between: [P, R1], rtt: {}ms }}
    - {{ between: [P, R2], rtt: {}ms }}
    - {{ between: [C, R1], rtt: 10ms }}
    - {{ between: [C, R2], rtt: 10ms }}
    - {{ between: [R1, R2], rtt: 10ms }}
protocol: primary-backup
workload:
  - {{ name: writers, at: C, arrivals: {{ poisson: 100/s }}, reads: 0% }}
",
            2 * client,
            2 * near,
            2 * far
        );
        for run in runs(&yaml, 3) {
            let findings = &run.findings;
            let writes = all_equal(samples(findings, "write_latency_ms", WRITERS), 2 * client * MS);
            for (node, delay) in [("r1", near), ("r2", far)] {
                let delays = samples(findings, "replication_delay_ms", Some(("node", node)));
                let committed = all_equal(delays, delay * MS);
                assert!(
                    writes - committed < 20,
                    "only writes committed after the clients stopped are left out"
                );
            }
            let visible = samples(findings, "visible_after_ack_ms", None);
            let (near, far) = (near.min(far) - client, far.max(near) - client);
            assert_eq!(visible.min(), Some(near * MS), "the nearer replica");
            assert_eq!(value(findings, "visible_after_ack_ms", None, Statistic::Max), (far * MS) as f64);
            assert_eq!(
                2 * visible.sum(),
                i128::from((near + far) * MS) * i128::from(visible.count()),
                "half of the samples are of each replica"
            );
            all_equal(samples(findings, "convergence_ms", None), (far + client) * MS);
        }
    }
}

#[test]
fn shipping_every_s_adds_half_of_s_on_average_and_never_more_than_s() {
    for (delay_ms, every_ms) in [(5, 100), (50, 1_000), (20, 20)] {
        let yaml = format!(
            "
duration: 21s
warmup: 1s
topology: {{ nodes: {{ p: X, r: X }} }}
network: {{ default: {{ latency: {{ constant: {delay_ms}ms }} }} }}
protocol: {{ primary-backup: {{ ship-every: {every_ms}ms }} }}
workload:
  - {{ name: writers, at: X, arrivals: {{ poisson: 50/s }}, reads: 0% }}
"
        );
        let runs = runs(&yaml, SEEDS);
        let claim = format!("mean delay, {delay_ms} ms one way, shipped every {every_ms} ms [ms]");
        let means = of_each(&runs, "replication_delay_ms", REPLICA, Statistic::Mean);
        let means: Vec<f64> = means.iter().map(|nanos| nanos / 1e6).collect();
        check(&claim, &means, (delay_ms as f64) + every_ms as f64 / 2.0, 0.0);
        for run in &runs {
            let delays = samples(&run.findings, "replication_delay_ms", REPLICA);
            let longest = value(&run.findings, "replication_delay_ms", REPLICA, Statistic::Max);
            assert!(delays.min() >= Some(delay_ms * MS) && longest <= ((delay_ms + every_ms) * MS) as f64);
        }
    }
}

/// A primary `p`, one replica `r`, a writer whose answers take `a` and a reader whose requests take `b`. Delays from
/// `p` to `r` are exponential; all else is constant.
#[derive(Clone, Copy, Debug)]
struct Exponential {
    writes_per_second: f64,
    mean_ms: f64,
    a_ms: f64,
    b_ms: f64,
    ordered: bool,
}

impl Exponential {
    const fn new(writes_per_second: f64, mean_ms: f64, a_ms: f64, b_ms: f64) -> Exponential {
        Exponential { writes_per_second, mean_ms, a_ms, b_ms, ordered: true }
    }

    /// A heartbeat travels on the same link as the writes, so its delay would take part in the running maximum of
    /// arrival times, and the formula knows of no such message; so there is one in a thousand hours. Warm-up is 40
    /// mean delays or more, and the share of writes that take longer is below e^-40.
    fn yaml(&self) -> String {
        let Exponential { writes_per_second, mean_ms, a_ms, b_ms, ordered } = self;
        // Nothing must come back from the replica where the link is not ordered: a replica that sees a gap asks for
        // what is missing, and the second copy may overtake the first, which is not the model.
        let back = if *ordered { "0s" } else { "48h" };
        format!(
            "
duration: 22s
warmup: 2s
settle: 2s
topology:
  nodes: {{ p: P, r: R }}
  rtts:
    - {{ between: [P, R], rtt: 0s }}
    - {{ between: [W, P], rtt: 0s }}
    - {{ between: [W, R], rtt: 0s }}
    - {{ between: [Q, P], rtt: 0s }}
    - {{ between: [Q, R], rtt: 0s }}
    - {{ between: [W, Q], rtt: 0s }}
    - {{ from: P, to: W, rtt: {}ms }}
    - {{ from: Q, to: R, rtt: {}ms }}
    - {{ from: R, to: P, rtt: {back} }}
network:
  links:
    - {{ from: p, to: r, latency: {{ exponential: {{ mean: {mean_ms}ms }} }}, ordered: {ordered} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
workload:
  - {{ name: writers, at: W, arrivals: {{ poisson: {writes_per_second}/s }}, reads: 0%, keys: {{ uniform: {{ count: 1 }} }} }}
  - {{ name: readers, at: Q, arrivals: {{ poisson: 100/s }}, reads: 100%, keys: {{ uniform: {{ count: 1 }} }}, read-from: {{ node: r }} }}
",
            2.0 * a_ms,
            2.0 * b_ms,
        )
    }

    /// λ / μ: the mean number of writes under way.
    fn rho(&self) -> f64 {
        self.writes_per_second * self.mean_ms / 1e3
    }

    /// `e^(−μ (a + b + t))`: the share of writes that take longer than that.
    fn tail(&self, t_ms: f64) -> f64 {
        libm::exp(-(self.a_ms + self.b_ms + t_ms) / self.mean_ms)
    }
}

/// λ [1/s], 1/μ, a, b [ms].
const EXPONENTIALS: [Exponential; 7] = [
    Exponential::new(50.0, 20.0, 0.0, 0.0),
    Exponential::new(50.0, 20.0, 10.0, 0.0),
    Exponential::new(50.0, 20.0, 0.0, 10.0),
    Exponential::new(20.0, 50.0, 30.0, 20.0),
    Exponential::new(200.0, 20.0, 5.0, 15.0),
    Exponential::new(10.0, 40.0, 4.0, 8.0),
    Exponential::new(100.0, 40.0, 0.0, 0.0),
];

#[test]
fn staleness_of_in_order_apply_follows_the_closed_forms() {
    for case in EXPONENTIALS {
        let runs = runs(&case.yaml(), SEEDS);
        let (rho, x) = (case.rho(), case.rho() * case.tail(0.0));
        let share = of_each(&runs, "stale_reads", READERS, Statistic::Share);
        check(&format!("share of stale reads, {case:?}"), &share, -libm::expm1(-x), 0.0);
        let mean = of_each(&runs, "staleness_ms", READERS, Statistic::Mean);
        let mean: Vec<f64> = mean.iter().map(|nanos| nanos / 1e6).collect();
        check(&format!("mean staleness, {case:?} [ms]"), &mean, case.mean_ms * ein(x), 0.0);
        let versions = of_each(&runs, "staleness_versions", READERS, Statistic::Mean);
        let expected = rho * ein(x) - libm::expm1(-x);
        check(&format!("mean missed writes, {case:?}"), &versions, expected, 0.0);
    }
}

#[test]
fn an_ordered_link_delays_writes_behind_earlier_ones_by_the_closed_form() {
    for case in EXPONENTIALS {
        let rho = case.rho();
        let mean = of_each(&runs(&case.yaml(), SEEDS), "replication_delay_ms", REPLICA, Statistic::Mean);
        let mean: Vec<f64> = mean.iter().map(|nanos| nanos / 1e6).collect();
        let expected = case.mean_ms * (ein(rho) - libm::expm1(-rho) / rho);
        check(&format!("mean delay in order, {case:?} [ms]"), &mean, expected, 0.0);
    }
}

#[test]
fn lag_over_time_is_what_reads_without_any_delay_see_and_littles_law_holds() {
    for case in EXPONENTIALS {
        let runs = runs(&case.yaml(), SEEDS);
        let rho = case.rho();
        let lag = |run: &RunResult| over_time(&run.findings, "lag_ms", REPLICA).clone();
        let behind: Vec<f64> = runs.iter().map(|run| 1.0 - lag(run).share_at_zero().unwrap()).collect();
        check(&format!("share of time behind, {case:?}"), &behind, -libm::expm1(-rho), 0.0);
        let mean: Vec<f64> = runs.iter().map(|run| lag(run).mean().unwrap() / 1e6).collect();
        check(&format!("mean lag, {case:?} [ms]"), &mean, case.mean_ms * ein(rho), 0.0);
        let missing = of_each(&runs, "lag_versions", REPLICA, Statistic::Mean);
        let expected = rho * ein(rho) - libm::expm1(-rho);
        check(&format!("mean lag, {case:?} [versions]"), &missing, expected, 0.0);
        // Little's law needs no formula: the same run measures both sides, in different places.
        let delay = of_each(&runs, "replication_delay_ms", REPLICA, Statistic::Mean);
        let rates = runs.iter().map(|run| run.findings.leaf("unconverged_writes", None));
        let rates = rates.map(|leaf| match leaf {
            Some(Leaf::Count { of: Some(committed), .. }) => *committed as f64 / 20e9,
            other => panic!("{other:?}"),
        });
        for ((missing, delay), rate) in missing.iter().zip(delay).zip(rates) {
            // They differ by the writes under way at the two ends of the window: a few ρ of thousands.
            let off = (missing / (rate * delay) - 1.0).abs();
            assert!(off < 0.1, "{missing} writes missing, {rate} per ns, each for {delay} ns");
        }
    }
}

#[test]
fn a_replica_that_applies_in_log_order_turns_an_unordered_link_into_an_ordered_one() {
    for case in EXPONENTIALS {
        let ordered = runs(&case.yaml(), 5);
        let unordered = runs(&Exponential { ordered: false, ..case }.yaml(), 5);
        for (ordered, unordered) in ordered.iter().zip(&unordered) {
            assert_ne!(ordered.digest, unordered.digest, "messages did arrive at other moments");
            for (slug, scope) in [
                ("replication_delay_ms", REPLICA),
                ("visible_after_ack_ms", None),
                ("staleness_ms", READERS),
                ("staleness_versions", READERS),
            ] {
                let all = |run: &RunResult| {
                    let samples = samples(&run.findings, slug, scope);
                    (samples.count(), samples.sum(), samples.cumulative())
                };
                assert_eq!(all(ordered), all(unordered), "{slug}, {case:?}");
            }
            let lag = |run: &RunResult| over_time(&run.findings, "lag_ms", REPLICA).clone();
            assert_eq!(lag(ordered), lag(unordered), "{case:?}");
        }
    }
}

#[test]
fn the_t_visibility_curve_follows_its_closed_form() {
    for case in EXPONENTIALS {
        let runs = runs(&case.yaml(), SEEDS);
        let curves: Vec<_> = runs.iter().map(|run| run.findings.visibility[1].1.curve()).collect();
        assert_eq!(runs[0].findings.visibility[1].0, "readers");
        // Steps around the mean delay: some 900 reads a seed and second fall into each, or none of use.
        let steps = curves[0].iter().map(|point| (point.from, point.to));
        for (from, to) in steps.filter(|(from, to)| *from >= 3_000_000 && *to <= 60_000_000) {
            let counts: Vec<(f64, f64)> = curves
                .iter()
                .map(|curve| {
                    let point = curve.iter().find(|point| point.from == from);
                    point.map_or((0.0, 0.0), |point| (point.fresh as f64, point.reads as f64))
                })
                .collect();
            let (fresh, reads) = counts.iter().fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
            if fresh < 2_000.0 || reads < 2_000.0 {
                continue;
            }
            let n = counts.len() as f64;
            let share = fresh / reads;
            // The error of a ratio of sums over seeds, by linearization.
            let residuals = counts.iter().map(|(fresh, reads)| fresh - share * reads);
            let error = (residuals.map(|r| r * r).sum::<f64>() * n / (n - 1.0)).sqrt() / reads;
            let visible = |t_ms: f64| (1.0 - case.tail(t_ms)) * libm::exp(-case.rho() * case.tail(t_ms));
            let age_density = |t_ms: f64| libm::exp(-case.writes_per_second * t_ms / 1e3);
            let (mut above, mut below) = (0.0, 0.0);
            for i in 0..1_000 {
                let t_ms = (from as f64 + (to - from) as f64 * (f64::from(i) + 0.5) / 1e3) / 1e6;
                above += visible(t_ms) * age_density(t_ms);
                below += age_density(t_ms);
            }
            // The histogram may put a read in the next step whose time is within 0.1 % of the border: of a step that
            // is 26 % wide that is one read in 200 at either end, and the curve changes by less than 0.3 per step.
            let bias = 0.3 * 0.01;
            check_estimate(
                &format!("t-visibility from {from} to {to} ns, {case:?}"),
                share,
                error,
                above / below,
                bias,
            );
        }
    }
}

/// Last-write-wins in its purest form: the primary sends every write by itself, and a replica shows the newest that
/// has arrived. No protocol of the simulator does that (all repair gaps), so it is made here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct NewestWins {
    me: Member,
    members: u32,
    writes: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Newest {
    key: Key,
    stored: Stored,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum NoTimer {}

impl Protocol for NewestWins {
    type Config = Config; // none of it is used
    type Message = Newest;
    type Timer = NoTimer;

    fn new(me: Member, members: Members<'_>, _: &Config) -> NewestWins {
        NewestWins { me, members: members.count(), writes: 0 }
    }

    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>) {
        match request {
            Request::Put { key, write, .. } => {
                self.writes += 1;
                let stored = Stored { version: version(1, self.writes), write };
                out.apply(key, stored);
                out.committed(key, stored);
                out.reply(op, Reply::Written);
                for member in (0..self.members).map(Member).filter(|member| *member != self.me) {
                    out.send(member, Newest { key, stored });
                }
            }
            Request::Get { key, .. } => out.reply(op, Reply::Value(out.read(key))),
        }
    }

    fn message(&mut self, _: Member, Newest { key, stored }: Newest, out: &mut impl Effects<Self>) {
        if out.read(key).is_none_or(|shown| shown.version < stored.version) {
            out.apply(key, stored);
        }
    }

    fn start(&mut self, _: &mut impl Effects<Self>) {}
    fn timer(&mut self, timer: NoTimer, _: &mut impl Effects<Self>) {
        match timer {}
    }
    fn persisted(&mut self, _: u64, _: &mut impl Effects<Self>) {}
    fn crash(&mut self, _: &mut impl Effects<Self>) {}
    fn quiescent(&self) -> bool {
        true
    }

    fn route(_: Members<'_>, _: &Config, request: Request) -> Route {
        match request {
            Request::Put { .. } => Route::Only(Member(0)),
            Request::Get { .. } => Route::Any,
        }
    }
}

impl protocol::Message for Newest {
    fn kind(&self) -> MessageKind {
        MessageKind::Replicate
    }
    fn label(&self) -> Label {
        const { Label::of("newest") }
    }
    fn bytes(&self) -> u64 {
        100
    }
    fn for_each_write(&self, mut each: impl FnMut(Write)) {
        each(self.stored.write);
    }
}

impl protocol::Timer for NoTimer {
    const ALL: &'static [NoTimer] = &[];
    fn index(self) -> usize {
        match self {}
    }
    fn label(self) -> Label {
        match self {}
    }
}

#[test]
fn staleness_of_newest_wins_follows_the_closed_form() {
    for case in EXPONENTIALS {
        let case = Exponential { ordered: false, ..case };
        let loaded = load(&case.yaml());
        let ProtocolSettings::PrimaryBackup(config) = &loaded.scenario.protocol;
        let shares: Vec<f64> = (1..=SEEDS)
            .map(|seed| {
                let (setup, streams) = build::setup(&loaded, seed).unwrap();
                let window = setup.window;
                let measures = Measures::new(loaded.scenario.roster(), window);
                let mut world =
                    World::<NewestWins, Measures>::new(setup, config.clone(), streams, measures).unwrap();
                world.run_until(window.to);
                world.settle(|_: Time| true);
                let findings = world.into_observer().finish();
                value(&findings, "stale_reads", READERS, Statistic::Share)
            })
            .collect();
        let (lambda, rho) = (case.writes_per_second, case.rho());
        let (s, tail) = ((case.a_ms + case.b_ms) / 1e3, case.tail(0.0));
        let expected = rho / (rho + 1.0) * tail * libm::exp(-lambda * s + rho * (1.0 - tail));
        check(&format!("share of stale reads, newest wins, {case:?}"), &shares, expected, 0.0);
    }
}

#[test]
fn with_a_constant_delay_a_replica_is_behind_as_often_as_a_server_is_busy() {
    for (rate, delay_ms) in [(50.0, 20.0), (10.0, 30.0), (200.0, 15.0)] {
        let yaml = format!(
            "
duration: 21s
warmup: 1s
topology: {{ nodes: {{ p: X, r: X }} }}
network: {{ default: {{ latency: {{ constant: {delay_ms}ms }} }} }}
protocol: primary-backup
workload:
  - {{ name: writers, at: X, arrivals: {{ poisson: {rate}/s }}, reads: 0% }}
"
        );
        let claim = |what: &str| format!("{what}, {rate} writes/s, {delay_ms} ms");
        let runs = runs(&yaml, SEEDS);
        let lag = |run: &RunResult| over_time(&run.findings, "lag_ms", REPLICA).clone();
        let behind: Vec<f64> = runs.iter().map(|run| 1.0 - lag(run).share_at_zero().unwrap()).collect();
        let under_way = rate * delay_ms / 1e3;
        check(&claim("share of time behind"), &behind, -libm::expm1(-under_way), 0.0);
        let mean: Vec<f64> = runs.iter().map(|run| lag(run).mean().unwrap() / 1e6).collect();
        let expected = delay_ms * (1.0 + libm::expm1(-under_way) / under_way);
        check(&claim("mean lag [ms]"), &mean, expected, 0.0);
        let missing = of_each(&runs, "lag_versions", REPLICA, Statistic::Mean);
        check(&claim("mean lag [versions]"), &missing, under_way, 0.0);
        for run in &runs {
            // The lag is the age of a write that is under way, so it ends just as it would reach the delay.
            assert_eq!(lag(run).max(), Some((delay_ms * 1e6) as u64));
            assert_eq!(over_time(&run.findings, "lag_ms", Some(("node", "p"))).max(), Some(0));
        }
    }
}

#[test]
fn arrivals_come_as_their_law_says() {
    const RATE: f64 = 40.0;
    const SECONDS: f64 = 10.0;
    const RUNS: u64 = 1_000;
    let yaml = |law: &str| {
        format!(
            "
duration: {SECONDS}s
settle: 0s
topology: {{ nodes: {{ p: X }} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
workload:
  - {{ name: clients, at: X, arrivals: {{ {law}: {RATE}/s }}, reads: 30% }}
"
        )
    };
    let expected = RATE * SECONDS;
    let fixed: Vec<u64> =
        runs(&yaml("fixed"), RUNS).iter().map(|run| run.findings.accounting.operations).collect();
    assert_eq!(
        fixed,
        vec![expected as u64; RUNS as usize],
        "equal distances fit as often whatever the phase"
    );

    let poisson = runs(&yaml("poisson"), RUNS);
    let counts: Vec<f64> = poisson.iter().map(|run| run.findings.accounting.operations as f64).collect();
    check("mean number of operations", &counts, expected, 0.0);
    // The standard error of the variance of n Poisson counts: their fourth central moment is m (1 + 3 m).
    let n = RUNS as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / (n - 1.0);
    let fourth = expected * (1.0 + 3.0 * expected);
    let error = ((fourth - expected * expected * (n - 3.0) / (n - 1.0)) / n).sqrt();
    println!("variance of the number of operations: expected {expected}, measured {variance} ± {error}");
    assert!((variance - expected).abs() < 4.5 * error, "{variance} ± {error}, not {expected}");

    let reads = poisson.iter().map(|run| match run.findings.leaf("availability", Some(("kind", "read"))) {
        Some(Leaf::Count { of: Some(of), .. }) => *of as f64 / run.findings.accounting.operations as f64,
        other => panic!("{other:?}"),
    });
    check("share of reads", &reads.collect::<Vec<_>>(), 0.3, 0.0);
}

/// A replica is cut off from 1 s to 3 s. The primary writes at 500 ms, then at 1100, 1300, … 2900 ms, and at 3500 ms.
fn cut(ordered: bool, delay_ms: i64) -> RunResult {
    let times = (1_100..3_000).step_by(200).chain([500, 3_500]);
    let script: String = times.map(|at| format!("  - {{ at: {at}ms, client: c, put: k{at} }}\n")).collect();
    let yaml = format!(
        "
duration: 6s
topology:
  nodes: {{ p: P, r: R }}
  rtts: [{{ between: [P, R], rtt: {}ms }}, {{ between: [P, P], rtt: 0s }}]
network: {{ default: {{ ordered: {ordered} }} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
clients: {{ c: P }}
script:
{script}faults:
  - {{ at: 1s, partition: {{ isolate: [r] }}, for: 2s }}
",
        2 * delay_ms
    );
    runs(&yaml, 1).remove(0)
}

#[test]
fn during_a_cut_lag_grows_with_slope_one_until_the_missing_writes_arrive() {
    for delay_ms in [10, 80] {
        // Messages are lost. The write at 3500 ms shows the gap at 3500 + d, the request takes d, the answer d.
        let unordered = (false, 3_500 + 3 * delay_ms);
        // The connection tries again 200, 600, 1400 and 3000 ms after 1100 ms; the cut is healed before the last.
        let ordered = (true, 1_100 + 3_000 + delay_ms);
        for (ordered, shown_ms) in [unordered, ordered] {
            let run = cut(ordered, delay_ms);
            let lag = over_time(&run.findings, "lag_ms", REPLICA);
            assert_eq!(lag.max(), Some(((shown_ms - 1_100) * MS) as u64), "ordered: {ordered}");
            // Two ramps from 0: the write at 500 ms, and the ten during the cut with whatever followed.
            let twice_integral = delay_ms * delay_ms + (shown_ms - 1_100) * (shown_ms - 1_100);
            let twice_integral = twice_integral as u128 * MS as u128 * MS as u128;
            assert_eq!(lag.twice_integral(), twice_integral, "ordered: {ordered}");
            let recovery = samples(&run.findings, "recovery_convergence_ms", None);
            assert_eq!(all_equal(recovery, (shown_ms - 3_000) * MS), 1);
            let delays: i64 = (1_100..3_000).step_by(200).map(|at| shown_ms - at).sum::<i64>()
                + delay_ms
                + (shown_ms - 3_500);
            let measured = samples(&run.findings, "replication_delay_ms", REPLICA);
            assert_eq!(
                (measured.count(), measured.sum()),
                (12, i128::from(delays * MS)),
                "ordered: {ordered}"
            );
        }
    }
}
