//! A connection carries no more than its window in each round trip.

use crate::support::answers::runs;

#[test]
fn replication_over_a_small_window_is_as_fast_as_the_window_allows() {
    // More is written than the link can carry, so the replica falls behind at the difference of the two rates.
    for (window_kib, rtt_ms, written) in [(64, 40, 2_500.0), (64, 80, 2_000.0), (128, 50, 4_000.0)] {
        let yaml = format!(
            "
duration: 6s
settle: 0s
topology: {{ nodes: {{ p: P, r: R }} }}
network:
  default: {{ latency: {{ constant: {}ms }}, window: {window_kib}KiB }}
  same-zone: {{ latency: {{ constant: 0s }} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
workload:
  - {{ name: writers, at: P, arrivals: {{ fixed: {written}/s }}, reads: 0%, value: 1000B }}
",
            rtt_ms / 2
        );
        let run = runs(&yaml, 1..2).remove(0);
        let series = run.findings.series.as_ref().expect("series of a single run");
        let lag = &series.lag[1].versions_max;
        // From 2 s on: slow start is over.
        let (from, to) = (slice(series, 2_000), slice(series, 5_900));
        let seconds = (series.slices.start(to).nanos() - series.slices.start(from).nanos()) as f64 / 1e9;
        let replicated = written - (lag[to] - lag[from]) as f64 / seconds;
        // A write travels with the header of its entry and of its message.
        let bytes = replicated * (1_000 + 24 + 32) as f64;
        let expected = (window_kib * 1_024) as f64 / (rtt_ms as f64 / 1e3);
        println!(
            "window {window_kib} KiB, round trip {rtt_ms} ms: expected {expected:.0} B/s, measured {bytes:.0} B/s"
        );
        assert!((bytes / expected - 1.0).abs() < 0.03, "{bytes} B/s, not {expected}");
    }
}

/// The slice that begins at `ms`.
fn slice(series: &replisim_measure::series::Series, ms: u64) -> usize {
    (ms * 1_000_000 / series.slices.width.nanos()) as usize
}
