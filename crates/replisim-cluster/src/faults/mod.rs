//! What goes wrong, and when. A fault says what changes on the stage; the world makes the changes and, when the fault
//! ends, undoes them. To add a fault: its file, and its line in the table below.
//!
//! Faults compose. Each change is counted: a node that two faults took down is up again when both have ended; a link
//! that two faults cut is cut until both have. A fault on a node that is down already adds what it destroys there
//! (a lost disk is lost) and its own claim that the node stays down.

mod ends;
mod entry;
mod scene;
#[macro_use]
mod table;

pub use ends::Ends;
pub use entry::{Breakdowns, FaultEntry};
pub use scene::{Placed, Scene};

use replisim_engine::{Duration, Shift};
use replisim_network::{Impairment, InFlight, Partition};
use replisim_observe::Member;
use replisim_protocols::{Command, Kept};

table::faults! {
    partition, "partition" => Partition(PartitionFault),
    crash, "crash" => Crash(CrashFault),
    pause, "pause" => Pause(PauseFault),
    slow_link, "slow-link" => SlowLink(SlowLinkFault),
    lossy_link, "lossy-link" => LossyLink(LossyLinkFault),
    flapping_link, "flapping-link" => FlappingLink(FlappingLinkFault),
    zone_outage, "zone-outage" => ZoneOutage(ZoneOutageFault),
    region_outage, "region-outage" => RegionOutage(RegionOutageFault),
    clock_step, "clock-step" => ClockStep(ClockStepFault),
    promote, "promote" => Promote(PromoteFault),
}

/// What a fault does. The configuration of each fault implements this.
pub trait Fault {
    /// What it names, each with the path of the name below the fault.
    fn names(&self) -> Vec<(String, Named<'_>)>;

    /// What is wrong with its settings, if something is: path below the fault, message. Names are known to exist.
    fn problem(&self, _: &Scene<'_>) -> Option<(String, String)> {
        None
    }

    /// Who does what to whom, in a few words for charts.
    fn label(&self) -> String;

    /// What changes when it begins.
    fn begin(&self, scene: &Scene<'_>) -> Vec<Change>;

    /// A fault that comes and goes while it lasts: how long until its `beat`-th turn (0: the first after its begin).
    /// At each turn what it changed is undone, or changed again, in turns.
    fn beat(&self, _beat: u64) -> Option<Duration> {
        None
    }

    /// The same fault for each of the nodes that it names, where each can have it by itself.
    fn each(&self) -> Vec<FaultKind> {
        Vec::new()
    }

    /// Whether what it does is done in an instant and stays, unless `for` says until when.
    fn stays(&self) -> bool {
        self.command().is_some()
    }

    /// What it orders of the protocol, which must be able to obey.
    fn command(&self) -> Option<Command> {
        None
    }
}

/// A name in a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// Of a node.
    Node(&'a str),
    /// Of a node; or of a zone or region, for all nodes there.
    Nodes(&'a str),
    /// Of a node; or of a zone or region, for everybody there.
    Sites(&'a str),
    /// Of a zone.
    Zone(&'a str),
    /// Of a region.
    Region(&'a str),
}

/// The nodes that a list names, each with its path; that of the list is `field`.
fn nodes_in<'a>(field: &str, list: &'a [String]) -> Vec<(String, Named<'a>)> {
    list.iter().enumerate().map(|(i, name)| (format!("{field}[{i}]"), Named::Nodes(name))).collect()
}

/// What is wrong with a fault that names no nodes.
fn none_in(field: &str, list: &[String]) -> Option<(String, String)> {
    list.is_empty().then(|| (field.to_owned(), "name at least one node".to_owned()))
}

/// A change to the stage.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Cuts sites off from each other.
    Cut(Partition),
    /// Makes links worse.
    Impair(Impairment),
    /// Takes a node down.
    Crash(Crash),
    /// Stops a process without killing it.
    Pause(Member),
    /// Sets the clock of a node.
    Step(Member, Shift),
    /// An operator's order; nothing to undo.
    Order(Member, Command),
}

/// How a node goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Which node.
    pub member: Member,
    /// What goes.
    pub scope: CrashScope,
    /// What its disk keeps.
    pub kept: Kept,
    /// What becomes of what it had put on the wire.
    pub in_flight: InFlight,
}
