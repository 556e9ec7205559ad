//! Jitter that is larger than the delay it varies. It keeps the mean delay, so on such a link the network scales it
//! down to what there is, and the delays drawn are not those of the law that was written.

use replisim_engine::Duration;
use replisim_network::{LinkClass, LinkSettings, Map, Place};
use replisim_scenario::{Loaded, Scenario, build};

/// A block of `network` settings whose jitter does not fit all of its links.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OversizedJitter {
    /// Where it stands below `network`: `default`, `cross-region`, `links[0]` …
    pub block: String,
    /// Mean of the law.
    pub mean: Duration,
    /// The link with the shortest delay, by its ends, and that delay.
    pub shortest: (String, String, Duration),
    /// How many pairs of ends there are whose delay is too short.
    pub pairs: usize,
}

/// All such blocks, in the order of the settings.
pub(crate) fn oversized(loaded: &Loaded) -> Vec<OversizedJitter> {
    let scenario = &loaded.scenario;
    let Ok(map) = build::map(scenario, |path| loaded.referenced(path)) else { return Vec::new() };
    let between_places = pairs_of_places(scenario, &map);
    let mut oversized = Vec::new();
    for (block, settings) in scenario.network.blocks() {
        let law = settings.jitter.and_then(|law| law.sampler().ok());
        let Some(mean) = law.and_then(|law| law.mean_nanos()) else { continue };
        let links = match block.strip_prefix("links[") {
            Some(index) => pairs_of_nodes(scenario, &map, index.trim_end_matches(']')),
            None => between_places
                .iter()
                .filter(|(_, _, a, b)| governing(scenario, map.class(*a, *b)) == block)
                .cloned()
                .collect(),
        };
        let delays = links
            .into_iter()
            .filter_map(|(from, to, a, b)| Some((from, to, map.one_way(a, b)?)))
            .filter(|(_, _, delay)| (delay.nanos() as f64) < mean);
        let too_short: Vec<(String, String, Duration)> = delays.collect();
        let pairs = too_short.len();
        if let Some(shortest) = too_short.into_iter().min_by_key(|(_, _, delay)| *delay) {
            oversized.push(OversizedJitter { block, mean: Duration::from_nanos_f64(mean), shortest, pairs });
        }
    }
    oversized
}

/// The ends of a link by name and by place.
type Ends = (String, String, Place, Place);

/// Every ordered pair of places that some node or client sends between.
fn pairs_of_places(scenario: &Scenario, map: &Map) -> Vec<Ends> {
    let sites = scenario.topology.nodes.values().map(String::as_str).chain(scenario.client_places());
    // Each place with how many sites it has.
    let mut places: Vec<(Place, usize)> = Vec::new();
    for place in sites.filter_map(|name| map.find(name)) {
        match places.iter_mut().find(|(other, _)| *other == place) {
            Some((_, sites)) => *sites += 1,
            None => places.push((place, 1)),
        }
    }
    let mut pairs = Vec::new();
    for (a, sites) in &places {
        for (b, _) in places.iter().filter(|(b, _)| a != b || *sites > 1) {
            pairs.push((map.name(*a).to_owned(), map.name(*b).to_owned(), *a, *b));
        }
    }
    pairs
}

/// The pairs of nodes that an entry of `links` is about.
fn pairs_of_nodes(scenario: &Scenario, map: &Map, index: &str) -> Vec<Ends> {
    let entry = index.parse().ok().and_then(|index: usize| scenario.network.links.get(index));
    let place = |node: &str| map.find(scenario.topology.nodes.get(node)?);
    let directions = entry.and_then(|entry| entry.directions()).into_iter().flatten();
    directions
        .filter_map(|(from, to)| Some((from.to_owned(), to.to_owned(), place(from)?, place(to)?)))
        .collect()
}

/// The block that says how delays vary on links of a class: the more specific one that says anything about delays.
fn governing(scenario: &Scenario, class: LinkClass) -> &'static str {
    let network = &scenario.network;
    let (name, specific): (_, &LinkSettings) = match class {
        LinkClass::SameNode => return "same-node",
        LinkClass::SameZone => ("same-zone", &network.same_zone),
        LinkClass::SameRegion => ("same-region", &network.same_region),
        LinkClass::CrossRegion => ("cross-region", &network.cross_region),
    };
    if specific.latency.is_some() || specific.jitter.is_some() { name } else { "default" }
}
