//! Operations that are tried more than once: how many attempts each takes, and whether more than one of its writes is
//! applied.
//!
//! Most operations end with their first attempt and leave nothing here. Of the others the writes are remembered to the
//! end, some 100 bytes each: an attempt that was given up may be done at any later time.

use std::collections::BTreeMap;

use replisim_observe::{Client, Key, Op, Outcome, Roster, Time, Version, Window, Write};

use crate::distribution::Distribution;
use crate::findings::Measure;
use crate::measures::{count_by, distribution_by};
use crate::operations::{OpTotals, OpenOp};
use crate::writes::News;

/// Everything measured about attempts.
#[derive(Clone, Debug)]
pub(crate) struct Retries {
    /// Whether anybody tries again: else there is nothing to tell.
    applies: bool,
    window: Window,
    clients: Vec<OfClient>,
    /// Operations under way that have been tried again.
    open: BTreeMap<Op, Tried>,
    /// Of writes of operations that made several: which operation it was.
    of: BTreeMap<Write, Op>,
    families: BTreeMap<Op, Family>,
    /// Those that are committed and not abandoned; whether they have retired.
    standing: BTreeMap<(Key, Version), (Op, bool)>,
}

/// One client's operations in the window.
#[derive(Clone, Debug, Default)]
struct OfClient {
    attempts: Distribution,
    duplicates: u64,
}

/// An operation that has been tried again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    attempts: i64,
    /// The writes of earlier attempts that may have been done, and when each was invoked.
    earlier: Vec<(Write, Time)>,
    /// When that of the last attempt was, if it is another.
    invoked: Option<Time>,
    /// Which one its client was told of, if not that of the last attempt.
    recognised: Option<Write>,
}

/// The writes of one operation.
#[derive(Clone, Copy, Debug)]
struct Family {
    client: Client,
    in_window: bool,
    standing: u32,
    duplicate: bool,
}

impl Retries {
    /// Nothing seen yet.
    pub(crate) fn new(roster: &Roster, window: Window) -> Retries {
        Retries {
            applies: roster.retries,
            window,
            clients: vec![OfClient::default(); roster.clients.len()],
            open: BTreeMap::new(),
            of: BTreeMap::new(),
            families: BTreeMap::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Another attempt is made at an operation under way.
    pub(crate) fn retried(&mut self, op: Op) {
        self.open.entry(op).or_insert_with(|| Tried { attempts: 1, ..Tried::default() }).attempts += 1;
    }

    /// It makes a write of its own, after that of the attempt before (`state` says which), which may have been done; if it
    /// was, `stands` says as what.
    pub(crate) fn writes_again(
        &mut self,
        now: Time,
        (op, state): (Op, &OpenOp),
        (before, write): (Write, Write),
        stands: Option<(Key, Version)>,
    ) {
        let tried = self.open.entry(op).or_default();
        let invoked = tried.invoked.replace(now).unwrap_or(state.invoked);
        tried.earlier.push((before, invoked));
        let in_window = self.window.contains(state.scheduled);
        let family = Family { client: state.client, in_window, standing: 0, duplicate: false };
        self.families.entry(op).or_insert(family);
        self.of.insert(write, op);
        if self.of.insert(before, op).is_none()
            && let Some((key, version)) = stands
        {
            self.committed(before, key, version);
        }
    }

    /// The write of the last attempt certainly never happens, and another one is made.
    pub(crate) fn replaced(&mut self, now: Time, op: Op, write: Write) {
        self.open.entry(op).or_default().invoked = Some(now);
        if self.families.contains_key(&op) {
            self.of.insert(write, op);
        }
    }

    /// What its client is about to be told is about this write.
    pub(crate) fn recognised(&mut self, op: Op, write: Write) {
        self.open.entry(op).or_default().recognised = Some(write);
    }

    /// The operation has ended. Returns what there is to know of its attempts, if there were several.
    pub(crate) fn returned(&mut self, op: Op, state: &OpenOp) -> Option<Tried> {
        if !self.applies {
            return None;
        }
        let tried = self.open.remove(&op);
        if self.window.contains(state.scheduled) {
            let of_client = &mut self.clients[state.client.index()];
            of_client.attempts.record(tried.as_ref().map_or(1, |tried| tried.attempts));
        }
        tried
    }

    /// A write is committed and not abandoned.
    pub(crate) fn committed(&mut self, write: Write, key: Key, version: Version) {
        let Some(op) = self.of.get(&write) else { return };
        let Some(family) = self.families.get_mut(op) else { return };
        family.duplicate |= family.standing > 0;
        family.standing += 1;
        self.standing.insert((key, version), (*op, false));
    }

    /// Something has become of writes.
    pub(crate) fn hear(&mut self, news: News) {
        match news {
            News::Retired(key, version, _) => {
                let retired = self.standing.get_mut(&(key, version));
                retired.into_iter().for_each(|(_, retired)| *retired = true);
            }
            News::Withdrawn(key, left, had) if left < had => {
                self.withdraw((key, Version(left.0 + 1)), (key, had), false);
            }
            News::BlockWithdrawn(key) => self.withdraw((key, Version(0)), (key, Version(u64::MAX)), true),
            News::Withdrawn(..) | News::Gone(..) => {}
        }
    }

    /// The measures, if anybody tries again.
    pub(crate) fn into_results(mut self, roster: &Roster, by_client: &[[OpTotals; 2]]) -> Vec<Measure> {
        if !self.applies {
            return Vec::new();
        }
        for family in self.families.values().filter(|family| family.in_window && family.duplicate) {
            self.clients[family.client.index()].duplicates += 1;
        }
        let attempts: Vec<_> = self.clients.iter().map(|of_client| &of_client.attempts).collect();
        let duplicates = self.clients.iter().zip(by_client);
        let duplicates = duplicates.map(|(of_client, [_, writes])| (of_client.duplicates, writes.scheduled));
        vec![
            distribution_by("attempts", "workload", &roster.clients, &attempts),
            count_by("duplicate_applies", "workload", &roster.clients, duplicates.collect()),
        ]
    }

    /// What stands of a key in a range of versions is abandoned, if it has retired, or if it has not.
    fn withdraw(&mut self, from: (Key, Version), to: (Key, Version), retired: bool) {
        if self.standing.is_empty() {
            return;
        }
        let gone = self.standing.range(from..=to).filter(|(_, (_, is_retired))| *is_retired == retired);
        let gone: Vec<_> = gone.map(|(version, (op, _))| (*version, *op)).collect();
        for (version, op) in gone {
            self.standing.remove(&version);
            self.families.get_mut(&op).into_iter().for_each(|family| family.standing -= 1);
        }
    }
}

impl Tried {
    /// The write of which the client was told, where the last attempt made `last`, invoked at `first` unless there was
    /// another before it; and the other ones, which it knows nothing of.
    pub(crate) fn told_of(self, last: Write, first: Time) -> ((Write, Time), Vec<(Write, Outcome)>) {
        let mut all = self.earlier;
        all.push((last, self.invoked.unwrap_or(first)));
        let told = self.recognised.and_then(|write| all.iter().position(|(other, _)| *other == write));
        let told = all.remove(told.unwrap_or(all.len() - 1));
        (told, all.into_iter().map(|(write, _)| (write, Outcome::Unknown)).collect())
    }
}
