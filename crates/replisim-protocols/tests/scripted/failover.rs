//! Who is the primary, and since when.

use replisim_engine::Bytes;
use replisim_observe::Version;
use replisim_protocols::primary_backup::{
    Acknowledge, Automatic, Config, Failover, Promote, SemiSync, Timer,
};
use replisim_protocols::{Consistency, Kept};

use crate::driver::Script;

fn automatic(promote: Promote) -> impl FnOnce(&mut Config) {
    move |config| config.failover = Failover::Automatic(Automatic { promote, ..Automatic::default() })
}

fn manual(fencing: bool) -> impl FnOnce(&mut Config) {
    move |config| (config.failover, config.fencing) = (Failover::Manual, fencing)
}

fn semi_sync(config: &mut Config) {
    automatic(Promote::MostAdvanced)(config);
    config.acknowledge = Acknowledge::SemiSync(SemiSync::default());
}

/// p and r1 have two writes, r2 has one; then p is gone.
fn r2_is_behind(config: impl FnOnce(&mut Config)) -> Script {
    let mut script = Script::new(3, config);
    script.put("p", 0);
    script.deliver();
    script.put("p", 0);
    script.deliver_from_to("p", "r1");
    script.drop_from_to("p", "r2");
    script.crash("p", Kept::Written);
    script.deliver();
    script.ignore();
    script
}

/// As the timers would have it: both suspect, then `member` stands for election.
fn elect(script: &mut Script, member: &str, other: &str) {
    script.fire(member, Timer::Suspect);
    script.fire(other, Timer::Suspect);
    script.fire(member, Timer::Stand);
    script.deliver();
}

#[test]
fn only_the_most_advanced_is_elected_and_nothing_is_lost() {
    let mut script = r2_is_behind(automatic(Promote::MostAdvanced));
    elect(&mut script, "r2", "r1");
    script.expect("");
    script.fire("r1", Timer::Stand);
    script.deliver();
    script.expect(
        "r1 is promoted above term 3
         r1 serves
         r2 shows 0=1.2",
    );
    script.put("r1", 0);
    script.expect("r1 shows 0=4.3\nr1 commits 4.3\nr1 answers 2: written 4.3");
    script.restart("p");
    script.put("p", 0);
    (0..3).for_each(|_| script.beat("r1"));
    script.expect(
        "p answers 3: ask somebody else
         r2 shows 0=4.3
         p shows 0=4.3",
    );
    assert!(script.quiescent());
}

#[test]
fn the_first_to_notice_is_elected_whatever_it_has() {
    let mut script = r2_is_behind(automatic(Promote::FirstToNotice));
    script.fire("r2", Timer::Suspect);
    assert_eq!(script.armed_ms("r2", Timer::Stand), (0.0, 100.0));
    script.fire("r2", Timer::Stand);
    script.deliver();
    script.expect(""); // r1 does not suspect anything yet, and remembers who asked
    script.fire("r1", Timer::Suspect);
    script.deliver();
    script.expect(
        "r2 is promoted above term 1
         r2 serves
         r1 hides 0=1.2 for 1.1
         r1 unlogs 1.2 to 1.1",
    );
}

#[test]
fn the_order_decides_who_stands_first() {
    let order = || Promote::Order(vec!["r2".to_string(), "p".to_string()]);
    let mut script = r2_is_behind(automatic(order()));
    script.fire("r1", Timer::Suspect);
    script.fire("r2", Timer::Suspect);
    assert_eq!(script.armed_ms("r1", Timer::Stand), (400.0, 400.0));
    assert_eq!(script.armed_ms("r2", Timer::Stand), (0.0, 0.0));
    script.fire("r2", Timer::Stand);
    script.deliver();
    script.expect(
        "r2 is promoted above term 1
         r2 serves
         r1 hides 0=1.2 for 1.1
         r1 unlogs 1.2 to 1.1",
    );
}

#[test]
fn one_that_suspects_the_primary_sends_nobody_to_it() {
    let mut script = Script::new(3, automatic(Promote::MostAdvanced));
    script.put("r1", 0);
    script.fire("r1", Timer::Suspect);
    script.put("r1", 0);
    script.read("r1", 0, Consistency::Strong, Version(0));
    script.beat("p");
    script.put("r1", 0);
    script.expect(
        "r1 answers 0: ask p
         r1 answers 1: ask somebody else
         r1 answers 2: ask somebody else
         r1 answers 3: ask p",
    );
}

