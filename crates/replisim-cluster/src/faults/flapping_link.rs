//! A flapping link: it goes down and comes back, again and again.
//!
//! What happens: cut for `down`, whole for `up`, and so on from the begin, which is a cut. An ordered link suffers
//! more than its share: each cut doubles the wait for the next retransmission, which may fall into the next cut.
//! What is kept: as in a partition.

use replisim_engine::Duration;
use replisim_network::{InFlight, Partition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Ends, Fault, Named, Scene};

/// Cuts links again and again: cut for `down`, whole for `up`, from the begin on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FlappingLinkFault {
    /// Which links.
    pub link: Ends,
    /// How long it is cut.
    pub down: Duration,
    /// How long it is whole in between.
    pub up: Duration,
}

impl Fault for FlappingLinkFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        self.link.names().into_iter().map(|(path, name)| (format!("link.{path}"), name)).collect()
    }

    fn problem(&self, scene: &Scene<'_>) -> Option<(String, String)> {
        // Faster than this is loss, and a flood of events.
        let least = Duration::from_millis(1);
        for (field, value) in [("down", self.down), ("up", self.up)] {
            if value < least {
                return Some((field.to_owned(), format!("must be at least {least}; for less use `lossy-link`")));
            }
        }
        self.link.problem(scene).map(|(_, message)| ("link".to_owned(), message))
    }

    fn label(&self) -> String {
        format!("{} flapping", self.link.label())
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        let (from, to, both) = self.link.sites(scene);
        let cut = |from: &[_], to: &[_]| Change::Cut(Partition::one_way(scene.sites(), from, to, InFlight::Deliver));
        let mut changes = vec![cut(&from, &to)];
        if both {
            changes.push(cut(&to, &from));
        }
        changes
    }

    fn beat(&self, beat: u64) -> Option<Duration> {
        Some(if beat.is_multiple_of(2) { self.down } else { self.up })
    }
}
