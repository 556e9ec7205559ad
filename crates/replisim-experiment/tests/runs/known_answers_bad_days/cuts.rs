//! A replica is cut off: how its lag grows, and what it takes to catch up again.

use replisim_engine::{Bandwidth, Duration};
use replisim_experiment::RunResult;

use crate::support::answers::{MS, all_equal, check, over_time, runs, samples};

const REPLICA: Option<(&str, &str)> = Some(("node", "r"));
/// One way, primary to replica and back.
const ONE_WAY_MS: i64 = 20;
const CUT_MS: i64 = 1_000;
/// Writes during the cut come from then on, every 20 ms.
const FIRST_MISSED_MS: i64 = 1_100;

/// The replica is cut off from 1 s to `heal_ms`. The primary writes at 500 ms, every 20 ms from 1.1 s to the heal,
/// and once more at `next_ms`.
struct Cut<'a> {
    heal_ms: i64,
    next_ms: Option<i64>,
    link: &'a str,
    heartbeat: &'a str,
}

impl Cut<'_> {
    fn missed(&self) -> impl Iterator<Item = i64> + use<> {
        (FIRST_MISSED_MS..self.heal_ms).step_by(20)
    }

    fn yaml(&self) -> String {
        let Cut { heal_ms, next_ms, link, heartbeat } = self;
        let times = [500].into_iter().chain(self.missed()).chain(*next_ms);
        let script: String =
            times.map(|at| format!("  - {{ at: {at}ms, client: c, put: k{at} }}\n")).collect();
        format!(
            "
duration: 10s
topology: {{ nodes: {{ p: P, r: R }} }}
network:
  default: {{ latency: {{ constant: {ONE_WAY_MS}ms }} }}
  same-zone: {{ latency: {{ constant: 0s }} }}
  links: [{{ from: p, to: r, {link} }}, {{ from: r, to: p, {} }}]
protocol: {{ primary-backup: {{ heartbeat: {heartbeat} }} }}
clients: {{ c: P }}
script:
{script}faults:
  - {{ at: {CUT_MS}ms, partition: {{ isolate: [r] }}, for: {}ms }}
",
            link.split(',').next().unwrap_or_default(),
            heal_ms - CUT_MS
        )
    }

    /// What is on the wire to bring the backlog: one message, with a header of its own and of each write of 100 bytes.
    fn backlog(&self, bandwidth: Bandwidth) -> Duration {
        bandwidth.time_for(32 + self.missed().count() as u64 * (24 + 100))
    }
}

/// From the heal to the instant at which the replica has all that was written before it, in nanoseconds.
#[track_caller]
fn recovery(run: &RunResult) -> i64 {
    let recovery = samples(&run.findings, "recovery_convergence_ms", None);
    let nanos = recovery.min().expect("a recovery");
    assert_eq!(all_equal(recovery, nanos), 1);
    nanos
}

#[test]
fn lag_grows_a_second_a_second_from_the_first_write_that_is_missed() {
    // Ordered: until the timer expires at 3020 ms (see below), and one way. Unordered: the write at 3500 ms shows the
    // gap, and a question and an answer follow.
    for (link, shown_ms) in
        [("ordered: true", 3_020 + ONE_WAY_MS), ("ordered: false", 3_500 + 3 * ONE_WAY_MS)]
    {
        let cut = Cut { heal_ms: 3_000, next_ms: Some(3_500), link, heartbeat: "1000h" };
        let run = runs(&cut.yaml(), 1..2).remove(0);
        let lag = over_time(&run.findings, "lag_ms", REPLICA);
        assert_eq!(lag.max(), Some(((shown_ms - FIRST_MISSED_MS) * MS) as u64), "{link}");
        let shown = shown_ms * MS;
        let series = run.findings.series.as_ref().expect("series of a single run");
        let (slices, lag) = (&series.slices, &series.lag[1]);
        let width = slices.width.nanos();
        let since_first = |i: usize| slices.start(i).nanos() - (FIRST_MISSED_MS * MS) as u64;
        let whole = |i: &usize| {
            let start = slices.start(*i).nanos();
            start >= (FIRST_MISSED_MS * MS) as u64 && start + width <= shown as u64
        };
        let mut checked = 0;
        for i in (0..slices.count).filter(whole) {
            let (from, to) = (u128::from(since_first(i)), u128::from(since_first(i) + width));
            assert_eq!(lag.max[i], to as u64, "{link}, slice {i}");
            assert_eq!(lag.twice_integral[i], to * to - from * from, "{link}, slice {i}");
            checked += 1;
        }
        println!("{link}: slope 1 in each of {checked} slices of {} ms", width / MS as u64);
        assert!(checked > 70, "{checked} slices say little of a ramp");
    }
}

