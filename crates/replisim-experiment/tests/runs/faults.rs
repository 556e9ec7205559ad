//! What each fault does, on runs so small that the numbers can be worked out by hand: every message takes 10 ms, every
//! operation is spelled out, and what must come out stands beside it as the scenario's own `expect`.

use crate::support::load;
use replisim_experiment::{Verdict, run, verdict::overall};
use replisim_scenario::Loaded;

/// A primary `p`, a replica `r`, a client beside each; heartbeats that do not meddle.
const BASE: &str = "
duration: 5s
settle: 5s
topology: { nodes: { p: east/a, r: west/a } }
network: { default: { latency: { constant: 10ms }, ordered: false } }
clients: { alice: east/b, bob: west/a }
";

/// Runs the base with these faults, settings and steps; every expectation must hold, and none be undecided.
#[track_caller]
fn check(faults: &[&str], settings: &str, script: &[&str], expect: &[&str]) {
    let list = |name: &str, rows: &[&str]| {
        let rows: String = rows.iter().map(|row| format!("  - {row}\n")).collect();
        format!("{name}:\n{rows}")
    };
    let protocol =
        if settings.contains("protocol:") { "" } else { "protocol: { primary-backup: { heartbeat: 1h } }\n" };
    let base = if settings.contains("network:") {
        BASE.replace(BASE.lines().nth(4).unwrap(), "")
    } else {
        BASE.into()
    };
    let yaml = format!(
        "{base}{protocol}{settings}\n{}{}{}",
        list("faults", faults),
        list("script", script),
        list("expect", expect)
    );
    let study = run(&load(&yaml), &[1], 1, &()).expect("a scenario that runs");
    let found: Vec<String> = study
        .judgements
        .iter()
        .map(|j| format!("{:?}: {} ({:?})", j.verdict, j.expectation, j.found))
        .collect();
    assert_eq!(overall(&study.judgements), Verdict::Met, "{yaml}\n{}", found.join("\n"));
}

/// Alice writes at 1.2 s: it is at `p` 10 ms later, at `r` 10 ms after that.
const WRITE: &str = "{ at: 1200ms, client: alice, put: k }";

#[test]
fn without_a_fault_a_write_is_at_the_replica_10_ms_after_its_commit() {
    check(
        &["{ at: 4s, pause: { nodes: [r] }, for: 1ms }"],
        "",
        &[WRITE],
        &["max(replication_delay) == 10ms", "max(write_latency) == 20ms", "lost_writes == 0"],
    );
}

#[test]
fn who_asks_the_primary_is_answered_by_no_replica_when_the_primary_is_out_of_reach() {
    let get = |at: &str| format!("{{ at: {at}, client: bob, get: k, read-from: primary, timeout: 100ms }}");
    // The first is not answered; so the second asks the replica, which would show nothing, and sends it on.
    let reads = [get("1100ms"), get("1500ms"), get("2500ms")];
    let script: Vec<&str> = [WRITE].into_iter().chain(reads.iter().map(String::as_str)).collect();
    check(
        &["{ at: 1s, partition: { isolate: [r] }, for: 1s }"],
        "",
        &script,
        &[
            "share(stale_reads) == 0%",
            "share(availability{kind=read}) > 33%",
            "share(availability{kind=read}) < 34%",
        ],
    );
}

#[test]
fn a_paused_replica_applies_what_came_meanwhile_the_moment_it_goes_on() {
    // Committed at 1.21 s, there at 1.22 s, applied at 2 s.
    check(
        &["{ at: 1s, pause: { nodes: [r] }, for: 1s }"],
        "",
        &[WRITE],
        &["max(replication_delay) == 790ms"],
    );
}

#[test]
fn two_pauses_overlap_and_the_later_end_counts() {
    let pauses =
        ["{ at: 1s, pause: { nodes: [r] }, for: 1s }", "{ at: 1500ms, pause: { nodes: [west] }, for: 1s }"];
    check(&pauses, "", &[WRITE], &["max(replication_delay) == 1290ms"]);
}

#[test]
fn a_slow_link_multiplies_and_lengthens_the_delay_of_its_direction_alone() {
    let slow = "{ at: 1s, slow-link: { link: { from: p, to: r }, factor: 3, extra: 5ms }, for: 1s }";
    check(&[slow], "", &[WRITE], &["max(replication_delay) == 35ms", "max(write_latency) == 20ms"]);
}

