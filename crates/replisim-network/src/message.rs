//! The words of the network: who sends what to whom, and what comes of it.

use replisim_engine::Label;

use crate::interface::Departure;
use crate::map::Place;
use crate::tcp::TcpEvent;

/// An end of links: a node, or the place of some clients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Site(pub u32);

/// A message under way, as the caller numbers it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Packet(pub u32);

/// What a site is called and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteSpec {
    /// The name of the node or client; part of the names of its links' random streams.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// What the network tells apart about messages: each kind has draws of its own on each link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Traffic {
    /// A client's request.
    Request,
    /// The answer to a request.
    Reply,
    /// Data between replicas.
    Replicate,
    /// An acknowledgement between replicas.
    Acknowledge,
    /// Everything else between replicas: heartbeats, votes, requests for missing data.
    Control,
}

/// Something the network scheduled for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkEvent(pub(crate) Event);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// A message reaches the end of an unordered link.
    Loose { link: u32, packet: Packet, era: u32, departure: Departure, last: bool },
    /// Something happens to a connection.
    Tcp { connection: u32, era: u16, departure: Departure, event: TcpEvent },
}

/// What came of a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Arrival {
    /// It is at its destination now.
    Delivered(Packet),
    /// The network made two of it, and one is at its destination now: the packet itself is still to come.
    Copy(Packet),
    /// It is gone for good.
    Lost(Packet),
}

/// How much goes down with a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// Its process. The kernel still sends what it has been given, and refuses what comes.
    Process,
    /// Its machine, with all that is in its buffers. Nothing answers.
    Machine,
}

impl Site {
    /// The site as an index.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Traffic {
    /// How many kinds there are.
    pub const COUNT: usize = 5;

    pub(crate) const fn label(self) -> Label {
        match self {
            Traffic::Request => Label::of("request"),
            Traffic::Reply => Label::of("reply"),
            Traffic::Replicate => Label::of("replicate"),
            Traffic::Acknowledge => Label::of("acknowledge"),
            Traffic::Control => Label::of("control"),
        }
    }
}
