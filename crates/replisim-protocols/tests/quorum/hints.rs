//! What becomes of a write that one of its copies could not get.

use replisim_engine::Duration;
use replisim_protocols::Kept;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{Config, ContactWrites, Hints};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

/// `a` has found out that `b` is dead, and keeps version 1 of key 0 for it.
fn b_is_dead(mut script: Script) -> Script {
    script.cut("b");
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    script.ignore();
    script
}

#[test]
fn the_coordinator_keeps_what_a_copy_did_not_acknowledge_and_hands_it_over() {
    let mut script = b_is_dead(Script::new(3, |_| {}));
    assert_eq!(script.hints("a"), "0=1");
    script.put("a", 0);
    assert_eq!(script.hints("a"), "0=2", "at once: it knows that b is dead; the newer takes the place");
    script.deliver();
    script.fire("a", Timer::Handoff);
    script.deliver();
    assert_eq!(script.hints("a"), "0=2", "b does not hear it");
    script.heal("b");
    script.ignore();
    script.fire("a", Timer::Handoff);
    script.deliver();
    script.expect("b shows 0=2");
    assert_eq!((script.hints("a").as_str(), script.sent().as_str()), ("", "1 hand, 1 handed"));
    assert!(script.quiescent());
}

#[test]
fn no_hints_means_none() {
    let script = b_is_dead(Script::new(3, |config| config.hints = Hints::None));
    assert_eq!(script.hints("a"), "");
    assert_eq!(script.armed_micros("a", Timer::Handoff), None);
}

#[test]
fn a_hint_is_kept_from_its_last_write_on_for_as_long_as_configured_and_no_longer_than_tombstones() {
    let by_window = |config: &mut Config| config.hint_window = Duration::from_secs(10);
    let by_grace = |config: &mut Config| config.gc_grace = Duration::from_secs(10);
    let limits: [fn(&mut Config); 2] = [by_window, by_grace];
    for limit in limits {
        let mut script = b_is_dead(Script::new(3, limit));
        script.clock(8_000);
        script.put("a", 0);
        script.put("a", 1);
        for (ms, left) in [(13_000, "0=2 1=3"), (18_000, "0=2 1=3"), (18_001, "")] {
            script.clock(ms);
            script.fire("a", Timer::Handoff);
            assert_eq!(script.hints("a"), left, "at {ms} ms");
        }
    }
}

#[test]
fn sixty_four_hints_are_on_the_way_at_a_time() {
    let mut script = b_is_dead(Script::new(3, |_| {}));
    (1..100).for_each(|key| script.put("a", key));
    script.deliver();
    script.heal("b");
    script.ignore();
    script.fire("a", Timer::Handoff);
    assert_eq!(script.sent(), "64 hand");
    script.deliver_from_to("a", "b");
    script.deliver_from_to("b", "a");
    assert_eq!(script.sent(), "36 hand, 64 handed", "each that arrives makes room for another");
    script.deliver();
    assert_eq!(script.hints("a"), "");
    assert_eq!(script.shows("b"), script.shows("a"));
}

#[test]
fn a_hint_that_grew_while_it_was_handed_over_is_handed_over_again() {
    let mut script = b_is_dead(Script::new(3, |_| {}));
    script.fire("a", Timer::Handoff);
    script.put("a", 0);
    script.heal("b");
    script.deliver();
    assert_eq!((script.shows("b").as_str(), script.hints("a").as_str()), ("0=1", "0=2"));
    script.fire("a", Timer::Handoff);
    script.deliver();
    assert_eq!((script.shows("b").as_str(), script.hints("a").as_str()), ("0=2", ""));
}

#[test]
fn a_hint_is_given_up_when_the_owner_has_it_on_its_disk() {
    let mut script = b_is_dead(Script::new(3, |_| {}));
    script.heal("b");
    script.slow_disk("b");
    script.fire("a", Timer::Handoff);
    script.deliver();
    assert_eq!((script.shows("b").as_str(), script.hints("a").as_str()), ("0=1", "0=1"));
    script.sync("b");
    script.deliver();
    assert_eq!(script.hints("a"), "");
}

