//! Who becomes the primary: suspicion, trials, votes, and orders.
//!
//! A replica that hears nothing of its primary for `after` suspects it. When its turn comes it first asks on *trial*:
//! would a majority vote for me? Only then does it claim a term and ask in earnest, so that a member that was cut off
//! cannot unseat a primary that all the others hear. Whoever suspects nobody votes for nobody, and whoever has voted
//! suspects nobody for `after`: so two primaries never hold the lease at once.
//!
//! Every term belongs to one member (`Settings::next_term`), which alone can be its primary: votes need not say for
//! whom they were, and a restart can give none twice. A promise to take no part in earlier terms is durable before the vote
//! leaves.
//!
//! An order to promote asks for votes too, but everybody grants it: an operator knows better. With `fencing: false` it
//! asks nobody.

use std::collections::BTreeSet;

use replisim_observe::{Member, Time};

use super::intent::Intent;
use super::message::{Message, Timer};
use super::settings::{Rule, Takeover};
use super::{PrimaryBackup, Role};
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Span};

/// A question for votes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ballot {
    /// The term for which the member stands.
    pub term: u32,
    /// The latest term whose beginning it has in its log, and the end of that log.
    pub advance: (u32, u64),
    /// Whether it only asks whether it should ask.
    pub trial: bool,
    /// Whether it stands by order.
    pub forced: bool,
}

/// A member that stands for election.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Candidacy {
    pub(super) term: u32,
    pub(super) trial: bool,
    pub(super) forced: bool,
    /// Who has granted it, this member included.
    votes: BTreeSet<Member>,
    /// Heartbeats that would have been sent since the votes were asked for.
    pub(super) heartbeats: u64,
    /// When it began to stand, by its own clock.
    pub(super) asked: Time,
}

impl PrimaryBackup {
    /// Nothing has been heard of the primary.
    pub(super) fn suspect(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        replica.suspects = true;
        let asked = replica.asked.take();
        out.arm(Timer::Stand, self.settings.stand_after(false));
        if let Some((from, ballot)) = asked {
            self.asked(from, ballot, out);
        }
    }

    /// It is this member's turn to stand for election, for the first time or again.
    pub(super) fn stand(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &self.role else { return };
        let ordered = replica.candidacy.as_ref().is_some_and(|candidacy| candidacy.forced);
        if ordered {
            self.ask(false, true, out);
        } else if replica.suspects && self.disk.incomplete.is_none() {
            let Some(term) = self.settings.next_term(self.disk.office.term, false) else { return };
            self.announce(term, true, false, out.local_clock());
            self.ask(true, false, out);
        } else {
            return;
        }
        out.arm(Timer::Stand, self.settings.stand_after(true));
    }

    /// An operator orders this member to become the primary.
    pub(super) fn promote(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        if matches!(self.role, Role::Primary(_)) || self.disk.incomplete.is_some() {
            return;
        }
        if !self.settings.fencing || self.settings.members == 1 {
            return self.claim(true, out);
        }
        if let Some(term) = self.settings.next_term(self.disk.office.term, true) {
            self.stand_in_earnest(term, true, out);
        }
    }

    fn announce(&mut self, term: u32, trial: bool, forced: bool, asked: Time) {
        if let Role::Replica(replica) = &mut self.role {
            let votes = BTreeSet::from([self.settings.me]);
            replica.candidacy = Some(Candidacy { term, trial, forced, votes, heartbeats: 0, asked });
        }
    }

    fn stand_in_earnest(&mut self, term: u32, forced: bool, out: &mut impl Effects<PrimaryBackup>) {
        self.hear_of(term, None, out);
        self.announce(term, false, forced, out.local_clock());
        out.arm(Timer::Stand, self.settings.stand_after(true)); // the answers need their time anew
        self.promise(Intent::Ask { term, forced }, out);
    }

    /// The promise to take no part in earlier terms is durable: the others may be asked.
    pub(super) fn ask_for_votes(&mut self, forced: bool, out: &mut impl Effects<PrimaryBackup>) {
        out.arm(Timer::Heartbeat, Span::exactly(self.settings.heartbeat));
        self.ask(false, forced, out);
        self.count(out);
    }

    fn ask(&self, trial: bool, forced: bool, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &self.role else { return };
        let Some(Candidacy { term, .. }) = replica.candidacy else { return };
        let ballot = Ballot { term, advance: self.disk.advance(), trial, forced };
        self.settings.others().for_each(|member| out.send(member, Message::Ask(ballot)));
    }

    /// A member asks for this member's vote.
    pub(super) fn asked(&mut self, from: Member, ballot: Ballot, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        if ballot.forced && ballot.term >= term {
            // An order may be repeated: what was promised for this term was promised to its owner.
            if ballot.term > term {
                self.hear_of(ballot.term, None, out);
            }
            return self.grant(from, ballot, out);
        }
        if ballot.term <= term {
            return out.send(from, Message::Outdated { term });
        }
        let Role::Replica(replica) = &mut self.role else { return };
        if !replica.suspects {
            replica.asked = Some((from, ballot)).filter(|_| ballot.trial);
            return;
        }
        let rule_holds = match self.settings.takeover {
            Takeover::Automatic { rule: Rule::MostAdvanced, .. } => {
                ballot.advance >= self.disk.advance() || Bug::LeastAdvancedPromoted.is_on()
            }
            _ => true,
        };
        if !ballot.trial {
            self.hear_of(ballot.term, None, out);
        }
        if !rule_holds || (self.disk.forgetful && !Bug::VoteWithoutDisk.is_on()) {
            return;
        }
        if ballot.trial {
            out.send(from, Message::Vote { term: ballot.term, trial: true });
        } else {
            self.grant(from, ballot, out);
        }
    }

    /// Votes, as soon as that is durable, and suspects nobody for a while.
    fn grant(&mut self, to: Member, ballot: Ballot, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        replica.suspects = false;
        out.disarm(Timer::Stand);
        self.watch(out);
        self.promise(Intent::Vote { to, term: ballot.term }, out);
    }

    /// A vote arrives.
    pub(super) fn voted(
        &mut self,
        from: Member,
        term: u32,
        trial: bool,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        if let Role::Replica(replica) = &mut self.role
            && let Some(candidacy) = &mut replica.candidacy
            && (candidacy.term, candidacy.trial) == (term, trial)
            && candidacy.votes.insert(from)
        {
            self.count(out);
        }
    }

    /// A majority decides.
    fn count(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &self.role else { return };
        let Some(candidacy) = &replica.candidacy else { return };
        if (candidacy.votes.len() as u32) < self.settings.majority() {
            return;
        }
        if candidacy.trial {
            self.stand_in_earnest(candidacy.term, false, out);
        } else if !self.disk.office.primary {
            self.take_office(out);
        }
    }

    /// A heartbeat's time has passed while this member stands for election.
    pub(super) fn count_heartbeat(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        if let Role::Replica(replica) = &mut self.role
            && let Some(candidacy) = &mut replica.candidacy
        {
            candidacy.heartbeats += 1;
            out.arm(Timer::Heartbeat, Span::exactly(self.settings.heartbeat));
        }
    }
}
