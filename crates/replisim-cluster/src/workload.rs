//! What a workload is: a stream of operations that come from one place.
//!
//! Workloads are open-loop: operations start when they are due, whether or not earlier ones have been answered, and
//! latency counts from then. So a slow system is not asked less, and its latency is not hidden (coordinated omission).
//! One kind follows others: it reads what they have just written, at chosen times after they were told so.

use replisim_engine::{Bytes, Duration, Law, Rate, Share};
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
    /// The share of reads among the operations; the rest write. All, and not to be given, for `read-after-ack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Share>,
    /// How the rest write.
    #[serde(default)]
    pub writes: Writes,
    /// Which keys they are about: 1000, uniformly, unless given. Not to be given for `read-after-ack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Independently of each other, at this mean rate.
    Poisson(Rate),
    /// At equal distances, from a phase drawn at the start.
    Fixed(Rate),
    /// A read of the same key after each acknowledged write of other workloads: how soon are writes seen?
    ReadAfterAck(ReadAfterAck),
}

/// Reads that follow the writes of others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReadAfterAck {
    /// The workload whose writes it follows, or a list of several.
    pub of: Vec<String>,
    /// How long after the acknowledgement each read comes. At the very instant (`constant: 0s`) it is concurrent with the
    /// write and may miss it without being stale; `1ns` is after it.
    pub after: Law,
    /// The share of the acknowledged writes that it follows.
    #[schemars(extend("default" = "100%"))]
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub share: Share,
}

/// How the writing share of a workload writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// Blindly: a new value, whatever was there.
    #[default]
    Put,
    /// A read, and as soon as its answer is there a write of what was made of it: two operations.
    ReadModifyWrite,
    /// The same, where the value is a set and each write adds a fresh element to what was read (with siblings: to the
    /// union of them all), as in Jepsen's tests of sets.
    SetAdd,
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

impl Workload {
    /// Whom it follows, if it follows others.
    pub fn follows(&self) -> Option<&ReadAfterAck> {
        match &self.arrivals {
            Arrivals::ReadAfterAck(follows) => Some(follows),
            Arrivals::Poisson(_) | Arrivals::Fixed(_) => None,
        }
    }

    /// The number of keys that it chooses from by itself.
    pub fn count_keys(&self) -> u32 {
        if self.follows().is_some() { 0 } else { self.keys.unwrap_or_default().count() }
    }

    /// Writes a second that it offers.
    pub(crate) fn write_rate(&self) -> f64 {
        match &self.arrivals {
            Arrivals::Poisson(rate) | Arrivals::Fixed(rate) => rate.get() * (1.0 - self.share_of_reads()),
            Arrivals::ReadAfterAck(_) => 0.0,
        }
    }

    pub(crate) fn share_of_reads(&self) -> f64 {
        self.reads.map_or(1.0, Share::get)
    }
}

fn all() -> Share {
    Share::new(1.0)
}

fn is_all(share: &Share) -> bool {
    *share == all()
}

pub(crate) fn default_timeout() -> Duration {
    Duration::from_secs(1)
}

fn default_value() -> Bytes {
    Bytes::new(100)
}
