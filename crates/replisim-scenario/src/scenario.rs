//! The fields of a scenario.

use indexmap::IndexMap;
use replisim_cluster::{ClockSettings, DiskSettings, FaultEntry, Step, Workload};
use replisim_engine::{Duration, Law, Time};
use replisim_network::NetworkSettings;
use replisim_observe::{Groups, Placement, Roster, Window};
use replisim_protocols::Members;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expectation::Expectation;
use crate::sentence::Sentence;

/// A scenario: who takes part, over which network and protocol, what clients do and what goes wrong.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What results are filed under: lower-case letters, digits and dashes. The name of the file unless given.
    #[serde(default)]
    pub name: String,
    /// What the scenario shows, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What the reader should ask before looking at the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// The answer in a sentence; figures in braces, such as `{max(staleness)}`, are filled in from the run.
    #[serde(default, skip_serializing_if = "Sentence::is_empty")]
    pub answer: Sentence,
    /// Decides all randomness of the run.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// How long clients work.
    pub duration: Duration,
    /// At the beginning, how long samples do not count yet.
    #[serde(default)]
    pub warmup: Duration,
    /// At the end, how long the system may take to become quiet after the clients have stopped and faults have healed.
    #[serde(default = "default_settle")]
    pub settle: Duration,
    /// Nodes, and the map they are on.
    pub topology: TopologySettings,
    /// Several replication groups instead of one of all nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupSettings>,
    /// How links behave.
    #[serde(default)]
    pub network: NetworkSettings,
    /// How long the nodes' disks take.
    #[serde(default)]
    pub disk: DiskSettings,
    /// Clocks that are wrong: of nodes, workloads and clients of the script, by name. The others are right.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub clocks: IndexMap<String, ClockSettings>,
    /// How writes get from node to node.
    pub protocol: ProtocolSettings,
    /// Streams of operations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workload: Vec<Workload>,
    /// Clients of the script: name and place of each.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub clients: IndexMap<String, String>,
    /// Single operations at given times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<Step>,
    /// What goes wrong, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultEntry>,
    /// What must come out, such as `p99(staleness{workload=readers}) < 30s`: makes the scenario a test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
}

/// Nodes, and the map they are on: a built-in one, your own CSV file, round-trip times spelled out, or none (then every
/// link needs a `latency` under `network`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TopologySettings {
    /// A built-in map: `ibm-cloud` (regions and zones, measured 2026) or `aws` (regions, undated sample).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A CSV file with the columns from, to, round-trip time in milliseconds; each direction has its own row. Places
    /// are regions (`us`) or zones (`us/a`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_file: Option<String>,
    /// Round-trip times spelled out; they come on top of a preset or file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rtts: Vec<Rtt>,
    /// Name and place of each node, in order; the first is the primary unless the protocol says otherwise. Under a name
    /// may also stand so many nodes: `n: { count: 3, at: us/a }` is n1, n2 and n3.
    #[serde(deserialize_with = "crate::nodes::expanded")]
    #[schemars(with = "IndexMap<String, crate::nodes::NodeSettings>")]
    pub nodes: IndexMap<String, String>,
}

/// Several replication groups (shards): each has some of the nodes and of the keys, and a primary of its own. The nodes
/// stand in a circle in file order, and each group has the next `members` of them after those of the group before; its
/// first node is its primary. A key belongs to the group of its number modulo `count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupSettings {
    /// How many groups.
    pub count: u32,
    /// How many nodes each has. A node may be in several groups.
    pub members: u32,
}

/// One round-trip time: `between` for both directions, `from` and `to` for one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rtt {
    /// Two places; both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[String; 2]>,
    /// Where the measurement was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// There and back.
    pub rtt: Duration,
}

