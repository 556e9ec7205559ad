//! Which instances of the protocol there are: of which replication group, and on which node.
//!
//! Every member of every group is an instance. A node has as many as it is in groups: they share its ups and downs, its
//! clock and its connections; each has timers, a log and an fsync of its own. With one group an instance is a site: the
//! nodes, and after them the clients, where these have instances of their own.

use replisim_network::Site;
use replisim_observe::{Group, Groups, Key, Member};

/// The instances, numbered group by group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    nodes: u32,
    /// The sites that have instances where there is one group.
    sites: u32,
    groups: Option<Groups>,
}

impl Layout {
    pub(crate) fn new(nodes: usize, sites: usize, groups: Option<Groups>) -> Layout {
        Layout { nodes: nodes as u32, sites: sites as u32, groups }
    }

    pub(crate) fn instances(&self) -> u32 {
        self.groups.map_or(self.sites, |groups| groups.count * groups.members)
    }

    pub(crate) fn groups(&self) -> u32 {
        self.groups.map_or(1, |groups| groups.count)
    }

    /// How many nodes a group has.
    pub(crate) fn group_size(&self) -> u32 {
        self.groups.map_or(self.nodes, |groups| groups.members)
    }

    /// The group that a key (not a lane of it) belongs to.
    #[inline]
    pub(crate) fn group_of(&self, key: Key) -> Group {
        self.groups.map_or(Group(0), |groups| groups.of(key))
    }

    /// Whether `key` (where there are several groups, keys have one lane) is kept by `group`.
    #[inline]
    pub(crate) fn keeps(&self, group: Group, key: Key) -> bool {
        self.groups.is_none_or(|groups| groups.of(key) == group)
    }

    /// The instance of `group` at a site that has one.
    #[inline]
    pub(crate) fn instance(&self, group: Group, site: Site) -> u32 {
        match self.groups {
            None => site.0,
            Some(groups) => {
                group.0 * groups.members + groups.slot(self.nodes as usize, group, Member(site.0))
            }
        }
    }

    /// The group of an instance, and which member of it the instance is.
    #[inline]
    pub(crate) fn member(&self, instance: u32) -> (Group, Member) {
        match self.groups {
            None => (Group(0), Member(instance)),
            Some(groups) => (Group(instance / groups.members), Member(instance % groups.members)),
        }
    }

    /// Which member of `group` is at a site.
    #[inline]
    pub(crate) fn member_at(&self, group: Group, site: Site) -> Member {
        self.member(self.instance(group, site)).1
    }

    /// Where a member of a group is.
    #[inline]
    pub(crate) fn site(&self, group: Group, member: Member) -> Site {
        self.groups
            .map_or(Site(member.0), |groups| Site(groups.member(self.nodes as usize, group, member.0).0))
    }

    /// Where an instance is.
    pub(crate) fn site_of(&self, instance: u32) -> Site {
        let (group, member) = self.member(instance);
        self.site(group, member)
    }

    /// Whether `node` is in `group`.
    pub(crate) fn is_in(&self, group: Group, node: Member) -> bool {
        self.groups.is_none_or(|groups| groups.slot(self.nodes as usize, group, node) < groups.members)
    }

    /// The node that comes after `node` in its group.
    pub(crate) fn next(&self, group: Group, node: Member) -> Member {
        let member = self.member_at(group, Site(node.0)).0 + 1;
        let next = if member < self.group_size() { member } else { 0 };
        Member(self.site(group, Member(next)).0)
    }

    /// The names and regions of the members of a group; with one group those of all.
    pub(crate) fn of_group(
        &self,
        group: Group,
        names: &[String],
        regions: &[u32],
    ) -> (Vec<String>, Vec<u32>) {
        if self.groups.is_none() {
            return (names.to_vec(), regions.to_vec());
        }
        let sites = || (0..self.group_size()).map(|member| self.site(group, Member(member)).index());
        let region = |site: usize| regions.get(site).copied().unwrap_or_default();
        (sites().map(|site| names[site].clone()).collect(), sites().map(region).collect())
    }

    /// Whether an instance is the first of those at its node.
    pub(crate) fn is_first(&self, instance: u32) -> bool {
        self.groups.is_none() || self.at(Member(self.site_of(instance).0)).next() == Some(instance)
    }

    /// The instances at a node.
    pub(crate) fn at(&self, node: Member) -> impl Iterator<Item = u32> + use<> {
        let layout = *self;
        let groups = (0..self.groups()).map(Group).filter(move |group| layout.is_in(*group, node));
        groups.map(move |group| layout.instance(group, Site(node.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_is_found_from_its_group_and_node() {
        let groups = |count, members| Some(Groups { count, members });
        for (nodes, sites, groups) in
            [(3, 5, None), (6, 6, groups(2, 3)), (5, 5, groups(4, 3)), (3, 3, groups(7, 2))]
        {
            let layout = Layout::new(nodes, sites, groups);
            for instance in 0..layout.instances() {
                let (group, member) = layout.member(instance);
                let site = layout.site(group, member);
                assert_eq!((layout.instance(group, site), layout.site_of(instance)), (instance, site));
                assert_eq!(layout.member_at(group, site), member);
                assert!(site.index() >= nodes || layout.at(Member(site.0)).any(|other| other == instance));
            }
        }
    }
}
