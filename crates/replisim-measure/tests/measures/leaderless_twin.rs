//! Streaming measures against their brute-force twins, on random histories without a primary.

use crate::histories::leaderless;
use std::collections::BTreeMap;
use std::ops::Range;

use replisim_engine::Streams;
use replisim_engine::random::below;
use replisim_measure::{Leaf, Measures, Quantile, twin};
use replisim_observe::{Key, Member, Observation, Observer, Placement, Time, Window};

/// What cannot happen without a primary.
const NEVER: [&str; 6] =
    ["rpo_writes", "rpo_bytes", "rpo_age_ms", "rto_ms", "time_to_serve_ms", "stale_primary_acks"];
/// What has histories of its own.
const ELSEWHERE: [&str; 6] = [
    "skew_loss",
    "conflict_loss",
    "lost_updates",
    "resurrected_writes",
    "order_stale_reads",
    "resurrected_reads",
];

/// Histories of these seeds, with several lanes or one.
fn check(seeds: Range<u64>, lanes: bool) {
    // Everything measured must happen, or nothing would be compared.
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds.clone() {
        let mut stream = Streams::new(seed).named("leaderless");
        let roster = leaderless::roster(&mut stream, lanes);
        let unit = [1, 1, 60_000_000][(seed % 3) as usize]; // so long that a second is a while, or does not matter
        let remembered = [0, 1, 3, 1_000][below(&mut stream, 4) as usize];
        let records = leaderless::history(&mut stream, &roster, unit, seed % 4 > 0);
        let end = records.last().unwrap().at.nanos();
        let window = Window { from: Time::from_nanos(end / 10), to: Time::from_nanos(end - end / 5) };
        let mut measures = Measures::remembering(roster.clone(), window, remembered);
        records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
        let findings = measures.finish();
        let found = twin::disagreements_remembering(&findings, &records, window, remembered);
        for measure in &findings.measures {
            *happened.entry(measure.info.slug).or_default() +=
                u64::from(measure.all.as_ref().is_some_and(says_something));
        }
        let story = || records.iter().map(|r| format!("{:?} {:?}\n", r.at, r.what)).collect::<String>();
        assert!(
            found.is_empty(),
            "seed {seed} of {seeds:?}, lanes: {lanes}, remembering {remembered}:\n{}\n{roster:?}\n{}",
            found.join("\n"),
            story()
        );
    }
    happened.retain(|slug, times| !NEVER.contains(slug) && !ELSEWHERE.contains(slug) && *times < 20);
    assert!(happened.is_empty(), "too rare in {seeds:?}: {happened:#?}");
}

fn says_something(leaf: &Leaf) -> bool {
    match leaf {
        Leaf::Distribution(samples) => samples.max().is_some_and(|max| max != Quantile::Value(0)),
        Leaf::TimeWeighted(quantity) => quantity.max() > Some(0),
        Leaf::Count { count, .. } | Leaf::Rate { count, .. } => *count > 0,
    }
}

#[test]
fn streaming_measures_equal_their_twins_on_random_histories_without_a_primary() {
    check(0..2_000, false);
}

#[test]
fn streaming_measures_equal_their_twins_on_random_histories_of_siblings() {
    check(2_000..4_000, true);
}

#[test]
fn only_owners_of_a_key_have_copies_of_it() {
    for seed in 0..100 {
        let mut stream = Streams::new(seed).named("history");
        let roster = leaderless::roster(&mut stream, seed % 2 == 0);
        let owns = |member: Member, key: Key| {
            roster.placement.owns(roster.members.len(), member, Key(key.0 / roster.lanes))
        };
        for record in leaderless::history(&mut stream, &roster, 1, true) {
            match record.what {
                Observation::Logged { member, key, .. }
                | Observation::Applied { member, key, .. }
                | Observation::Purged { member, key, .. } => {
                    assert!(owns(member, key) || roster.placement == Placement::Everywhere, "seed {seed}");
                }
                _ => {}
            }
        }
    }
}
