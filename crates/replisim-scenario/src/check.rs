//! What types cannot say: that names exist, that ranges fit, that settings do not contradict each other.
//!
//! Every check reports a path; the text is found by it. All problems are reported, not the first alone.

mod clients;
mod clocks;
mod groups;

use replisim_cluster::{Breakdowns, FaultEntry, Named, ReadFrom, Scene};
use replisim_engine::law::LawError;
use replisim_engine::{Duration, Streams};
use replisim_network::Map;
use replisim_protocols::{Members, Operation, SettingProblem};

use crate::build;
use crate::load::Referenced;
use crate::presets::{PRESETS, Preset};
use crate::scenario::Scenario;
use crate::yaml::{Problem, did_you_mean};

/// Everything that is wrong with a scenario whose types are right.
pub fn problems(scenario: &Scenario, referenced: &[Referenced]) -> Vec<Problem> {
    let mut check = Check { scenario, problems: Vec::new() };
    check.name();
    check.names();
    check.times();
    check.topology();
    if scenario.topology.nodes.is_empty() {
        return check.problems; // the rest would only say that there is no such node
    }
    check.groups();
    check.size();
    check.protocol();
    check.links();
    check.disk();
    check.clocks();
    check.clients();
    check.script();
    check.faults();
    check.expectations();
    if check.problems.is_empty() {
        check.places(referenced);
    }
    check.problems
}

/// The most names that a message lists.
const MOST_LISTED: usize = 40;
/// The most nodes and clients together: every connection that is used costs half a kilobyte, every place is compared.
const MOST_SITES: usize = 10_000;
/// The most copies of keys: what stores and measures keep grows with them, some 100 bytes each.
const MOST_COPIES: usize = 50_000_000;
/// The most steps of a script: their keys are compared with each other.
const MOST_STEPS: usize = 20_000;

/// The most times that a fault can come at random: each is an event.
const MOST_BREAKDOWNS: f64 = 1e6;

/// What names of nodes, workloads and clients cannot contain.
const RESERVED: [char; 5] = ['/', '{', '}', '=', ','];

