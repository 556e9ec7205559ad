//! How many copies, and where.

use replisim_protocols::Consistency;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{ContactReads, ContactWrites};
use replisim_protocols::quorum::level::Level;

use crate::driver::Script;

/// `a`, `b`, `c` are here, `d`, `e`, `f` there.
const REGIONS: [u32; 6] = [0, 0, 0, 1, 1, 1];

/// Each level, with members that answer one after another after the coordinator's own copy, `a`; the last one is the
/// first that is enough.
const ENOUGH: [(Level, &str); 10] = [
    (Level::One, ""),
    (Level::LocalOne, ""),
    (Level::Exactly(1), ""),
    (Level::Exactly(3), "d e"),
    (Level::Quorum, "d e f"),
    (Level::Quorum, "b c d"),
    (Level::LocalQuorum, "d e f b"),
    (Level::EachQuorum, "b c d e"),
    (Level::EachQuorum, "d e b"),
    (Level::All, "b c d e f"),
];

/// The members answer in turn; only with the last is the operation done.
#[track_caller]
fn answer_in_turn(script: &mut Script, members: &str, done: &str) {
    for (i, member) in members.split_whitespace().enumerate() {
        if i > 0 || members.starts_with('a') {
            script.expect_answers("");
        }
        script.there_and_back("a", member);
    }
    script.expect_answers(done);
}

#[test]
fn a_write_is_answered_and_committed_by_the_last_copy_that_its_level_takes() {
    for (level, members) in ENOUGH {
        let mut script = Script::in_regions(&REGIONS, |config| config.write = level);
        script.put("a", 0);
        let (last, before) = members
            .split_whitespace()
            .collect::<Vec<_>>()
            .split_last()
            .map_or((None, Vec::new()), |(last, before)| (Some(*last), before.to_vec()));
        if let Some(last) = last {
            script.expect("a shows 0=1");
            for member in before {
                script.there_and_back("a", member);
                script.expect(&format!("{member} shows 0=1"));
            }
            script.there_and_back("a", last);
            script.expect(&format!("{last} shows 0=1\n{last} commits 1\na answers 1: written 1"));
        } else {
            script.expect("a shows 0=1\na commits 1\na answers 1: written 1");
        }
    }
}

#[test]
fn a_read_is_answered_by_the_last_copy_that_its_level_takes() {
    for (level, members) in ENOUGH {
        let mut script = Script::in_regions(&REGIONS, |config| config.read = level);
        script.read("a", 0);
        answer_in_turn(&mut script, members, "a answers 1: nothing");
    }
}

#[test]
fn an_operation_for_which_too_few_copies_are_alive_is_refused() {
    for (level, dead, answer) in [
        (Level::One, "b c d e f", "3"),
        (Level::Quorum, "e f", "3"),
        (Level::Quorum, "d e f", "refused"),
        (Level::All, "f", "refused"),
        (Level::LocalQuorum, "d e f", "3"),
        (Level::LocalQuorum, "b c", "refused"),
        (Level::EachQuorum, "f", "3"),
        (Level::EachQuorum, "e f", "refused"),
        (Level::Exactly(3), "d e f", "3"),
        (Level::Exactly(4), "d e f", "refused"),
        (Level::Any, "b c d e f", "3"),
    ] {
        let mut script = Script::in_regions(&REGIONS, |config| {
            config.write = level;
            config.read = if level == Level::Any { Level::One } else { level };
        });
        dead.split_whitespace().for_each(|member| script.cut(member));
        script.put("a", 0);
        script.deliver();
        script.time_out("a");
        script.ignore();
        script.read("a", 0);
        script.put("a", 0);
        script.deliver();
        let (read, written) = if answer == "3" { ("1", "written 3") } else { (answer, answer) };
        script.expect_answers(&format!("a answers 2: {read}\na answers 3: {written}"));
    }
}