#[test]
fn a_member_that_was_cut_off_does_not_unseat_a_healthy_primary() {
    let mut script = Script::new(3, automatic(Promote::MostAdvanced));
    script.cut("r2");
    script.fire("r2", Timer::Suspect);
    (0..3).for_each(|_| script.fire("r2", Timer::Stand));
    script.deliver();
    script.heal("r2");
    script.fire("r2", Timer::Stand);
    script.deliver();
    script.beat("p");
    script.put("p", 0);
    script.deliver();
    script.expect_answers("p answers 0: written 1.1");
    assert_eq!(script.shows("r2"), "0=1.1");
    assert!(!script.is_armed("r2", Timer::Stand));
}

#[test]
fn whoever_restarts_or_has_voted_votes_for_nobody_until_it_suspects() {
    let mut script = Script::new(3, automatic(Promote::MostAdvanced));
    script.crash("p", Kept::Synced);
    script.crash("r2", Kept::Synced);
    script.restart("r2");
    script.fire("r1", Timer::Suspect);
    script.fire("r1", Timer::Stand);
    script.deliver();
    script.expect("");
    script.fire("r2", Timer::Suspect);
    script.deliver_from_to("r2", "r1"); // yes, on trial
    script.deliver_from_to("r1", "r2"); // in earnest
    assert!(!script.is_armed("r2", Timer::Stand) && script.is_armed("r2", Timer::Suspect));
    script.deliver();
    script.expect("r1 is promoted above term 3\nr1 serves");
}

#[test]
fn fencing_stops_a_primary_one_heartbeat_before_anyone_may_suspect_it() {
    let mut script = Script::new(3, automatic(Promote::MostAdvanced));
    script.beat("p");
    script.cut("r1");
    script.cut("r2");
    (0..9).for_each(|_| script.beat("p")); // the last answered heartbeat was sent 0.9 s ago
    script.put("p", 0);
    script.beat("p"); // 1.0 s
    script.put("p", 0);
    script.read("p", 0, Consistency::Strong, Version(0));
    script.expect_answers(
        "p answers 0: written 1.1
         p answers 1: ask somebody else
         p answers 2: ask somebody else",
    );
    script.heal("r2");
    script.beat("p"); // still in office, if nobody was elected
    script.put("p", 0);
    script.expect_answers("p answers 3: written 1.2");
}

/// A primary that is paused sends no heartbeats: only its clock tells it that time has passed.
#[test]
fn fencing_holds_after_a_pause() {
    for (paused_ms, expected) in
        [(900, "written 1.1"), (901, "ask somebody else"), (10_000, "ask somebody else")]
    {
        let mut script = Script::new(3, automatic(Promote::MostAdvanced));
        script.clock(5_000);
        script.beat("p");
        script.clock(5_000 + paused_ms);
        script.put("p", 0);
        script.expect_answers(&format!("p answers 0: {expected}"));
        script.beat("p"); // nobody has been elected: it goes on
        script.put("p", 1);
        script.ignore();
        script.read("p", 3, Consistency::Strong, Version(0));
        script.expect("p answers 2: nothing");
    }
}

#[test]
fn a_paused_primary_answers_nobody_for_what_was_acknowledged_before_the_pause() {
    let mut script = Script::new(3, semi_sync);
    script.put("p", 0);
    script.deliver_from_to("p", "r1");
    script.clock(10_000);
    script.ignore();
    script.deliver();
    script.expect_answers("");
    script.beat("p");
    script.expect_answers("p answers 0: written 1.1");
}

#[test]
fn a_candidate_that_was_paused_serves_only_once_a_majority_answers_again() {
    for (paused_ms, expected) in [(900, "r1 is promoted above term 3\nr1 serves"), (901, "")] {
        let mut script = Script::new(3, automatic(Promote::MostAdvanced));
        script.crash("p", Kept::Written);
        script.clock(2_000);
        script.fire("r1", Timer::Suspect);
        script.fire("r2", Timer::Suspect);
        script.fire("r1", Timer::Stand);
        script.deliver_from_to("r1", "r2"); // on trial
        script.deliver_from_to("r2", "r1");
        script.deliver_from_to("r1", "r2"); // in earnest
        script.clock(2_000 + paused_ms);
        script.deliver_from_to("r2", "r1");
        script.expect(expected);
        script.deliver();
        script.beat("r1");
        script.ignore();
        script.put("r1", 0);
        script.expect_answers("r1 answers 0: written 4.1");
    }
}

