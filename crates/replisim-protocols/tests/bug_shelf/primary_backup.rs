//! Mistakes of a primary and its replicas.

use replisim_engine::Bytes;
use replisim_observe::{Client, Member};
use replisim_protocols::bug_shelf::Bug;
use replisim_protocols::primary_backup::{
    AckAt, Acknowledge, Automatic, Config, Failover, PrimaryBackup, SemiSync, Timer,
};
use replisim_protocols::{Consistency, Kept, Token};

use crate::check;
use crate::stage::Stage;

const P: Member = Member(0);
const R1: Member = Member(1);
const R2: Member = Member(2);

fn group(members: u32, config: Config) -> Stage<PrimaryBackup> {
    Stage::new(members, &config)
}

/// Waits for one replica.
fn semi_sync(ack_at: AckAt) -> Config {
    let acknowledge = Acknowledge::SemiSync(SemiSync { ack_at, ..SemiSync::default() });
    Config { acknowledge, failover: Failover::Automatic(Automatic::default()), ..Config::default() }
}

/// Of the operation that is tried twice.
const TOKEN: Token = Token { client: Client(0), number: 0, open: 0 };

fn beat(stage: &mut Stage<PrimaryBackup>, member: Member) {
    stage.fire(member, Timer::Heartbeat);
    stage.deliver();
}

/// Both suspect the primary; `member` stands for election.
fn elect(stage: &mut Stage<PrimaryBackup>, member: Member, other: Member) {
    stage.fire(member, Timer::Suspect);
    stage.fire(other, Timer::Suspect);
    stage.fire(member, Timer::Stand);
    stage.deliver();
}

#[test]
fn an_ack_before_the_log() {
    let told = || {
        let mut stage = group(2, semi_sync(AckAt::Logged));
        stage.slow_disk(R1);
        let put = stage.put(P, 0);
        stage.deliver();
        beat(&mut stage, P);
        stage.told(put)
    };
    check(Bug::AckBeforeLog, told, "nothing", "written");
}

#[test]
fn no_catch_up_after_a_heal() {
    let shown_by_the_replica = || {
        let mut stage = group(2, Config::default());
        stage.put(P, 0);
        stage.deliver();
        stage.cut(R1);
        stage.put(P, 0);
        stage.deliver();
        stage.heal(R1);
        (0..10).for_each(|_| beat(&mut stage, P));
        stage.shows(R1, 0)
    };
    check(Bug::NoCatchUp, shown_by_the_replica, "write 1", "write 0");
}

#[test]
fn promotion_of_the_least_advanced() {
    let told_and_shown = || {
        let mut stage = group(3, semi_sync(AckAt::Logged));
        let put = stage.put(P, 0);
        stage.take(P, R2);
        stage.deliver();
        stage.crash(P, Kept::Written);
        elect(&mut stage, R2, R1);
        [stage.told(put), stage.shows(R1, 0)]
    };
    check(Bug::LeastAdvancedPromoted, told_and_shown, ["written", "write 0"], ["written", "nothing"]);
}

#[test]
fn no_sequence_check_of_entries_that_overtake_each_other() {
    let shown_by_all = || {
        let mut stage = group(2, Config { batch: Bytes::new(1), ..Config::default() }); // one entry a message
        stage.put(P, 0);
        stage.put(P, 0);
        let messages = stage.take(P, R1);
        stage.give(P, R1, messages.into_iter().rev());
        (0..10).for_each(|_| beat(&mut stage, P));
        [P, R1].map(|member| stage.shows(member, 0))
    };
    check(Bug::NoSequenceCheck, shown_by_all, ["write 1", "write 1"], ["write 1", "write 0"]);
}

#[test]
fn no_sequence_check_of_entries_that_arrive_twice() {
    let shown_by_all = || {
        let mut stage = group(2, Config::default());
        stage.put(P, 0);
        let first = stage.take(P, R1);
        stage.put(P, 0);
        let second = stage.take(P, R1);
        [&first, &second, &first].into_iter().for_each(|messages| stage.give(P, R1, messages.clone()));
        [P, R1].map(|member| stage.shows(member, 0))
    };
    check(Bug::NoSequenceCheck, shown_by_all, ["write 1", "write 1"], ["write 1", "write 0"]);
}

#[test]
fn a_replica_that_acks_more_than_it_holds() {
    let told_and_shown = || {
        let mut stage = group(2, semi_sync(AckAt::Received));
        let put = stage.put(P, 0);
        stage.take(P, R1);
        beat(&mut stage, P);
        [stage.told(put), stage.shows(R1, 0)]
    };
    check(Bug::MoreAckedThanHeld, told_and_shown, ["nothing", "nothing"], ["written", "nothing"]);
}

