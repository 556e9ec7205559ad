//! Drives the very protocol code of the simulator through every order of events within stated bounds (stateright).
//!
//! The network here is the worst there is: it delivers in any order, and may drop. Disks finish when they like, a
//! process may die at any moment, and any timer may fire at any time (so what fencing promises about *time* is not
//! checked here but in `scripted` and `bad_days`). A run that ends before it has seen every state within its bounds
//! says `incomplete`.

mod group;
mod primary_backup;
mod quorum;

use replisim_protocols::{Kept, Protocol};
use stateright::{Checker, Model, Property};

use group::{Action, Bounds, Group, Rules};

const NOTHING: Bounds = Bounds {
    before: &[],
    members: 2,
    puts: 1,
    retries: 0,
    reads: 0,
    crashes: 0,
    kept: Kept::Synced,
    drops: 0,
    fires: 0,
    orders: 0,
    states: 40_000,
};

/// A group within bounds, and what must hold of each of its moments.
struct GroupModel<P: Checked> {
    bounds: Bounds,
    config: P::Config,
    rules: Rules,
}

/// A protocol of which it is known what it promises.
trait Checked: Protocol<Config: Send + Sync, Message: Send + Sync> + Send + Sync + 'static {
    /// What holds of this configuration within these bounds.
    fn rules(bounds: &Bounds, config: &Self::Config) -> Rules;

    /// Whether a moment is as it must be.
    fn holds(group: &Group<Self>, bounds: &Bounds, config: &Self::Config) -> bool;

    /// What comes of this if nothing more goes wrong: an error if the members do not come to agree.
    fn at_rest(group: &Group<Self>, config: &Self::Config) -> Result<(), Box<Group<Self>>>;
}

impl<P: Checked> Model for GroupModel<P> {
    type State = Group<P>;
    type Action = Action;

    fn init_states(&self) -> Vec<Group<P>> {
        vec![Group::new(&self.bounds, &self.config, &self.rules)]
    }

    fn actions(&self, group: &Group<P>, actions: &mut Vec<Action>) {
        group.actions(&self.bounds, &self.rules, actions);
    }

    fn next_state(&self, group: &Group<P>, action: Action) -> Option<Group<P>> {
        let mut next = group.clone();
        next.apply(action, &self.rules);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no claim is broken", |_, group: &Group<P>| group.facts.broken.is_none()),
            Property::always("each moment is as it must be", |model: &Self, group: &Group<P>| {
                P::holds(group, &model.bounds, &model.config)
            }),
            Property::always(
                "members converge once nothing more goes wrong",
                |model: &Self, group: &Group<P>| P::at_rest(group, &model.config).is_ok(),
            ),
        ]
    }
}

/// Visits the states within the bounds; says how many there were, and whether that was all.
fn explore<P: Checked>(name: &str, bounds: Bounds, config: P::Config) {
    let budget = bounds.states;
    let rules = P::rules(&bounds, &config);
    let model = GroupModel::<P> { bounds, config: config.clone(), rules };
    let checker = model.checker().threads(2).target_state_count(budget).spawn_bfs().join();
    if let Some((claim, path)) = checker.discoveries().into_iter().next() {
        let broken = path.last_state().facts.broken;
        panic!(
            "{name}: {claim} ({broken:?})\n{:?}\nin the end {:?}",
            path.clone().into_actions(),
            P::at_rest(path.last_state(), &config)
        );
    }
    let states = checker.unique_state_count();
    let extent = if checker.state_count() >= budget { "incomplete" } else { "exhaustive" };
    println!("{name}: {states} states, {extent}");
    assert!(states > 500, "{name}: only {states} states: the bounds leave nothing to check");
}
