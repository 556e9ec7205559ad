//! A zone outage: the machines of a zone vanish, and nobody in it reaches anything.
//!
//! What happens: every node there goes down as a machine does (unsynced data is lost), and clients there are cut off
//! from all nodes. When it ends, the machines start again. What is kept: what was synced.

use replisim_network::InFlight;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Fault, Named, Scene};

/// Takes a whole zone down: its machines vanish (what was synced is kept), and its clients reach nobody.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneOutageFault {
    /// The zone, `region/zone`.
    pub zone: String,
    /// What becomes of messages that its machines had put on the wire: by default they still arrive, as after a loss of
    /// power behind the last router, so that `async` may lose nothing; `drop` loses them too.
    #[serde(default)]
    pub in_flight: InFlight,
}

impl Fault for ZoneOutageFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        vec![("zone".to_owned(), Named::Zone(&self.zone))]
    }

    fn label(&self) -> String {
        format!("{} out", self.zone)
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        scene.outage(&self.zone, self.in_flight)
    }
}
