//! Comparing copies in the background.

use replisim_engine::Duration;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{AntiEntropy, Config, Hints};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

const LEAVES: u32 = 16;

fn compares(config: &mut Config) {
    config.anti_entropy = Some(AntiEntropy { every: Duration::from_secs(10), leaves: LEAVES });
    config.hints = Hints::None;
    config.write = Level::One;
}

/// Three nodes have keys 0 to 59; then `a` alone gets a write of key 0, and `b` alone one of key 7.
fn differing() -> Script {
    let mut script = Script::new(3, compares);
    (0..60).for_each(|key| script.put("lib", key));
    script.deliver();
    for (key, member) in [(0, "a"), (7, "b")] {
        script.put("lib", key);
        script.there_and_back("lib", member);
        script.drop_all();
    }
    script.ignore();
    script
}

#[test]
fn copies_that_are_the_same_exchange_roots_and_no_more() {
    let mut script = Script::new(3, compares);
    (0..60).for_each(|key| script.put("lib", key));
    script.deliver();
    script.ignore();
    script.fire("a", Timer::Compare);
    script.deliver();
    assert_eq!(script.bytes(), (32 + 3 * 16) + 32, "three ranges, for each of which there is a tree");
    assert_eq!(script.sent(), "1 roots, 1 same");
}

#[test]
fn only_what_differs_is_sent_both_ways() {
    let mut script = differing();
    script.fire("a", Timer::Compare);
    let bytes = |script: &mut Script, from, to| {
        script.sent();
        script.deliver_from_to(from, to);
        script.bytes()
    };
    let tree = 16 * (2 * u64::from(LEAVES) - 1);
    assert_eq!(bytes(&mut script, "a", "b"), 32 + 2 * tree, "the trees of ranges 0 and 1");
    let keys = bytes(&mut script, "b", "a") - 32 - 2 * 8;
    assert!(keys.is_multiple_of(24) && keys / 24 < 20, "{keys}: of two leaves, not of all");
    assert_eq!(bytes(&mut script, "a", "b"), 32 + (8 + 26) + 8, "key 7, and key 0 is wanted");
    assert_eq!(bytes(&mut script, "b", "a"), 32 + (8 + 26));
    script.deliver();
    script.expect("a shows 7=62\nb shows 0=61");
    assert_eq!(script.shows("a"), script.shows("b"));
}

#[test]
fn a_member_compares_itself_with_one_after_the_other_until_all_are_level() {
    let mut script = differing();
    assert!(!script.quiescent());
    let mut rounds = 0;
    while !script.quiescent() {
        ["a", "b", "c"].iter().for_each(|member| script.fire(member, Timer::Compare));
        script.deliver();
        rounds += 1;
    }
    assert_eq!(script.shows("a"), script.shows("b"));
    assert_eq!(script.shows("a"), script.shows("c"));
    assert!(rounds <= 4, "two peers each: two rounds to be level, and two to know it; not {rounds}");
}

#[test]
fn members_that_share_no_keys_have_nothing_to_compare() {
    // Two copies on a ring of four: a shares keys with b and d.
    let mut script = Script::new(4, |config| {
        compares(config);
        config.copies = Some(2);
    });
    for asked in ["b", "d", "b"] {
        script.fire("a", Timer::Compare);
        assert_eq!(script.asked_by("a"), asked);
        script.deliver();
    }
    assert_eq!(script.sent(), "3 roots, 3 same");
}

#[test]
fn a_tombstone_that_is_old_enough_is_left_out() {
    for (micros, sent, shown) in
        [(900, "1 copies, 1 keys, 1 leaves, 1 roots", "0=2"), (1_100, "1 roots, 1 same", "")]
    {
        let mut script = Script::new(2, |config| {
            compares(config);
            config.gc_grace = Duration::from_millis(1);
        });
        script.put("lib", 0);
        script.drop_all();
        script.delete("lib", 0);
        script.there_and_back("lib", "a");
        script.drop_all();
        script.ignore();
        ["a", "b"].iter().for_each(|member| script.wall(member, micros));
        script.fire("b", Timer::Compare);
        script.deliver();
        assert_eq!(script.sent(), sent);
        assert_eq!(script.shows("b"), shown);
    }
}
