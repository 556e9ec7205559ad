//! Version vectors. Key k of three nodes has lanes 3k, 3k + 1, 3k + 2: one for each node that gives versions.

use replisim_protocols::Kept;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{Config, Conflicts};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

fn siblings(config: &mut Config) {
    config.conflicts = Conflicts::Siblings;
}

#[test]
fn blind_writes_stand_side_by_side_until_a_client_that_read_them_writes() {
    let mut script = Script::new(3, siblings);
    script.put("a", 0);
    script.put("b", 0);
    script.deliver();
    script.put("a", 0);
    script.deliver();
    script.ignore();
    script.read("c", 0);
    script.deliver();
    script.expect_answers("c answers 4: 3 siblings");
    script.put_merged("c", 0);
    script.deliver();
    script.read("b", 0);
    script.deliver();
    script.expect_answers("c answers 5: written 0c\nb answers 6: 1 siblings");
    assert_eq!(script.all_show(), ["0=1a 1=0b 2=0c"; 3], "each has heard of all");
}

#[test]
fn a_reader_who_met_one_sibling_replaces_that_one_alone() {
    let mut script = Script::new(3, siblings);
    script.put("a", 0);
    script.deliver();
    script.read("a", 0);
    script.deliver();
    script.put("b", 0); // blind
    script.deliver();
    script.put_merged("c", 0);
    script.deliver();
    script.ignore();
    script.read("a", 0);
    script.deliver();
    script.expect_answers("a answers 5: 2 siblings");
}

#[test]
fn copies_that_differ_are_repaired_with_what_they_make_together() {
    let mut script = Script::new(3, siblings);
    script.put("a", 0);
    script.drop_all();
    script.put("b", 0);
    script.drop_all();
    script.ignore();
    script.read("a", 0);
    script.there_and_back("a", "b");
    script.expect("a shows 1=0b"); // and waits for b
    script.deliver();
    script.expect("b shows 0=0a\na answers 3: 2 siblings");
}

#[test]
fn only_a_node_that_keeps_the_key_gives_versions() {
    // Key 1 is kept by b and c.
    let mut script = Script::new(4, |config| {
        siblings(config);
        config.copies = Some(2);
    });
    script.put("a", 1);
    script.expect("a answers 1: ask b");
    script.cut("b");
    script.read("a", 1);
    script.deliver();
    script.time_out("a");
    script.put("a", 1);
    script.expect_answers("a answers 3: refused");
}

#[test]
fn a_node_that_sends_away_names_one_that_is_alive() {
    let mut script = Script::new(4, |config| {
        siblings(config);
        (config.copies, config.read) = (Some(3), Level::All);
    });
    script.cut("b");
    script.read("a", 1);
    script.deliver();
    script.time_out("a");
    script.ignore();
    script.put("a", 1);
    script.expect_answers("a answers 2: ask c");
}

#[test]
fn what_was_not_synced_is_taken_back_lane_by_lane() {
    let mut script = Script::new(3, siblings);
    script.put("a", 0);
    script.deliver();
    script.slow_disk("a");
    script.put("b", 0);
    script.put("a", 0);
    script.deliver_from_to("b", "a");
    script.ignore();
    script.crash("a", Kept::Synced);
    script.expect("a hides 1=0b for nothing\na hides 0=1a for 0a");
    assert_eq!(script.shows("a"), "0=0a");
}

#[test]
fn a_hint_of_siblings_is_the_whole_copy() {
    let mut script = Script::new(3, siblings);
    script.cut("b");
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    script.put("c", 0);
    script.deliver();
    script.put("a", 0);
    script.deliver();
    assert_eq!(script.hints("a"), "0=1a 2=0c");
    script.heal("b");
    script.fire("a", Timer::Handoff);
    script.deliver();
    assert_eq!((script.hints("a").as_str(), script.shows("b")), ("", script.shows("a")));
}
