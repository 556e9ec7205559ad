//! From a checked scenario to what runs it.

use std::collections::BTreeSet;

use replisim_cluster::{Change, FaultEntry, Placed, Scene, Setup};
use replisim_engine::{Duration, Streams, Time};
use replisim_network::{Map, Network, Partition, Site, SiteSpec};
use replisim_observe::{Key, Member, Window};
use replisim_protocols::Command;

use crate::load::Loaded;
use crate::presets::{Preset, add_csv};
use crate::scenario::Scenario;

/// Everything that a run of a scenario needs, for one seed. Fails with a sentence only for what `check` would have
/// found.
pub fn setup(loaded: &Loaded, seed: u64) -> Result<(Setup, Streams), String> {
    let scenario = &loaded.scenario;
    let streams = Streams::new(seed);
    let map = map(scenario, |path| loaded.referenced(path))
        .map_err(|(path, message)| format!("{path}: {message}"))?;
    let script_keys = scenario.script_keys();
    let first_script_key = scenario.workload_keys();
    let key = |name: &str| {
        let position = script_keys.iter().position(|other| *other == name).unwrap_or_default();
        Key((first_script_key + position) as u32)
    };
    let setup = Setup {
        nodes: placed_nodes(scenario),
        groups: scenario.groups(),
        network: network(scenario, map, streams)?,
        workloads: scenario.workload.clone(),
        regions: scenario.regions(),
        clients: placed_clients(scenario),
        script: scenario
            .script
            .iter()
            .filter_map(|step| step.action().map(|(action, name)| (step.clone(), action, key(name))))
            .collect(),
        clocks: placed_nodes(scenario)
            .iter()
            .chain(&placed_clients(scenario))
            .map(|site| scenario.clocks.get(&site.name).copied().unwrap_or_default())
            .collect(),
        disk: scenario.disk.clone(),
        faults: scenario.faults.clone(),
        keys: first_script_key + script_keys.len(),
        window: Window { from: Time::ZERO + scenario.warmup, to: Time::ZERO + scenario.duration },
        settle: scenario.settle,
    };
    Ok((setup, streams))
}

/// The nodes and where they are.
pub fn placed_nodes(scenario: &Scenario) -> Vec<Placed> {
    let nodes = scenario.topology.nodes.iter();
    nodes.map(|(name, place)| Placed { name: name.clone(), place: place.clone() }).collect()
}

/// All clients and where they are: workloads, then clients of the script.
pub fn placed_clients(scenario: &Scenario) -> Vec<Placed> {
    let names = scenario.client_names().map(str::to_owned);
    let places = scenario.client_places().map(str::to_owned);
    names.zip(places).map(|(name, place)| Placed { name, place }).collect()
}

/// The faults of a scenario that take nodes down, and which, in the order of the nodes.
pub fn taken_down(scenario: &Scenario) -> Vec<(&FaultEntry, BTreeSet<Member>)> {
    let (nodes, clients) = (placed_nodes(scenario), placed_clients(scenario));
    let scene = Scene { nodes: &nodes, clients: &clients };
    let down = |entry: &FaultEntry| {
        let changes = entry.kind.fault().begin(&scene).into_iter();
        changes
            .filter_map(|change| if let Change::Crash(crash) = change { Some(crash.member) } else { None })
            .collect()
    };
    let all = scenario.faults.iter().map(|entry| (entry, down(entry)));
    all.filter(|(_, down): &(_, BTreeSet<_>)| !down.is_empty()).collect()
}

/// A node that an operator promotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Promotion {
    /// When, from the start of the run.
    pub at: Duration,
    /// Which node.
    pub member: Member,
    /// How many nodes it reaches then, and hears of, itself included: by the crashes and cuts of the schedule that have a
    /// time, over direct links.
    pub reached: u32,
}

/// The promotions of a scenario of nodes that are up then.
pub fn promotions(scenario: &Scenario) -> Vec<Promotion> {
    let (nodes, clients) = (placed_nodes(scenario), placed_clients(scenario));
    let scene = Scene { nodes: &nodes, clients: &clients };
    let orders = scenario.faults.iter().filter(|entry| entry.breakdowns.is_none());
    let promoted =
        orders.flat_map(|entry| entry.kind.fault().begin(&scene).into_iter().map(|it| (entry.at, it)));
    let promoted = promoted.filter_map(|(at, change)| match change {
        Change::Order(member, Command::Promote) => {
            let reached = reached(scenario, at).0[member.index()]?;
            Some(Promotion { at, member, reached })
        }
        _ => None,
    });
    promoted.collect()
}

