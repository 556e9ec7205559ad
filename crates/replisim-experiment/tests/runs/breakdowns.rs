//! Faults that come at random: times between them and of repair follow their laws, and each has its own.

use replisim_experiment::run::run_seed;

use crate::support::load;

const MS: f64 = 1e6;

/// When faults came within ten minutes, from what to what in milliseconds, by their place in the list.
fn spans(faults: &str, seed: u64) -> Vec<Vec<(f64, f64)>> {
    let yaml = format!(
        "duration: 600s\nsettle: 1s\ntopology: {{ nodes: {{ p: here, r: here, q: here }} }}\n\
         protocol: {{ primary-backup: {{ heartbeat: 1h }} }}\nfaults: [{faults}]\n\
         workload: [{{ name: w, at: here, arrivals: {{ fixed: 1/s }}, reads: 50% }}]\n"
    );
    let loaded = load(&yaml);
    let found = run_seed(&loaded, seed, &()).unwrap().findings.series.unwrap().faults;
    let mut spans = vec![Vec::new(); loaded.scenario.faults.len()];
    for span in found {
        let ms = |at: replisim_observe::Time| at.nanos() as f64 / MS;
        spans[span.fault.index()].push((ms(span.from), span.to.map_or(600e3, ms)));
    }
    spans
}

const CRASHES: &str = "{ crash: { nodes: [r] }, mtbf: 900ms, mttr: 100ms }";

#[test]
fn failures_and_repairs_take_exponential_times_of_their_means() {
    // Of n exponential times the mean is off by mean / √n, and so many are longer than their mean: 1/e of them.
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for seed in 0..20 {
        let spans = spans(CRASHES, seed).remove(0);
        up.extend(spans.windows(2).map(|pair| pair[1].0 - pair[0].1));
        down.extend(spans.iter().map(|(from, to)| to - from));
    }
    for (times, mean) in [(up, 900.0), (down, 100.0)] {
        let n = times.len() as f64;
        assert!(n > 10_000.0, "{n} times");
        let found = times.iter().sum::<f64>() / n;
        assert!((found / mean - 1.0).abs() < 4.0 / n.sqrt(), "{found} ms, not {mean}");
        let longer = times.iter().filter(|time| **time > mean).count() as f64 / n;
        let share = 1.0 / std::f64::consts::E;
        assert!((longer - share).abs() < 4.0 * (share * (1.0 - share) / n).sqrt(), "{longer}");
    }
}

#[test]
fn each_of_several_nodes_breaks_down_by_itself_and_as_if_it_stood_alone() {
    const CRASHES: &str = "{ crash: { nodes: [r] }, mtbf: 9s, mttr: 1s }";
    let alone = spans(CRASHES, 1);
    let several = spans("{ crash: { nodes: [p, r] }, mtbf: 9s, mttr: 1s }", 1);
    assert_eq!(several.len(), 2);
    assert!(several[1] == alone[0], "{} and {} times", several[1].len(), alone[0].len());
    assert!(several[0] != several[1]);
    let with_others =
        spans(&format!("{{ pause: {{ nodes: [q] }}, mtbf: 10s, mttr: 1s }}, {CRASHES}, {CRASHES}"), 1);
    assert!(with_others[1] == alone[0]);
    assert!(with_others[2] != alone[0], "the second of the same kind is another");
}

#[test]
fn a_partition_that_comes_at_random_cuts_all_that_it_names_at_once_and_not_before_its_time() {
    let spans = spans("{ at: 300s, partition: { isolate: [p, r] }, mtbf: 10s, mttr: 1s }", 1);
    assert_eq!(spans.len(), 1);
    assert!(spans[0].len() > 15 && spans[0][0].0 > 300e3, "{spans:?}");
}

#[test]
fn a_link_that_flaps_at_random_rests_between_its_bad_times() {
    // 200 ms down, 200 ms up while it flaps, for 1 s of every 5: a reader across it fails for about a tenth of the time.
    let yaml = "duration: 600s\nsettle: 1s\ntopology: { nodes: { p: a }, rtts: [{ between: [a, b], rtt: 2ms }] }\n\
                network: { default: { ordered: false } }\nprotocol: primary-backup\n\
                faults: [{ flapping-link: { link: { between: [p, b] }, down: 200ms, up: 200ms }, mtbf: 4s, mttr: 1s }]\n\
                workload: [{ name: w, at: b, arrivals: { fixed: 100/s }, reads: 100%, timeout: 10ms }]\n";
    let findings = run_seed(&load(yaml), 1, &()).unwrap().findings;
    let failed = 1.0 - findings.leaf("availability", Some(("kind", "read"))).map(share).unwrap();
    assert!((0.07..0.15).contains(&failed), "{failed} of the reads failed");
}

fn share(leaf: &replisim_measure::Leaf) -> f64 {
    match leaf {
        replisim_measure::Leaf::Count { count, of: Some(of) } => *count as f64 / *of as f64,
        other => panic!("{other:?} is no share"),
    }
}
