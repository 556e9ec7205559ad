//! How a member that has missed something, or lost it, comes to have it.

use replisim_engine::Bytes;
use replisim_protocols::Kept;
use replisim_protocols::primary_backup::{Acknowledge, Config, SemiSync, Timer};

use crate::driver::Script;

/// Entries are 34 bytes here: three of them are kept.
fn retain_three(config: &mut Config) {
    config.retain = Bytes::new(110);
}

/// r1 has one write of ten.
fn r1_is_far_behind(config: impl FnOnce(&mut Config)) -> Script {
    let mut script = Script::new(3, config);
    script.put("p", 0);
    script.deliver();
    script.cut("r1");
    for i in 0..9 {
        script.put("p", i % 3);
        script.deliver();
    }
    script.heal("r1");
    script.ignore();
    script.sent();
    script
}

#[test]
fn what_is_in_the_log_is_fetched_from_it() {
    let mut script = r1_is_far_behind(|_| {});
    (0..3).for_each(|_| script.beat("p"));
    assert_eq!(script.shows("r1"), script.shows("p"));
    assert_eq!(script.sent(), "7 acknowledge, 1 append, 1 fetch, 6 heartbeat");
    assert!(script.quiescent());
}

/// r1 has asked for the nine writes that it misses, and they are on their way; so are `heartbeats` sent before them.
fn r1_is_sent_what_it_misses(heartbeats: usize) -> Script {
    let mut script = r1_is_far_behind(|_| {});
    (0..2 + heartbeats).for_each(|_| script.fire("p", Timer::Heartbeat));
    (0..2).for_each(|_| script.deliver_first_from_to("p", "r1"));
    script.deliver_from_to("r1", "p");
    assert_eq!(script.sent().split(", ").nth(1), Some("1 append"));
    script
}

#[test]
fn what_is_still_on_its_way_is_not_sent_once_more() {
    let mut script = r1_is_sent_what_it_misses(5);
    for _ in 0..5 {
        script.deliver_first_from_to("p", "r1"); // a heartbeat from before the answer: r1 still misses all
        script.deliver_from_to("r1", "p");
    }
    assert_eq!(script.sent(), "5 acknowledge, 5 fetch");
    script.deliver();
    assert_eq!(script.shows("r1"), script.shows("p"));
}

#[test]
fn an_answer_that_is_lost_is_sent_again_after_two_heartbeats() {
    let mut script = r1_is_sent_what_it_misses(0);
    script.drop_from_to("p", "r1");
    script.beat("p");
    assert_eq!(script.shows("r1"), "0=1.1");
    script.beat("p");
    assert_eq!(script.shows("r1"), script.shows("p"));
}

#[test]
fn a_question_that_is_lost_is_asked_again_at_the_next_heartbeat() {
    let mut script = r1_is_far_behind(|_| {});
    script.beat("p");
    script.fire("p", Timer::Heartbeat);
    script.deliver_from_to("p", "r1");
    script.drop_from_to("r1", "p");
    script.beat("p");
    assert_eq!(script.shows("r1"), script.shows("p"));
}

#[test]
fn the_window_bounds_the_answer_to_a_question_from_before_a_crash() {
    let mut script = Script::new(3, |config| {
        config.window = Bytes::new(100); // three entries
        config.batch = Bytes::new(1); // one entry a message
    });
    script.cut("r2"); // for which the log is kept
    for i in 0..10 {
        script.put("p", i % 3);
        script.deliver();
    }
    script.fire("p", Timer::Heartbeat);
    let late = script.hold("p", "r1");
    script.crash("r1", Kept::Nothing);
    script.restart("r1");
    script.fire("p", Timer::Heartbeat);
    for _ in 0..2 {
        script.deliver_from_to("p", "r1"); // join and lead
        script.deliver_from_to("r1", "p");
    }
    script.drop_from_to("p", "r1");
    late(&mut script);
    script.fire("p", Timer::Heartbeat);
    script.deliver_from_to("p", "r1"); // ten have been sent, says the late one; so they are overdue at the next
    script.sent();
    script.deliver_from_to("r1", "p");
    assert_eq!(script.sent(), "3 append");
    script.heal("r2");
    (0..4).for_each(|_| script.beat("p"));
    assert_eq!(script.shows("r1"), script.shows("p"));
    assert!(script.quiescent());
}