#[test]
fn a_crashed_replica_that_counts() {
    let told = || {
        let mut stage = group(2, semi_sync(AckAt::Logged));
        let put = stage.put(P, 0);
        stage.step(P, R1);
        let late = stage.take(R1, P);
        stage.crash(R1, Kept::Nothing);
        stage.start(R1);
        stage.fire(P, Timer::Heartbeat);
        stage.step(P, R1); // it asks how to follow
        stage.step(R1, P);
        stage.take(P, R1);
        stage.give(R1, P, late);
        stage.told(put)
    };
    check(Bug::CrashedCounted, told, "nothing", "written");
}

#[test]
fn a_vote_of_one_that_has_lost_its_disk() {
    let told = || {
        let mut stage = group(3, semi_sync(AckAt::Logged));
        let put = stage.put(P, 0);
        stage.take(P, R2);
        stage.deliver();
        stage.crash(P, Kept::Written);
        stage.crash(R1, Kept::Nothing);
        stage.start(R1);
        elect(&mut stage, R2, R1);
        let read = stage.read(R2, 0, Consistency::Strong);
        [put, read].map(|op| stage.told(op)) // R2 has never had the write
    };
    check(Bug::VoteWithoutDisk, told, ["written", "no"], ["written", "no value"]);
}

#[test]
fn an_old_primary_that_goes_on_serving() {
    let told = || {
        let mut stage = group(3, semi_sync(AckAt::Logged));
        stage.cut(P);
        (0..10).for_each(|_| beat(&mut stage, P));
        elect(&mut stage, R1, R2);
        [P, R1].map(|member| {
            let read = stage.read(member, 0, Consistency::Strong);
            stage.told(read)
        })
    };
    check(Bug::OldPrimaryServes, told, ["no", "no value"], ["no value", "no value"]);
}

#[test]
fn an_old_primary_that_keeps_its_tail() {
    let shown_by_all = || {
        let failover = Failover::Automatic(Automatic::default());
        let mut stage = group(3, Config { failover, ..Config::default() });
        stage.cut(P);
        stage.put(P, 0);
        stage.deliver();
        elect(&mut stage, R1, R2);
        stage.put(R1, 1);
        stage.heal(P);
        (0..10).for_each(|_| beat(&mut stage, R1));
        [P, R1].map(|member| stage.shows(member, 0))
    };
    check(Bug::TailKept, shown_by_all, ["nothing", "nothing"], ["write 0", "nothing"]);
}

/// Two attempts at one write, the second at the successor of the primary that took the first.
fn tried_again_at_the_successor(retain: Bytes, meanwhile: impl Fn(&mut Stage<PrimaryBackup>)) -> [String; 2] {
    let failover = Failover::Automatic(Automatic::default());
    let mut stage = group(3, Config { failover, retain, ..Config::default() });
    stage.attempt(P, 0, TOKEN);
    meanwhile(&mut stage);
    stage.crash(P, Kept::Written);
    elect(&mut stage, R1, R2);
    let again = stage.attempt(R1, 0, TOKEN);
    stage.deliver();
    [stage.told(again), stage.shows(R1, 0)]
}

#[test]
fn tokens_that_are_not_copied_with_the_store() {
    let told_and_shown = || {
        tried_again_at_the_successor(Bytes::new(1), |stage| {
            stage.take(P, R1);
            stage.cut(R1);
            (0..5).for_each(|_| _ = stage.put(P, 1));
            stage.deliver();
            stage.heal(R1);
            (0..10).for_each(|_| beat(stage, P));
        })
    };
    check(Bug::TokensNotCopied, told_and_shown, ["written", "write 0"], ["written", "write 6"]);
}

#[test]
fn tokens_that_only_the_primary_keeps() {
    let told_and_shown = || tried_again_at_the_successor(Config::default().retain, Stage::deliver);
    check(Bug::TokensOfPrimaryAlone, told_and_shown, ["written", "write 0"], ["written", "write 1"]);
}

#[test]
fn a_token_that_outlives_its_write() {
    let told_and_shown = || {
        let mut stage = group(2, Config::default());
        stage.slow_disk(P);
        stage.attempt(P, 0, TOKEN);
        stage.crash(P, Kept::Synced);
        stage.start(P);
        stage.deliver();
        let again = stage.attempt(P, 0, TOKEN);
        stage.put(P, 1); // where the lost write stood
        stage.deliver();
        [stage.told(again), stage.shows(P, 0)]
    };
    check(Bug::TokenOutlivesWrite, told_and_shown, ["written", "write 1"], ["written", "nothing"]);
}

#[test]
fn a_retry_that_is_answered_before_the_write_is_safe() {
    let told_and_shown = || {
        let mut stage = group(3, semi_sync(AckAt::Logged));
        stage.slow_disk(P);
        stage.attempt(P, 0, TOKEN);
        let again = stage.attempt(P, 0, TOKEN);
        stage.crash(P, Kept::Synced);
        elect(&mut stage, R1, R2);
        [stage.told(again), stage.shows(R1, 0)]
    };
    check(Bug::RetryAnsweredAtOnce, told_and_shown, ["nothing", "nothing"], ["written", "nothing"]);
}
