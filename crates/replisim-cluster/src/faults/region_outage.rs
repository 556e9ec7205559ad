//! A region outage: the machines of a region vanish, and nobody in it reaches anything.
//!
//! What happens: every node there goes down as a machine does (unsynced data is lost), and clients there are cut off
//! from all nodes. When it ends, the machines start again. What is kept: what was synced.

use replisim_network::InFlight;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, Named, Scene};

/// Takes a whole region down: its machines vanish (what was synced is kept), and its clients reach nobody.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegionOutageFault {
    /// The region.
    pub region: String,
    /// What becomes of messages that its machines had put on the wire: by default they still arrive, as after a loss of
    /// power behind the last router, so that `async` may lose nothing; `drop` loses them too.
    #[serde(default)]
    pub in_flight: InFlight,
}

impl Fault for RegionOutageFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        vec![("region".to_owned(), Named::Region(&self.region))]
    }

    fn label(&self) -> String {
        format!("{} out", self.region)
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        scene.outage(&self.region, self.in_flight)
    }
}
