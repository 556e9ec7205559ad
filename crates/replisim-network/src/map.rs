//! The map: regions that contain zones, and measured round-trip times between them.
//!
//! It is a directed graph. A round-trip time measured *from a to b* gives the edge a → b half of it as one-way delay,
//! so an asymmetric matrix stays asymmetric. Delays are looked up, never added along a path: measured tables violate
//! the triangle inequality, and the direct measurement is what packets see.

use std::collections::BTreeMap;

use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use replisim_engine::Duration;

use crate::settings::LinkClass;

/// One-way delay between two zones of a region that nobody measured: half of a round trip of 1 ms.
pub const UNMEASURED_SAME_REGION: Duration = Duration::from_micros(500);
/// One-way delay within a zone that nobody measured: half of a round trip of 0.1 ms.
pub const UNMEASURED_SAME_ZONE: Duration = Duration::from_micros(50);

/// Regions, zones and the delays between them.
#[derive(Clone, Debug, Default)]
pub struct Map {
    graph: DiGraph<String, Edge>,
    places: BTreeMap<String, Place>,
    /// Where the measured edges are in the graph: a dense matrix is looked up as fast as a sparse one.
    measured: BTreeMap<(Place, Place), EdgeIndex>,
    /// The region of each place.
    regions: Vec<Place>,
}

/// A zone, or a region whose zones are not told apart. Written `region` or `region/zone`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(NodeIndex<u32>);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Edge {
    /// From a region to a zone in it.
    Contains,
    /// A measured one-way delay.
    Measured(Duration),
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// Adds `name` (`region` or `region/zone`) if it is new, its region too.
    pub fn add(&mut self, name: &str) -> Place {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = Place(self.graph.add_node(name.to_owned()));
        self.places.insert(name.to_owned(), place);
        self.regions.push(place);
        if let Some((region, _)) = name.split_once('/') {
            let region = self.add(region);
            self.regions[place.0.index()] = region;
            self.graph.add_edge(region.0, place.0, Edge::Contains);
        }
        place
    }

    /// Records a round-trip time measured from `a` to `b`; a later record replaces an earlier one.
    pub fn measured(&mut self, a: &str, b: &str, rtt: Duration) {
        let (a, b) = (self.add(a), self.add(b));
        let one_way = Duration::from_nanos(rtt.nanos() / 2);
        match self.measured.get(&(a, b)) {
            Some(edge) => self.graph[*edge] = Edge::Measured(one_way),
            None => {
                let edge = self.graph.add_edge(a.0, b.0, Edge::Measured(one_way));
                self.measured.insert((a, b), edge);
            }
        }
    }

    /// The place called `name`, if it is on the map.
    pub fn find(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied()
    }

    /// Names of all places, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The name of a place.
    pub fn name(&self, place: Place) -> &str {
        &self.graph[place.0]
    }

    /// Zones of a region, in the order in which they were added.
    pub fn zones(&self, region: Place) -> Vec<Place> {
        let mut zones: Vec<Place> = self
            .graph
            .edges(region.0)
            .filter(|edge| *edge.weight() == Edge::Contains)
            .map(|edge| Place(edge.target()))
            .collect();
        zones.sort();
        zones
    }

    /// The region of a place: itself, if it is one.
    pub fn region(&self, place: Place) -> Place {
        self.regions[place.0.index()]
    }

    /// How far apart two places are (two different nodes in them).
    pub fn class(&self, a: Place, b: Place) -> LinkClass {
        if a == b {
            LinkClass::SameZone
        } else if self.region(a) == self.region(b) {
            LinkClass::SameRegion
        } else {
            LinkClass::CrossRegion
        }
    }

    /// One-way delay from `a` to `b`: measured between the zones, else between (or within) their regions, else the
    /// stated assumption for places of one region. `None`: different regions, and no measurement.
    pub fn one_way(&self, a: Place, b: Place) -> Option<Duration> {
        let (region_a, region_b) = (self.region(a), self.region(b));
        let measured = self.measured.get(&(a, b)).or_else(|| self.measured.get(&(region_a, region_b)));
        match measured.map(|edge| self.graph[*edge]) {
            Some(Edge::Measured(delay)) => Some(delay),
            _ => match self.class(a, b) {
                LinkClass::SameZone => Some(UNMEASURED_SAME_ZONE),
                LinkClass::SameRegion => Some(UNMEASURED_SAME_REGION),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        let mut map = Map::new();
        map.measured("us", "eu", Duration::from_millis(100));
        map.measured("eu", "us", Duration::from_millis(110));
        map.measured("us/a", "us/b", Duration::from_millis(2));
        map.measured("eu", "eu", Duration::from_millis(3));
        map.add("eu/x");
        map.add("eu/y");
        map.add("ap/z");
        map
    }

    #[test]
    fn the_finest_measurement_wins_and_each_direction_keeps_its_own() {
        let map = map();
        for (a, b, one_way_us) in [
            ("us/a", "eu/x", Some(50_000)),
            ("eu/x", "us/a", Some(55_000)),
            ("us/a", "us/b", Some(1_000)),
            ("us/b", "us/a", Some(500)), // not measured in this direction: the assumption
            ("us/a", "us/a", Some(50)),
            ("eu/x", "eu/y", Some(1_500)),
            ("eu/x", "eu/x", Some(1_500)),
            ("us/a", "ap/z", None),
        ] {
            let delay = map.one_way(map.find(a).unwrap(), map.find(b).unwrap());
            assert_eq!(delay, one_way_us.map(Duration::from_micros), "{a} → {b}");
        }
    }

    #[test]
    fn classes_follow_containment() {
        let map = map();
        let class = |a, b| map.class(map.find(a).unwrap(), map.find(b).unwrap());
        assert_eq!(class("us/a", "us/a"), LinkClass::SameZone);
        assert_eq!(class("us/a", "us/b"), LinkClass::SameRegion);
        assert_eq!(class("us/a", "eu/x"), LinkClass::CrossRegion);
    }
}
