//! RPO exposure: the acknowledged writes that would be lost if the primary were lost now, because the member that the
//! promotion rule would choose does not have them in its log; over time.
//!
//! The choice is made among the live members other than the rightful primary; if there is none, among all others. For
//! each member the number and bytes of the acked writes that it lacks are kept up to date, so that a change of the
//! choice costs nothing. Without a primary, and with a single member, nothing is measured.
//!
//! Each replication group has a choice of its own. What is measured is the sum over all groups, and the oldest of all.
//! Nothing goes through all groups: what changed is looked at when time goes on.

use std::collections::{BTreeSet, BinaryHeap};

use replisim_observe::{Group, Key, Member, PromotionRule, Time, Version, Window};

use crate::replicas::Replicas;
use crate::retirement::Block;
use crate::series::{ExposureSeries, GaugeSeries, Slices};
use crate::trail::Trail;
use crate::weighted::TimeWeighted;

/// What is exposed to loss.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    window: Window,
    slices: Slices,
    groups: Vec<GroupExposure>,
    /// Groups in which something may have changed at the moment `since`.
    touched: Vec<Group>,
    /// What was exposed in all groups before that, in how many groups that is measured, and where there are several of
    /// them the oldest write of each.
    lacks: Lacks,
    measured: usize,
    oldest: BTreeSet<(Time, Group)>,
    since: Time,
    pub(crate) results: ExposureResult,
}

/// One replication group.
#[derive(Clone, Debug)]
struct GroupExposure {
    group: Group,
    rule: PromotionRule,
    primary: Option<Member>,
    /// Who would be promoted now.
    next: Option<Member>,
    /// The newest version that each member has.
    heads: Vec<Version>,
    /// The member that fell back last, and its newest versions: looked for once for a whole tail that is discarded.
    falling: Option<(Member, BinaryHeap<(Version, Key)>)>,
    lacks: Vec<Lacks>,
    /// For each member the [blocks](Block) that it lacks: the first ack, and the key.
    blocks: Vec<BTreeSet<(Time, Key)>>,
    /// Acked writes.
    trail: Trail,
    touched: bool,
    /// What it has been booked with.
    booked: Exposed,
}

/// Acked writes that a member lacks.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    writes: u64,
    bytes: u64,
}

/// What is exposed in a group; `measured` if anybody would be promoted there.
#[derive(Clone, Copy, Debug, Default)]
struct Exposed {
    measured: bool,
    lacks: Lacks,
    oldest: Option<Time>,
}

/// What was found out.
#[derive(Clone, Debug)]
pub(crate) struct ExposureResult {
    pub(crate) writes: TimeWeighted,
    pub(crate) bytes: TimeWeighted,
    pub(crate) age: TimeWeighted,
    pub(crate) series: ExposureSeries,
}

impl Exposure {
    pub(crate) fn new(rule: PromotionRule, replicas: &Replicas, window: Window, slices: Slices) -> Exposure {
        let series = || GaugeSeries::new(slices.count);
        let groups = (0..replicas.space.groups() as u32).map(Group);
        Exposure {
            window,
            slices,
            groups: groups
                .map(|group| GroupExposure::new(group, &rule, replicas.space.group_size()))
                .collect(),
            touched: Vec::new(),
            lacks: Lacks::default(),
            measured: 0,
            oldest: BTreeSet::new(),
            since: Time::ZERO,
            results: ExposureResult {
                writes: TimeWeighted::default(),
                bytes: TimeWeighted::default(),
                age: TimeWeighted::default(),
                series: ExposureSeries { writes: series(), bytes: series(), age: series() },
            },
        }
    }

    /// A committed write was acked. Returns its place among the acked ones of its group.
    pub(crate) fn acked(
        &mut self,
        now: Time,
        (key, version, bytes): (Key, Version, u32),
        replicas: &Replicas,
    ) -> u64 {
        self.book(now, replicas);
        let group = self.touch(replicas.space.group(key));
        for (slot, member) in replicas.owners_in_place(key) {
            if replicas.held(member, key).logged < version {
                group.lacks[slot].gain(1, bytes.into());
            }
        }
        group.trail.push((0, now), key, version)
    }

