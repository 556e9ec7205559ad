//! Mistakes of quorums: of those who coordinate, and of those who repair.

use replisim_observe::{Duration, Member};
use replisim_protocols::bug_shelf::Bug;
use replisim_protocols::quorum::config::{AntiEntropy, Conflicts, ContactReads, Hints, ReadRepair};
use replisim_protocols::quorum::level::Level;
use replisim_protocols::quorum::{Config, Quorum, Timer};
use replisim_protocols::{Consistency, Kept};

use crate::check;
use crate::stage::Stage;

const A: Member = Member(0);
const B: Member = Member(1);
const C: Member = Member(2);

/// Five copies, or three: reads and writes take most of them, and nothing is repaired.
fn copies(members: u32, set: impl FnOnce(&mut Config)) -> Stage<Quorum> {
    let mut config = Config { read_repair: ReadRepair::None, ..Config::default() };
    set(&mut config);
    Stage::new(members, &config)
}

/// Write 0 is at all three copies, write 1 at A and B alone.
fn c_is_behind(set: impl FnOnce(&mut Config)) -> Stage<Quorum> {
    let mut stage = copies(3, set);
    stage.put(A, 0);
    stage.deliver();
    stage.put(A, 0);
    stage.take(A, C);
    stage.deliver();
    stage
}

fn read(stage: &mut Stage<Quorum>, member: Member) -> String {
    let read = stage.read(member, 0, Consistency::Eventual);
    stage.deliver();
    stage.told(read)
}

#[test]
fn the_first_answer_wins_whatever_its_version() {
    // C coordinates: its own copy is the first to answer.
    let told = || read(&mut c_is_behind(|_| {}), C);
    check(Bug::FirstAnswerWins, told, "write 1", "write 0");
}

#[test]
fn a_digest_mismatch_that_is_ignored() {
    // C coordinates: of its own copy it takes the value, of the others the fingerprints.
    let told = || {
        let set = |config: &mut Config| {
            (config.contact_reads, config.read) = (ContactReads::Digests, Level::All);
        };
        read(&mut c_is_behind(set), C)
    };
    check(Bug::DigestMismatchIgnored, told, "write 1", "write 0");
}

#[test]
fn requests_to_copies_one_after_another() {
    let told_after_a_round_trip = || {
        let mut stage = copies(5, |config| config.read = Level::All);
        let read = stage.read(A, 0, Consistency::Eventual);
        stage.round();
        stage.round();
        stage.told(read)
    };
    check(Bug::OneAfterAnother, told_after_a_round_trip, "no value", "nothing");
}

#[test]
fn a_write_that_counts_crashed_copies() {
    let told = || {
        let mut stage = copies(5, |config| config.write = Level::Exactly(3));
        [B, C, Member(3)].into_iter().for_each(|member| stage.crash(member, Kept::Written));
        let put = stage.put(A, 0);
        stage.deliver();
        stage.told(put)
    };
    check(Bug::SilentCounted, told, "nothing", "written");
}

#[test]
fn a_write_that_counts_hints_as_copies() {
    let told = || {
        let mut stage = copies(3, |_| {});
        stage.crash(C, Kept::Written);
        stage.put(A, 0);
        stage.deliver();
        stage.pass(Duration::from_secs(2));
        stage.fire(A, Timer::Patience); // C is taken for dead
        stage.cut(B);
        let put = stage.put(A, 0);
        stage.deliver();
        stage.told(put)
    };
    check(Bug::HintCounted, told, "nothing", "written");
}

#[test]
fn an_ack_of_a_copy_before_the_log() {
    let told = || {
        let mut stage = copies(3, |_| {});
        [B, C].into_iter().for_each(|member| stage.slow_disk(member));
        let put = stage.put(A, 0);
        stage.deliver();
        stage.told(put)
    };
    check(Bug::AckBeforeLog, told, "nothing", "written");
}

#[test]
fn an_ack_of_a_hint_before_the_log() {
    let told_and_shown = || {
        let sloppy = |config: &mut Config| (config.copies, config.hints) = (Some(2), Hints::Sloppy);
        let mut stage = copies(3, sloppy);
        stage.crash(B, Kept::Synced);
        stage.put(A, 0);
        stage.pass(Duration::from_secs(2));
        stage.fire(A, Timer::Patience); // B is taken for dead
        let put = stage.put(A, 0); // C stands in
        stage.deliver();
        stage.start(B);
        stage.slow_disk(B);
        stage.fire(C, Timer::Handoff);
        stage.deliver();
        stage.crash(B, Kept::Synced);
        stage.start(B);
        stage.fire(C, Timer::Handoff);
        stage.deliver();
        [stage.told(put), stage.shows(B, 0)]
    };
    check(Bug::AckBeforeLog, told_and_shown, ["written", "write 1"], ["written", "nothing"]);
}

#[test]
fn a_hint_that_is_dropped() {
    let shown_by_all = || {
        let mut stage = copies(3, |_| {});
        stage.crash(C, Kept::Written);
        stage.put(A, 0);
        stage.deliver();
        stage.pass(Duration::from_secs(2));
        stage.fire(A, Timer::Patience);
        stage.start(C);
        stage.fire(A, Timer::Handoff);
        stage.deliver();
        [A, B, C].map(|member| stage.shows(member, 0))
    };
    check(Bug::HintDropped, shown_by_all, ["write 0"; 3], ["write 0", "write 0", "nothing"]);
}

#[test]
fn read_repair_that_writes_the_older_version() {
    let shown_by_all = || {
        let mut stage = c_is_behind(|config| config.read_repair = ReadRepair::Blocking);
        stage.cut(B);
        read(&mut stage, C);
        [A, C].map(|member| stage.shows(member, 0))
    };
    check(Bug::OlderRepaired, shown_by_all, ["write 1"; 2], ["write 0"; 2]);
}

#[test]
fn a_merkle_tree_that_misses_a_bucket() {
    let shown_by_c = || {
        let anti_entropy = AntiEntropy { leaves: 2, ..AntiEntropy::default() };
        let mut stage = copies(3, |config| config.anti_entropy = Some(anti_entropy));
        (0..4).for_each(|key| _ = stage.put(A, key));
        stage.take(A, C);
        stage.deliver();
        for _ in 0..4 {
            [A, B, C].into_iter().for_each(|member| stage.fire(member, Timer::Compare));
            stage.deliver();
        }
        [0, 1, 2, 3].map(|key| stage.shows(C, key))
    };
    let all = ["write 0", "write 1", "write 2", "write 3"];
    check(Bug::MerkleBucketMissing, shown_by_c, all, ["write 0", "nothing", "write 2", "nothing"]);
}

#[test]
fn a_tombstone_that_is_purged_early() {
    let told = || {
        let mut stage = copies(3, |_| {});
        stage.put(A, 0);
        stage.deliver();
        stage.delete(A, 0);
        stage.take(A, C);
        stage.deliver();
        stage.pass(Duration::from_secs(1));
        [A, B].into_iter().for_each(|member| stage.fire(member, Timer::Purge));
        read(&mut stage, C)
    };
    check(Bug::TombstonePurgedEarly, told, "write 1", "write 0"); // write 1 is the delete
}

#[test]
fn a_sibling_that_is_overwritten_by_a_write_that_never_saw_it() {
    let told = || {
        let mut stage = copies(3, |config| config.conflicts = Conflicts::Siblings);
        [A, B].into_iter().for_each(|member| {
            stage.put(member, 0);
            stage.deliver();
        });
        read(&mut stage, C)
    };
    check(Bug::SiblingOverwritten, told, "2 values", "1 values");
}
