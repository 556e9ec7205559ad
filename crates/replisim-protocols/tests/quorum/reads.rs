//! What the coordinator of a read does.

use replisim_protocols::quorum::config::{Config, ContactReads, Hints, ReadRepair};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

/// All five have version 1; `newer` of them have version 2.
fn five(newer: &[&str], set: impl FnOnce(&mut Config)) -> Script {
    let mut script = Script::new(5, |config| {
        config.hints = Hints::None;
        set(config);
    });
    script.put("lib", 0);
    script.deliver();
    script.put("lib", 0);
    newer.iter().for_each(|member| script.deliver_from_to("lib", member));
    script.drop_all();
    script.ignore();
    script
}

/// The mistake of going by the first answer, whatever its version.
#[test]
fn the_newest_of_the_answers_wins_in_whatever_order_they_come() {
    for order in [["a", "b", "e"], ["e", "a", "b"], ["a", "e", "b"]] {
        let mut script = five(&["b", "c", "d", "e"], |config| config.read_repair = ReadRepair::None);
        script.read("lib", 0);
        order.iter().for_each(|member| script.there_and_back("lib", member));
        script.expect("lib answers 3: 2");
    }
}

#[test]
fn who_is_asked_and_for_what() {
    for (contact, sent, bytes) in [
        (ContactReads::All, "5 fetch, 5 fetched", 10 * 32 + 5 * 26),
        (ContactReads::Quorum, "3 fetch, 3 fetched", 6 * 32 + 3 * 26),
        (ContactReads::Digests, "2 digest, 1 fetch, 2 fetch digest, 1 fetched", 6 * 32 + 26 + 2 * 16),
    ] {
        let mut script = five(&["a", "b", "c", "d", "e"], |config| config.contact_reads = contact);
        script.read("lib", 0);
        script.deliver();
        script.expect("lib answers 3: 2");
        assert_eq!(script.bytes(), bytes);
        assert_eq!(script.sent(), sent);
    }
}

#[test]
fn digests_that_differ_take_a_second_round() {
    let mut script = five(&["c"], |config| {
        config.contact_reads = ContactReads::Digests;
        config.read_repair = ReadRepair::None;
    });
    script.read("lib", 0);
    script.deliver();
    script.expect("lib answers 3: 2");
    assert_eq!(script.sent(), "2 digest, 3 fetch, 2 fetch digest, 3 fetched");
}

#[test]
fn a_digest_that_arrives_again_in_the_second_round_changes_nothing() {
    let mut script = five(&["a"], |config| {
        config.contact_reads = ContactReads::Digests;
        config.read_repair = ReadRepair::None;
    });
    script.read("lib", 0);
    script.there_and_back("lib", "a");
    script.deliver_from_to("lib", "b");
    script.there_and_back("lib", "c");
    script.deliver_twice("b", "lib"); // the second round begins between the two
    script.there_and_back("lib", "b");
    script.expect("");
    script.there_and_back("lib", "c");
    script.expect("lib answers 3: 2");
    assert_eq!(script.sent(), "2 digest, 3 fetch, 2 fetch digest, 3 fetched");
}

#[test]
fn blocking_repair_brings_those_up_to_date_that_were_counted_and_waits_for_them() {
    let mut script = five(&["c", "d"], |_| {});
    script.read("lib", 0);
    ["a", "b", "c"].iter().for_each(|member| script.there_and_back("lib", member));
    script.deliver_from_to("lib", "e"); // it was not counted, though it is old as well
    script.deliver_from_to("e", "lib");
    script.expect("");
    script.there_and_back("lib", "a");
    script.expect("a shows 0=2");
    script.there_and_back("lib", "b");
    script.expect("b shows 0=2\nlib answers 3: 2");
    script.deliver();
    assert_eq!(script.all_show(), ["0=2", "0=2", "0=2", "0=2", "0=1"]);
    assert_eq!(script.sent(), "5 fetch, 5 fetched, 2 store, 2 stored");
}

#[test]
fn blocking_repair_answers_what_it_repaired_and_not_what_came_later() {
    let mut script = five(&["c"], |_| {});
    script.put("lib", 0);
    script.deliver_from_to("lib", "d");
    script.drop_all();
    script.ignore();
    script.read("lib", 0);
    ["a", "b", "c", "d"].iter().for_each(|member| script.there_and_back("lib", member));
    script.expect("");
    script.deliver();
    // Had it answered 3, which only d has, a later read might answer 2.
    script.expect("a shows 0=2\nb shows 0=2\nlib answers 4: 2");
}

#[test]
fn a_repair_that_is_not_acknowledged_leaves_the_read_without_an_answer() {
    let mut script = five(&["c"], |_| {});
    script.read("lib", 0);
    ["a", "b", "c"].iter().for_each(|member| script.there_and_back("lib", member));
    script.there_and_back("lib", "a");
    script.drop_all();
    script.time_out("lib");
    script.deliver();
    script.expect("a shows 0=2");
}

#[test]
fn now_and_then_a_read_waits_for_all_whom_it_asked_and_repairs_them() {
    let half = || ReadRepair::Probability(replisim_engine::Share::new(0.5));
    for (chance, repairs) in [(499_999, true), (500_000, false)] {
        let mut script = five(&["c", "d"], |config| config.read_repair = half());
        script.chance(&[chance]);
        script.read("lib", 0);
        ["a", "b", "c"].iter().for_each(|member| script.there_and_back("lib", member));
        script.expect("lib answers 3: 2");
        script.there_and_back("lib", "d");
        assert_eq!(script.asked_by("lib"), "e", "it waits for e");
        script.there_and_back("lib", "e");
        script.deliver();
        let shown = if repairs { "0=2" } else { "0=1" };
        assert_eq!(script.all_show(), [shown, shown, "0=2", "0=2", shown]);
    }
    // One that never answers is waited for until the time-out.
    let mut script = five(&["c", "d"], |config| config.read_repair = half());
    script.cut("e");
    script.read("lib", 0);
    script.deliver();
    assert_eq!(script.shows("a"), "0=1");
    script.time_out("lib");
    script.deliver();
    assert_eq!(script.all_show(), ["0=2", "0=2", "0=2", "0=2", "0=1"]);
}

#[test]
fn the_coordinator_s_own_copy_is_one_like_any_other() {
    let mut script = Script::new(3, |config| config.read = Level::One);
    script.put("b", 0);
    script.deliver_from_to("b", "c");
    script.drop_all();
    script.ignore();
    script.read("a", 0);
    script.expect("a answers 2: nothing");
    script.read("b", 0);
    script.expect("b answers 3: 1");
}

#[test]
fn reads_may_go_back_while_a_write_is_under_way_unless_they_repair() {
    for (read_repair, second) in [(ReadRepair::None, "1"), (ReadRepair::Blocking, "2")] {
        let mut script = five(&["a"], |config| config.read_repair = read_repair);
        script.read("lib", 0);
        ["a", "b", "c"].iter().for_each(|member| script.there_and_back("lib", member));
        ["b", "c"].iter().for_each(|member| script.there_and_back("lib", member));
        script.expect_answers("lib answers 3: 2");
        script.drop_all();
        script.read("lib", 0);
        ["c", "d", "e"].iter().for_each(|member| script.there_and_back("lib", member));
        script.deliver();
        script.expect_answers(&format!("lib answers 4: {second}"));
    }
}