struct Check<'a> {
    scenario: &'a Scenario,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::of(path, message));
    }

    fn report_with(&mut self, path: impl Into<String>, message: impl Into<String>, label: impl Into<String>) {
        self.problems.push(Problem::of(path, message).label(label));
    }

    fn name(&mut self) {
        let name = &self.scenario.name;
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            self.report_with(
                "name",
                "a name has lower-case letters, digits and dashes",
                "results are filed under it",
            );
        } else if name == "gallery" {
            self.report_with("name", "`gallery` is reserved", "choose another name");
        }
    }

    /// Names of nodes, workloads and clients stand in results, in `expect`, and in the names of links.
    fn names(&mut self) {
        let scenario = self.scenario;
        let nodes =
            scenario.topology.nodes.keys().map(|name| (format!("topology.nodes.{name}"), "node", name));
        let workloads = scenario.workload.iter().enumerate();
        let workloads = workloads.map(|(i, w)| (format!("workload[{i}].name"), "workload", &w.name));
        let clients = scenario.clients.keys().map(|name| (format!("clients.{name}"), "client", name));
        for (path, what, name) in nodes.chain(workloads).chain(clients) {
            if name.trim().is_empty() {
                let path = path.strip_suffix(name.as_str()).unwrap_or(&path).trim_end_matches('.');
                self.report_with(path, format!("a {what} without a name"), "results call it by its name");
                continue;
            }
            let Some(reserved) = name.chars().find(|c| RESERVED.contains(c)) else { continue };
            let reason = match reserved {
                '/' => "the network's own names have it, such as `client/name`",
                _ => "it is a mark of `expect`, which could not say this name",
            };
            self.report_with(path, format!("the name of a {what} cannot contain `{reserved}`"), reason);
        }
    }

    fn times(&mut self) {
        let Scenario { duration, warmup, .. } = self.scenario;
        if *duration == Duration::ZERO {
            self.report_with("duration", "nothing can happen in no time", "must be more than 0");
        } else if warmup >= duration {
            self.report_with(
                "warmup",
                "no sample would count",
                format!("must be shorter than the duration, {duration}"),
            );
        }
    }

    fn topology(&mut self) {
        let topology = &self.scenario.topology;
        if topology.nodes.is_empty() {
            self.report_with(
                "topology.nodes",
                "a cluster needs nodes",
                "give name and place of each: `nodes: { p: us, r: eu }`",
            );
        }
        if let Some(preset) = &topology.preset {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            if Preset::find(preset).is_none() {
                self.unknown("topology.preset", "preset", preset, names);
            }
            if topology.rtt_file.is_some() {
                self.report_with(
                    "topology.rtt-file",
                    "a preset and a file",
                    "keep one; `rtts` can add single times",
                );
            }
        }
        for (i, rtt) in topology.rtts.iter().enumerate() {
            if rtt.directions().is_none() {
                self.report_with(
                    format!("topology.rtts[{i}]"),
                    "unclear which places",
                    "give `between`, or `from` and `to`",
                );
            }
        }
    }

    fn size(&mut self) {
        let nodes = self.scenario.topology.nodes.len();
        let sites = nodes + self.scenario.client_names().count();
        if sites > MOST_SITES {
            let label = format!("there can be at most {MOST_SITES}");
            self.report_with("topology.nodes", format!("{sites} nodes and clients"), label);
        }
        let (names, regions) = (self.scenario.node_names(), self.scenario.regions());
        let members = Members { names: &names, regions: &regions };
        let lanes = self.scenario.protocol.lanes(members).max(1) as usize;
        let members = self.scenario.group_size();
        let copies = self.scenario.workload_keys().saturating_mul(members).saturating_mul(lanes);
        if copies > MOST_COPIES {
            let by_lane = if lanes > 1 { " × lanes of versions" } else { "" };
            let of_group = if self.scenario.groups.is_some() { " of a group" } else { "" };
            let label = format!("keys × nodes{of_group}{by_lane} can be at most {MOST_COPIES}");
            self.report_with("workload", format!("{copies} copies of keys"), label);
        }
        // A zipf law keeps a table of its keys for each workload.
        let drawn: usize = self.scenario.workload.iter().map(|workload| workload.count_keys() as usize).sum();
        if drawn > MOST_COPIES {
            let label = format!("the workloads together can draw from at most {MOST_COPIES}");
            self.report_with("workload", format!("{drawn} keys"), label);
        }
        let steps = self.scenario.script.len();
        if steps > MOST_STEPS {
            self.report_with(
                "script",
                format!("{steps} steps"),
                format!("there can be at most {MOST_STEPS}"),
            );
        }
    }

    fn protocol(&mut self) {
        let protocol = &self.scenario.protocol;
        for (field, node) in protocol.members_named() {
            self.node(format!("protocol.{}.{field}", protocol.name()), node);
        }
        let (names, regions) = (self.scenario.node_names(), self.scenario.regions());
        let names = &names[..self.scenario.group_size().min(names.len())];
        let members = Members { names, regions: &regions };
        for SettingProblem { field, message, fix } in protocol.problems(members) {
            self.report_with(format!("protocol.{}.{field}", protocol.name()), message, fix);
        }
    }

    fn links(&mut self) {
        self.transport();
        for (i, pair) in self.scenario.network.links.iter().enumerate() {
            let path = format!("network.links[{i}]");
            if pair.directions().is_none() {
                self.report_with(&path, "unclear which link", "give `between`, or `from` and `to`");
            }
            for (field, name) in
                pair.between.iter().flatten().enumerate().map(|(j, name)| (format!("between[{j}]"), name))
            {
                self.node(format!("{path}.{field}"), name);
            }
            for (field, name) in [("from", &pair.from), ("to", &pair.to)] {
                name.iter().for_each(|name| self.node(format!("{path}.{field}"), name));
            }
        }
        for (block, settings) in self.scenario.network.blocks() {
            for (field, law) in [("latency", &settings.latency), ("jitter", &settings.jitter)] {
                let Some(law) = law else { continue };
                let path = format!("network.{block}.{field}");
                match law.sampler() {
                    Err(error) => self.law_error(path, error),
                    Ok(sampler)
                        if field == "jitter" && sampler.mean_nanos().is_none_or(|mean| !mean.is_finite()) =>
                    {
                        self.report_with(
                            path,
                            "jitter keeps the mean delay, and this law has none",
                            "needs a finite mean",
                        );
                    }
                    Ok(_) => {}
                }
            }
            if settings.latency.is_some() && settings.jitter.is_some() {
                let path = format!("network.{block}.jitter");
                self.report_with(
                    path,
                    "`latency` gives the whole law; jitter has nothing to vary",
                    "keep one of the two",
                );
            }
        }
    }

    fn disk(&mut self) {
        if let Some(Err(error)) = self.scenario.disk.fsync.as_ref().map(|law| law.sampler()) {
            self.law_error("disk.fsync".to_owned(), error);
        }
    }

    /// A law that cannot be drawn from.
    fn law_error(&mut self, path: String, LawError { field, message }: LawError) {
        let what = field.rsplit('.').next().unwrap_or_default();
        self.report(format!("{path}.{field}"), format!("`{what}` {message}"));
    }

    /// Windows and buffers in which nothing fits.
    fn transport(&mut self) {
        for (block, settings) in self.scenario.network.blocks() {
            for (field, bytes) in [("window", settings.window), ("buffer", settings.buffer)] {
                if bytes.is_some_and(|bytes| bytes.get() == 0) {
                    let message = format!("nothing fits into a {field} of nothing");
                    self.report_with(format!("network.{block}.{field}"), message, "must be more than 0B");
                }
            }
            if settings.user_timeout == Some(Duration::ZERO) {
                let path = format!("network.{block}.user-timeout");
                self.report_with(path, "every connection would be given up at once", "must be more than 0");
            }
        }
    }

    fn script(&mut self) {
        for (i, step) in self.scenario.script.iter().enumerate() {
            let path = format!("script[{i}]");
            if !self.scenario.clients.contains_key(&step.client) {
                let names: Vec<&str> = self.scenario.clients.keys().map(String::as_str).collect();
                self.unknown(format!("{path}.client"), "client", &step.client, names);
            }
            if step.key().is_none() {
                self.report_with(
                    &path,
                    "unclear what the client does",
                    "give one of `get`, `put`, `delete`, `compare-and-set` and `read-modify-write`",
                );
            }
            if step.compare_and_set.is_some()
                && let Err(reason) = self.scenario.protocol.performs(Operation::CompareAndSet)
            {
                let message = format!("`{}` cannot compare and set", self.scenario.protocol.name());
                self.report_with(format!("{path}.compare-and-set"), message, reason);
            }
            if step.at >= self.scenario.duration {
                self.too_late(format!("{path}.at"));
            }
            self.timeout(&path, step.timeout);
            self.read_from(format!("{path}.read-from"), &step.read_from);
        }
    }

    fn faults(&mut self) {
        for (i, entry) in self.scenario.faults.iter().enumerate() {
            let path = format!("faults[{i}]");
            let kind = format!("{path}.{}", entry.kind.name());
            if entry.at >= self.scenario.duration {
                self.too_late(format!("{path}.at"));
            }
            if entry.lasts == Some(Duration::ZERO) {
                self.report_with(format!("{path}.for"), "a fault of no length", "must be more than 0");
            }
            if entry.lasts.is_some() && entry.kind.fault().command().is_some() {
                let message = "an order is given in an instant: it has no length";
                self.report_with(format!("{path}.for"), message, "leave it out");
            }
            if let Some(breakdowns) = entry.breakdowns {
                self.breakdowns(&path, entry, breakdowns);
            }
            self.fault(&kind, entry);
        }
    }

    /// What comes at random.
    fn breakdowns(&mut self, path: &str, entry: &FaultEntry, Breakdowns { mtbf, mttr }: Breakdowns) {
        for (field, mean) in [("mtbf", mtbf), ("mttr", mttr)] {
            if mean == Duration::ZERO {
                self.report_with(format!("{path}.{field}"), "a mean time of nothing", "must be more than 0");
            }
        }
        let times = self.scenario.duration.nanos() as f64 / (mtbf.nanos() as f64 + mttr.nanos() as f64);
        if times > MOST_BREAKDOWNS {
            let message = format!("this would break down {times:.0} times");
            self.report_with(
                format!("{path}.mtbf"),
                message,
                format!("{MOST_BREAKDOWNS} times are the most"),
            );
        }
        if entry.lasts.is_some() {
            let message = "`for` and `mttr` both say how long it lasts";
            self.report_with(format!("{path}.for"), message, "keep `mttr` where it comes at random");
        }
        if entry.kind.fault().command().is_some() {
            let message = "an order does not come by itself";
            self.report_with(format!("{path}.mtbf"), message, "give it a time: `at: 20s`");
        }
    }

    fn fault(&mut self, path: &str, entry: &FaultEntry) {
        let at = |field: &str| if field.is_empty() { path.to_owned() } else { format!("{path}.{field}") };
        let fault = entry.kind.fault();
        let before = self.problems.len();
        for (field, name) in fault.names() {
            self.named(at(&field), name);
        }
        if self.problems.len() > before {
            return; // the rest of the fault means nothing
        }
        let (nodes, clients) = (build::placed_nodes(self.scenario), build::placed_clients(self.scenario));
        if let Some((field, message)) = fault.problem(&Scene { nodes: &nodes, clients: &clients }) {
            self.report(at(&field), message);
        }
        let refused = fault.command().and_then(|command| self.scenario.protocol.obeys(command).err());
        if let Some(reason) = refused.filter(|_| !entry.if_supported) {
            self.report_with(at(""), reason, "or leave it out where it cannot be: `if-supported: true`");
        }
    }

    fn named(&mut self, path: String, name: Named<'_>) {
        let nodes = &self.scenario.topology.nodes;
        let places = nodes.values().map(String::as_str).chain(self.scenario.client_places());
        let regions = |place: &str| place.split('/').next().unwrap_or_default().to_owned();
        let around = |places: Vec<&String>| -> Vec<String> {
            let regions = places.iter().map(|place| regions(place));
            nodes.keys().cloned().chain(places.iter().map(|place| (*place).clone())).chain(regions).collect()
        };
        let (what, name, mut known): (_, _, Vec<String>) = match name {
            Named::Node(name) => ("node", name, nodes.keys().cloned().collect()),
            Named::Zone(name) => ("zone", name, places.map(str::to_owned).collect()),
            Named::Region(name) => ("region", name, places.map(regions).collect()),
            Named::Nodes(name) => ("node, zone or region", name, around(nodes.values().collect())),
            Named::Sites(name) => {
                let clients = self.scenario.client_places().map(str::to_owned).collect::<Vec<_>>();
                ("node, zone or region", name, around(nodes.values().chain(&clients).collect()))
            }
        };
        if !known.iter().any(|other| other == name) {
            let mut seen = Vec::new();
            known.retain(|name| {
                !seen.contains(name) && {
                    seen.push(name.clone());
                    true
                }
            });
            self.unknown(path, what, name, known.iter().map(String::as_str).collect());
        }
    }

    fn expectations(&mut self) {
        let expected = self.scenario.expect.iter().enumerate();
        let expected = expected.map(|(i, expectation)| (format!("expect[{i}]"), &expectation.subject.scope));
        let said = self.scenario.answer.figures().map(|figure| ("answer".to_owned(), &figure.scope));
        for (path, scope) in expected.chain(said) {
            let Some((kind, name)) = scope else { continue };
            let names: Vec<&str> = match kind.as_str() {
                "workload" => self.scenario.client_names().collect(),
                "node" => self.scenario.topology.nodes.keys().map(String::as_str).collect(),
                "kind" => vec!["read", "write"],
                _ => vec!["0"],
            };
            if !names.contains(&name.as_str()) {
                self.unknown(path, kind, name, names);
            }
        }
    }

    /// That every place is on the map, and every two sites have a delay. Comes last: it needs the rest to be right.
    fn places(&mut self, referenced: &[Referenced]) {
        let scenario = self.scenario;
        let text_of =
            |path: &str| referenced.iter().find(|file| file.path == path).map(|file| file.text.as_str());
        let map = match build::map(scenario, text_of) {
            Ok(map) => map,
            Err((path, message)) => return self.report(path, message),
        };
        let nodes =
            scenario.topology.nodes.iter().map(|(name, place)| (format!("topology.nodes.{name}"), place));
        let workloads =
            scenario.workload.iter().enumerate().map(|(i, w)| (format!("workload[{i}].at"), &w.at));
        let clients = scenario.clients.iter().map(|(name, place)| (format!("clients.{name}"), place));
        let free = build::places_are_free(scenario);
        for (path, name) in nodes.chain(workloads).chain(clients) {
            let Some(place) = map.find(name) else {
                let region = name.split('/').next().unwrap_or_default();
                if !free && map.find(region).is_none_or(|region| !map.zones(region).is_empty()) {
                    self.unknown_place(path, name, &map);
                }
                continue;
            };
            let zones: Vec<&str> = map.zones(place).into_iter().map(|zone| map.name(zone)).collect();
            if !free && !zones.is_empty() {
                let message = format!("`{name}` has several zones: which?");
                self.report_with(path, message, format!("one of {}", zones.join(", ")));
            }
        }
        if self.problems.is_empty()
            && let Err(message) = build::network(scenario, map, Streams::new(0))
        {
            let other = "give it under `topology: rtts`, or a `latency` for such links under `network`";
            self.problems.push(match &scenario.topology.rtt_file {
                Some(file) => Problem::of("topology.rtt-file", message)
                    .help(format!("add the row to `{file}`: each direction has its own; or {other}")),
                None if scenario.topology.rtts.iter().any(|rtt| rtt.from.is_some()) => Problem::of(
                    "topology", message,
                )
                .help(format!("`from` and `to` give one direction, `between: [a, b]` both; or {other}")),
                None => Problem::of("topology", message).help(other),
            });
        }
    }

    fn timeout(&mut self, path: &str, timeout: Duration) {
        if timeout == Duration::ZERO {
            let message = "every operation would be given up at once";
            self.report_with(format!("{path}.timeout"), message, "must be more than 0");
        }
    }

    fn read_from(&mut self, path: String, read_from: &ReadFrom) {
        if let ReadFrom::Node(name) = read_from {
            self.node(format!("{path}.node"), name);
        }
    }

    fn node(&mut self, path: String, name: &str) {
        if !self.scenario.topology.nodes.contains_key(name) {
            let names: Vec<&str> = self.scenario.topology.nodes.keys().map(String::as_str).collect();
            self.unknown(path, "node", name, names);
        }
    }

    fn too_late(&mut self, path: String) {
        let message = format!("nothing happens after the clients stop, at {}", self.scenario.duration);
        self.report_with(path, message, "must be before the end of `duration`");
    }

    fn unknown(&mut self, path: impl Into<String>, what: &str, name: &str, known: Vec<&str>) {
        let problem = Problem::of(path, format!("there is no {what} `{name}`"));
        let help = match known.len() {
            0 => format!("there are no {what}s"),
            1..=MOST_LISTED if what.contains(", ") => format!("there are {}", known.join(", ")),
            1..=MOST_LISTED => format!("the {what}s are {}", known.join(", ")),
            many => format!("there are {many}, among them {}", known[..MOST_LISTED].join(", ")),
        };
        let problem = problem.help(help);
        self.problems.push(match did_you_mean(name, known) {
            Some(close) => problem.label(format!("did you mean `{close}`?")),
            None => problem,
        });
    }

    fn unknown_place(&mut self, path: String, name: &str, map: &Map) {
        // In a region that is known its zones, else the regions: a list of all is too long to read.
        let region = name.split('/').next().unwrap_or_default();
        let of_region = format!("{region}/");
        let listed = match map.find(region) {
            Some(_) => map.names().filter(|name| name.starts_with(&of_region)).collect(),
            None => map.names().filter(|name| !name.contains('/')).collect(),
        };
        self.unknown(path, "place", name, listed);
        if let (Some(close), Some(problem)) = (did_you_mean(name, map.names()), self.problems.last_mut()) {
            problem.label = Some(format!("did you mean `{close}`?"));
        }
        if self.scenario.topology.preset.is_none()
            && name.contains('/')
            && let Some(help) = self.problems.last_mut().and_then(|problem| problem.help.as_mut())
        {
            *help += &format!(
                "; or give round trips between regions instead, `between: [{region}, …]`: its zones may then be named as one likes"
            );
        }
    }
}
