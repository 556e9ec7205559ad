//! What a workload is: a stream of operations that come from one place.
//!
//! Most workloads are open-loop: operations start when they are due, whether or not earlier ones have been answered, and
//! latency counts from then. So a slow system is not asked less, and its latency is not hidden (coordinated omission).
//! A closed loop waits for its answers, as a few clients do. One kind follows others: it reads what they have just
//! written, at chosen times after they were told so.

use replisim_engine::{Bytes, Duration, Share};
use replisim_protocols::Consistency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arrivals::{Arrivals, ReadAfterAck};
use crate::keys::Keys;
use crate::retries::Retries;
use crate::writes::Writes;

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
    /// Which member its reads are sent to.
    #[serde(default)]
    pub read_from: ReadFrom,
    /// How long a client waits before it gives an operation up, or an attempt at it where there are `retries`; its outcome
    /// is then unknown.
    #[serde(default = "default_timeout")]
    pub timeout: Duration,
    /// How many sessions its operations belong to, each to one drawn at random: what `session` reads must not fall
    /// behind. One unless given; not to be given for a closed loop, where each client is a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// The most operations that are under way at a time; the others wait in line at the client. No limit unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// How its clients try again what was refused, or not answered in time. They do not unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
}

/// Which member its reads are sent to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFrom {
    /// The primary.
    Primary,
    /// The member with the shortest mean round trip from the client, dead or alive; the first in file order among equals.
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
            _ => None,
        }
    }

    /// In how many sessions its operations are made.
    pub fn count_sessions(&self) -> u32 {
        match &self.arrivals {
            Arrivals::ClosedLoop(closed) => closed.clients,
            _ => self.sessions.unwrap_or(1),
        }
    }

    /// The number of keys that it chooses from by itself.
    pub fn count_keys(&self) -> u32 {
        if self.follows().is_some() { 0 } else { self.keys.unwrap_or_default().count() }
    }

    /// Writes a second that it offers.
    pub(crate) fn write_rate(&self) -> f64 {
        self.arrivals.mean_rate() * (1.0 - self.share_of_reads())
    }

    pub(crate) fn share_of_reads(&self) -> f64 {
        self.reads.map_or(1.0, Share::get)
    }
}

pub(crate) fn default_timeout() -> Duration {
    Duration::from_secs(1)
}

fn default_value() -> Bytes {
    Bytes::new(100)
}