#[test]
fn an_unordered_link_recovers_after_detection_question_backlog_and_delay() {
    // The next write shows the gap, to the nanosecond.
    for (heal_ms, next_ms, bits) in [
        (3_000, 3_500, 100_000),
        (3_000, 3_010, 100_000),
        (5_000, 5_003, 64_000),
        (2_000, 2_700, 1_000_000_000),
    ] {
        let bandwidth = Bandwidth::bits_per_second(bits);
        let link = format!("ordered: false, bandwidth: {bits}bit/s");
        let cut = Cut { heal_ms, next_ms: Some(next_ms), link: &link, heartbeat: "1000h" };
        let delay = ONE_WAY_MS * MS;
        let detection = (next_ms - heal_ms) * MS + bandwidth.time_for(32 + 24 + 100).nanos() as i64 + delay;
        let backlog = cut.backlog(bandwidth).nanos() as i64;
        let run = runs(&cut.yaml(), 1..2).remove(0);
        println!(
            "{bits} bit/s: detection {} ms, question {ONE_WAY_MS} ms, backlog {} ms, delay {ONE_WAY_MS} ms",
            detection as f64 / 1e6,
            backlog as f64 / 1e6
        );
        assert_eq!(recovery(&run), detection + delay + backlog + delay);
    }
}

#[test]
fn where_nothing_is_written_the_second_heartbeat_after_the_heal_shows_the_gap() {
    // The first says what the replica ought to have, the second that it is overdue; their phase is drawn for each run.
    // The first may be handed over before the heal, if it leaves the interface after it.
    let bits = 100_000;
    let bandwidth = Bandwidth::bits_per_second(bits);
    let link = format!("ordered: false, bandwidth: {bits}bit/s");
    let cut = Cut { heal_ms: 3_000, next_ms: None, link: &link, heartbeat: "100ms" };
    let wire = bandwidth.time_for(32) + cut.backlog(bandwidth);
    let known_ms = (3 * ONE_WAY_MS) as f64 + wire.nanos() as f64 / 1e6;
    let detections: Vec<f64> =
        runs(&cut.yaml(), 1..401).iter().map(|run| recovery(run) as f64 / 1e6 - known_ms).collect();
    let early = bandwidth.time_for(32).nanos() as f64 / 1e6;
    check("two heartbeats after the heal [ms]", &detections, 150.0 - early, 0.0);
    let range = 100.0 - early..=200.0 - early;
    assert!(detections.iter().all(|ms| range.contains(ms)), "{detections:?}");
}

#[test]
fn an_ordered_link_waits_for_its_retransmission_timer_on_top() {
    // The write of 1100 ms is lost, and those every 20 ms after it. After a round trip and 200 ms a probe goes out, at
    // 1340 ms; from there the timer expires after 240, 480, 960 … ms: at 1580, 2060, 3020, 4940, 8780 ms. What then
    // remains is a delay, and slow start from one segment: a round trip each time it doubles.
    for (heal_ms, expiry_ms) in
        [(1_600, 2_060), (2_000, 2_060), (2_100, 3_020), (3_000, 3_020), (3_100, 4_940), (5_000, 8_780)]
    {
        let cut = Cut { heal_ms, next_ms: None, link: "ordered: true", heartbeat: "1000h" };
        let run = runs(&cut.yaml(), 1..2).remove(0);
        let wait = (expiry_ms - heal_ms) * MS;
        // Nine writes of 156 bytes fit into a segment; each that is acknowledged makes room for two.
        let mut rounds = 0;
        while 9 * ((1 << (rounds + 1)) - 1) < cut.missed().count() {
            rounds += 1;
        }
        let transfer = recovery(&run) - wait - ONE_WAY_MS * MS;
        println!(
            "ordered, healed at {heal_ms} ms: waits {} ms for the timer, then {ONE_WAY_MS} ms, then {} ms of slow start",
            wait / MS,
            transfer as f64 / 1e6
        );
        assert_eq!(
            transfer,
            rounds * 2 * ONE_WAY_MS * MS,
            "healed at {heal_ms} ms, {} writes",
            cut.missed().count()
        );
    }
}
