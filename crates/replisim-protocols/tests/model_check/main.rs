//! Drives the very protocol code of the simulator through every order of events within stated bounds (stateright).
//!
//! The network here is the worst there is: it delivers in any order, and may drop. Disks finish when they like, a
//! process may die at any moment, and any timer may fire at any time (so what fencing promises about *time* is not
//! checked here but in `scripted` and `bad_days`). A run that ends before it has seen every state within its bounds
//! says `incomplete`.

mod group;

use replisim_protocols::Kept;
use replisim_protocols::primary_backup::{Acknowledge, Automatic, Config, Failover, Promote, SemiSync};
use stateright::{Checker, Model, Property};

use group::{Action, Bounds, Group};

const NOTHING: Bounds = Bounds {
    members: 2,
    puts: 1,
    crashes: 0,
    kept: Kept::Synced,
    drops: 0,
    fires: 0,
    orders: 0,
    states: 40_000,
};

struct GroupModel {
    bounds: Bounds,
    config: Config,
}

impl GroupModel {
    /// Whether the configuration promises that committed writes survive.
    fn keeps_commits(&self) -> bool {
        let waits = self.config.acknowledge != Acknowledge::Async;
        let elects = matches!(&self.config.failover,
            Failover::Automatic(automatic) if automatic.promote == Promote::MostAdvanced);
        waits && elects && self.bounds.kept != Kept::Nothing
    }

    fn has_one_history(&self) -> bool {
        self.config.failover == Failover::None && self.bounds.kept != Kept::Nothing
    }
}

impl Model for GroupModel {
    type State = Group;
    type Action = Action;

    fn init_states(&self) -> Vec<Group> {
        vec![Group::new(&self.bounds, &self.config)]
    }

    fn actions(&self, group: &Group, actions: &mut Vec<Action>) {
        let (bounds, spent) = (&self.bounds, &group.spent);
        for i in 0..group.network.len() {
            actions.push(Action::Deliver(i));
            if spent.drops < bounds.drops {
                actions.push(Action::Drop(i));
            }
        }
        for (i, node) in group.members.iter().enumerate() {
            if spent.puts < bounds.puts && group.facts.primaries.values().any(|member| member.index() == i) {
                actions.push(Action::Put(i));
            }
            if node.persisting.is_some() {
                actions.push(Action::Persist(i));
            }
            if spent.crashes < bounds.crashes {
                actions.push(Action::Crash(i));
            }
            if spent.fires < bounds.fires {
                actions.extend(node.armed.iter().map(|timer| Action::Fire(i, *timer)));
            }
            if spent.orders < bounds.orders && i > 0 {
                actions.push(Action::Order(i));
            }
        }
    }

    fn next_state(&self, group: &Group, action: Action) -> Option<Group> {
        let mut next = group.clone();
        next.apply(action, self.bounds.kept, self.keeps_commits());
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no claim is broken", |_, group: &Group| group.facts.broken.is_none()),
            Property::always("there is one history", |model: &GroupModel, group: &Group| {
                !model.has_one_history() || group.logs_are_prefixes()
            }),
            Property::always(
                "members converge once nothing more goes wrong",
                |model: &GroupModel, group: &Group| group.converges(&model.config.failover),
            ),
        ]
    }
}

/// Visits the states within the bounds; says how many there were, and whether that was all.
fn explore(name: &str, bounds: Bounds, config: Config) {
    let (budget, failover) = (bounds.states, config.failover.clone());
    let model = GroupModel { bounds, config };
    let checker = model.checker().threads(2).target_state_count(budget).spawn_bfs().join();
    if let Some((claim, path)) = checker.discoveries().into_iter().next() {
        let broken = path.last_state().facts.broken;
        panic!(
            "{name}: {claim} ({broken:?})\n{:?}\nin the end {:?}",
            path.clone().into_actions(),
            path.last_state().at_rest(&failover)
        );
    }
    let states = checker.unique_state_count();
    let extent = if checker.state_count() >= budget { "incomplete" } else { "exhaustive" };
    println!("{name}: {states} states, {extent}");
    assert!(states > 500, "{name}: only {states} states: the bounds leave nothing to check");
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
