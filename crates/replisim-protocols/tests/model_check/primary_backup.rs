//! Primary–backup: one history, or the one of whoever was promoted.

use replisim_engine::Bytes;
use replisim_observe::Duration;
use replisim_protocols::Kept;
use replisim_protocols::primary_backup::{
    Acknowledge, Automatic, Config, Failover, PrimaryBackup, Promote, SemiSync, Timer,
};

use crate::group::{Action, Bounds, Group, Rules};
use crate::{Checked, NOTHING};

impl Checked for PrimaryBackup {
    fn rules(bounds: &Bounds, config: &Config) -> Rules {
        let waits = config.acknowledge != Acknowledge::Async;
        let elects = matches!(&config.failover,
            Failover::Automatic(automatic) if automatic.promote == Promote::MostAdvanced);
        let keeps_commits = waits && elects && bounds.kept != Kept::Nothing;
        Rules { has_log: true, keeps_commits, ..Rules::default() }
    }

    /// Where nobody is ever promoted, what each member has logged is a part of what the most advanced one has.
    fn holds(group: &Group<PrimaryBackup>, bounds: &Bounds, config: &Config) -> bool {
        let logs = || group.nodes.iter().map(|node| &node.outside.log);
        let longest = logs().max_by_key(|log| log.len());
        config.failover != Failover::None
            || bounds.kept == Kept::Nothing
            || longest.is_none_or(|longest| logs().all(|log| longest.starts_with(log)))
    }

    fn at_rest(group: &Group<PrimaryBackup>, config: &Config) -> Result<(), Box<Group<PrimaryBackup>>> {
        let mut group = group.clone();
        group.flow(&REST);
        for _ in 0..8 {
            for timer in [Timer::Ship, Timer::Heartbeat, Timer::Serve] {
                fire_all(&mut group, timer);
            }
            if !has_primary(&group) {
                fire_all(&mut group, Timer::Suspect);
                fire_all(&mut group, Timer::Stand);
                if config.failover == Failover::Manual {
                    order_someone(&mut group);
                }
            }
        }
        if config.failover == Failover::None && !has_primary(&group) {
            return Ok(()); // it has lost its disk, and nobody may take its place
        }
        if group.agrees(group.nodes.len()) { Ok(()) } else { Err(Box::new(group)) }
    }
}

/// At rest nothing is claimed of elections.
const REST: Rules = Rules {
    has_log: true,
    keeps_commits: false,
    fresh_reads: false,
    monotonic_reads: false,
    tick: Duration::ZERO,
};

fn fire_all(group: &mut Group<PrimaryBackup>, timer: Timer) {
    for member in 0..group.nodes.len() {
        group.fire(member, timer, &REST);
        if timer == Timer::Stand {
            group.flow(&REST);
        }
    }
    group.flow(&REST);
}

/// An operator finds someone who can be the primary.
fn order_someone(group: &mut Group<PrimaryBackup>) {
    for member in 0..group.nodes.len() {
        group.apply(Action::Order(member), &REST);
        group.flow(&REST);
        fire_all(group, Timer::Heartbeat);
        fire_all(group, Timer::Serve);
        if has_primary(group) {
            return;
        }
    }
}

/// Whether anyone would take a write.
fn has_primary(group: &Group<PrimaryBackup>) -> bool {
    (0..group.nodes.len()).any(|member| {
        let mut group = group.clone();
        let before = group.nodes[member].outside.log.len();
        group.apply(Action::Put(member), &REST);
        group.nodes[member].outside.log.len() > before
    })
}

fn explore(name: &str, bounds: Bounds, config: Config) {
    crate::explore::<PrimaryBackup>(name, bounds, config);
}

fn automatic(promote: Promote) -> Failover {
    Failover::Automatic(Automatic { promote, ..Automatic::default() })
}

const SEMI_SYNC: fn() -> Acknowledge = || Acknowledge::SemiSync(SemiSync::default());

