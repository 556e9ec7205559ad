//! When clients are answered.

use replisim_engine::Bytes;
use replisim_protocols::Change;
use replisim_protocols::Kept;
use replisim_protocols::primary_backup::{AckAt, Acknowledge, Config, OnTimeout, SemiSync, Timer};
use replisim_protocols::protocol::version;

use crate::driver::Script;

fn semi_sync(replicas: u32, ack_at: AckAt, on_timeout: OnTimeout) -> impl FnOnce(&mut Config) {
    move |config| {
        let semi_sync = SemiSync { replicas, ack_at, on_timeout, ..SemiSync::default() };
        config.acknowledge = Acknowledge::SemiSync(semi_sync);
    }
}

#[test]
fn async_answers_before_anything_is_sent() {
    let mut script = Script::new(3, |_| {});
    script.put("p", 0);
    script.expect(
        "p shows 0=1.1
         p commits 1.1
         p answers 0: written 1.1",
    );
    script.deliver();
    script.expect("r1 shows 0=1.1\nr2 shows 0=1.1");
    assert_eq!(script.sent(), "2 acknowledge, 2 append");
    assert!(script.quiescent());
}

#[test]
fn semi_sync_answers_at_the_kth_acknowledgement_and_shows_the_write_then() {
    for (replicas, after_first, after_second) in [
        (1, "p shows 0=1.1\np commits 1.1\np answers 0: written 1.1", ""),
        (2, "", "p shows 0=1.1\np commits 1.1\np answers 0: written 1.1"),
    ] {
        let mut script = Script::new(4, semi_sync(replicas, AckAt::Logged, OnTimeout::Block));
        script.put("p", 0);
        script.expect("");
        script.deliver_from_to("p", "r2");
        script.expect("r2 shows 0=1.1"); // early: not committed yet
        script.deliver_from_to("r2", "p");
        script.expect(after_first);
        script.deliver_from_to("p", "r3");
        script.ignore();
        script.deliver_from_to("r3", "p");
        script.expect(after_second);
    }
}

#[test]
fn received_is_acknowledged_before_the_disk() {
    let mut script = Script::new(2, semi_sync(1, AckAt::Received, OnTimeout::Block));
    script.put("p", 0);
    script.deliver();
    script.expect(
        "r1 shows 0=1.1
         p shows 0=1.1
         p commits 1.1
         p answers 0: written 1.1",
    );
    assert_eq!(script.sent(), "2 acknowledge, 1 append"); // one when received, one when logged
}

#[test]
fn on_timeout_async_answers_and_waits_again_once_a_replica_has_caught_up() {
    let mut script = Script::new(3, semi_sync(1, AckAt::Logged, OnTimeout::Async));
    script.cut("r1");
    script.cut("r2");
    script.put("p", 0);
    script.deliver();
    script.clock(400);
    script.put("p", 1);
    script.deliver();
    script.expect("");
    script.clock(1_000);
    script.fire("p", Timer::Patience);
    script.expect_answers("p answers 0: written 1.1\np answers 1: written 1.2");
    script.put("p", 0);
    script.expect_answers("p answers 2: written 1.3"); // does not wait
    script.heal("r1");
    script.beat("p");
    script.beat("p"); // what was lost is fetched at the second heartbeat that misses it
    script.beat("p");
    script.ignore();
    script.put("p", 0);
    script.expect("");
    script.deliver();
    script.expect_answers("p answers 3: written 1.4");
}

#[test]
fn a_replica_that_catches_up_twice_is_still_one_replica() {
    let mut script = Script::new(3, semi_sync(2, AckAt::Logged, OnTimeout::Async));
    script.crash("r2", Kept::Synced);
    script.put("p", 0);
    script.deliver();
    script.clock(1_000);
    script.fire("p", Timer::Patience);
    (0..3).for_each(|_| script.beat("p")); // r1 has caught up
    for restarts in 1..=3 {
        script.crash("r1", Kept::Synced);
        script.restart("r1");
        (0..3).for_each(|_| script.beat("p"));
        script.ignore();
        script.put("p", 0);
        script.expect_answers(&format!("p answers {restarts}: written 1.{}", restarts + 1));
        script.deliver();
    }
    script.restart("r2");
    (0..3).for_each(|_| script.beat("p")); // both have
    script.put("p", 0);
    script.ignore();
    script.deliver();
    script.expect_answers("p answers 4: written 1.5");
}

