//! Routing: ways around a severed link.
//!
//! `direct` is what clouds do for most cuts seen from a tenant: what is cut off is cut off. `shortest-surviving-path`
//! lets a message between two sites that a partition separates go over other nodes that both still reach, by the
//! smallest sum of mean delays (Dijkstra). Only nodes relay, never clients; a node whose process is down still does,
//! one whose machine is down does not. Ways change when a partition begins or heals or a machine dies or is back, at
//! once; what it leaves out is the time that routers need to notice.

use petgraph::algo::astar;
use petgraph::graphmap::DiGraphMap;
use replisim_engine::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::Site;

/// How messages find their way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// By the one link between two sites, or not at all.
    #[default]
    Direct,
    /// Around what is severed, over other nodes, if any of them still reaches both.
    ShortestSurvivingPath,
}

impl Routing {
    pub(crate) fn is_direct(&self) -> bool {
        *self == Routing::Direct
    }
}

/// The links that survive the present partitions and dead machines.
#[derive(Clone, Debug)]
pub(crate) struct Survivors {
    relays: Vec<Site>,
    sites: u32,
    /// Relays by their numbers; senders and receivers that do not relay have two more each, which nothing leads
    /// through.
    graph: DiGraphMap<u32, u64>,
}

impl Survivors {
    /// The links between relays for which `length` gives one.
    pub(crate) fn new(
        relays: Vec<Site>,
        sites: usize,
        length: impl Fn(Site, Site) -> Option<Duration>,
    ) -> Survivors {
        let mut survivors = Survivors { relays, sites: sites as u32, graph: DiGraphMap::new() };
        for &from in &survivors.relays {
            for &to in &survivors.relays {
                if let Some(length) = length(from, to).filter(|_| from != to) {
                    survivors.graph.add_edge(from.0, to.0, length.nanos());
                }
            }
        }
        survivors
    }

    /// The sites that the shortest way from `from` to `to` touches, both included.
    pub(crate) fn way(
        &mut self,
        from: Site,
        to: Site,
        length: impl Fn(Site, Site) -> Option<Duration>,
    ) -> Option<Vec<Site>> {
        let (mut start, mut end) = (from.0, to.0);
        if !self.relays.contains(&from) {
            start += self.sites;
            for &relay in &self.relays {
                if let Some(length) = length(from, relay) {
                    self.graph.add_edge(start, relay.0, length.nanos());
                }
            }
        }
        if !self.relays.contains(&to) {
            end += 2 * self.sites;
            for &relay in &self.relays {
                if let Some(length) = length(relay, to) {
                    self.graph.add_edge(relay.0, end, length.nanos());
                }
            }
        }
        if !self.graph.contains_node(start) || !self.graph.contains_node(end) {
            return None;
        }
        let (_, way) = astar(&self.graph, start, |node| node == end, |(_, _, length)| *length, |_| 0)?;
        Some(way.into_iter().map(|node| Site(node % self.sites)).collect())
    }
}
