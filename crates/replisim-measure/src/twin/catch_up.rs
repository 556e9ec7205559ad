//! How long a member takes after a fault to lag no more than it did before.

use replisim_observe::{Duration, Observation, Time};

use super::Run;
use super::check::Check;
use super::lag::LagPiece;
use super::writes::Samples;
use crate::weighted::TimeWeighted;

const STEADY: Duration = Duration::from_secs(1);

impl Run<'_> {
    pub(super) fn check_catch_up(&self, check: &mut Check<'_>) {
        for (member, name) in check.nodes() {
            let lag = self.whole_lag(member);
            let mut samples: Samples = Default::default();
            for i in 0..self.records.len() {
                self.catch_up(&lag, i, &mut samples);
            }
            check.samples("catch_up_ms", Some(("node", name)), &samples);
        }
    }

    /// If event `ended` is the end of a fault: the catch-up of the member of this lag.
    fn catch_up(&self, lag: &[LagPiece], ended: usize, (known, censored): &mut Samples) {
        let (from, what) = (self.at(ended), self.records[ended].what);
        let Observation::FaultEnded(fault) = what else { return };
        let is_begin = |i: &usize| self.records[*i].what == Observation::FaultBegan(fault);
        let Some(began) = (0..ended).rev().find(is_begin) else { return };
        let ended_before = (began..ended).any(|i| self.records[i].what == what);
        if ended_before || from < self.window.from || from > self.window.to {
            return;
        }
        let usual = self.usual(&lag[..=began]);
        let next = (ended + 1..self.records.len())
            .find(|i| matches!(self.records[*i].what, Observation::FaultBegan(_)));
        // From when to when the lag is higher than that, since the fault began.
        let pieces = &lag[began + 1..=next.unwrap_or(self.records.len())];
        let high: Vec<(Time, Time)> = pieces.iter().filter_map(|piece| high(piece, usual)).collect();
        let is_low = |i: usize| {
            let oldest = lag[i + 1].oldest;
            oldest.is_none_or(|oldest| self.at(i).since(oldest) <= usual)
        };
        let stays_low = |i: usize| {
            let since = self.at(i);
            let until = high.iter().find(|(_, to)| *to > since).map(|(from, _)| *from);
            let until = until.or(next.map(|next| self.at(next)));
            until.is_none_or(|until| until >= since + STEADY)
        };
        let caught_up = (ended..next.unwrap_or(self.records.len())).find(|i| is_low(*i) && stays_low(*i));
        let until = caught_up.or(next).map_or(self.end(), |i| self.at(i));
        if !high.iter().any(|(from, _)| *from < until) {
            return;
        }
        match caught_up {
            Some(i) => known.push(self.at(i).signed_since(from)),
            None => censored.push(until.since(from).nanos()),
        }
    }

    /// The 99th percentile over the window, as far as these pieces go.
    fn usual(&self, lag: &[LagPiece]) -> Duration {
        let mut before = TimeWeighted::default();
        for piece in lag {
            let (from, to) = (piece.from.max(self.window.from), piece.to.min(self.window.to));
            match piece.oldest {
                _ if from >= to => {}
                Some(oldest) => before.add_ramp(from.since(oldest).nanos(), to.since(oldest).nanos()),
                None => before.add_level(0, to.since(from).nanos()),
            }
        }
        Duration::from_nanos(before.quantile(0.99).unwrap_or_default())
    }
}

fn high(piece: &LagPiece, usual: Duration) -> Option<(Time, Time)> {
    let from = piece.from.max(piece.oldest? + usual);
    (from < piece.to).then_some((from, piece.to))
}
