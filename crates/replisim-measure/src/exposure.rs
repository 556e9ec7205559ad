//! RPO exposure: the acknowledged writes that would be lost if the primary were lost now, because the member that the
//! promotion rule would choose does not have them in its log; over time.
//!
//! The choice is made among the live members other than the rightful primary; if there is none, among all others. For
//! each member the number and bytes of the acked writes that it lacks are kept up to date, so that a change of the
//! choice costs nothing. Without a primary, and with a single member, nothing is measured.

use std::collections::{BTreeSet, BinaryHeap};

use replisim_observe::{Key, Member, PromotionRule, Time, Version, Window};

use crate::replicas::Replicas;
use crate::retirement::Block;
use crate::series::{ExposureSeries, GaugeSeries, Slices};
use crate::trail::Trail;
use crate::weighted::TimeWeighted;

/// What is exposed to loss.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    rule: PromotionRule,
    window: Window,
    slices: Slices,
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
    since: Time,
    pub(crate) results: ExposureResult,
}

/// Acked writes that a member lacks.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    writes: u64,
    bytes: u64,
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
    pub(crate) fn new(rule: PromotionRule, members: usize, window: Window, slices: Slices) -> Exposure {
        let series = || GaugeSeries::new(slices.count);
        Exposure {
            rule,
            window,
            slices,
            primary: None,
            next: None,
            heads: vec![Version(0); members],
            falling: None,
            lacks: vec![Lacks::default(); members],
            blocks: vec![BTreeSet::new(); members],
            trail: Trail::new(members),
            since: Time::ZERO,
            results: ExposureResult {
                writes: TimeWeighted::default(),
                bytes: TimeWeighted::default(),
                age: TimeWeighted::default(),
                series: ExposureSeries { writes: series(), bytes: series(), age: series() },
            },
        }
    }

    /// A committed write was acked. Returns its place among the acked ones.
    pub(crate) fn acked(
        &mut self,
        now: Time,
        (key, version, bytes): (Key, Version, u32),
        replicas: &Replicas,
    ) -> u64 {
        self.book(now, replicas);
        for member in replicas.owners(key) {
            if replicas.held(member, key).logged < version {
                self.gains(member, 1, bytes.into());
            }
        }
        self.trail.push(now, key, version)
    }

    /// The copies of `member` are about to change.
    #[inline]
    pub(crate) fn before(&mut self, now: Time, member: Member, replicas: &Replicas) {
        if self.next == Some(member) {
            self.book(now, replicas);
        }
    }

    /// `member` came to log `writes` acked writes, of so many `bytes`.
    #[inline]
    pub(crate) fn logged(&mut self, member: Member, writes: u64, bytes: u64) {
        let lacks = &mut self.lacks[member.index()];
        lacks.writes -= writes;
        lacks.bytes -= bytes;
    }

    /// `member` lost one acked write from its log.
    pub(crate) fn unlogged(&mut self, member: Member, position: u64, bytes: u32) {
        self.gains(member, 1, bytes.into());
        self.trail.lost(member, position);
    }

    /// The newest version of `member` rose to `version`.
    #[inline]
    pub(crate) fn advanced(&mut self, now: Time, member: Member, version: Version, replicas: &Replicas) {
        if self.falling.as_ref().is_some_and(|(falling, _)| *falling == member) {
            self.falling = None;
        }
        if version <= self.heads[member.index()] {
            return;
        }
        self.heads[member.index()] = version;
        let Some(next) = self.next else { return };
        match self.rule {
            PromotionRule::MostAdvanced if member != next => {
                let behind = |member: Member| (std::cmp::Reverse(self.heads[member.index()]), member);
                if behind(member) < behind(next) && self.may_follow(member, replicas) {
                    self.set_next(now, Some(member), replicas);
                }
            }
            PromotionRule::Any if member == next => self.choose(now, replicas),
            _ => {}
        }
    }

    /// `member` has lost a version.
    pub(crate) fn fell_back(&mut self, now: Time, member: Member, lost: Version, replicas: &Replicas) {
        if lost >= self.heads[member.index()] {
            self.heads[member.index()] = self.look_for_head(member, replicas);
            self.choose(now, replicas);
        }
    }

    /// The newest version that `member` has of any key.
    fn look_for_head(&mut self, member: Member, replicas: &Replicas) -> Version {
        let falling = self.falling.take().filter(|(falling, _)| *falling == member);
        let newest = |key: Key| (replicas.copy(member, key).newest(), key);
        let mut heap = falling.map_or_else(|| replicas.keys().map(newest).collect(), |(_, heap)| heap);
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

    pub(crate) fn promoted(&mut self, now: Time, member: Member, replicas: &Replicas) {
        self.book(now, replicas);
        self.primary = Some(member);
        self.choose(now, replicas);
    }

    /// Chooses who would be promoted, after a change of who is live.
    pub(crate) fn choose(&mut self, now: Time, replicas: &Replicas) {
        let others = || replicas.members().filter(|member| Some(*member) != self.primary);
        let any_live = others().any(|member| replicas.is_up(member));
        let eligible = |member: &Member| replicas.is_up(*member) || !any_live;
        let eligible_others = || others().filter(eligible);
        let head = |member: &Member| self.heads[member.index()];
        let next = match &self.rule {
            _ if self.primary.is_none() => None,
            PromotionRule::Leaderless => None,
            PromotionRule::MostAdvanced => {
                eligible_others().min_by_key(|member| (std::cmp::Reverse(head(member)), *member))
            }
            PromotionRule::Any => eligible_others().min_by_key(|member| (head(member), *member)),
            PromotionRule::Order(order) => {
                let rank = |member: &Member| order.iter().position(|other| other == member);
                eligible_others().min_by_key(|member| (rank(member).unwrap_or(order.len()), *member))
            }
        };
        self.set_next(now, next, replicas);
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
        for member in replicas.owners(key) {
            if replicas.held(member, key).logged < version {
                self.logged(member, 1, bytes.into());
            }
        }
        self.trail.gone(position);
    }

    /// `member` lost a block from its log.
    pub(crate) fn block_unlogged(&mut self, member: Member, key: Key, block: &Block) {
        if let Some(first) = block.first_ack {
            self.gains(member, block.acked, block.acked_bytes);
            self.blocks[member.index()].insert((first, key));
        }
    }

    /// `member` logs the block again, or the block is abandoned.
    pub(crate) fn block_logged(&mut self, member: Member, key: Key, block: &Block) {
        if block.first_ack.is_some_and(|first| self.blocks[member.index()].remove(&(first, key))) {
            self.logged(member, block.acked, block.acked_bytes);
        }
    }

    /// A write that every member has is forgotten.
    pub(crate) fn retired(&mut self, position: u64) {
        self.trail.gone(position);
    }

    /// Books the time since the last change.
    pub(crate) fn book(&mut self, now: Time, replicas: &Replicas) {
        if now <= self.since {
            return;
        }
        let since = std::mem::replace(&mut self.since, now);
        let Some(next) = self.next else { return };
        let Lacks { writes, bytes } = self.lacks[next.index()];
        let mut oldest = None;
        if writes > 0 {
            let single = self.trail.oldest(next, |key| replicas.held_of_owned(next, key).logged);
            let block = self.blocks[next.index()].first().map(|(first, _)| *first);
            oldest = single.map(|(_, acked)| acked).into_iter().chain(block).min();
        }
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

    fn may_follow(&self, member: Member, replicas: &Replicas) -> bool {
        let live = |member| replicas.is_up(member) && Some(member) != self.primary;
        live(member) || Some(member) != self.primary && !replicas.members().any(live)
    }

    fn set_next(&mut self, now: Time, next: Option<Member>, replicas: &Replicas) {
        if next != self.next {
            self.book(now, replicas);
            self.next = next;
        }
    }

    fn gains(&mut self, member: Member, writes: u64, bytes: u64) {
        let lacks = &mut self.lacks[member.index()];
        lacks.writes += writes;
        lacks.bytes += bytes;
    }
}