#[test]
fn no_more_are_asked_than_the_level_takes_if_so_configured() {
    for (level, chances, asked) in [
        (Level::One, &[][..], ""),
        (Level::One, &[5], "f"),
        (Level::Exactly(2), &[], "b"),
        (Level::Quorum, &[5, 4], "b e f"),
        (Level::LocalQuorum, &[5, 4, 3], "b"),
        (Level::LocalQuorum, &[1, 1], "b c"),
        (Level::EachQuorum, &[], "b d e"),
        (Level::All, &[], "b c d e f"),
    ] {
        let script = || {
            Script::in_regions(&REGIONS, |config| {
                (config.read, config.write) = (level, level);
                config.contact_reads = ContactReads::Quorum;
                config.contact_writes = ContactWrites::Quorum;
            })
        };
        let mut writes = script();
        writes.chance(chances);
        writes.put("a", 0);
        assert_eq!(writes.asked_by("a"), asked, "{level:?}");
        let mut reads = script();
        reads.chance(chances);
        reads.read("a", 0);
        assert_eq!(reads.asked_by("a"), asked, "{level:?}");
    }
}

#[test]
fn a_strong_read_waits_for_as_many_as_meet_every_acknowledged_write() {
    for (write, read, members) in [
        (Level::Quorum, Level::One, "b c"),
        (Level::One, Level::One, "b c d e f"),
        (Level::Any, Level::One, "b c d e f"),
        (Level::All, Level::One, ""),
        (Level::All, Level::Quorum, "b c d"),
        (Level::EachQuorum, Level::LocalOne, "d e"),
        (Level::LocalQuorum, Level::LocalQuorum, "b c d e"),
        (Level::Exactly(5), Level::Exactly(1), "b"),
    ] {
        for consistency in [Consistency::Strong, Consistency::Session(Default::default())] {
            let mut script =
                Script::in_regions(&REGIONS, |config| (config.write, config.read) = (write, read));
            script.read_with("a", 0, consistency);
            answer_in_turn(&mut script, members, "a answers 1: nothing");
        }
    }
}

#[test]
fn a_local_write_may_have_been_taken_by_the_smallest_region() {
    let mut script = Script::in_regions(&[0, 0, 0, 1], |config| config.write = Level::LocalQuorum);
    script.put("d", 0);
    script.expect_answers("d answers 1: written 1");
    script.drop_all();
    script.read_with("a", 0, Consistency::Strong);
    script.there_and_back("a", "b");
    script.there_and_back("a", "c");
    script.expect_answers("");
    script.there_and_back("a", "d");
    script.deliver();
    script.expect_answers("a answers 2: 1");
}

#[test]
fn local_is_where_the_library_is() {
    let mut script = Script::in_regions(&REGIONS, |config| {
        config.coordinator = replisim_protocols::quorum::config::Coordinator::Client;
        config.write = Level::LocalQuorum;
    });
    script.put("lib", 0);
    for member in ["d", "e", "f", "a"] {
        script.there_and_back("lib", member);
        script.expect_answers("");
    }
    script.there_and_back("lib", "b");
    script.expect_answers("lib answers 1: written 1");
}

#[test]
fn who_does_not_answer_in_time_is_taken_for_dead_until_it_is_heard_of() {
    let mut script = Script::new(3, |_| {});
    script.cut("b");
    script.put("a", 0);
    script.deliver();
    script.time_out("a");
    script.put("a", 0);
    assert_eq!(script.asked_by("a"), "c", "b is not asked");
    script.deliver();
    script.sent();
    for _ in 0..2 {
        script.fire("a", Timer::Probe);
        script.deliver();
        assert_eq!(script.sent(), "1 ping", "it is asked whether it is alive, again and again");
    }
    script.heal("b");
    script.fire("a", Timer::Probe);
    script.deliver();
    assert_eq!(script.sent(), "1 ping, 1 pong");
    script.put("a", 0);
    assert_eq!(script.asked_by("a"), "b c");
    script.fire("a", Timer::Probe);
    assert_eq!(script.armed_micros("a", Timer::Probe), None, "nobody is dead any more");
}
