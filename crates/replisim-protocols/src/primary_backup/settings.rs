//! The part of the configuration that the state machine uses, with the names resolved.

use replisim_engine::Duration;
use replisim_observe::{Member, PromotionRule};

use super::config::{AckAt, Acknowledge, Automatic, Config, Failover, OnTimeout, Promote, SemiSync};
use crate::protocol::{LAST_TERM, Members, Span};

/// What one member needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Settings {
    pub(super) me: Member,
    pub(super) members: u32,
    /// The primary at the beginning of time.
    pub(super) primary: Member,
    /// How many replicas must have a write before it is acknowledged; `None`: nobody waits.
    pub(super) wait: Option<u32>,
    pub(super) ack_at: AckAt,
    /// After what time of waiting the primary goes on without.
    pub(super) patience: Option<Duration>,
    pub(super) takeover: Takeover,
    pub(super) fencing: bool,
    pub(super) ship_every: Duration,
    pub(super) batch: u64,
    pub(super) window: u64,
    pub(super) retain: u64,
    pub(super) heartbeat: Duration,
}

/// How another member becomes the primary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Takeover {
    Never,
    Manual,
    Automatic { after: Duration, rule: Rule },
}

/// Who is to take over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Rule {
    MostAdvanced,
    FirstToNotice,
    /// This member's place in the order.
    Order(u32),
}

impl Settings {
    pub(super) fn new(me: Member, members: Members<'_>, config: &Config) -> Settings {
        let replicas = members.count() - 1;
        let (wait, ack_at, patience) = match config.acknowledge {
            Acknowledge::Async => (None, AckAt::Logged, None),
            Acknowledge::Sync => (Some(replicas), AckAt::Logged, None),
            Acknowledge::SemiSync(SemiSync { replicas, ack_at, timeout, on_timeout }) => {
                (Some(replicas), ack_at, (on_timeout == OnTimeout::Async).then_some(timeout))
            }
        };
        let takeover = match &config.failover {
            Failover::None => Takeover::Never,
            Failover::Manual => Takeover::Manual,
            Failover::Automatic(Automatic { after, promote }) => {
                let rule = match promote {
                    Promote::MostAdvanced => Rule::MostAdvanced,
                    Promote::FirstToNotice => Rule::FirstToNotice,
                    Promote::Order(_) => {
                        let place = order(members, config).iter().position(|member| *member == me);
                        Rule::Order(place.unwrap_or_default() as u32)
                    }
                };
                Takeover::Automatic { after: *after, rule }
            }
        };
        Settings {
            me,
            members: members.count(),
            primary: first_primary(members, config),
            wait,
            ack_at,
            patience,
            takeover,
            fencing: config.fencing,
            ship_every: config.ship_every,
            batch: config.batch.get(),
            window: config.window.get(),
            retain: config.retain.get(),
            heartbeat: config.heartbeat,
        }
    }

    /// All members but this one.
    pub(super) fn others(&self) -> impl Iterator<Item = Member> + use<> {
        let me = self.me;
        (0..self.members).map(Member).filter(move |member| *member != me)
    }

    pub(super) fn majority(&self) -> u32 {
        majority(self.members)
    }

    /// How long a member hears nothing before it suspects the primary, where members do.
    pub(super) fn suspicion(&self) -> Option<Duration> {
        match self.takeover {
            Takeover::Automatic { after, .. } => Some(after),
            Takeover::Never | Takeover::Manual => None,
        }
    }

    /// For how long a primary may serve after it has asked a majority that answers: nobody else serves earlier.
    pub(super) fn lease(&self) -> Duration {
        let ten_heartbeats = Duration::from_nanos(self.heartbeat.nanos().saturating_mul(10));
        self.suspicion().unwrap_or(ten_heartbeats)
    }

    /// How long one who suspects the primary waits before it stands for election, for the first time or `again`.
    pub(super) fn stand_after(&self, again: bool) -> Span {
        let Takeover::Automatic { after, rule } = self.takeover else { return Span::exactly(self.lease()) };
        let half = after.nanos() / 2;
        let base = if again { half } else { 0 };
        let (least, most) = match rule {
            Rule::MostAdvanced => (base, base + half),
            // All notice within moments: without some chance the first elections would be ties.
            Rule::FirstToNotice if !again => (0, self.heartbeat.nanos()),
            Rule::FirstToNotice => (base, 2 * base),
            Rule::Order(place) => {
                let wait = self.heartbeat.nanos().saturating_mul(2 * u64::from(place));
                let turn = base.saturating_add(wait);
                (turn, turn)
            }
        };
        Span { least: Duration::from_nanos(least), most: Duration::from_nanos(most) }
    }

    /// The next term that is this member's to claim. Every term belongs to one member, so no two can ever be primary
    /// in one term. An order to promote outranks every restart of the primary that it replaces. `None` once there are
    /// no more terms: whoever is the primary then stays it.
    pub(super) fn next_term(&self, term: u32, ordered: bool) -> Option<u32> {
        let members = self.members;
        let stride = (4 * members).max(128);
        let least = match self.takeover {
            Takeover::Manual if ordered => (term / stride + 1) * stride,
            _ => term.max(1) + 1,
        };
        let claimed = least + (self.me.0 + members - least % members) % members;
        Some(claimed).filter(|claimed| *claimed <= LAST_TERM)
    }
}

/// How many of so many members are more than half.
pub(super) fn majority(members: u32) -> u32 {
    members / 2 + 1
}

pub(super) fn first_primary(members: Members<'_>, config: &Config) -> Member {
    config.primary.as_deref().and_then(|name| members.find(name)).unwrap_or(Member(0))
}

/// Who would take over from a lost primary.
pub(super) fn promotion(members: Members<'_>, config: &Config) -> PromotionRule {
    match &config.failover {
        Failover::Automatic(Automatic { promote: Promote::FirstToNotice, .. }) => PromotionRule::Any,
        Failover::Automatic(Automatic { promote: Promote::Order(_), .. }) => {
            PromotionRule::Order(order(members, config))
        }
        _ => PromotionRule::MostAdvanced,
    }
}

/// All members in the order of promotion: those named, then the rest.
fn order(members: Members<'_>, config: &Config) -> Vec<Member> {
    let mut order: Vec<Member> = config.order().iter().filter_map(|name| members.find(name)).collect();
    for member in (0..members.count()).map(Member) {
        if !order.contains(&member) {
            order.push(member);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_belongs_to_one_member_and_an_order_outranks_restarts() {
        let names = ["a", "b", "c"].map(String::from);
        let settings = |member, failover| {
            let config = Config { failover, ..Config::default() };
            Settings::new(Member(member), Members { names: &names, regions: &[] }, &config)
        };
        for (member, term, expected) in [(0, 0, 3), (1, 1, 4), (2, 1, 2), (0, 3, 6), (2, 3, 5)] {
            assert_eq!(
                settings(member, Failover::None).next_term(term, false),
                Some(expected),
                "{member} after {term}"
            );
        }
        for (member, term, ordered, expected) in [
            (0, 1, true, Some(129)),
            (1, 1, true, Some(130)),
            (2, 1, false, Some(2)),
            (2, 130, true, Some(257)),
            (1, 130, false, Some(133)),
            (0, LAST_TERM - 1, false, Some(LAST_TERM)),
            (0, LAST_TERM, false, None),
            (0, LAST_TERM - 1, true, None),
        ] {
            assert_eq!(settings(member, Failover::Manual).next_term(term, ordered), expected);
        }
    }
}