/// Makes the configuration of all protocols out of their table.
macro_rules! protocol_settings {
    ($(($name:literal, $variant:ident, $protocol:ty),)*) => {
        /// Which protocol, and its settings. A bare name means all defaults.
        #[allow(missing_docs)] // the protocols document themselves
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum ProtocolSettings {
            $(
                #[serde(rename = $name)]
                $variant(<$protocol as replisim_protocols::Protocol>::Config),
            )*
        }

        impl ProtocolSettings {
            /// Names of all protocols.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Name in YAML.
            pub fn name(&self) -> &'static str {
                match self { $(ProtocolSettings::$variant(_) => $name,)* }
            }

            /// The members that the settings name, each with the field in which the name stands.
            pub fn members_named(&self) -> Vec<(&'static str, &str)> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::members_named(config),)*
                }
            }

            /// Whether the protocol, so configured, can do what an operator orders; if not, why not.
            pub fn obeys(&self, command: replisim_protocols::Command) -> Result<(), &'static str> {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::obeys(command, config),)*
                }
            }

            /// What the reader of the results must know of these settings.
            pub fn caveats(&self) -> Vec<String> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::caveats(config),)*
                }
            }

            /// The same where clients write what rests on nothing that they have read.
            pub fn caveats_of_blind_writes(&self) -> Vec<String> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::caveats_of_blind_writes(config),)*
                }
            }

            /// Whether members go on bringing copies together when no client asks for anything.
            pub fn repairs_unasked(&self) -> bool {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::repairs_unasked(config),)*
                }
            }

            /// What these settings come to when these members are down together.
            pub fn caveats_without(&self, down: &std::collections::BTreeSet<replisim_observe::Member>, members: replisim_protocols::Members<'_>) -> Vec<String> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::caveats_without(config, down, members),)*
                }
            }

            /// What these settings come to when a member is promoted that reaches so many.
            pub fn caveat_of_promotion(&self, reached: u32, members: replisim_protocols::Members<'_>) -> Option<String> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::caveat_of_promotion(config, reached, members),)*
                }
            }

            /// What these settings come to when the network is so cut that no member reaches more than so many.
            pub fn caveat_of_cut(&self, reached: u32, members: replisim_protocols::Members<'_>) -> Option<String> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::caveat_of_cut(config, reached, members),)*
                }
            }

            /// Whether the protocol, so configured, can do what clients ask; if not, why not.
            pub fn performs(&self, operation: replisim_protocols::Operation) -> Result<(), &'static str> {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::performs(operation, config),)*
                }
            }

            /// How the attempts of one write are told to be one; if the protocol, so configured, cannot tell, why not.
            pub fn tokens(&self) -> Result<replisim_protocols::Tokens, &'static str> {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::tokens(config),)*
                }
            }

            /// Which members keep which keys.
            pub fn placement(&self, members: replisim_protocols::Members<'_>) -> replisim_observe::Placement {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::placement(members, config),)*
                }
            }

            /// In how many lanes the versions of a key stand.
            pub fn lanes(&self, members: replisim_protocols::Members<'_>) -> u32 {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::lanes(members, config),)*
                }
            }

            /// Who would take over from a lost primary.
            pub fn promotion(&self, members: replisim_protocols::Members<'_>) -> replisim_observe::PromotionRule {
                match self {
                    $(ProtocolSettings::$variant(config) => <$protocol as replisim_protocols::Protocol>::promotion(members, config),)*
                }
            }

            /// What is wrong with the settings in a group of these members, if something is.
            pub fn problems(&self, members: replisim_protocols::Members<'_>) -> Vec<replisim_protocols::SettingProblem> {
                match self {
                    $(ProtocolSettings::$variant(config) => replisim_protocols::Configuration::problems(config, members),)*
                }
            }
        }
    };
}

replisim_protocols::for_each_protocol!(protocol_settings);

impl Scenario {
    /// The scenario as YAML, with every default and override in it.
    pub fn to_yaml(&self) -> Result<String, String> {
        serde_saphyr::to_string(self).map_err(|error| error.to_string())
    }

