//! A lossy link: some messages are lost on the way, or arrive twice.
//!
//! What happens: on an unordered link each message is lost or doubled by itself; on an ordered one the connection
//! sends again what was lost, and everything behind it waits.
//! What is kept: on ordered links every message arrives once, in order, if late.

use replisim_engine::Share;
use replisim_network::Impairment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Ends, Fault, Named, Scene};

/// Makes links lose messages, or deliver them twice. Ordered links send again what is lost, and drop second copies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LossyLinkFault {
    /// Which links.
    pub link: Ends,
    /// The share of messages that is lost.
    #[serde(default = "none")]
    pub loss: Share,
    /// The share of messages that arrives twice; unordered links only.
    #[serde(default = "none")]
    pub duplicate: Share,
}

fn none() -> Share {
    Share::new(0.0)
}

impl Fault for LossyLinkFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        self.link.names().into_iter().map(|(path, name)| (format!("link.{path}"), name)).collect()
    }

    fn problem(&self, scene: &Scene<'_>) -> Option<(String, String)> {
        if self.loss.get() == 0.0 && self.duplicate.get() == 0.0 {
            return Some((String::new(), "loses nothing: give `loss` or `duplicate`".to_owned()));
        }
        self.link.problem(scene).map(|(_, message)| ("link".to_owned(), message))
    }

    fn label(&self) -> String {
        format!("{} lossy", self.link.label())
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        let (from, to, both) = self.link.sites(scene);
        let (loss, duplicate) = (self.loss.get(), self.duplicate.get());
        vec![Change::Impair(Impairment { both, loss, duplicate, ..Impairment::between(from, to) })]
    }
}
