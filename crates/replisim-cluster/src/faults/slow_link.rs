//! A slow link: messages take longer, or fewer fit through.
//!
//! What happens: the delay of every message is multiplied and lengthened; a bandwidth caps the link's own.
//! What is kept: every message arrives, in order where the link is ordered.

use replisim_engine::{Bandwidth, Duration};
use replisim_network::Impairment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Ends, Fault, Named, Scene};

/// Makes links slow: delays × `factor` + `extra`, and a cap on the bandwidth. Every message still arrives.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlowLinkFault {
    /// Which links.
    pub link: Ends,
    /// The delay is multiplied by this.
    #[serde(default = "once")]
    pub factor: f64,
    /// And then lengthened by this.
    #[serde(default)]
    pub extra: Duration,
    /// No more than this gets through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
}

fn once() -> f64 {
    1.0
}

impl Fault for SlowLinkFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        self.link.names().into_iter().map(|(path, name)| (format!("link.{path}"), name)).collect()
    }

    fn problem(&self, scene: &Scene<'_>) -> Option<(String, String)> {
        if !(self.factor > 0.0 && self.factor <= 1e6) {
            return Some(("factor".to_owned(), "must be more than 0 and at most 1000000".to_owned()));
        }
        if self.factor == 1.0 && self.extra == Duration::ZERO && self.bandwidth.is_none() {
            return Some((String::new(), "slows nothing: give `factor`, `extra` or `bandwidth`".to_owned()));
        }
        self.link.problem(scene).map(|(_, message)| ("link".to_owned(), message))
    }

    fn label(&self) -> String {
        format!("{} slow", self.link.label())
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        let (from, to, both) = self.link.sites(scene);
        let (factor, extra, bandwidth) = (self.factor, self.extra, self.bandwidth);
        vec![Change::Impair(Impairment { both, factor, extra, bandwidth, ..Impairment::between(from, to) })]
    }
}
