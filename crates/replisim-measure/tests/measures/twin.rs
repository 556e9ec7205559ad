//! Streaming measures against their brute-force twins, on random histories that no protocol would produce.

use std::collections::BTreeMap;

use crate::histories::history;
use rand::Rng;
use replisim_engine::random::below;
use replisim_engine::{Duration, Stream, Streams};
use replisim_measure::{Leaf, Measures, Quantile, catalogue, twin};
use replisim_observe::{Groups, Member, Observer, Placement, PromotionRule, Roster, Time, Window};

fn roster(stream: &mut Stream) -> Roster {
    let names = |prefix: &str, n: u64| (0..n).map(|i| format!("{prefix}{i}")).collect();
    let members = 1 + below(stream, 4);
    let promotion = match below(stream, 5) {
        0 => PromotionRule::Any,
        1 => PromotionRule::Order(
            (0..below(stream, 3)).map(|i| Member((members - 1 - i % members) as u32)).collect(),
        ),
        2 => PromotionRule::Leaderless,
        _ => PromotionRule::MostAdvanced,
    };
    Roster {
        members: names("n", members),
        clients: names("c", 2),
        faults: names("f", 2),
        keys: 1 + (stream.next_u64() % 3) as usize,
        promotion,
        retries: below(stream, 2) == 0,
        unavailability_bound: Duration::from_nanos(9),
        ..Roster::default()
    }
}

/// Several replication groups, of which none has to have all members or any key.
fn deal_to_groups(stream: &mut Stream, roster: &mut Roster) {
    let members = 1 + below(stream, roster.members.len() as u64) as u32;
    roster.placement = Placement::Groups(Groups { count: 1 + below(stream, 4) as u32, members });
    roster.keys += below(stream, 5) as usize;
}

/// What happens without a primary: in histories of its own.
const ELSEWHERE: [&str; 6] = [
    "skew_loss",
    "conflict_loss",
    "lost_updates",
    "resurrected_writes",
    "order_stale_reads",
    "resurrected_reads",
];

#[test]
fn streaming_measures_equal_their_twins_on_random_histories() {
    // Everything measured must happen, or nothing would be compared.
    let mut happened: BTreeMap<&str, u64> = catalogue().iter().map(|info| (info.slug, 0)).collect();
    for seed in 0..2_000 {
        let mut stream = Streams::new(seed).named("history");
        let mut roster = roster(&mut stream);
        if seed % 5 < 2 && roster.promotion != PromotionRule::Leaderless {
            deal_to_groups(&mut stream, &mut roster);
        }
        let unit = [1, 1, 60_000_000][(seed % 3) as usize]; // so long that a second is a while, or does not matter
        let remembered = [0, 1, 3, 1_000][below(&mut stream, 4) as usize];
        let records = history(&mut stream, &roster, unit, seed % 4 > 0);
        let end = records.last().unwrap().at.nanos();
        let to = Time::from_nanos(end - end / 5);
        let window = Window { from: Time::from_nanos(end / 10), to };
        let mut measures = Measures::remembering(roster, window, remembered);
        records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
        let findings = measures.finish();
        let found = twin::disagreements_remembering(&findings, &records, window, remembered);
        for measure in &findings.measures {
            *happened.get_mut(measure.info.slug).unwrap() +=
                u64::from(measure.all.as_ref().is_some_and(says_something));
        }
        let story = || records.iter().map(|r| format!("{:?} {:?}\n", r.at, r.what)).collect::<String>();
        assert!(
            found.is_empty(),
            "seed {seed}, remembering {remembered}:\n{}\n{}",
            found.join("\n"),
            story()
        );
    }
    happened.retain(|slug, times| !ELSEWHERE.contains(slug) && *times < 100);
    assert!(happened.is_empty(), "too rare: {happened:#?}");
}

fn says_something(leaf: &Leaf) -> bool {
    match leaf {
        Leaf::Distribution(samples) => samples.max().is_some_and(|max| max != Quantile::Value(0)),
        Leaf::TimeWeighted(quantity) => quantity.max() > Some(0),
        Leaf::Count { count, .. } | Leaf::Rate { count, .. } => *count > 0,
    }
}