#[test]
fn a_bandwidth_adds_the_time_that_the_bytes_take() {
    // A shipment of one write has a header of 40 bytes, one of the entry of 32, and 100 of the value: see the protocol.
    let slow = "{ at: 1s, slow-link: { link: { from: p, to: r }, bandwidth: 100kbit/s }, for: 1s }";
    check(&[slow], "", &[WRITE], &["max(replication_delay) > 20ms", "max(replication_delay) < 30ms"]);
}

#[test]
fn a_link_that_loses_all_delivers_nothing_until_the_replica_asks() {
    // The second write comes through at 2.22 s and shows the gap: asked for at 2.22 s, sent again at 2.23 s, there at
    // 2.24 s. The first has then been committed for 1.03 s.
    let lossy = "{ at: 1s, lossy-link: { link: { from: p, to: r }, loss: 100% }, for: 1s }";
    let later = "{ at: 2200ms, client: alice, put: k }";
    check(
        &[lossy],
        "",
        &[WRITE, later],
        &["max(replication_delay) == 1030ms", "min(replication_delay) == 30ms"],
    );
}

#[test]
fn a_message_that_arrives_twice_changes_nothing() {
    let lossy = "{ at: 1s, lossy-link: { link: { between: [p, r] }, duplicate: 100% }, for: 1s }";
    check(
        &[lossy],
        "",
        &[WRITE],
        &["max(replication_delay) == 10ms", "unconverged_writes == 0", "lost_writes == 0"],
    );
}

#[test]
fn a_flapping_link_is_cut_first_and_whole_then() {
    // Cut from 1 s to 1.3 s, whole until 2 s: the write at 1.2 s is lost on the way, that at 1.5 s gets through at
    // 1.52 s, and the first comes with what the replica asks for, at 1.54 s: 330 ms after its commit.
    let flap = "{ at: 1s, flapping-link: { link: { between: [p, r] }, down: 300ms, up: 700ms }, for: 2s }";
    let later = "{ at: 1500ms, client: alice, put: k }";
    check(
        &[flap],
        "",
        &[WRITE, later],
        &["max(replication_delay) == 330ms", "min(replication_delay) == 30ms"],
    );
}

#[test]
fn a_cut_of_one_way_lets_the_other_through() {
    let back = "{ at: 1s, partition: { from: [r], to: [p] }, for: 1s }";
    check(&[back], "", &[WRITE], &["max(replication_delay) == 10ms"]);
    let there = "{ at: 1s, partition: { from: [p], to: [r] }, for: 1s }";
    let later = "{ at: 2200ms, client: alice, put: k }";
    check(&[there], "", &[WRITE, later], &["max(replication_delay) == 1030ms"]);
}

#[test]
fn clients_stay_with_the_nodes_of_their_zone_or_region() {
    let read = |at: &str| format!("{{ at: {at}, client: bob, get: k, read-from: primary }}");
    // Bob is beside r: cut off from p with it, he waits in vain; Alice, in p's region, does not notice.
    let cut = "{ at: 1s, partition: { isolate: [r] }, for: 1s }";
    check(
        &[cut],
        "",
        &[WRITE, &read("1500ms"), &read("3s")],
        &["share(availability{workload=bob}) == 50%", "share(availability{workload=alice}) == 100%"],
    );
    // Kept on the side of the others, he reaches p and not r.
    let kept = "{ at: 1s, partition: { isolate: [r], with-clients: false }, for: 1s }";
    check(&[kept], "", &[WRITE, &read("1500ms")], &["share(availability{workload=bob}) == 100%"]);
}

#[test]
fn a_killed_process_answers_again_when_it_is_started() {
    let kill = "{ at: 1s, crash: { nodes: [p] }, for: 1s }";
    let later = "{ at: 2500ms, client: alice, put: k }";
    check(
        &[kill],
        "",
        &[WRITE, later],
        &[
            "share(availability{kind=write}) == 50%",
            "max(time_to_serve) == 1s",
            // After the first write timed out, Alice's driver asks r, which sends her on to p: 20 ms more.
            "max(rto) == 1540ms",
            "lost_writes == 0",
        ],
    );
}

#[test]
fn a_machine_takes_what_is_not_synced_with_it_and_a_process_does_not() {
    // At p at 1.21 s, acknowledged at 1.22 s, safe on the disk at 1.31 s; down at 1.25 s.
    let disk = "disk: { fsync: { constant: 100ms } }";
    let crash =
        |scope: &str| format!("{{ at: 1250ms, crash: {{ nodes: [p], scope: {scope} }}, for: 100ms }}");
    check(&[&crash("machine")], disk, &[WRITE], &["lost_writes == 1", "destroyed_writes == 1"]);
    check(&[&crash("process")], disk, &[WRITE], &["lost_writes == 0", "unconverged_writes == 0"]);
}