#[test]
fn a_cut_off_primary_without_fencing_goes_on_and_loses_what_it_took() {
    let mut script = Script::new(3, |config| {
        automatic(Promote::MostAdvanced)(config);
        config.fencing = false;
    });
    script.put("p", 0);
    script.deliver();
    script.cut("p");
    (0..20).for_each(|_| script.beat("p"));
    script.put("p", 0);
    script.put("p", 1);
    script.deliver();
    elect(&mut script, "r1", "r2");
    script.put("r1", 0);
    script.deliver();
    script.expect_answers(
        "p answers 0: written 1.1
         p answers 1: written 1.2
         p answers 2: written 1.3
         r1 answers 3: written 4.2",
    );
    script.heal("p");
    script.beat("p"); // learns that its term is over
    script.beat("r1");
    script.expect(
        "p hides 1=1.3 for nothing
         p unlogs 1.3 to nothing
         p hides 0=1.2 for 1.1
         p unlogs 1.2 to 1.1
         p shows 0=4.2",
    );
    (0..2).for_each(|_| script.beat("r1"));
    assert!(script.quiescent());
}

#[test]
fn a_primary_that_steps_down_answers_nobody_for_what_it_could_not_commit() {
    let mut script = Script::new(3, semi_sync);
    script.cut("p");
    script.put("p", 0);
    script.deliver();
    elect(&mut script, "r1", "r2");
    script.put("r1", 1);
    script.deliver();
    script.heal("p");
    script.beat("p");
    (0..3).for_each(|_| script.beat("r1"));
    script.expect_answers("r1 answers 1: written 4.1");
    assert_eq!(script.shows("p"), "1=4.1");
}

#[test]
fn a_new_primary_commits_what_the_old_one_left() {
    let mut script = Script::new(3, semi_sync);
    script.put("p", 0);
    script.deliver_from_to("p", "r1");
    script.crash("p", Kept::Written);
    script.drop_from_to("r1", "p");
    script.drop_from_to("p", "r2");
    script.ignore();
    elect(&mut script, "r1", "r2");
    script.expect(
        "r1 is promoted above term 3
         r1 serves
         r2 shows 0=1.1
         r1 commits 1.1",
    );
}

#[test]
fn an_unfenced_order_is_carried_out_at_once() {
    let mut script = Script::new(2, manual(false));
    script.put("p", 0);
    script.deliver();
    script.cut("r1");
    script.put("p", 0);
    script.deliver();
    script.ignore();
    script.order("r1");
    script.expect("r1 is promoted above term 128\nr1 serves");
    script.put("p", 0);
    script.put("r1", 0);
    script.expect_answers("p answers 2: written 1.3\nr1 answers 3: written 129.2");
    script.order("r1"); // it is the primary already
    script.expect("");
    script.heal("r1");
    script.beat("r1");
    assert_eq!(script.shows("p"), "0=129.2");
}

#[test]
fn orders_follow_one_another_as_often_as_anybody_likes() {
    let mut script = Script::new(2, manual(false));
    for _ in 0..1_000 {
        for member in ["r1", "p"] {
            script.order(member);
            script.put(member, 0);
            script.deliver();
        }
    }
    assert_eq!(script.shows("r1"), "0=256000.2000");
    assert_eq!(script.shows("p"), script.shows("r1"));
}

#[test]
fn rhythms_and_bounds_may_be_as_long_as_anybody_likes() {
    use replisim_observe::Duration;
    for failover in [
        Failover::None,
        Failover::Manual,
        Failover::Automatic(Automatic {
            after: Duration::from_nanos(u64::MAX),
            promote: Promote::Order(vec!["r2".to_string()]),
        }),
    ] {
        let mut script = Script::new(3, |config| {
            config.failover = failover;
            config.heartbeat = Duration::from_nanos(u64::MAX);
        });
        script.put("p", 0);
        script.order("r1");
        script.deliver();
        if script.is_armed("r1", Timer::Suspect) {
            elect(&mut script, "r1", "r2");
        }
        for (member, timer) in [("p", Timer::Heartbeat), ("r1", Timer::Heartbeat), ("r1", Timer::Serve)] {
            if script.is_armed(member, timer) {
                script.fire(member, timer);
                script.deliver();
            }
        }
    }
}

