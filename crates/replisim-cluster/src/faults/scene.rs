//! Who is where: what faults need to know of a scenario to find whom they concern.

use replisim_network::{InFlight, Partition, Site};
use replisim_observe::Member;
use replisim_protocols::Kept;

use super::{Change, Crash, CrashScope};

/// A node or client, and its place: `region` or `region/zone`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: String,
}

/// All nodes and clients.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Nodes; `Member(i)` is the i-th.
    pub nodes: &'a [Placed],
    /// Clients; their sites come after those of the nodes.
    pub clients: &'a [Placed],
}

impl Placed {
    fn region(&self) -> &str {
        self.place.split('/').next().unwrap_or_default()
    }

    /// Whether it is in this zone or region.
    pub fn is_in(&self, place: &str) -> bool {
        self.place == place || self.region() == place
    }
}

impl<'a> Scene<'a> {
    /// Number of sites.
    pub fn sites(&self) -> usize {
        self.nodes.len() + self.clients.len()
    }

    /// The node called so, or all nodes in the zone or region called so.
    pub fn members(&self, name: &str) -> Vec<Member> {
        let members = || (0u32..).map(Member).zip(self.nodes);
        match members().find(|(_, node)| node.name == name) {
            Some((member, _)) => vec![member],
            None => members().filter(|(_, node)| node.is_in(name)).map(|(member, _)| member).collect(),
        }
    }

    /// The node called so, or everybody, clients included, in the zone or region called so.
    pub fn sites_at(&self, name: &str) -> Vec<Site> {
        match self.nodes.iter().position(|node| node.name == name) {
            Some(i) => vec![Site(i as u32)],
            None => self.everybody().filter(|(_, placed)| placed.is_in(name)).map(|(site, _)| site).collect(),
        }
    }

    /// All sites, nodes first.
    pub fn everybody(&self) -> impl Iterator<Item = (Site, &'a Placed)> + use<'a> {
        (0u32..).map(Site).zip(self.nodes.iter().chain(self.clients))
    }

    /// The sites of all clients.
    pub fn clients(&self) -> impl Iterator<Item = (Site, &'a Placed)> + use<'a> {
        (self.nodes.len() as u32..).map(Site).zip(self.clients)
    }

    /// The nodes in the zone of `client`; where it has none, those in its region.
    pub fn beside(&self, client: &Placed) -> Vec<Member> {
        let at = |same: &dyn Fn(&Placed) -> bool| -> Vec<Member> {
            (0u32..).zip(self.nodes).filter(|(_, node)| same(node)).map(|(i, _)| Member(i)).collect()
        };
        let zone = at(&|node| node.place == client.place);
        if zone.is_empty() { at(&|node| node.region() == client.region()) } else { zone }
    }
}

/// Changes that several faults make.
impl Scene<'_> {
    /// Everything in a zone or region is gone: nodes down as machines go down, clients cut off from all nodes.
    pub(super) fn outage(&self, place: &str, in_flight: InFlight) -> Vec<Change> {
        let mut partition = Partition::new(self.sites(), in_flight);
        for (site, placed) in self.everybody() {
            partition.put(site, if placed.is_in(place) { 1 << 1 } else { 1 });
        }
        let members = self.members(place).into_iter();
        let crashes = members.map(|member| {
            let (scope, kept) = (CrashScope::Machine, Kept::Synced);
            Change::Crash(Crash { member, scope, kept, in_flight })
        });
        crashes.chain([Change::Cut(partition)]).collect()
    }
}