    /// The JSON Schema of the language, for editors.
    pub fn json_schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Scenario).to_value();
        crate::schema::complete(&mut schema);
        schema
    }

    /// Writes down the defaults that depend on other settings.
    pub(crate) fn fill_in(&mut self) {
        for workload in self.workload.iter_mut().filter(|workload| workload.follows().is_none()) {
            workload.keys.get_or_insert_default();
        }
    }

    /// Makes an entry for each of the nodes that break down by themselves. After the checks, which name places in the
    /// file.
    pub(crate) fn break_down_each(&mut self) {
        self.faults = std::mem::take(&mut self.faults).into_iter().flat_map(FaultEntry::each).collect();
    }

    /// All laws, each with its path.
    pub(crate) fn laws_mut(&mut self) -> Vec<(String, &mut Law)> {
        let blocks = self.network.blocks();
        let paths = blocks.iter().flat_map(|(block, settings)| {
            let laws = [("latency", &settings.latency), ("jitter", &settings.jitter)];
            let given = laws.into_iter().filter(|(_, law)| law.is_some());
            given.map(move |(field, _)| format!("network.{block}.{field}"))
        });
        let mut laws: Vec<_> = paths.zip(self.network.laws_mut()).collect();
        laws.extend(self.disk.fsync.as_mut().map(|law| ("disk.fsync".to_owned(), law)));
        for (i, workload) in self.workload.iter_mut().enumerate() {
            let given = workload.arrivals.laws_mut().into_iter();
            laws.extend(given.map(|(path, law)| (format!("workload[{i}].arrivals.{path}"), law)));
        }
        laws
    }

    /// The part of the run whose samples count.
    pub fn window(&self) -> Window {
        Window { from: Time::ZERO + self.warmup, to: Time::ZERO + self.duration }
    }

    /// Names of all clients: workloads, then clients of the script.
    pub fn client_names(&self) -> impl Iterator<Item = &str> {
        self.workload
            .iter()
            .map(|workload| workload.name.as_str())
            .chain(self.clients.keys().map(String::as_str))
    }

    /// Places of all clients, in the same order.
    pub fn client_places(&self) -> impl Iterator<Item = &str> {
        self.workload
            .iter()
            .map(|workload| workload.at.as_str())
            .chain(self.clients.values().map(String::as_str))
    }

    /// Names of all nodes.
    pub fn node_names(&self) -> Vec<String> {
        self.topology.nodes.keys().cloned().collect()
    }

    /// The region of each node, and then of each client, as a number.
    pub fn regions(&self) -> Vec<u32> {
        let mut seen: Vec<&str> = Vec::new();
        let places = self.topology.nodes.values().map(String::as_str).chain(self.client_places());
        let region = |place: &'_ str| place.split_once('/').map_or(place.len(), |(region, _)| region.len());
        let numbers = places.map(|place| {
            let name = &place[..region(place)];
            let known = seen.iter().position(|other| *other == name);
            known.unwrap_or_else(|| {
                seen.push(name);
                seen.len() - 1
            }) as u32
        });
        numbers.collect()
    }

    /// How nodes and keys are dealt to groups, if there are several.
    pub fn groups(&self) -> Option<Groups> {
        self.groups.map(|GroupSettings { count, members }| Groups { count, members })
    }

    /// How many nodes a group has.
    pub fn group_size(&self) -> usize {
        self.groups.map_or(self.topology.nodes.len(), |groups| groups.members as usize)
    }

    /// Who takes part, by name.
    pub fn roster(&self) -> Roster {
        let (names, regions) = (self.node_names(), self.regions());
        let members = Members { names: &names, regions: &regions };
        Roster {
            placement: match self.groups() {
                Some(groups) => Placement::Groups(groups),
                None => self.protocol.placement(members),
            },
            lanes: self.protocol.lanes(members),
            promotion: self.protocol.promotion(members),
            members: names.clone(),
            clients: self.client_names().map(str::to_owned).collect(),
            faults: self.faults.iter().map(fault_name).collect(),
            keys: self.workload_keys() + self.script_keys().len(),
            retries: self.workload.iter().any(|workload| workload.retries.is_some()),
            unavailability_bound: self.unavailability_bound(),
        }
    }

    /// How long nothing of a kind must succeed for it to count as unavailable: the longest time-out of a client.
    fn unavailability_bound(&self) -> Duration {
        let workloads = self.workload.iter().map(|workload| workload.timeout);
        workloads.chain(self.script.iter().map(|step| step.timeout)).max().unwrap_or(Duration::ZERO)
    }

    /// Number of keys of the workloads.
    pub fn workload_keys(&self) -> usize {
        self.workload.iter().map(|workload| workload.count_keys() as usize).max().unwrap_or(0)
    }

    /// Keys that the script names, in order of appearance; they come after those of the workloads.
    pub fn script_keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for key in self.script.iter().filter_map(Step::key) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

/// What a fault is called in results.
pub fn fault_name(entry: &FaultEntry) -> String {
    entry.name.clone().unwrap_or_else(|| entry.kind.fault().label())
}

/// Whether a fault is over as soon as it began: an operator's order, or a clock that is set and stays so.
pub fn is_instant(entry: &FaultEntry) -> bool {
    !entry.ends() && entry.kind.fault().stays()
}

impl Rtt {
    /// The (from, to) pairs meant; `None` if the places are not given in one of the two ways.
    pub fn directions(&self) -> Option<Vec<(&str, &str)>> {
        match (&self.between, &self.from, &self.to) {
            (Some([a, b]), None, None) if a == b => Some(vec![(a, b)]),
            (Some([a, b]), None, None) => Some(vec![(a, b), (b, a)]),
            (None, Some(from), Some(to)) => Some(vec![(from, to)]),
            _ => None,
        }
    }
}

fn default_seed() -> u64 {
    1
}

fn default_settle() -> Duration {
    Duration::from_secs(60)
}