#[test]
fn a_node_that_lost_its_disk_gets_everything_again() {
    let lost = "{ at: 2s, crash: { nodes: [r], scope: machine, disk: lose }, for: 1s }";
    check(
        &[lost],
        "protocol: primary-backup",
        &[WRITE, "{ at: 4s, client: bob, get: k }"],
        &["regressed_writes == 1", "unconverged_writes == 0", "stale_reads == 0"],
    );
}

#[test]
fn what_no_disk_has_any_more_is_lost() {
    let all = "{ at: 2s, crash: { nodes: [p, r], scope: machine, disk: lose }, for: 1s }";
    check(&[all], "", &[WRITE], &["lost_writes == 1", "destroyed_writes == 1"]);
    // One that is only on its way when the disk goes is not lost: it arrives.
    let one = "{ at: 1215ms, crash: { nodes: [p], scope: machine, disk: lose }, for: 1s }";
    check(&[one], "", &[WRITE], &["lost_writes == 0"]);
}

#[test]
fn a_node_that_nobody_starts_again_stays_down() {
    let crash = "{ at: 1s, crash: { nodes: [r] } }";
    check(&[crash], "", &[WRITE], &["unconverged_writes == 1", "unconverged_at_live_owners == 0"]);
}

#[test]
fn an_outage_takes_nodes_down_and_cuts_clients_off() {
    for outage in ["zone-outage: { zone: west/a }", "region-outage: { region: west }"] {
        let fault = format!("{{ at: 1s, {outage}, for: 1s }}");
        // Bob lives there and reaches nobody; Alice goes on.
        let read = "{ at: 1500ms, client: bob, get: k, read-from: primary }";
        check(
            &[&fault],
            "",
            &[WRITE, read],
            &[
                "share(availability{workload=bob}) == 0%",
                "share(availability{workload=alice}) == 100%",
                "unconverged_writes == 1", // nothing tells the replica: there is a heartbeat an hour
            ],
        );
    }
}

#[test]
fn an_outage_leaves_what_is_on_the_wire_alone_unless_it_is_told_to_take_it() {
    // The write is on its way to the replica, from 1.21 s to 1.22 s.
    for place in ["zone-outage: { zone: east/a", "region-outage: { region: east"] {
        for (in_flight, arrives) in [("", "== 10ms"), (", in-flight: drop", "> 990ms")] {
            let fault = format!("{{ at: 1215ms, {place}{in_flight} }}, for: 1s }}");
            check(&[&fault], "", &[WRITE], &[&format!("max(replication_delay) {arrives}")]);
        }
    }
}

#[test]
fn a_node_held_down_by_two_faults_is_up_when_both_have_ended() {
    let faults = [
        "{ at: 1s, crash: { nodes: [p] }, for: 500ms }",
        "{ at: 1200ms, crash: { nodes: [east], scope: machine }, for: 800ms }",
    ];
    check(&faults, "", &["{ at: 3s, client: alice, put: k }"], &["max(time_to_serve) == 1s"]);
}

#[test]
fn an_operator_s_order_makes_a_primary_and_excludes_what_it_lacks() {
    // Acknowledged at 1.22 s; r is promoted at 1.215 s, 5 ms before the write would have reached it.
    let orders = "protocol: { primary-backup: { heartbeat: 1h, failover: manual, fencing: false } }";
    let promote = "{ at: 1215ms, promote: { node: r } }";
    check(&[promote], orders, &[WRITE], &["lost_writes == 1", "stale_primary_acks == 0"]);
}

#[test]
fn what_a_protocol_cannot_obey_may_be_left_out() {
    check(&["{ at: 1s, if-supported: true, promote: { node: r } }"], "", &[WRITE], &["lost_writes == 0"]);
}

#[test]
fn of_a_client_s_message_that_arrives_twice_the_first_copy_counts() {
    // There and back by the faster of two copies, uniform from 10 to 30 ms: 2 × (10 + 20 / 3) = 33.3 ms on average.
    let settings = "network: { default: { latency: { uniform: { least: 10ms, most: 30ms } }, ordered: false, duplicate: 100% } }
workload:
  - { name: w, at: east/b, arrivals: { poisson: 500/s }, reads: 0% }";
    let nothing = "{ at: 4s, pause: { nodes: [r] }, for: 1ms }";
    check(
        &[nothing],
        settings,
        &[WRITE],
        &["mean(write_latency{workload=w}) > 32.5ms", "mean(write_latency{workload=w}) < 34ms"],
    );
}

