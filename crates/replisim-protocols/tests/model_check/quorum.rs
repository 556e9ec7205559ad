//! Quorums: what R + W > N promises, and that copies come to agree.

use replisim_observe::Duration;
use replisim_protocols::Kept;
use replisim_protocols::quorum::config::{AntiEntropy, ContactReads, ContactWrites, Hints, ReadRepair};
use replisim_protocols::quorum::level::Level;
use replisim_protocols::quorum::{Config, Quorum, Timer};

use crate::group::{Action, Bounds, Group, Rules};
use crate::{Checked, NOTHING, explore};

/// How many copies a level takes.
fn needed(level: Level, copies: u32) -> u32 {
    match level {
        Level::Exactly(needed) => needed,
        Level::All => copies,
        _ => unreachable!("levels here are numbers, or all"),
    }
}

impl Checked for Quorum {
    fn rules(bounds: &Bounds, config: &Config) -> Rules {
        let copies = config.copies.unwrap_or(bounds.members);
        let [read, write] = [config.read, config.write].map(|level| needed(level, copies));
        let overlap = bounds.kept != Kept::Nothing && config.hints != Hints::Sloppy;
        // What a read has returned may not be on the disks yet.
        let stays = bounds.crashes == 0 && config.read_repair == ReadRepair::Blocking;
        Rules {
            fresh_reads: overlap && read + write > copies,
            monotonic_reads: overlap && stays && 2 * read > copies,
            tick: TICK,
            ..Rules::default()
        }
    }

    /// What was acknowledged is held by as many as the level says, until disks are lost.
    fn holds(group: &Group<Quorum>, bounds: &Bounds, config: &Config) -> bool {
        let acked = group.facts.acked;
        bounds.kept == Kept::Nothing
            || acked.0 == 0
            || group.holders(acked, config.hints == Hints::Sloppy) >= needed(config.write, bounds.members)
    }

    fn at_rest(group: &Group<Quorum>, config: &Config) -> Result<(), Box<Group<Quorum>>> {
        let mut group = group.clone();
        let rest = Rules { tick: TICK, ..Rules::default() };
        group.flow(&rest);
        for _ in 0..6 {
            for timer in [Timer::Patience, Timer::Probe, Timer::Handoff, Timer::Compare] {
                for member in 0..group.nodes.len() {
                    group.fire(member, timer, &rest);
                    group.flow(&rest);
                }
            }
        }
        if config.read_repair == ReadRepair::Blocking {
            group.apply(Action::Read(0), &rest); // of all copies
            group.flow(&rest);
        }
        let owners = config.copies.map_or(group.nodes.len(), |copies| copies as usize);
        if group.agrees(owners) { Ok(()) } else { Err(Box::new(group)) }
    }
}

/// Longer than a coordinator waits.
const TICK: Duration = Duration::from_secs(10);

/// Copies that compare themselves; nothing else repairs them.
fn comparing(read: u32, write: u32) -> Config {
    Config {
        read: Level::Exactly(read),
        write: Level::Exactly(write),
        read_repair: ReadRepair::None,
        hints: Hints::None,
        anti_entropy: Some(AntiEntropy { leaves: 1, ..AntiEntropy::default() }),
        ..Config::default()
    }
}

/// Copies that are repaired by reads of all of them.
fn repairing(write: u32) -> Config {
    let (read, write) = (Level::All, Level::Exactly(write));
    Config { read, write, hints: Hints::None, ..Config::default() }
}

#[test]
fn a_read_after_an_acknowledgement_returns_nothing_older() {
    let two = Bounds { puts: 2, reads: 1, ..NOTHING };
    let three = Bounds { members: 3, states: 20_000, ..two.clone() };
    let digests = Config { contact_reads: ContactReads::Digests, ..comparing(2, 2) };
    let few = Config { contact_writes: ContactWrites::Quorum, ..comparing(2, 2) };
    let blocking = Config { read_repair: ReadRepair::Blocking, ..comparing(2, 2) };
    for (name, bounds, config) in [
        ("read one of two", two.clone(), comparing(1, 2)),
        ("write one of two", Bounds { drops: 1, ..two.clone() }, comparing(2, 1)),
        ("repaired by reads", Bounds { drops: 1, ..two.clone() }, repairing(1)),
        ("two of three", three.clone(), comparing(2, 2)),
        ("two of three, a loss", Bounds { puts: 1, drops: 1, ..three.clone() }, comparing(2, 2)),
        ("two of three, two reads", Bounds { puts: 1, reads: 2, ..three.clone() }, blocking),
        ("two of three, by digest", Bounds { puts: 1, ..three.clone() }, digests),
        ("two of three, not sent to the third", three.clone(), few),
    ] {
        explore::<Quorum>(name, bounds, config);
    }
}

#[test]
fn what_was_acknowledged_survives_crashes_on_as_many_copies_as_it_took() {
    let two = Bounds { puts: 2, reads: 1, crashes: 1, ..NOTHING };
    let three = Bounds { members: 3, puts: 1, states: 20_000, ..two.clone() };
    for (name, bounds, config) in [
        ("a machine of two", two.clone(), comparing(1, 2)),
        ("a process of two", Bounds { kept: Kept::Written, ..two.clone() }, comparing(2, 1)),
        ("a disk of two", Bounds { kept: Kept::Nothing, ..two.clone() }, comparing(1, 2)),
        ("a machine of three", three.clone(), comparing(2, 2)),
        (
            "a process of three, and a timer",
            Bounds { kept: Kept::Written, fires: 1, ..three.clone() },
            comparing(2, 2),
        ),
    ] {
        explore::<Quorum>(name, bounds, config);
    }
}

/// One of the copies has missed a write, and is taken for dead by its coordinator, the first member.
const MISSED: &[Action] = &[
    Action::Put(0),
    Action::Persist(0),
    Action::Drop(0),
    Action::Deliver(0),
    Action::Persist(1),
    Action::Persist(2),
    Action::Deliver(0),
    Action::Fire(0, 0),
];

/// The same of two copies: the other is the one.
const MISSED_BY_THE_OTHER: &[Action] =
    &[Action::Put(0), Action::Persist(0), Action::Drop(0), Action::Fire(0, 0)];

#[test]
fn hints_count_for_nothing_or_as_copies_and_are_kept_until_they_are_handed_over() {
    let before =
        Bounds { before: MISSED, members: 3, puts: 2, drops: 1, fires: 2, states: 20_000, ..NOTHING };
    let hinting = Config { hints: Hints::Coordinator, ..comparing(2, 2) };
    let sloppy = Config { hints: Hints::Sloppy, copies: Some(2), ..comparing(2, 2) };
    let stands_in = Bounds { before: MISSED_BY_THE_OTHER, ..before.clone() };
    for (name, bounds, config) in [
        ("with hints", Bounds { reads: 1, ..before.clone() }, hinting.clone()),
        ("with hints, a machine", Bounds { crashes: 1, ..before.clone() }, hinting),
        ("sloppy", Bounds { reads: 1, ..stands_in.clone() }, sloppy.clone()),
        ("sloppy, a machine", Bounds { crashes: 1, ..stands_in.clone() }, sloppy),
    ] {
        explore::<Quorum>(name, bounds, config);
    }
}
