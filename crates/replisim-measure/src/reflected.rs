//! What a read reflects: of each lane of its key one version, and everything of the lane before it.
//!
//! An answer names the version itself where there is one lane; siblings are told lane by lane before the answer. A lane
//! of which nothing is told shows nothing, which reflects a tombstone that was purged.

use std::collections::BTreeMap;

use replisim_observe::{Key, Op, Said, Version};

use crate::keyspace::Keyspace;
use crate::operations::OpenOp;

/// Puts together what reads reflect.
#[derive(Clone, Debug)]
pub(crate) struct Reflections {
    space: Keyspace,
    /// With several lanes: the lines of the lanes when a read that is under way was invoked.
    lines: BTreeMap<Op, Vec<Version>>,
    /// Of the answer that comes next.
    saw: Vec<(Key, Version)>,
    versions: Vec<Version>,
    judged: Vec<Version>,
}

/// What one read reflects, lane by lane; 0: nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reflected<'a> {
    pub(crate) versions: &'a [Version],
    /// The same; what lay below the line when the read was invoked counts as nothing.
    pub(crate) judged: &'a [Version],
    /// What was told of it lane by lane.
    pub(crate) saw: &'a [(Key, Version)],
}

impl Reflections {
    pub(crate) fn new(space: Keyspace) -> Reflections {
        let (lines, saw) = (BTreeMap::new(), Vec::new());
        Reflections { space, lines, saw, versions: Vec::new(), judged: Vec::new() }
    }

    /// A read begins.
    #[inline]
    pub(crate) fn invoked(&mut self, op: Op, key: Key, line: impl Fn(Key) -> Version) {
        if self.space.lanes() > 1 {
            self.lines.insert(op, self.space.lanes_of(key).map(line).collect());
        }
    }

    /// The read that returns next saw this version of a lane.
    pub(crate) fn saw(&mut self, lane: Key, version: Version) {
        self.saw.push((lane, version));
    }

    /// A read returned `said`. `purged` tells the newest purged tombstone of a lane.
    #[inline]
    pub(crate) fn returned(
        &mut self,
        op: Op,
        read: &OpenOp,
        said: Said,
        purged: impl Fn(Key) -> Version,
    ) -> Reflected<'_> {
        self.versions.clear();
        self.judged.clear();
        if let Said::Value(Some(stored)) = said {
            self.versions.push(stored.version);
        } else {
            for lane in self.space.lanes_of(read.key) {
                let told = self.saw.iter().find(|(other, _)| *other == lane);
                self.versions.push(told.map_or_else(|| purged(lane), |(_, version)| *version));
            }
        }
        let lines = self.lines.get(&op);
        let lines = lines.map_or(std::slice::from_ref(&read.line), Vec::as_slice);
        let judged =
            |(version, line): (&Version, &Version)| if version < line { Version(0) } else { *version };
        self.judged.extend(self.versions.iter().zip(lines).map(judged));
        Reflected { versions: &self.versions, judged: &self.judged, saw: &self.saw }
    }

    /// An operation is over, and what was told of its answer.
    #[inline]
    pub(crate) fn over(&mut self, op: Op) {
        self.saw.clear();
        if !self.lines.is_empty() {
            self.lines.remove(&op);
        }
    }
}
