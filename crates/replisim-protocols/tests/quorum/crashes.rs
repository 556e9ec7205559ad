//! What a crash leaves, with a disk that is slow.

use replisim_protocols::Kept;
use replisim_protocols::quorum::config::CommitLog;

use crate::driver::Script;

/// `b` is dead; of key 0, version 1 is on the disk of `a`, its hint too, and nothing that came after.
fn unsynced() -> Script {
    let mut script = Script::new(3, |_| {});
    script.cut("b");
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    script.slow_disk("a");
    script.put("a", 0);
    script.delete("a", 0);
    script.put("a", 1);
    script.deliver();
    script.ignore();
    assert_eq!((script.shows("a").as_str(), script.hints("a").as_str()), ("0=3 1=4", "0=3 1=4"));
    script
}

#[test]
fn what_was_not_synced_is_taken_back_step_by_step() {
    let mut script = unsynced();
    script.crash("a", Kept::Synced);
    script.expect(
        "a hides 1=4 for nothing
         a hides 0=3 for 2
         a hides 0=2 for 1",
    );
    assert_eq!((script.shows("a").as_str(), script.hints("a").as_str()), ("0=1", "0=1"));
}

#[test]
fn what_the_disk_had_finished_stays() {
    let mut script = unsynced();
    script.sync("a");
    script.put("a", 0);
    script.crash("a", Kept::Synced);
    script.expect_answers(
        "a answers 2: written 2
         a answers 3: written 3
         a answers 4: written 4",
    );
    assert_eq!((script.shows("a").as_str(), script.hints("a").as_str()), ("0=3 1=4", "0=3 1=4"));
}

#[test]
fn a_process_leaves_all_and_goes_on_to_make_it_safe() {
    let mut script = unsynced();
    script.crash("a", Kept::Written);
    script.expect("");
    script.restart("a");
    script.sync("a");
    script.crash("a", Kept::Synced);
    script.expect("");
    assert_eq!((script.shows("a").as_str(), script.hints("a").as_str()), ("0=3 1=4", "0=3 1=4"));
}

#[test]
fn a_lost_disk_leaves_nothing() {
    let mut script = unsynced();
    script.crash("a", Kept::Nothing);
    script.expect("");
    script.restart("a");
    script.read("a", 0);
    script.deliver();
    script.sync("a"); // it is repaired with what c has
    script.expect_answers("a answers 5: 3");
}

#[test]
fn a_machine_that_answered_at_once_loses_what_it_acknowledged() {
    for (commit_log, answers, left) in
        [(CommitLog::Batch, "", ""), (CommitLog::Periodic, "lib answers 1: written 1", "")]
    {
        let mut script = Script::new(3, |config| config.commit_log = commit_log);
        ["a", "b"].iter().for_each(|member| script.slow_disk(member));
        script.put("lib", 0);
        ["a", "b"].iter().for_each(|member| script.there_and_back("lib", member));
        script.expect_answers(answers);
        ["a", "b"].iter().for_each(|member| script.crash(member, Kept::Synced));
        assert_eq!(script.shows("a"), left);
    }
}

#[test]
fn an_acknowledgement_of_before_the_crash_counts_for_nothing_after_it() {
    let mut script = Script::new(3, |_| {});
    script.put("a", 0);
    script.deliver_from_to("a", "b");
    script.crash("a", Kept::Written);
    script.restart("a");
    script.put("a", 0);
    script.deliver_from_to("b", "a");
    script.expect_answers("");
    script.deliver();
    script.expect_answers("a answers 2: written 2");
}
