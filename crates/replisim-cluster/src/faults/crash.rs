//! A crash: a process dies, or the machine under it.
//!
//! What happens: the node neither sends nor hears anything; its timers stop; what its process had received and not
//! yet handled is gone. A killed *process* leaves its machine behind: the kernel still delivers what was in its
//! connections' buffers, tells peers that the connection is closed, and keeps on the disk what had been written.
//! A *machine* that vanishes takes its buffers with it, tells nobody, and loses what was not synced.
//! What is kept: the disk as far as `unsynced` and `disk` say. When it ends, the process starts on what is left.

use replisim_network::InFlight;
use replisim_protocols::Kept;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Crash, Fault, FaultKind, Named, Scene, nodes_in, none_in};

/// Takes nodes down; `for` says when they start again (never, if it is not given). Memory and timers are gone, and what
/// had not been handled. A killed process keeps what it had written, and its kernel delivers what it was given; a
/// machine keeps what was synced, and tells nobody.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CrashFault {
    /// The nodes; or a zone or region, for all nodes there.
    pub nodes: Vec<String>,
    /// What dies.
    #[serde(default)]
    pub scope: CrashScope,
    /// What becomes of what was written and not synced: `keep` (default when a process dies) or `lose` (default when
    /// the machine goes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsynced: Option<Fate>,
    /// What becomes of the disk as a whole; lost, the node starts again with nothing.
    #[serde(default)]
    pub disk: Fate,
    /// What becomes of messages that it had put on the wire. `deliver` lets them arrive, so that `async` may lose nothing.
    #[serde(default)]
    pub in_flight: InFlight,
}

/// What dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashScope {
    /// The process; its machine and kernel live.
    #[default]
    Process,
    /// The machine.
    Machine,
}

/// Kept or lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It survives.
    #[default]
    Keep,
    /// It is gone.
    Lose,
}

impl CrashFault {
    fn kept(&self) -> Kept {
        let unsynced = self.unsynced.unwrap_or(match self.scope {
            CrashScope::Process => Fate::Keep,
            CrashScope::Machine => Fate::Lose,
        });
        match (self.disk, unsynced) {
            (Fate::Lose, _) => Kept::Nothing,
            (Fate::Keep, Fate::Lose) => Kept::Synced,
            (Fate::Keep, Fate::Keep) => Kept::Written,
        }
    }
}

impl Fault for CrashFault {
    fn names(&self) -> Vec<(String, Named<'_>)> {
        nodes_in("nodes", &self.nodes)
    }

    fn problem(&self, _: &Scene<'_>) -> Option<(String, String)> {
        none_in("nodes", &self.nodes)
    }

    fn label(&self) -> String {
        let what = match (self.disk, self.scope) {
            (Fate::Lose, _) => "down, disk lost",
            (Fate::Keep, CrashScope::Process) => "killed",
            (Fate::Keep, CrashScope::Machine) => "machine down",
        };
        format!("{} {what}", self.nodes.join(", "))
    }

    fn each(&self) -> Vec<FaultKind> {
        let by_itself = |node: &String| CrashFault { nodes: vec![node.clone()], ..self.clone() };
        self.nodes.iter().map(by_itself).map(FaultKind::Crash).collect()
    }

    fn begin(&self, scene: &Scene<'_>) -> Vec<Change> {
        let members = self.nodes.iter().flat_map(|name| scene.members(name));
        let (scope, kept, in_flight) = (self.scope, self.kept(), self.in_flight);
        members.map(|member| Change::Crash(Crash { member, scope, kept, in_flight })).collect()
    }
}