#[test]
fn where_the_log_is_gone_the_store_is_copied() {
    let mut script = r1_is_far_behind(|config| {
        retain_three(config);
        config.batch = Bytes::new(40); // a key at a time
    });
    (0..2).for_each(|_| script.beat("p"));
    script.expect("r1 shows 0=1.8\nr1 shows 1=1.9\nr1 shows 2=1.10");
    let sent = script.sent();
    assert!(sent.contains("3 copied, 3 copy") && sent.contains("1 install"), "{sent}");
    script.put("p", 1);
    script.deliver();
    assert_eq!(script.shows("r1"), script.shows("p"));
    script.beat("p");
    assert!(script.quiescent());
}

#[test]
fn a_copy_that_is_overtaken_by_writes_and_losses_still_ends_right() {
    let mut script = r1_is_far_behind(|config| {
        retain_three(config);
        config.batch = Bytes::new(40);
        config.window = Bytes::new(70);
    });
    script.fire("p", Timer::Heartbeat);
    script.deliver_from_to("p", "r1");
    script.deliver_from_to("r1", "p"); // r1 is alive, and needs more than the log has
    script.drop_from_to("p", "r1"); // the first parts
    script.put("p", 0); // what has been copied is old already
    script.put("p", 3);
    script.deliver();
    assert_eq!(script.shows("r1"), "0=1.1");
    (0..4).for_each(|_| script.beat("p"));
    assert_eq!(script.shows("r1"), script.shows("p"));
    assert!(script.quiescent());
}

#[test]
fn the_window_bounds_what_is_sent_to_a_replica_that_does_not_answer() {
    let mut script = Script::new(2, |config| config.window = Bytes::new(100));
    script.cut("r1");
    (0..10).for_each(|i| script.put("p", i % 3));
    script.deliver();
    assert_eq!(script.sent(), "3 append");
    script.heal("r1");
    (0..3).for_each(|_| script.beat("p"));
    assert_eq!(script.shows("r1"), script.shows("p"));
    assert!(script.quiescent());
}

#[test]
fn a_replica_that_has_lost_its_disk_counts_for_nothing_until_it_has_all_again() {
    let mut script = Script::new(2, |config| config.acknowledge = Acknowledge::SemiSync(SemiSync::default()));
    script.put("p", 0);
    script.put("p", 1);
    script.deliver();
    script.crash("r1", Kept::Nothing);
    script.restart("r1");
    script.put("p", 0);
    script.deliver();
    script.ignore();
    script.beat("p");
    script.expect(
        "r1 shows 0=1.1
         r1 shows 1=1.2
         r1 shows 0=1.3
         p shows 0=1.3
         p commits 1.3
         p answers 2: written 1.3",
    );
}

#[test]
fn a_primary_that_has_lost_its_disk_serves_nobody_an_empty_store() {
    let mut script = Script::new(2, |_| {});
    script.put("p", 0);
    script.deliver();
    script.crash("p", Kept::Nothing);
    script.restart("p");
    script.ignore();
    script.put("p", 0);
    script.expect("p answers 1: ask somebody else");
    assert_eq!(script.shows("r1"), "0=1.1");
}

#[test]
fn the_only_member_begins_again_with_nothing() {
    let mut script = Script::new(1, |_| {});
    script.put("p", 0);
    script.crash("p", Kept::Nothing);
    script.restart("p");
    script.put("p", 0);
    script.expect(
        "p shows 0=1.1
         p commits 1.1
         p answers 0: written 1.1
         p is promoted above term 1
         p serves
         p shows 0=2.1
         p commits 2.1
         p answers 1: written 2.1",
    );
}
