//! In which ways workloads write, and to which keys, against answers worked out by hand.

use std::collections::BTreeMap;

use crate::support::load;
use crate::workloads::{BASE, Done, operations};
use replisim_experiment::run::{observe, run_seed};
use replisim_observe::{Carried, Group, Observation, Observer, Outcome, Said, Time};

/// How often each message went from a client to a node.
#[derive(Default)]
struct Requests(BTreeMap<&'static str, u32>);

impl Observer for Requests {
    fn observe(&mut self, _: Time, _: Group, _: Observation) {}

    fn carried(&mut self, message: Carried) {
        if message.from >= 2 {
            *self.0.entry(message.name).or_default() += 1;
        }
    }
}

fn workload(settings: &str) -> String {
    format!("{BASE}workload: [{{ name: w, at: C, read-from: primary, {settings} }}]\n")
}

#[test]
fn every_way_to_write_has_its_share_of_the_writes() {
    let mix = "{ put: 50%, delete: 20%, compare-and-set: 30% }";
    let yaml = workload(&format!("arrivals: {{ poisson: 2000/s }}, reads: 0%, writes: {mix}"));
    let (Requests(found), _) = observe(&load(&yaml), 1, Requests::default(), &()).unwrap();
    let all = f64::from(found["put"] + found["delete"] + found["get"]);
    for (name, share) in [("put", 0.5), ("delete", 0.2), ("get", 0.3)] {
        let (expected, error) = (all * share, (all * share * (1.0 - share)).sqrt());
        assert!((f64::from(found[name]) - expected).abs() < 4.5 * error, "{name}: {found:?}");
    }
    assert!(found["get"] - found["compare-and-set"] <= 100, "each but the last 20 ms: {found:?}");
    assert!(run_seed(&load(&yaml), 1, &()).unwrap().findings.accounting.holds());
}

/// Two clients in step: both read, both write on the condition that nothing has changed, one of them is first.
#[test]
fn of_two_compare_and_sets_that_rest_on_one_version_one_is_not_applied() {
    let closed = "{ closed-loop: { clients: 2, think: { constant: 10ms } } }";
    let settings = format!(
        "arrivals: {closed}, reads: 0%, writes: compare-and-set, keys: {{ uniform: {{ count: 1 }} }}"
    );
    let (done, bases) = operations(&workload(&settings));
    let writes: Vec<&Done> = done.iter().filter(|done| done.write.is_some()).collect();
    assert_eq!(writes.len(), 2 * 40, "one every 50 ms");
    let said = |said| {
        writes
            .iter()
            .filter(|done| matches!(done.ended, Some((_, Outcome::Ok, Some(s))) if s == said))
            .count()
    };
    assert_eq!((said(Said::Written), said(Said::NotApplied)), (40, 40));
    assert_eq!(bases.len(), 80);
}

#[test]
fn adds_put_one_fresh_key_after_the_other_and_all_else_is_about_those_that_are_there() {
    let keys = "{ latest: { count: 500 } }";
    let writes = "{ add: 40%, put: 30%, read-modify-write: 20%, delete: 10% }";
    let settings = format!("arrivals: {{ poisson: 1000/s }}, reads: 50%, keys: {keys}, writes: {writes}");
    let (Requests(found), _) = observe(&load(&workload(&settings)), 1, Requests::default(), &()).unwrap();
    let (done, _) = operations(&workload(&settings));
    let newest = done.iter().map(|done| done.key.0).max().unwrap();
    assert!((300..500).contains(&newest) && found["put"] > newest, "{newest}, {found:?}");
    let mut there = 0;
    for done in done {
        assert!(done.key.0 <= there + 1, "{done:?} while {there} was the newest");
        there = there.max(done.key.0);
    }
}

#[test]
fn a_mix_of_one_is_that_one() {
    let of = |writes: &str| {
        let settings = format!("arrivals: {{ poisson: 300/s }}, reads: 40%, writes: {writes}");
        run_seed(&load(&workload(&settings)), 1, &()).unwrap().digest
    };
    for way in ["put", "delete", "read-modify-write", "compare-and-set", "set-add"] {
        assert_eq!(of(way), of(&format!("{{ {way}: 100% }}")), "{way}");
    }
}
