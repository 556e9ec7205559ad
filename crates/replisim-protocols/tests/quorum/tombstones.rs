//! Deletes: their tombstones, and what happens when these are forgotten.

use replisim_engine::Duration;
use replisim_protocols::Kept;
use replisim_protocols::quorum::Timer;
use replisim_protocols::quorum::config::{Config, Hints};

use crate::driver::Script;

fn a_millisecond(config: &mut Config) {
    config.gc_grace = Duration::from_millis(1);
    config.hints = Hints::None;
}

/// Key 0 was written, and deleted where `c` did not hear of it.
fn c_missed_the_delete() -> Script {
    let mut script = Script::new(3, a_millisecond);
    script.put("lib", 0);
    script.deliver();
    script.delete("lib", 0);
    ["a", "b"].iter().for_each(|member| script.there_and_back("lib", member));
    script.drop_all();
    script.ignore();
    script
}

#[test]
fn a_tombstone_is_forgotten_when_it_is_old_enough_by_the_clock_of_its_node() {
    let mut script = c_missed_the_delete();
    assert_eq!(script.armed_micros("a", Timer::Purge), Some(1_002), "deleted at 2");
    script.wall("a", 1_001);
    script.fire("a", Timer::Purge);
    script.expect("");
    assert_eq!(script.armed_micros("a", Timer::Purge), Some(1), "the clock is slow");
    script.wall("a", 1_002);
    script.fire("a", Timer::Purge);
    script.expect("a purges 0=2");
    assert_eq!(script.armed_micros("a", Timer::Purge), None);
}

#[test]
fn a_copy_that_missed_the_delete_brings_the_value_back_once_the_tombstones_are_forgotten() {
    for (purged, answer, shown) in [(false, "2", "0=2"), (true, "1", "0=1")] {
        let mut script = c_missed_the_delete();
        if purged {
            for member in ["a", "b"] {
                script.wall(member, 1_002);
                script.fire(member, Timer::Purge);
            }
        }
        script.cut("b");
        script.read("a", 0);
        script.deliver();
        script.expect_answers(&format!("a answers 3: {answer}"));
        assert_eq!([script.shows("a"), script.shows("c")], [shown; 2]);
    }
}

#[test]
fn a_later_write_takes_the_place_of_a_tombstone() {
    let mut script = c_missed_the_delete();
    script.put("a", 0);
    script.deliver();
    script.ignore();
    script.wall("a", 2_000);
    script.fire("a", Timer::Purge);
    script.expect("");
    assert_eq!(script.all_show(), ["0=3"; 3]);
}

#[test]
fn a_tombstone_that_a_crash_brings_back_is_forgotten_in_its_turn() {
    let mut script = c_missed_the_delete();
    script.slow_disk("a");
    script.delete("a", 0);
    script.wall("a", 1_002);
    script.fire("a", Timer::Purge); // the old one is none any more
    script.crash("a", Kept::Synced);
    script.restart("a");
    script.ignore();
    script.fire("a", Timer::Purge);
    script.expect("a purges 0=2");
}

#[test]
fn a_tombstone_lost_with_the_disk_is_not_waited_for() {
    let mut script = c_missed_the_delete();
    script.crash("a", Kept::Nothing);
    script.restart("a");
    assert_eq!(script.armed_micros("a", Timer::Purge), None);
}
