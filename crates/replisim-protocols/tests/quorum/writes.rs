//! What the coordinator of a write does.

use replisim_protocols::quorum::config::{CommitLog, Coordinator, Hints};
use replisim_protocols::quorum::level::Level;
use replisim_protocols::{Change, Context, Kept};

use crate::driver::Script;

/// The mistake of asking replicas one after another.
#[test]
fn requests_go_to_all_copies_at_once() {
    for (coordinator, from, asked) in
        [(Coordinator::Replica, "a", "b c d e"), (Coordinator::Client, "lib", "a b c d e")]
    {
        let mut script = Script::new(5, |config| config.coordinator = coordinator);
        script.put(from, 0);
        script.read(from, 0);
        assert_eq!(script.asked_by(from), format!("{asked} {asked}"));
    }
}

/// The mistake of counting replicas that were asked, and not those that have it.
#[test]
fn a_write_is_not_acknowledged_on_behalf_of_crashed_replicas() {
    let mut script = Script::new(5, |config| {
        config.write = Level::Exactly(3);
        config.hints = Hints::None;
    });
    ["c", "d", "e"].iter().for_each(|member| script.crash(member, Kept::Written));
    script.put("a", 0);
    script.deliver();
    script.expect("a shows 0=1\nb shows 0=1");
    script.time_out("a");
    script.expect("");
    script.put("a", 0);
    script.expect("a answers 2: refused");
}

#[test]
fn a_hint_counts_for_no_level_but_any() {
    let mut script = Script::new(3, |_| {});
    ["b", "c"].iter().for_each(|member| script.cut(member));
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    script.expect("a shows 0=1");
    assert_eq!(script.hints("a"), "0=1 0=1");
}

#[test]
fn an_acknowledgement_that_arrives_twice_counts_once() {
    let mut script = Script::new(5, |_| {});
    script.put("a", 0);
    script.deliver_from_to("a", "b");
    script.deliver_twice("b", "a");
    script.expect_answers("");
    script.there_and_back("a", "c");
    script.expect_answers("a answers 1: written 1");
}

#[test]
fn only_those_who_keep_a_key_are_asked_for_it() {
    for (key, member, asked) in
        [(0, "a", "b"), (1, "a", "b c"), (3, "a", "d"), (7, "b", "d a"), (2, "lib", "c d")]
    {
        let mut script = Script::new(4, |config| config.copies = Some(2));
        script.put(member, key);
        assert_eq!(script.asked_by(member), asked, "key {key}");
    }
}

#[test]
fn an_older_write_is_acknowledged_and_shown_to_nobody() {
    let mut script = Script::new(3, |_| {});
    script.put_at("a", 0, 10);
    script.deliver();
    script.ignore();
    script.put_at("b", 0, 5);
    script.deliver();
    script.expect("a commits 5\nb answers 2: written 5");
    assert_eq!(script.all_show(), ["0=10"; 3]);
}

#[test]
fn a_condition_is_refused() {
    let mut script = Script::new(3, |_| {});
    let change = Change::CompareAndSet { expected: None, bytes: 10 };
    script.write("a", 0, change, 1, Context::new());
    script.expect("a answers 1: refused");
    assert_eq!(script.sent(), "");
}

#[test]
fn a_copy_is_acknowledged_when_it_is_on_the_disk_or_at_once() {
    for (commit_log, at_once) in [(CommitLog::Batch, false), (CommitLog::Periodic, true)] {
        let mut script = Script::new(3, |config| config.commit_log = commit_log);
        ["a", "b", "c"].iter().for_each(|member| script.slow_disk(member));
        script.put("a", 0);
        script.deliver();
        script.expect_answers(if at_once { "a answers 1: written 1" } else { "" });
        script.sync("b");
        script.deliver();
        script.expect_answers(""); // one of three, the own one is not safe either
        script.sync("a");
        script.expect_answers(if at_once { "" } else { "a answers 1: written 1" });
    }
}
