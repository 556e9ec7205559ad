//! Timestamps: whose they are, and that they never go back.

use replisim_protocols::Kept;
use replisim_protocols::quorum::config::{Config, Conflicts, LastWriterWins, Timestamps};

use crate::driver::Script;

fn by_coordinators(config: &mut Config) {
    config.conflicts = Conflicts::LastWriterWins(LastWriterWins { timestamps: Timestamps::Coordinator });
}

#[test]
fn a_clock_that_stands_or_jumps_back_gives_later_timestamps_all_the_same() {
    let mut script = Script::new(3, by_coordinators);
    for (micros, version) in
        [(1_000, "1000a"), (1_000, "1001a"), (500, "1002a"), (1_002, "1003a"), (2_000, "2000a")]
    {
        script.wall("a", micros);
        script.put("a", 0);
        script.deliver();
        assert_eq!(
            script.all_show(),
            [format!("0={version}"), format!("0={version}"), format!("0={version}")]
        );
    }
    script.crash("a", Kept::Nothing);
    script.restart("a");
    script.wall("a", 10);
    script.put("a", 0);
    assert_eq!(script.shows("a"), "0=2001a", "no two writes have the same, even after the loss of a disk");
}

#[test]
fn of_writes_at_the_same_microsecond_the_later_member_s_stands() {
    let mut script = Script::new(3, by_coordinators);
    ["a", "b"].iter().for_each(|member| script.wall(member, 7));
    script.put("b", 0);
    script.put("a", 0);
    script.deliver();
    assert_eq!(script.all_show(), ["0=7b"; 3]);
}

#[test]
fn a_fast_clock_makes_a_later_write_dead_on_arrival() {
    let mut script = Script::new(3, by_coordinators);
    script.wall("a", 5_000);
    script.wall("b", 1_000);
    script.put("a", 0);
    script.deliver();
    script.put("b", 0);
    script.deliver();
    script.expect_answers("a answers 1: written 5000a\nb answers 2: written 1000b");
    script.read("b", 0);
    script.deliver();
    script.expect_answers("b answers 3: 5000a");
}

#[test]
fn the_client_s_timestamp_stands_whatever_the_coordinator_s_clock_shows() {
    let mut script = Script::new(3, |_| {});
    script.wall("a", 5_000);
    script.put("a", 0);
    script.put_at("lib", 1, 9);
    script.deliver();
    assert_eq!(script.all_show(), ["0=1 1=9"; 3]);
}

#[test]
fn the_library_gives_timestamps_as_a_coordinator_does() {
    let mut script = Script::new(3, by_coordinators);
    script.wall("lib", 4);
    script.put("lib", 0);
    script.put("lib", 0);
    script.deliver();
    assert_eq!(script.all_show(), ["0=5lib"; 3]);
}
