//! Conflicts against their brute-force twin, on random histories without a primary.

use crate::histories::leaderless;
use std::collections::BTreeMap;

use replisim_engine::Streams;
use replisim_engine::random::below;
use replisim_measure::{Leaf, Measures, twin};
use replisim_observe::{Observer, Time, Window};

const SLUGS: [&str; 6] = [
    "skew_loss",
    "conflict_loss",
    "lost_updates",
    "resurrected_writes",
    "order_stale_reads",
    "resurrected_reads",
];

#[test]
fn conflicts_equal_their_twin_on_random_histories_without_a_primary() {
    // Everything measured must happen, or nothing would be compared.
    let mut happened = BTreeMap::from(SLUGS.map(|slug| (slug, 0)));
    for seed in 0..1_500 {
        let mut stream = Streams::new(seed).named("conflicts");
        let mut roster = leaderless::roster(&mut stream, false);
        roster.keys = 1 + (seed % 2) as usize;
        let remembered = [0, 1, 3, 1_000][below(&mut stream, 4) as usize];
        let crashes = seed % 4 > 0;
        let records = match seed % 5 {
            0 => leaderless::history(&mut stream, &roster, 1, crashes),
            _ => leaderless::history_of(&mut stream, &roster, 1, crashes, 100 + seed % 300),
        };
        let end = records.last().unwrap().at.nanos();
        let window = Window { from: Time::from_nanos(end / 10), to: Time::from_nanos(end - end / 5) };
        let mut measures = Measures::remembering(roster, window, remembered);
        records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
        let findings = measures.finish();
        let mut found = twin::disagreements_remembering(&findings, &records, window, remembered);
        found.retain(|found| SLUGS.iter().any(|slug| found.starts_with(slug)));
        for slug in SLUGS {
            let counted = matches!(findings.leaf(slug, None), Some(Leaf::Count { count: 1.., .. }));
            *happened.get_mut(slug).unwrap() += u64::from(counted);
        }
        let story = || records.iter().map(|r| format!("{:?} {:?}\n", r.at, r.what)).collect::<String>();
        assert!(
            found.is_empty(),
            "seed {seed}, remembering {remembered}:\n{}\n{}",
            found.join("\n"),
            story()
        );
    }
    assert!(happened.values().all(|times| *times >= 20), "{happened:#?}");
}
