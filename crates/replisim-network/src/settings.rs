//! What a scenario says about links. Each setting is looked up by itself: the pair of sites first, then the class of
//! the link, then `default`, then the default of the language. A law for one kind of message goes before the law of
//! the whole block it stands in, and behind everything that a more specific block says.

use replisim_engine::{Bandwidth, Bytes, Duration, Law, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::routing::Routing;

/// The minimum retransmission time-out of Linux TCP (`TCP_RTO_MIN`).
pub const RETRANSMISSION_TIMEOUT: Duration = Duration::from_millis(200);
/// How much the kernel takes from a process before it must wait (the most that `tcp_wmem` of Linux grows to).
pub const BUFFER: Bytes = Bytes::new(4 << 20);
/// How much may be under way unacknowledged (half of the 6 MiB that `tcp_rmem` of Linux grows to).
pub const WINDOW: Bytes = Bytes::new(3 << 20);
/// How long a connection goes on without any acknowledgement.
pub const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// How far apart the ends of a link are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LinkClass {
    /// Both ends are the same node; costs nothing unless the scenario says so.
    SameNode,
    /// Two machines of one zone.
    SameZone,
    /// Two zones of one region.
    SameRegion,
    /// Two regions.
    CrossRegion,
}

/// The `network:` section.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// How messages find their way where a partition severs the direct link.
    #[schemars(extend("default" = "direct"))]
    #[serde(skip_serializing_if = "Routing::is_direct")]
    pub routing: Routing,
    /// For every link, where nothing more specific is said.
    #[serde(skip_serializing_if = "LinkSettings::is_empty")]
    pub default: LinkSettings,
    /// From a node to itself.
    #[serde(skip_serializing_if = "LinkSettings::is_empty")]
    pub same_node: LinkSettings,
    /// Between machines of one zone.
    #[serde(skip_serializing_if = "LinkSettings::is_empty")]
    pub same_zone: LinkSettings,
    /// Between zones of one region.
    #[serde(skip_serializing_if = "LinkSettings::is_empty")]
    pub same_region: LinkSettings,
    /// Between regions.
    #[serde(skip_serializing_if = "LinkSettings::is_empty")]
    pub cross_region: LinkSettings,
    /// For single pairs of nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<PairSettings>,
}

/// Laws of single kinds of messages.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct KindSettings {
    /// Requests of clients.
    #[serde(skip_serializing_if = "LawSettings::is_empty")]
    pub request: LawSettings,
    /// Answers to requests.
    #[serde(skip_serializing_if = "LawSettings::is_empty")]
    pub reply: LawSettings,
    /// Data between replicas.
    #[serde(skip_serializing_if = "LawSettings::is_empty")]
    pub replicate: LawSettings,
    /// Acknowledgements between replicas.
    #[serde(skip_serializing_if = "LawSettings::is_empty")]
    pub acknowledge: LawSettings,
    /// Everything else between replicas.
    #[serde(skip_serializing_if = "LawSettings::is_empty")]
    pub control: LawSettings,
}

/// The law of a delay: one of the two.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LawSettings {
    /// The law of the one-way delay; replaces the delay from the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Law>,
    /// The shape of the variation around the delay from the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Law>,
}

/// Declares the settings of a kind of link and those of a pair, which say the same things: serde's `flatten` would
/// share them too, but lose the place of a mistake.
macro_rules! link_settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// Settings of a kind of link.
        #[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct LinkSettings {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
            /// Laws for single kinds of messages.
            #[serde(skip_serializing_if = "KindSettings::is_empty")]
            pub kinds: KindSettings,
        }

        /// Settings of the links between two nodes: `between` for both directions, `from` and `to` for one.
        #[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct PairSettings {
            /// Two nodes; both directions.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub between: Option<[String; 2]>,
            /// The sending node.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub from: Option<String>,
            /// The receiving node.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub to: Option<String>,
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
            /// Laws for single kinds of messages.
            #[serde(skip_serializing_if = "KindSettings::is_empty")]
            pub kinds: KindSettings,
        }

        impl PairSettings {
            /// The settings without the names.
            pub fn settings(&self) -> LinkSettings {
                LinkSettings { $($field: self.$field.clone(),)* kinds: self.kinds.clone() }
            }
        }

        impl LinkSettings {
            /// These settings, with `other` wherever these say nothing.
            pub(crate) fn or(&self, other: &LinkSettings) -> LinkSettings {
                let mut merged = LinkSettings {
                    $($field: self.$field.clone().or_else(|| other.$field.clone()),)*
                    kinds: self.kinds.clone(),
                };
                // A more specific jitter is meant for the delay that it stands beside, so the two go together.
                if self.gives_law() {
                    (merged.latency, merged.jitter) = (self.latency.clone(), self.jitter.clone());
                } else {
                    for (mine, theirs) in merged.kinds.all_mut().into_iter().zip(other.kinds.all()) {
                        if mine.is_empty() {
                            *mine = theirs.clone();
                        }
                    }
                }
                merged
            }
        }
    };
}

