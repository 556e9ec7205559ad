//! How long a member takes after a fault to lag no more than it did in calm times.

use replisim_observe::{Duration, Fault, Observation, Time};

use super::Run;
use super::check::Check;
use super::lag::LagPiece;
use super::writes::KnownAndCensored;

const STEADY: Duration = Duration::from_secs(1);

/// From one time to another.
type Span = (Time, Time);

impl Run<'_> {
    pub(super) fn check_catch_up(&self, check: &mut Check<'_>) {
        for (member, name) in check.nodes() {
            let lag = self.whole_lag(member);
            let mut samples: KnownAndCensored = Default::default();
            let mut disturbed: Vec<Span> = Vec::new();
            for (began, record) in self.records.iter().enumerate() {
                if let Observation::FaultBegan(fault) = record.what {
                    let usual = self.usual(&lag[..=began], &disturbed);
                    let until = self.catch_up(&lag, fault, began, usual, &mut samples);
                    disturbed.push((record.at, until.unwrap_or(Time::MAX)));
                }
            }
            check.samples("catch_up_ms", Some(("node", name)), &samples);
        }
    }

    /// The catch-up of the member of this lag with a fault; and until when it is not calm because of it.
    fn catch_up(
        &self,
        lag: &[LagPiece],
        fault: Fault,
        began: usize,
        usual: Duration,
        (known, censored): &mut KnownAndCensored,
    ) -> Option<Time> {
        let after = |i: usize| self.records.iter().enumerate().skip(i + 1);
        let again = after(began).find(|(_, record)| record.what == Observation::FaultBegan(fault));
        let again = again.map(|(i, _)| i);
        let ended = after(began).find(|(_, record)| record.what == Observation::FaultEnded(fault));
        let ended = ended.map(|(i, _)| i).filter(|ended| again.is_none_or(|again| *ended < again));
        let Some(ended) = ended else { return again.map(|again| self.at(again)) };
        let next = after(ended).find(|(_, record)| matches!(record.what, Observation::FaultBegan(_)));
        let next = next.map(|(i, _)| i);
        let last = next.unwrap_or(self.records.len());
        // From when to when the lag is higher than usual, since the fault began.
        let pieces = &lag[began + 1..=last];
        let high: Vec<Span> = pieces.iter().filter_map(|piece| high(piece, usual)).collect();
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
        let caught_up = (ended..last).find(|i| is_low(*i) && stays_low(*i));
        let until = caught_up.or(next).map_or(self.end(), |i| self.at(i));
        let from = self.at(ended);
        let counts = self.window.from <= from && from <= self.window.to;
        if counts && high.iter().any(|(from, _)| *from < until) {
            match caught_up {
                Some(i) => known.push(self.at(i).signed_since(from)),
                None => censored.push(until.since(from).nanos()),
            }
        }
        caught_up.map(|i| self.at(i) + STEADY).or(next.map(|next| self.at(next)))
    }

    /// The largest lag of these pieces in calm time within the window; if there is none, before it.
    fn usual(&self, lag: &[LagPiece], disturbed: &[Span]) -> Duration {
        let calm = lag.iter().flat_map(|piece| {
            let calm = disturbed.iter().fold(vec![(piece.from, piece.to)], |calm, disturbed| {
                calm.iter().flat_map(|span| outside(*span, *disturbed)).collect()
            });
            calm.into_iter().map(|span| (span, piece.oldest))
        });
        let largest = |from: Time, to: Time| {
            let within = calm.clone().filter(|(span, _)| span.0.max(from) < span.1.min(to));
            let age = |(span, oldest): (Span, Option<Time>)| {
                oldest.map_or(Duration::ZERO, |oldest| span.1.min(to).since(oldest))
            };
            within.map(age).max()
        };
        let warm_up = || largest(Time::ZERO, self.window.from);
        largest(self.window.from, Time::MAX).or_else(warm_up).unwrap_or_default()
    }
}

/// What of a span lies outside another.
fn outside((from, to): Span, (other_from, other_to): Span) -> impl Iterator<Item = Span> {
    [(from, to.min(other_from)), (from.max(other_to), to)].into_iter().filter(|(from, to)| from < to)
}

fn high(piece: &LagPiece, usual: Duration) -> Option<Span> {
    let from = piece.from.max(piece.oldest? + usual);
    (from < piece.to).then_some((from, piece.to))
}