#[test]
fn a_crash_and_a_drop_in_any_order_leave_one_history() {
    let once = Bounds { puts: 2, crashes: 1, drops: 1, fires: 1, ..NOTHING };
    let intervals = || Config { ship_every: "1s".parse().unwrap(), ..Config::default() };
    for (name, bounds, config) in [
        ("two members, two puts", once.clone(), Config::default()),
        ("shipped at intervals", once.clone(), intervals()),
        ("three members", Bounds { members: 3, puts: 1, fires: 0, ..once.clone() }, Config::default()),
        ("semi-sync", once.clone(), Config { acknowledge: SEMI_SYNC(), ..Config::default() }),
        ("sync", once.clone(), Config { acknowledge: Acknowledge::Sync, ..Config::default() }),
        ("the process dies", Bounds { kept: Kept::Written, ..once.clone() }, Config::default()),
        ("the disk is lost", Bounds { kept: Kept::Nothing, ..once.clone() }, Config::default()),
    ] {
        explore(name, bounds, config);
    }
}

#[test]
fn the_most_advanced_is_elected_and_has_all_that_was_committed() {
    let failover = || automatic(Promote::MostAdvanced);
    let semi_sync = || Config { acknowledge: SEMI_SYNC(), failover: failover(), ..Config::default() };
    let three = Bounds { members: 3, fires: 4, states: 60_000, ..NOTHING };
    for (name, bounds) in [
        ("an election", Bounds { fires: 3, ..three.clone() }),
        ("an election and a crash", Bounds { crashes: 1, ..three.clone() }),
        ("an election and a death", Bounds { crashes: 1, kept: Kept::Written, ..three.clone() }),
        ("an election and a loss", Bounds { drops: 1, ..three.clone() }),
        ("an election and two puts", Bounds { puts: 2, ..three.clone() }),
    ] {
        explore(name, bounds, semi_sync());
    }
}

#[test]
fn members_agree_in_the_end_whoever_was_promoted() {
    let three = Bounds { members: 3, fires: 3, crashes: 1, ..NOTHING };
    for (name, bounds, failover, fencing) in [
        ("the first to notice", three.clone(), automatic(Promote::FirstToNotice), true),
        ("in order, unfenced", three.clone(), automatic(Promote::Order(vec!["n2".to_string()])), false),
        ("an order", Bounds { fires: 1, orders: 1, ..three.clone() }, Failover::Manual, true),
        ("two unfenced orders", Bounds { fires: 0, orders: 2, ..three.clone() }, Failover::Manual, false),
        (
            "an order to one of two",
            Bounds { members: 2, orders: 1, puts: 2, fires: 0, kept: Kept::Nothing, ..three.clone() },
            Failover::Manual,
            false,
        ),
    ] {
        explore(name, bounds, Config { failover, fencing, ..Config::default() });
    }
}

/// A put is not in the primary's log any more when the replica that has missed it says so.
const TO_BE_COPIED: &[Action] = &[
    Action::Put(0),
    Action::Persist(0),
    Action::Drop(0),
    Action::Fire(0, Timer::Heartbeat as usize),
    Action::Deliver(0),
    Action::Deliver(0),
];

#[test]
fn a_put_that_is_tried_again_stands_once_wherever_it_stands() {
    let semi_sync = |failover| Config { acknowledge: SEMI_SYNC(), failover, ..Config::default() };
    let elects = || automatic(Promote::MostAdvanced);
    let unfenced = || Config { failover: Failover::Manual, fencing: false, ..Config::default() };
    let copies = || Config { retain: Bytes::new(1), ..unfenced() };
    let two = Bounds { retries: 1, crashes: 1, ..NOTHING };
    let three = Bounds { members: 3, fires: 4, states: 60_000, ..two.clone() };
    let ordered = Bounds { orders: 1, fires: 2, ..two.clone() };
    for (name, bounds, config) in [
        ("two attempts and a crash", Bounds { drops: 1, fires: 1, ..two.clone() }, Config::default()),
        ("three attempts", Bounds { retries: 2, fires: 1, ..two.clone() }, semi_sync(Failover::None)),
        ("the disk is lost", Bounds { kept: Kept::Nothing, ..ordered.clone() }, unfenced()),
        ("with a copied store", Bounds { before: TO_BE_COPIED, crashes: 0, ..ordered.clone() }, copies()),
        ("at a successor", Bounds { crashes: 0, ..three.clone() }, semi_sync(elects())),
        ("after a death", Bounds { kept: Kept::Written, ..three.clone() }, semi_sync(elects())),
        ("at one that was ordered", Bounds { members: 3, ..ordered.clone() }, unfenced()),
    ] {
        explore(name, bounds, config);
    }
}