    /// What `member` has of `key` is about to change.
    #[inline]
    pub(crate) fn before(&mut self, now: Time, member: Member, key: Key, replicas: &Replicas) {
        if self.groups[replicas.space.group(key).index()].next == Some(member) {
            self.book(now, replicas);
        }
    }

    /// `member` came to log `writes` acked writes of `key`, of so many `bytes`.
    #[inline]
    pub(crate) fn logged(&mut self, member: Member, key: Key, writes: u64, bytes: u64, replicas: &Replicas) {
        if writes > 0 {
            let group = replicas.space.group(key);
            let slot = replicas.space.slot(group, member);
            self.touch(group).lacks[slot].lose(writes, bytes);
        }
    }

    /// `member` lost one acked write of `key` from its log.
    pub(crate) fn unlogged(
        &mut self,
        member: Member,
        key: Key,
        (position, bytes): (u64, u32),
        replicas: &Replicas,
    ) {
        let group = replicas.space.group(key);
        let slot = replicas.space.slot(group, member);
        let group = self.touch(group);
        group.lacks[slot].gain(1, bytes.into());
        group.trail.lost(slot, position);
    }

    /// The newest version that `member` has in the group of `key` may have risen to `version`.
    #[inline]
    pub(crate) fn advanced(
        &mut self,
        now: Time,
        member: Member,
        (key, version): (Key, Version),
        replicas: &Replicas,
    ) {
        let group = &mut self.groups[replicas.space.group(key).index()];
        if let Some(next) = group.advanced(member, version, replicas) {
            let group = group.group;
            self.set_next(now, group, next, replicas);
        }
    }

    /// `member` has lost a version of `key`.
    pub(crate) fn fell_back(
        &mut self,
        now: Time,
        member: Member,
        (key, lost): (Key, Version),
        replicas: &Replicas,
    ) {
        self.fell_back_in(now, member, replicas.space.group(key), lost, replicas);
    }

    /// `member` has lost its disk.
    pub(crate) fn lost_all(&mut self, now: Time, member: Member, replicas: &Replicas) {
        for group in replicas.space.groups_of(member) {
            self.fell_back_in(now, member, group, Version(u64::MAX), replicas);
        }
    }

    fn fell_back_in(&mut self, now: Time, member: Member, group: Group, lost: Version, replicas: &Replicas) {
        let state = &mut self.groups[group.index()];
        let slot = replicas.space.slot(group, member);
        if lost >= state.heads[slot] {
            state.heads[slot] = state.look_for_head(member, replicas);
            self.choose(now, group, replicas);
        }
    }

    pub(crate) fn promoted(&mut self, now: Time, group: Group, member: Member, replicas: &Replicas) {
        self.book(now, replicas);
        self.touch(group).primary = Some(member);
        self.choose(now, group, replicas);
    }

    /// `member` went down or up: chooses anew who would be promoted.
    pub(crate) fn up_or_down(&mut self, now: Time, member: Member, replicas: &Replicas) {
        replicas.space.groups_of(member).for_each(|group| self.choose(now, group, replicas));
    }

    fn choose(&mut self, now: Time, group: Group, replicas: &Replicas) {
        let next = self.groups[group.index()].choose(replicas);
        self.set_next(now, group, next, replicas);
    }

    /// An acked write is abandoned.
    pub(crate) fn abandoned(
        &mut self,
        now: Time,
        (key, version, bytes): (Key, Version, u32),
        position: u64,
        replicas: &Replicas,
    ) {
        self.book(now, replicas);
        let group = self.touch(replicas.space.group(key));
        for (slot, member) in replicas.owners_in_place(key) {
            if replicas.held(member, key).logged < version {
                group.lacks[slot].lose(1, bytes.into());
            }
        }
        group.trail.gone(position);
    }