link_settings! {
    /// The law of the one-way delay; replaces the delay from the map.
    latency: Law,
    /// The shape of the variation around the delay from the map, whose mean stays what it was: the law's own mean is
    /// taken off again. Where that mean is larger than the delay, the law is scaled down to it.
    jitter: Law,
    /// Messages arrive in the order in which they were sent, as bytes of a TCP connection.
    #[schemars(extend("default" = true))]
    ordered: bool,
    /// The share of messages that the network loses. Ordered links send them again.
    #[schemars(extend("default" = Share::new(0.0)))]
    loss: Share,
    /// Unordered links: the share of messages that arrive twice.
    #[schemars(extend("default" = Share::new(0.0)))]
    duplicate: Share,
    /// How fast a message gets onto the wire; behind it others wait (default: at once).
    bandwidth: Bandwidth,
    /// Ordered links: what the kernel of the sender takes before messages wait in its process. What the kernel
    /// has is still sent when the process dies.
    #[schemars(extend("default" = BUFFER))]
    buffer: Bytes,
    /// Ordered links: how much may be under way unacknowledged, so that a link carries no more than this in each
    /// round trip.
    #[schemars(extend("default" = WINDOW))]
    window: Bytes,
    /// Ordered links: the least that a lost message waits for its retransmission beyond the round trip; doubles each
    /// time.
    #[schemars(extend("default" = RETRANSMISSION_TIMEOUT))]
    retransmission_timeout: Duration,
    /// Ordered links: how long a connection goes on without any acknowledgement; then it closes, and what has not
    /// arrived is lost.
    #[schemars(extend("default" = USER_TIMEOUT))]
    user_timeout: Duration,
}

impl LinkSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == LinkSettings::default()
    }

    fn gives_law(&self) -> bool {
        self.latency.is_some() || self.jitter.is_some()
    }

    fn laws_mut(&mut self) -> Vec<&mut Law> {
        laws_of(&mut self.latency, &mut self.jitter, &mut self.kinds)
    }
}

impl LawSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.latency.is_none() && self.jitter.is_none()
    }
}

impl KindSettings {
    /// The names of the kinds in YAML, in the order of [`KindSettings::all`].
    pub const NAMES: [&'static str; 5] = ["request", "reply", "replicate", "acknowledge", "control"];

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.all().into_iter().all(LawSettings::is_empty)
    }

    /// The settings of all kinds, in the order of [`Traffic`](crate::Traffic).
    pub fn all(&self) -> [&LawSettings; 5] {
        [&self.request, &self.reply, &self.replicate, &self.acknowledge, &self.control]
    }

    fn all_mut(&mut self) -> [&mut LawSettings; 5] {
        [&mut self.request, &mut self.reply, &mut self.replicate, &mut self.acknowledge, &mut self.control]
    }
}

fn laws_of<'a>(
    latency: &'a mut Option<Law>,
    jitter: &'a mut Option<Law>,
    kinds: &'a mut KindSettings,
) -> Vec<&'a mut Law> {
    let of_kinds =
        kinds.all_mut().into_iter().flat_map(|kind| kind.latency.iter_mut().chain(kind.jitter.iter_mut()));
    latency.iter_mut().chain(jitter.iter_mut()).chain(of_kinds).collect()
}

impl PairSettings {
    /// The (sender, receiver) pairs meant, by name; `None` if the names are not given in one of the two ways.
    pub fn directions(&self) -> Option<Vec<(&str, &str)>> {
        match (&self.between, &self.from, &self.to) {
            (Some([a, b]), None, None) => Some(vec![(a, b), (b, a)]),
            (None, Some(from), Some(to)) => Some(vec![(from, to)]),
            _ => None,
        }
    }
}

impl NetworkSettings {
    /// What holds for links of a class.
    pub(crate) fn class(&self, class: LinkClass) -> LinkSettings {
        let specific = match class {
            LinkClass::SameNode => return self.same_node.clone(),
            LinkClass::SameZone => &self.same_zone,
            LinkClass::SameRegion => &self.same_region,
            LinkClass::CrossRegion => &self.cross_region,
        };
        specific.or(&self.default)
    }

    /// Every settings block, with its path below `network`; the laws of a kind of message are a block of their own
    /// behind the one they stand in.
    pub fn blocks(&self) -> Vec<(String, LinkSettings)> {
        let classes = [
            ("default", &self.default),
            ("same-node", &self.same_node),
            ("same-zone", &self.same_zone),
            ("same-region", &self.same_region),
            ("cross-region", &self.cross_region),
        ];
        let classes = classes.into_iter().map(|(name, block)| (name.to_owned(), block.clone()));
        let pairs = self.links.iter().enumerate().map(|(i, pair)| (format!("links[{i}]"), pair.settings()));
        let mut blocks = Vec::new();
        for (path, block) in classes.chain(pairs) {
            let kinds = block.kinds.clone();
            blocks.push((path.clone(), block));
            for (name, LawSettings { latency, jitter }) in KindSettings::NAMES.into_iter().zip(kinds.all()) {
                let laws = LinkSettings {
                    latency: latency.clone(),
                    jitter: jitter.clone(),
                    ..LinkSettings::default()
                };
                if !laws.is_empty() {
                    blocks.push((format!("{path}.kinds.{name}"), laws));
                }
            }
        }
        blocks
    }

    /// Every law in the order of [`NetworkSettings::blocks`], for whoever opens the files of empirical ones.
    pub fn laws_mut(&mut self) -> Vec<&mut Law> {
        let classes = [
            &mut self.default,
            &mut self.same_node,
            &mut self.same_zone,
            &mut self.same_region,
            &mut self.cross_region,
        ];
        let of_classes = classes.into_iter().flat_map(LinkSettings::laws_mut);
        let of_pairs = self
            .links
            .iter_mut()
            .flat_map(|pair| laws_of(&mut pair.latency, &mut pair.jitter, &mut pair.kinds));
        of_classes.chain(of_pairs).collect()
    }
}
