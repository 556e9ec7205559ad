//! Streaming measures against their brute-force twins, on random histories without a primary.

#[path = "histories/leaderless.rs"]
mod leaderless;

use replisim_engine::Streams;
use replisim_observe::{Key, Member, Observation, Placement};

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