    /// `member` lost a block from its log.
    pub(crate) fn block_unlogged(&mut self, member: Member, key: Key, block: &Block, replicas: &Replicas) {
        if let Some(first) = block.first_ack {
            let group = replicas.space.group(key);
            let slot = replicas.space.slot(group, member);
            let group = self.touch(group);
            group.lacks[slot].gain(block.acked, block.acked_bytes);
            group.blocks[slot].insert((first, key));
        }
    }

    /// `member` logs the block again, or the block is abandoned.
    pub(crate) fn block_logged(&mut self, member: Member, key: Key, block: &Block, replicas: &Replicas) {
        let Some(first) = block.first_ack else { return };
        let group = replicas.space.group(key);
        let slot = replicas.space.slot(group, member);
        if self.groups[group.index()].blocks[slot].remove(&(first, key)) {
            self.touch(group).lacks[slot].lose(block.acked, block.acked_bytes);
        }
    }

    /// A write of `key` that every member has is forgotten.
    pub(crate) fn retired(&mut self, key: Key, position: u64, replicas: &Replicas) {
        self.groups[replicas.space.group(key).index()].trail.gone(position);
    }

    /// Books the time since the last change.
    pub(crate) fn book(&mut self, now: Time, replicas: &Replicas) {
        if now <= self.since {
            return;
        }
        let since = std::mem::replace(&mut self.since, now);
        let oldest = self.look_at_what_changed(replicas);
        if self.measured == 0 {
            return;
        }
        let Lacks { writes, bytes } = self.lacks;
        let results = &mut self.results;
        let series = &mut results.series;
        series.writes.add_level(&self.slices, since, now, writes);
        series.bytes.add_level(&self.slices, since, now, bytes);
        series.age.add_age(&self.slices, since, now, oldest);
        let (from, to) = (since.max(self.window.from), now.min(self.window.to));
        if from < to {
            let lasted = to.since(from).nanos();
            results.writes.add_level(writes, lasted);
            results.bytes.add_level(bytes, lasted);
            match oldest {
                Some(acked) => results.age.add_ramp(from.since(acked).nanos(), to.since(acked).nanos()),
                None => results.age.add_level(0, lasted),
            }
        }
    }

    /// Sums up; returns the ack of the oldest exposed write.
    fn look_at_what_changed(&mut self, replicas: &Replicas) -> Option<Time> {
        let several = self.groups.len() > 1;
        for group in self.touched.drain(..) {
            let state = &mut self.groups[group.index()];
            state.touched = false;
            let after = state.exposed(replicas);
            let before = std::mem::replace(&mut state.booked, after);
            self.measured = self.measured + usize::from(after.measured) - usize::from(before.measured);
            self.lacks.gain(after.lacks.writes, after.lacks.bytes);
            self.lacks.lose(before.lacks.writes, before.lacks.bytes);
            if several && after.oldest != before.oldest {
                before.oldest.into_iter().for_each(|oldest| _ = self.oldest.remove(&(oldest, group)));
                self.oldest.extend(after.oldest.map(|oldest| (oldest, group)));
            }
        }
        match several {
            true => self.oldest.first().map(|(oldest, _)| *oldest),
            false => self.groups[0].booked.oldest,
        }
    }

    /// Something may change in a group.
    #[inline]
    fn touch(&mut self, group: Group) -> &mut GroupExposure {
        let state = &mut self.groups[group.index()];
        if !std::mem::replace(&mut state.touched, true) {
            self.touched.push(group);
        }
        state
    }

    fn set_next(&mut self, now: Time, group: Group, next: Option<Member>, replicas: &Replicas) {
        if next != self.groups[group.index()].next {
            self.book(now, replicas);
            self.touch(group).next = next;
        }
    }
}

impl GroupExposure {
    fn new(group: Group, rule: &PromotionRule, members: usize) -> GroupExposure {
        GroupExposure {
            group,
            rule: rule.clone(),
            primary: None,
            next: None,
            heads: vec![Version(0); members],
            falling: None,
            lacks: vec![Lacks::default(); members],
            blocks: vec![BTreeSet::new(); members],
            trail: Trail::new(members),
            touched: false,
            booked: Exposed::default(),
        }
    }