#[test]
fn hints_are_lost_with_the_disk_that_they_are_on() {
    for (kept, left, sent) in [(Kept::Synced, "0=1", "1 hand"), (Kept::Nothing, "", "")] {
        let mut script = b_is_dead(Script::new(3, |_| {}));
        script.crash("a", kept);
        script.restart("a");
        assert_eq!(script.hints("a"), left);
        script.fire("a", Timer::Handoff);
        assert_eq!(script.sent(), sent);
    }
}

#[test]
fn nobody_keeps_hints_for_himself() {
    let mut script = Script::new(3, |_| {});
    script.slow_disk("a");
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    assert_eq!(script.hints("a"), "");
}

#[test]
fn who_was_not_to_get_a_write_is_not_handed_it_later() {
    let mut script = b_is_dead(Script::new(3, |config| config.contact_writes = ContactWrites::Quorum));
    let before = script.hints("a");
    script.put("a", 1);
    script.deliver();
    script.expect_answers("a answers 2: written 2");
    assert_eq!(script.hints("a"), before);
}

#[test]
fn at_level_any_a_hint_is_as_good_as_a_copy() {
    // Key 1 is kept by b and c.
    let mut script = Script::new(4, |config| {
        config.copies = Some(2);
        config.write = Level::Any;
    });
    ["b", "c"].iter().for_each(|member| script.cut(member));
    script.put("a", 1);
    script.deliver();
    script.expect("");
    script.time_out("a");
    script.expect("a commits 1\na answers 1: written 1");
    script.put("a", 1);
    script.expect("a commits 2\na answers 2: written 2");
    assert_eq!(script.hints("a"), "1=2 1=2", "one for each");
    script.read("a", 1);
    script.expect("a answers 3: refused");
}

/// Key 0 is kept by `a`, `b`, `c` of five; `d` stands in for `b`.
fn d_stands_in() -> Script {
    let mut script = b_is_dead(Script::new(5, |config| {
        config.copies = Some(3);
        config.hints = Hints::Sloppy;
    }));
    assert_eq!(script.hints("a"), "", "the write that found it out is kept for nobody");
    script.put("a", 0);
    assert_eq!(script.asked_by("a"), "d c");
    script.drop_from_to("a", "c");
    script
}

#[test]
fn who_stands_in_counts_as_a_copy_and_hands_over_what_it_got() {
    let mut script = d_stands_in();
    script.there_and_back("a", "d");
    script.expect("a shows 0=2\nd commits 2\na answers 2: written 2");
    assert_eq!((script.hints("d").as_str(), script.shows("d").as_str()), ("0=2", ""));

    // `c` missed it; whoever knows that b is dead reads it from d.
    script.read("a", 0);
    script.there_and_back("a", "d");
    script.expect("a answers 3: 2");
    script.drop_all();

    script.heal("b");
    script.fire("d", Timer::Handoff);
    script.deliver();
    script.expect("b shows 0=2");
    assert_eq!(script.hints("d"), "");
}

#[test]
fn a_sloppy_quorum_may_miss_what_was_acknowledged() {
    let mut script = d_stands_in();
    script.deliver_from_to("a", "d");
    script.deliver();
    script.expect_answers("a answers 2: written 2");
    // b is back, and e knows nothing of a stand-in: of a, b, c two will do, and b and c have not heard of it.
    script.heal("b");
    script.cut("a");
    script.read("e", 0);
    script.deliver();
    script.expect_answers("e answers 3: 1");
}

#[test]
fn as_many_stand_in_as_there_are_nodes_left() {
    let mut script = Script::new(5, |config| {
        config.copies = Some(3);
        config.hints = Hints::Sloppy;
    });
    ["b", "c", "d"].iter().for_each(|member| script.cut(member));
    script.put("a", 0);
    script.deliver();
    script.time_out("a"); // b and c are dead
    script.put("a", 0);
    assert_eq!(script.asked_by("a"), "d e");
    script.deliver();
    script.expect_answers("a answers 2: written 2");
    script.clock(4_000);
    script.fire("a", Timer::Patience); // d too
    script.put("a", 0);
    assert_eq!(script.asked_by("a"), "e");
    script.fire("a", Timer::Probe);
    script.put("e", 0);
}
