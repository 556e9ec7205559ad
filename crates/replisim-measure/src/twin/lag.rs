//! What members lack over time, and whether they agree.

use replisim_observe::{Key, Time};

use super::Run;
use super::check::{Check, Piece, Scope};

/// What one member lacked from one event to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct LagPiece {
    pub(super) from: Time,
    pub(super) to: Time,
    /// The commit of the oldest write that it lacked.
    pub(super) oldest: Option<Time>,
    versions: u64,
    bytes: u64,
}

impl Run<'_> {
    pub(super) fn check_lag(&self, check: &mut Check<'_>) {
        let mut everywhere = Vec::new();
        for (member, name) in check.nodes() {
            let lag = self.lag(member);
            check_lag(check, Some(("node", name)), &lag);
            everywhere.extend(lag);
        }
        check_lag(check, None, &everywhere);
        check.over_time("divergence_keys", None, &self.over_window(|i| Some(self.diverging(i))));
        check.samples("quiescent_convergence_ms", None, &self.quiescent_convergence());
    }

    /// The lag of `member` within the window.
    fn lag(&self, member: usize) -> Vec<LagPiece> {
        let clip = |piece: LagPiece| LagPiece {
            from: piece.from.max(self.window.from),
            to: piece.to.min(self.window.to),
            ..piece
        };
        self.whole_lag(member).into_iter().map(clip).filter(|piece| piece.from < piece.to).collect()
    }

    /// The lag of `member`; the i-th piece ends with event i, and one of no length follows.
    pub(super) fn whole_lag(&self, member: usize) -> Vec<LagPiece> {
        let piece = |i: usize| {
            let lacks = if i == 0 { Vec::new() } else { self.lacks(member, i - 1) };
            let oldest = lacks.iter().filter_map(|write| write.committed).min().map(|i| self.at(i));
            let from = if i == 0 { Time::ZERO } else { self.at(i - 1) };
            let bytes = lacks.iter().map(|write| u64::from(write.bytes)).sum();
            let to = self.records.get(i).map_or(self.end(), |record| record.at);
            LagPiece { from, to, oldest, versions: lacks.len() as u64, bytes }
        };
        (0..=self.records.len()).map(piece).collect()
    }

    /// A quantity over the window, of which the value just after each event is known.
    pub(super) fn over_window(&self, value: impl Fn(Option<usize>) -> Option<u64>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for i in 0..self.records.len() {
            let before = i.checked_sub(1);
            let from = before.map_or(Time::ZERO, |before| self.at(before)).max(self.window.from);
            let to = self.at(i).min(self.window.to);
            if let Some(value) = value(before).filter(|_| from < to) {
                pieces.push(Piece::level(from, to, value));
            }
        }
        pieces
    }

    /// Keys whose live owners differ in what they show just after event `index`.
    fn diverging(&self, index: Option<usize>) -> u64 {
        let Some(state) = index.map(|index| &self.states[index]) else { return 0 };
        let differs = |lane: Key| {
            let mut shown = self.owners(lane).filter(|m| state.up[*m]).map(|m| state.visible(m, lane));
            let first = shown.next();
            shown.any(|version| Some(version) != first)
        };
        let keys = (0..self.roster.keys as u32).map(Key);
        keys.filter(|key| self.lanes_of(*key).any(differs)).count() as u64
    }

    fn quiescent_convergence(&self) -> (Vec<i64>, Vec<u64>) {
        let Some(last_write) = self.writes.iter().map(|write| self.at(write.invoked)).max() else {
            return Default::default();
        };
        let Some(last_differing) = (0..self.records.len()).rev().find(|i| self.diverging(Some(*i)) > 0)
        else {
            return (vec![0], Vec::new());
        };
        if last_differing + 1 == self.records.len() {
            return (Vec::new(), vec![self.end().since(last_write).nanos()]);
        }
        let agree_since = self.at(last_differing + 1);
        (vec![agree_since.signed_since(last_write).max(0)], Vec::new())
    }
}

fn check_lag(check: &mut Check<'_>, scope: Scope<'_>, lag: &[LagPiece]) {
    let pieces = |piece: fn(&LagPiece) -> Piece| -> Vec<Piece> { lag.iter().map(piece).collect() };
    check.over_time("lag_ms", scope, &pieces(|lag| Piece::age(lag.from, lag.to, lag.oldest)));
    check.over_time("lag_versions", scope, &pieces(|lag| Piece::level(lag.from, lag.to, lag.versions)));
    check.over_time("lag_bytes", scope, &pieces(|lag| Piece::level(lag.from, lag.to, lag.bytes)));
}
