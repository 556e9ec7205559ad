//! What a scenario says about links. Each setting is looked up by itself: the pair of sites first, then the class of
//! the link, then `default`, then the default of the language.

use replisim_engine::{Duration, Law};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The minimum retransmission time-out of Linux TCP (`TCP_RTO_MIN`).
pub const RETRANSMISSION_TIMEOUT: Duration = Duration::from_millis(200);

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

/// Settings of a kind of link.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LinkSettings {
    /// The law of the one-way delay; replaces the delay from the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Law>,
    /// The shape of the variation around the delay from the map, whose mean stays what it was: the law's own mean is
    /// taken off again. Where that mean is larger than the delay, the law is scaled down to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Law>,
    /// Messages arrive in the order in which they were sent, like bytes of a TCP connection (default true).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// Ordered links: how long a lost message waits for its first retransmission; doubles each time (default 200ms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retransmission_timeout: Option<Duration>,
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
    /// As in the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Law>,
    /// As in the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Law>,
    /// As in the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// As in the classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retransmission_timeout: Option<Duration>,
}

impl LinkSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == LinkSettings::default()
    }

    /// These settings, with `other` wherever these say nothing.
    pub(crate) fn or(&self, other: &LinkSettings) -> LinkSettings {
        LinkSettings {
            // A more specific jitter is meant for the delay that it stands beside, so the two go together.
            latency: self
                .latency
                .clone()
                .or_else(|| self.jitter.is_none().then(|| other.latency.clone()).flatten()),
            jitter: self
                .jitter
                .clone()
                .or_else(|| self.latency.is_none().then(|| other.jitter.clone()).flatten()),
            ordered: self.ordered.or(other.ordered),
            retransmission_timeout: self.retransmission_timeout.or(other.retransmission_timeout),
        }
    }
}

impl PairSettings {
    /// The settings without the names.
    pub fn settings(&self) -> LinkSettings {
        LinkSettings {
            latency: self.latency.clone(),
            jitter: self.jitter.clone(),
            ordered: self.ordered,
            retransmission_timeout: self.retransmission_timeout,
        }
    }

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

    /// Every settings block, with its path below `network`.
    pub fn blocks(&self) -> Vec<(String, LinkSettings)> {
        let mut blocks = vec![
            ("default".to_owned(), self.default.clone()),
            ("same-node".to_owned(), self.same_node.clone()),
            ("same-zone".to_owned(), self.same_zone.clone()),
            ("same-region".to_owned(), self.same_region.clone()),
            ("cross-region".to_owned(), self.cross_region.clone()),
        ];
        blocks
            .extend(self.links.iter().enumerate().map(|(i, pair)| (format!("links[{i}]"), pair.settings())));
        blocks
    }

    /// Every law, for whoever opens the files of empirical ones.
    pub fn laws_mut(&mut self) -> Vec<&mut Law> {
        let classes = [
            &mut self.default,
            &mut self.same_node,
            &mut self.same_zone,
            &mut self.same_region,
            &mut self.cross_region,
        ];
        let of_classes =
            classes.into_iter().flat_map(|block| block.latency.iter_mut().chain(block.jitter.iter_mut()));
        let of_pairs =
            self.links.iter_mut().flat_map(|pair| pair.latency.iter_mut().chain(pair.jitter.iter_mut()));
        of_classes.chain(of_pairs).collect()
    }
}