/// When the network is cut, and how many nodes the one reaches then that reaches most, itself included: as for
/// [`Promotion::reached`].
pub fn cuts(scenario: &Scenario) -> Vec<(Duration, u32)> {
    let begins = scenario.faults.iter().filter(|entry| entry.breakdowns.is_none()).map(|entry| entry.at);
    let begins: BTreeSet<Duration> = begins.collect();
    let states = begins.into_iter().map(|at| (at, reached(scenario, at)));
    let cut = states.filter(|(_, (_, is_cut))| *is_cut);
    cut.map(|(at, (reached, _))| (at, reached.into_iter().flatten().max().unwrap_or(0))).collect()
}

/// How many nodes each node that is up at a moment reaches then, and hears of, itself included; and whether any two of
/// them are cut off from each other.
fn reached(scenario: &Scenario, at: Duration) -> (Vec<Option<u32>>, bool) {
    let (nodes, clients) = (placed_nodes(scenario), placed_clients(scenario));
    let scene = Scene { nodes: &nodes, clients: &clients };
    let lasts = |entry: &&FaultEntry| {
        let is_over =
            entry.lasts.is_some_and(|lasts| entry.at.nanos().saturating_add(lasts.nanos()) <= at.nanos());
        entry.at <= at && !is_over && entry.breakdowns.is_none() && entry.kind.fault().beat(0).is_none()
    };
    let state: Vec<Change> =
        scenario.faults.iter().filter(lasts).flat_map(|entry| entry.kind.fault().begin(&scene)).collect();
    let is_up = |of: u32| {
        !state.iter().any(|change| matches!(change, Change::Crash(crash) if crash.member == Member(of)))
    };
    let severs =
        |cut: &Partition, a: u32, b: u32| cut.severs(Site(a), Site(b)) || cut.severs(Site(b), Site(a));
    let are_cut =
        |a: u32, b: u32| state.iter().any(|change| matches!(change, Change::Cut(cut) if severs(cut, a, b)));
    let all = 0..nodes.len() as u32;
    let reached_by =
        |me: u32| all.clone().filter(|other| is_up(*other) && !are_cut(me, *other)).count() as u32;
    let reached = all.clone().map(|member| is_up(member).then(|| reached_by(member)));
    let mut pairs = all.clone().flat_map(|a| all.clone().map(move |b| (a, b)));
    let is_cut = pairs.any(|(a, b)| is_up(a) && is_up(b) && are_cut(a, b));
    (reached.collect(), is_cut)
}

/// The map that a scenario names. `text_of` gives the content of its files. An error comes with its path.
pub fn map<'a>(
    scenario: &Scenario,
    text_of: impl Fn(&str) -> Option<&'a str>,
) -> Result<Map, (String, String)> {
    let mut map = Map::new();
    let topology = &scenario.topology;
    if let Some(preset) = topology.preset.as_deref().and_then(Preset::find) {
        preset.draw(&mut map).map_err(|message| ("topology.preset".to_owned(), message))?;
    }
    if let Some(path) = &topology.rtt_file {
        let text = text_of(path).unwrap_or_default();
        add_csv(&mut map, text, str::to_owned)
            .map_err(|message| ("topology.rtt-file".to_owned(), format!("`{path}` {message}")))?;
    }
    for rtt in &topology.rtts {
        for (from, to) in rtt.directions().into_iter().flatten() {
            map.measured(from, to, rtt.rtt);
        }
    }
    if places_are_free(scenario) {
        topology.nodes.values().map(String::as_str).chain(scenario.client_places()).for_each(|name| {
            map.add(name);
        });
    }
    Ok(map)
}

/// Whether any place may be named: there is no map to be on.
pub fn places_are_free(scenario: &Scenario) -> bool {
    let topology = &scenario.topology;
    topology.preset.is_none() && topology.rtt_file.is_none() && topology.rtts.is_empty()
}

/// The network of a scenario: its nodes, then its clients.
pub fn network(scenario: &Scenario, mut map: Map, streams: Streams) -> Result<Network, String> {
    let nodes = scenario.topology.nodes.iter().map(|(name, place)| (name.clone(), place.as_str()));
    let clients = scenario.client_names().map(|name| format!("client/{name}")).zip(scenario.client_places());
    let sites = nodes.chain(clients).map(|(name, place)| SiteSpec { name, place: map.add(place) }).collect();
    let network = Network::new(&map, sites, &scenario.network, streams)?;
    Ok(network.with_relays(scenario.topology.nodes.len()))
}