#[test]
fn a_fenced_order_waits_until_the_old_primary_must_have_stopped() {
    let mut script = Script::new(3, manual(true));
    script.crash("p", Kept::Written);
    script.order("r1");
    script.deliver();
    script.put("r1", 0);
    script.expect("r1 answers 0: ask somebody else");
    assert_eq!(script.armed_ms("r1", Timer::Serve), (1000.0, 1000.0));
    (0..9).for_each(|_| script.beat("r1"));
    script.fire("r1", Timer::Serve);
    script.put("r1", 0);
    script.expect(
        "r1 is promoted above term 129
         r1 serves
         r1 shows 0=130.1
         r1 commits 130.1
         r1 answers 1: written 130.1",
    );
    script.restart("p"); // was the primary, and takes itself for it until it hears better
    script.put("p", 0);
    script.expect("p answers 2: ask somebody else");
    script.deliver();
    script.beat("r1");
    script.beat("r1");
    script.ignore();
    assert_eq!(script.shows("p"), "0=130.1");
}

#[test]
fn a_fenced_order_without_a_majority_is_asked_again_and_never_carried_out() {
    let mut script = Script::new(3, manual(true));
    script.cut("r1");
    script.order("r1");
    for _ in 0..5 {
        script.deliver();
        script.fire("r1", Timer::Stand);
    }
    script.expect("");
    script.heal("r1");
    script.deliver();
    script.fire("r1", Timer::Serve);
    script.beat("r1");
    script.expect("r1 is promoted above term 129\nr1 serves");
}

#[test]
fn a_primary_restarts_in_place_in_a_new_term() {
    for (kept, after_crash, position) in
        [(Kept::Synced, "p hides 0=1.2 for 1.1\np unlogs 1.2 to 1.1", 2), (Kept::Written, "", 3)]
    {
        let mut script = Script::new(2, |_| {});
        script.put("p", 0);
        script.deliver();
        script.put_unsynced("p", 0);
        script.ignore();
        script.crash("p", kept);
        script.expect(after_crash);
        script.restart("p");
        script.expect("p is promoted above term 1\np serves");
        script.put("p", 0);
        script.deliver();
        script.expect_answers(&format!("p answers 2: written 2.{position}"));
        assert_eq!(script.shows("r1"), format!("0=2.{position}"));
        assert!(script.quiescent());
    }
}

#[test]
fn with_automatic_failover_a_primary_restarts_as_a_replica() {
    let mut script = Script::new(3, automatic(Promote::MostAdvanced));
    script.crash("p", Kept::Written);
    script.restart("p");
    script.put("p", 0);
    script.expect("p answers 0: ask somebody else");
    script.fire("p", Timer::Suspect);
    elect(&mut script, "r1", "r2");
    script.expect("r1 is promoted above term 3\nr1 serves");
}

#[test]
fn what_went_before_a_term_commits_only_as_a_whole() {
    let mut script = Script::new(3, |config| {
        semi_sync(config);
        config.batch = Bytes::new(1); // one entry a message
    });
    script.put("p", 0);
    script.put("p", 0);
    script.deliver_from_to("p", "r1");
    script.crash("p", Kept::Written);
    script.drop_from_to("p", "r2");
    script.drop_from_to("r1", "p");
    script.fire("r1", Timer::Suspect);
    script.fire("r2", Timer::Suspect);
    script.fire("r1", Timer::Stand);
    for _ in 0..2 {
        script.deliver_from_to("r1", "r2"); // on trial, in earnest
        script.deliver_from_to("r2", "r1");
    }
    script.deliver_from_to("r1", "r2"); // lead
    script.deliver_from_to("r2", "r1"); // has nothing, and is sent both entries
    script.ignore();
    script.deliver_first_from_to("r1", "r2");
    script.deliver_from_to("r2", "r1");
    script.expect("r2 shows 0=1.1"); // with this alone r2 could still lose against one of a term between
    script.deliver();
    script.expect("r2 shows 0=1.2\nr1 commits 1.1\nr1 commits 1.2");
}

#[test]
fn one_that_has_lost_its_disk_does_not_vote_for_what_it_no_longer_knows() {
    let mut script = Script::new(3, semi_sync);
    script.put("p", 0);
    script.drop_from_to("p", "r2");
    script.deliver();
    script.crash("r1", Kept::Nothing);
    script.restart("r1");
    script.crash("p", Kept::Written);
    script.ignore();
    elect(&mut script, "r2", "r1");
    script.expect(""); // else the write that p and r1 had would be lost
    script.restart("p");
    script.fire("p", Timer::Suspect);
    script.fire("p", Timer::Stand);
    script.deliver();
    script.expect("p is promoted above term 2\np serves\nr1 shows 0=1.1\nr2 shows 0=1.1\np commits 1.1");
}
