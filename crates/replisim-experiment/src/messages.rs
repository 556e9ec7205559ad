//! The messages of one run, for pictures of what goes to whom and when. All are kept, so the run had better be short.

use replisim_observe::{Carried, Group, Observation, Observer, Time};
use replisim_scenario::Loaded;

use crate::run::{RunError, observe};

/// The messages of a run and the names of its places.
#[derive(Clone, PartialEq, Debug)]
pub struct Messages {
    /// The nodes.
    pub nodes: Vec<String>,
    /// The clients; their places are numbered on from those of the nodes.
    pub clients: Vec<String>,
    /// All that arrived or were lost, in the order in which that happened.
    pub carried: Vec<Carried>,
}

impl Messages {
    /// Runs one seed. What is still under way at the end is left out.
    pub fn of(loaded: &Loaded, seed: u64) -> Result<Messages, RunError> {
        let (Recording(carried), _) = observe(loaded, seed, Recording::default(), &())?;
        let scenario = &loaded.scenario;
        let nodes = scenario.topology.nodes.keys().cloned().collect();
        Ok(Messages { nodes, clients: scenario.client_names().map(str::to_owned).collect(), carried })
    }
}

#[derive(Default)]
struct Recording(Vec<Carried>);

impl Observer for Recording {
    fn observe(&mut self, _: Time, _: Group, _: Observation) {}

    fn carried(&mut self, message: Carried) {
        self.0.push(message);
    }
}