#[test]
fn reads_from_the_primary_follow_it() {
    let orders = "protocol: { primary-backup: { heartbeat: 1h, failover: manual, fencing: false } }
workload:
  - { name: readers, at: west/a, arrivals: { fixed: 100/s }, reads: 100%, read-from: primary, timeout: 100ms }";
    let faults = ["{ at: 1s, crash: { nodes: [p] } }", "{ at: 1100ms, promote: { node: r } }"];
    check(
        &faults,
        orders,
        &["{ at: 500ms, client: alice, put: k }"],
        &["share(availability{workload=readers}) > 90%"],
    );
}

#[test]
fn an_order_to_a_paused_node_is_obeyed_when_it_goes_on() {
    let orders = "protocol: { primary-backup: { heartbeat: 1h, failover: manual, fencing: false } }";
    let faults = [
        "{ at: 1s, crash: { nodes: [p] } }",
        "{ at: 1s, pause: { nodes: [r] }, for: 1s }",
        "{ at: 1500ms, promote: { node: r } }",
    ];
    check(&faults, orders, &["{ at: 500ms, client: alice, put: k }"], &["max(time_to_serve) == 1s"]);
}

#[test]
fn a_node_that_is_paused_when_it_is_started_starts_when_the_pause_ends() {
    let faults =
        ["{ at: 1s, crash: { nodes: [p] }, for: 1s }", "{ at: 1500ms, pause: { nodes: [p] }, for: 2s }"];
    check(&faults, "", &["{ at: 4s, client: alice, put: k }"], &["max(time_to_serve) == 2500ms"]);
}

#[test]
fn a_node_speaks_into_a_network_that_is_whole_when_its_outage_ends() {
    // The primary restarts at 2 s and tells the replica at once, as it does after a mere crash.
    let write = "{ at: 2500ms, client: bob, put: k }";
    for fault in ["crash: { nodes: [p], scope: machine }", "region-outage: { region: east }"] {
        let fault = format!("{{ at: 1s, {fault}, for: 1s }}");
        check(&[&fault], "", &[write], &["max(replication_delay) == 10ms"]);
    }
}

#[test]
fn a_place_without_nodes_is_no_place_to_cut_off() {
    let yaml = format!(
        "{BASE}protocol: primary-backup\nscript: [{WRITE}]\nfaults: [{{ at: 1s, pause: {{ nodes: [east/b] }}, for: 1s }}]\n"
    );
    let error =
        Loaded::from_text("inline", "inline", yaml, &[], |_| Err(String::new())).expect_err("refused");
    assert!(error.to_string().contains("there is no node, zone or region `east/b`"), "{error}");
}

#[test]
fn a_fault_that_does_nothing_is_refused() {
    for (fault, says) in [
        ("slow-link: { link: { between: [p, r] } }", "slows nothing"),
        ("lossy-link: { link: { between: [p, r] } }", "loses nothing"),
        ("flapping-link: { link: { between: [p, r] }, down: 0s, up: 1s }", "must be at least 1ms"),
        ("slow-link: { link: { between: [p, east] }, factor: 2 }", "the two ends overlap"),
        ("partition: { groups: [[p], [p, r]] }", "`p` stands in two groups"),
        ("partition: { from: [p], to: [p] }", "a node always hears itself"),
        (
            "partition: { isolate: [p], groups: [[p], [r]] }",
            "give one of `isolate`, `groups`, and `from` with `to`",
        ),
        ("partition: { isolate: [east, west] }", "nobody is left to be cut off from"),
        ("promote: { node: r }", "failover"),
        ("zone-outage: { zone: east/c }", "there is no zone `east/c`"),
        ("crash: { nodes: [] }", "name at least one node"),
    ] {
        let yaml =
            format!("{BASE}protocol: primary-backup\nscript: [{WRITE}]\nfaults: [{{ at: 1s, {fault} }}]\n");
        let error = Loaded::from_text("inline", "inline", yaml, &[], |_| Err(String::new()));
        let error = error.expect_err(fault).to_string();
        assert!(error.contains(says), "{fault}:\n{error}");
    }
}
