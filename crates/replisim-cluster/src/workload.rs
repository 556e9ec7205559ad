//! What a workload is: a stream of operations that come from one place.
//!
//! Workloads are open-loop: operations start when they are due, whether or not earlier ones have been answered, and
//! latency counts from then. So a slow system is not asked less, and its latency is not hidden (coordinated omission).

use replisim_engine::{Bytes, Duration, Rate, Share};
use replisim_protocols::Consistency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// A stream of operations.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// What the results call it.
    pub name: String,
    /// Where its clients are: `region` or `region/zone`.
    pub at: String,
    /// When operations come.
    pub arrivals: Arrivals,
    /// The share of reads among the operations; the rest are puts.
    pub reads: Share,
    /// Which keys they are about.
    #[serde(default)]
    pub keys: Keys,
    /// Size of a value.
    #[serde(default = "default_value")]
    pub value: Bytes,
    /// What reads ask for.
    #[serde(default)]
    pub consistency: Consistency,
    /// Which member serves eventual reads.
    #[serde(default)]
    pub read_from: ReadFrom,
    /// How long a client waits before it gives an operation up; its outcome is then unknown.
    #[serde(default = "default_timeout")]
    pub timeout: Duration,
}

/// When operations come.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Independently of each other, at this mean rate.
    Poisson(Rate),
    /// At equal distances, from a phase drawn at the start.
    Fixed(Rate),
}

/// Which member serves eventual reads.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFrom {
    /// The primary.
    Primary,
    /// The member with the shortest mean round trip from the client; the first in file order among equals.
    #[default]
    Nearest,
    /// Any member, drawn anew for each read.
    Random,
    /// This node.
    Node(String),
}

impl Arrivals {
    /// Operations per second.
    pub(crate) fn rate(self) -> f64 {
        match self {
            Arrivals::Poisson(rate) | Arrivals::Fixed(rate) => rate.get(),
        }
    }
}

pub(crate) fn default_timeout() -> Duration {
    Duration::from_secs(1)
}

fn default_value() -> Bytes {
    Bytes::new(100)
}