    /// What is exposed now.
    fn exposed(&mut self, replicas: &Replicas) -> Exposed {
        let Some(next) = self.next else { return Exposed::default() };
        let slot = replicas.space.slot(self.group, next);
        let lacks = self.lacks[slot];
        let mut oldest = None;
        if lacks.writes > 0 {
            let single = self.trail.oldest(slot, |key| replicas.held_of_owned(next, key).logged);
            let block = self.blocks[slot].first().map(|(first, _)| *first);
            oldest = single.map(|(_, acked)| acked).into_iter().chain(block).min();
        }
        Exposed { measured: true, lacks, oldest }
    }

    /// The newest version of `member` may have risen to `version`. Returns who would be promoted then, if that may be
    /// somebody else.
    #[inline]
    fn advanced(&mut self, member: Member, version: Version, replicas: &Replicas) -> Option<Option<Member>> {
        if self.falling.as_ref().is_some_and(|(falling, _)| *falling == member) {
            self.falling = None;
        }
        let slot = replicas.space.slot(self.group, member);
        if version <= self.heads[slot] {
            return None;
        }
        self.heads[slot] = version;
        let next = self.next?;
        match self.rule {
            PromotionRule::MostAdvanced if member != next => {
                let behind = |member: Member| (std::cmp::Reverse(self.head(member, replicas)), member);
                let follows = behind(member) < behind(next) && self.may_follow(member, replicas);
                follows.then_some(Some(member))
            }
            PromotionRule::Any if member == next => Some(self.choose(replicas)),
            _ => None,
        }
    }

    /// The newest version that `member` has of any key.
    fn look_for_head(&mut self, member: Member, replicas: &Replicas) -> Version {
        let falling = self.falling.take().filter(|(falling, _)| *falling == member);
        let newest = |key: Key| (replicas.copy(member, key).newest(), key);
        let keys = || replicas.space.keys_in(self.group);
        let mut heap = falling.map_or_else(|| keys().map(newest).collect(), |(_, heap)| heap);
        let mut head = Version(0);
        while let Some(top) = heap.pop() {
            let now = newest(top.1);
            heap.push(now);
            if now == top {
                head = top.0;
                break;
            }
        }
        self.falling = Some((member, heap));
        head
    }

    fn head(&self, member: Member, replicas: &Replicas) -> Version {
        self.heads[replicas.space.slot(self.group, member)]
    }

    /// Who would be promoted now.
    fn choose(&self, replicas: &Replicas) -> Option<Member> {
        self.primary?;
        let others =
            || replicas.space.group_members(self.group).filter(|member| Some(*member) != self.primary);
        let any_live = others().any(|member| replicas.is_up(member));
        let eligible = |member: &Member| replicas.is_up(*member) || !any_live;
        let eligible_others = || others().filter(eligible);
        let head = |member: &Member| self.head(*member, replicas);
        match &self.rule {
            PromotionRule::Leaderless => None,
            PromotionRule::MostAdvanced => {
                eligible_others().min_by_key(|member| (std::cmp::Reverse(head(member)), *member))
            }
            PromotionRule::Any => eligible_others().min_by_key(|member| (head(member), *member)),
            PromotionRule::Order(order) => {
                let rank = |member: &Member| order.iter().position(|other| other == member);
                eligible_others().min_by_key(|member| (rank(member).unwrap_or(order.len()), *member))
            }
        }
    }

    fn may_follow(&self, member: Member, replicas: &Replicas) -> bool {
        let live = |member| replicas.is_up(member) && Some(member) != self.primary;
        let mut members = replicas.space.group_members(self.group);
        live(member) || Some(member) != self.primary && !members.any(live)
    }
}

impl Lacks {
    #[inline]
    fn gain(&mut self, writes: u64, bytes: u64) {
        self.writes += writes;
        self.bytes += bytes;
    }

    #[inline]
    fn lose(&mut self, writes: u64, bytes: u64) {
        self.writes -= writes;
        self.bytes -= bytes;
    }
}
