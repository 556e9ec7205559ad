//! Who is where, and how far apart: what a map of a scenario shows.

use replisim_engine::{Duration, Streams};
use replisim_network::Site;
use replisim_scenario::{Loaded, build};

/// The places of a scenario and the mean round-trip times between them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Places {
    /// In order of first use: nodes first, then clients.
    pub places: Vec<PlaceView>,
    /// Every pair of places.
    pub links: Vec<PlaceLink>,
}

/// A place and who is there.
#[derive(Clone, PartialEq, Debug)]
pub struct PlaceView {
    /// Its name.
    pub name: String,
    /// Nodes.
    pub nodes: Vec<String>,
    /// Clients.
    pub clients: Vec<String>,
    /// One of the sites in it.
    site: Site,
}

/// Two places and the mean round trips between them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PlaceLink {
    /// Index of one place.
    pub a: usize,
    /// Index of the other.
    pub b: usize,
    /// Twice the mean delay from `a` to `b`.
    pub there: Duration,
    /// Twice the mean delay from `b` to `a`.
    pub back: Duration,
}

impl Places {
    /// The places of a scenario; none if it cannot be built.
    pub fn of(loaded: &Loaded) -> Places {
        let scenario = &loaded.scenario;
        let network = build::map(scenario, |path| loaded.referenced(path))
            .ok()
            .and_then(|map| build::network(scenario, map, Streams::new(0)).ok());
        let Some(network) = network else { return Places::default() };
        let mut places: Vec<PlaceView> = Vec::new();
        let mut place = |name: &str, site: usize| {
            let i = places.iter().position(|place| place.name == name).unwrap_or_else(|| {
                let site = Site(site as u32);
                places.push(PlaceView {
                    name: name.to_owned(),
                    nodes: Vec::new(),
                    clients: Vec::new(),
                    site,
                });
                places.len() - 1
            });
            (i, site)
        };
        let nodes: Vec<_> =
            scenario.topology.nodes.values().enumerate().map(|(i, name)| place(name, i).0).collect();
        let n = nodes.len();
        let clients: Vec<_> =
            scenario.client_places().enumerate().map(|(i, name)| place(name, n + i).0).collect();
        for (i, name) in nodes.into_iter().zip(scenario.topology.nodes.keys()) {
            places[i].nodes.push(name.clone());
        }
        for (i, name) in clients.into_iter().zip(scenario.client_names()) {
            places[i].clients.push(name.to_owned());
        }
        let twice = |delay: Duration| delay + delay;
        let mut links = Vec::new();
        for a in 0..places.len() {
            for b in a + 1..places.len() {
                let (from, to) = (places[a].site, places[b].site);
                let there = twice(network.mean_one_way(from, to));
                let back = twice(network.mean_one_way(to, from));
                links.push(PlaceLink { a, b, there, back });
            }
        }
        Places { places, links }
    }
}