#[test]
fn patience_is_counted_from_the_oldest_write_that_still_waits() {
    let mut script = Script::new(2, semi_sync(1, AckAt::Logged, OnTimeout::Async));
    script.put("p", 0);
    script.deliver();
    script.cut("r1");
    script.clock(400);
    script.put("p", 0);
    script.clock(1_000);
    script.ignore();
    script.fire("p", Timer::Patience); // armed by the first
    script.expect("");
    assert_eq!(script.armed_ms("p", Timer::Patience), (400.0, 400.0));
    script.clock(1_400);
    script.fire("p", Timer::Patience);
    script.expect_answers("p answers 1: written 1.2");
}

#[test]
fn on_timeout_block_and_sync_wait_for_the_dead_replica() {
    let sync = |config: &mut Config| config.acknowledge = Acknowledge::Sync;
    for mut script in [Script::new(3, sync), Script::new(3, semi_sync(2, AckAt::Logged, OnTimeout::Block))] {
        script.crash("r2", Kept::Synced);
        script.put("p", 0);
        script.deliver();
        (0..20).for_each(|_| script.beat("p"));
        script.expect_answers("");
        assert!(!script.is_armed("p", Timer::Patience));
        script.restart("r2");
        (0..3).for_each(|_| script.beat("p"));
        script.expect_answers("p answers 0: written 1.1");
        assert!(script.quiescent());
    }
}

#[test]
fn of_two_compare_and_sets_that_wait_at_once_one_wins() {
    let mut script = Script::new(2, semi_sync(1, AckAt::Logged, OnTimeout::Block));
    script.put("p", 0);
    script.deliver();
    let seen = Some(version(1, 1));
    script.ignore();
    script.write("p", 0, Change::CompareAndSet { expected: seen, bytes: 10 });
    script.write("p", 0, Change::CompareAndSet { expected: seen, bytes: 10 });
    script.expect("p answers 2: not applied");
    script.deliver();
    script.expect_answers("p answers 1: written 1.2");
}

#[test]
fn a_tombstone_has_a_version_of_its_own() {
    let mut script = Script::new(2, |_| {});
    script.write("p", 0, Change::CompareAndSet { expected: None, bytes: 10 });
    script.write("p", 0, Change::Delete);
    script.write("p", 0, Change::CompareAndSet { expected: None, bytes: 10 });
    script.write("p", 0, Change::CompareAndSet { expected: Some(version(1, 2)), bytes: 10 });
    script.expect_answers(
        "p answers 0: written 1.1
         p answers 1: written 1.2
         p answers 2: not applied
         p answers 3: written 1.3",
    );
    script.deliver();
    assert_eq!(script.shows("r1"), "0=1.3");
}

#[test]
fn without_replicas_sync_waits_for_its_own_disk() {
    let mut script = Script::new(1, |config| config.acknowledge = Acknowledge::Sync);
    script.put_unsynced("p", 0);
    script.expect("");
    script.sync("p");
    script.expect_answers("p answers 0: written 1.1");
}

#[test]
fn what_a_replica_said_before_it_lost_its_disk_counts_for_nothing() {
    let mut script = Script::new(2, semi_sync(1, AckAt::Logged, OnTimeout::Block));
    script.put("p", 0);
    script.deliver_from_to("p", "r1");
    let late = script.hold("r1", "p");
    script.crash("r1", Kept::Nothing);
    script.restart("r1");
    script.fire("p", Timer::Heartbeat);
    script.deliver_from_to("p", "r1"); // it asks how to follow
    script.deliver_from_to("r1", "p");
    script.drop_from_to("p", "r1");
    late(&mut script);
    script.deliver();
    script.expect_answers("");
    (0..2).for_each(|_| script.beat("p"));
    script.expect_answers("p answers 0: written 1.1");
}

#[test]
fn a_replica_that_lost_its_disk_counts_again_once_it_has_all_that_there_was() {
    let mut script = Script::new(2, |config| {
        semi_sync(1, AckAt::Logged, OnTimeout::Block)(config);
        config.batch = Bytes::new(1); // one entry a message
    });
    script.put("p", 0);
    script.put("p", 0);
    script.crash("r1", Kept::Nothing);
    script.deliver();
    script.restart("r1");
    script.fire("p", Timer::Heartbeat);
    script.deliver_from_to("p", "r1");
    script.deliver_from_to("r1", "p"); // join
    script.deliver_from_to("p", "r1"); // lead
    script.deliver_from_to("r1", "p"); // acknowledges nothing, and is sent both
    script.deliver_first_from_to("p", "r1");
    script.deliver_from_to("r1", "p");
    script.expect_answers("");
    script.deliver();
    script.expect_answers("p answers 0: written 1.1\np answers 1: written 1.2");
}
