//! Primary–backup replication by log shipping, as in PostgreSQL or MySQL: asynchronous, semi-synchronous or
//! synchronous, with fail-over by hand or by itself.
//!
//! ```text
//! client ──put──▶ primary                              logged; async: committed, and answered here and now
//!                    │
//!                    ├──append(entries)──▶ replica      received, logged, applied
//!                    │◀──acknowledge──────────┤
//! client ◀──ok───────┘                                  semi-sync, sync: committed when enough have said so
//! ```
//!
//! One member, the primary of a *term*, takes all writes, gives each the next position of its log, and ships what is on
//! its disk to every replica. A replica appends in the order of positions, makes it durable, and shows it to readers.
//! If something is missing, it says so (`fetch`) and the primary sends it again out of its log; a heartbeat tells a
//! replica what it ought to have when nothing else is sent. Only where the log is gone is the store copied.
//!
//! A later term supersedes: whoever hears of one takes no part in earlier ones, takes back what the new primary's log
//! does not have, and follows ([`History`] says where two logs part). Heartbeats, votes and
//! promotions are messages; no member reads another's state.
//!
//! - **Commit rule:** `async`: applied at the primary, flushed or not. `semi-sync`, `sync`: the primary knows that so
//!   many replicas have received, logged or applied it, and that its own disk has it. With `on-timeout: async`, when
//!   it decides to answer all the same. The primary shows a write when it is committed; replicas show it when they
//!   have logged it, which may be earlier.
//! - **Retries:** an entry carries the token of its operation. A primary that has an entry with the token of a write
//!   that arrives logs nothing: it answers for the entry, once that is committed.
//! - **Version:** (term, log position).
//! - **Cost:** one message and one acknowledgement per replica and shipment; an acknowledged write takes one client
//!   round trip, plus one to the slowest of the replicas that it waits for.
//! - **Leaves out:** adopting another log and taking a tail back cost one sync, however long they are; a replica
//!   applies what it has logged in no time.
//!
//! Where things are: what a member has on disk (`disk`) and what it does once something is durable (`intent`); the
//! primary (`primary`, `ship`, `copy`, `lease`); the replica (`replica`); how terms change (`term`,
//! `election`); reads (`reads`); attempts of one operation (`tokens`).

mod config;
mod copy;
mod disk;
mod election;
mod history;
mod intent;
mod lease;
mod message;
mod primary;
mod ranks;
mod reads;
mod replica;
mod settings;
mod ship;
mod term;
mod tokens;

use std::collections::VecDeque;

use replisim_observe::{Member, Op, PromotionRule, Version};

pub use config::{AckAt, Acknowledge, Automatic, Config, Failover, OnTimeout, Promote, SemiSync};
pub use election::Ballot;
pub use history::History;
pub use message::{Item, Lead, Message, Timer};
pub use tokens::TokenTable;

use crate::protocol::{
    Command, Consistency, Effects, INDEX_BITS, Kept, Members, Protocol, Reply, Request, Route, Span, Tokens,
    version,
};
use disk::Disk;
use intent::{Intent, Record};
use lease::Lease;
use primary::{Primary, Stage};
use reads::Waiting;
use replica::{Pulse, Replica};
use settings::Settings;
use ship::{Missing, Standing};

/// One member of a primary–backup group.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrimaryBackup {
    settings: Settings,
    disk: Disk,
    role: Role,
    waiting: Waiting,
    /// Records on their way to the disk.
    unsynced: VecDeque<Record>,
}

/// What does not survive a crash.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Role {
    Primary(Primary),
    Replica(Replica),
}

impl Protocol for PrimaryBackup {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn new(me: Member, members: Members<'_>, config: &Config) -> PrimaryBackup {
        let settings = Settings::new(me, members, config);
        let is_primary = me == settings.primary;
        let role = if is_primary {
            let mut primary = Primary::new(&settings, Stage::Ready, 1, 0);
            primary.peers.iter_mut().for_each(|peer| peer.heard = true);
            Role::Primary(primary)
        } else {
            Role::Replica(Replica { leader: Some(settings.primary), following: true, ..Replica::default() })
        };
        PrimaryBackup {
            settings,
            disk: Disk::new(is_primary),
            role,
            waiting: Waiting::default(),
            unsynced: VecDeque::new(),
        }
    }

    fn start(&mut self, out: &mut impl Effects<Self>) {
        let (end, synced) = (self.disk.log.end(), self.disk.synced);
        if end > synced {
            let bytes = self.disk.log.bytes_between(synced, end);
            self.persist(Intent::Entries { end }, bytes, out);
        }
        if let Role::Primary(primary) = &mut self.role {
            primary.lease = Lease::from(out.local_clock()); // the beginning of time
            self.start_rhythms(out);
            self.try_to_serve(out);
        } else if self.resumes() {
            self.claim(false, out);
        } else {
            self.watch(out);
        }
    }

    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>) {
        match request {
            Request::Write { key, write, change, token, .. } => {
                self.write(op, key, (write, token), change, out)
            }
            Request::Read { by_primary: true, .. } if !matches!(self.role, Role::Primary(_)) => {
                out.reply(op, Reply::Redirect(self.known_primary()));
            }
            Request::Read { key, consistency, token, .. } => self.read(op, key, consistency, token, out),
        }
    }

    fn message(&mut self, from: Member, message: Message, out: &mut impl Effects<Self>) {
        match message {
            Message::Ask(ballot) => return self.asked(from, ballot, out),
            Message::Vote { term, trial } => return self.voted(from, term, trial, out),
            _ => {}
        }
        let (term, is_from_primary) = (self.disk.office.term, message.is_from_primary());
        if message.term() < term {
            if is_from_primary {
                out.send(from, Message::Outdated { term });
            }
            return;
        }
        if message.term() > term {
            self.hear_of(message.term(), is_from_primary.then_some(from), out);
        }
        if is_from_primary {
            self.heed(from, out);
        }
        match message {
            Message::Append { after, batch, .. } => self.append(after, &batch, out),
            Message::Heartbeat { round, shipped, end, committed, held, shows, .. } => {
                self.heartbeat(from, Pulse { round, shipped, end, committed, held, shows }, out);
            }
            Message::Acknowledge { joining, round, received, logged, level, partial, .. } => {
                self.acknowledged(from, Standing { joining, round, received, logged, level, partial }, out);
            }
            Message::Fetch { after, upto, round, .. } => {
                self.ship_again(from, Missing { after, upto, round }, out);
            }
            Message::Join { .. } => self.joined(from, out),
            Message::Lead(lead) => self.led(from, lead, out),
            Message::Copy { joining, position, first, items, .. } => {
                let bytes = items.iter().map(|item| item.bytes()).sum();
                self.persist(Intent::Copy { joining, position, first, items }, bytes, out);
            }
            Message::Copied { joining, first, .. } => self.copied(from, joining, first, out),
            Message::Install { joining, position, complete_at, tokens, .. } => {
                self.promise(Intent::Install { joining, position, complete_at, tokens }, out);
            }
            Message::Ask(_) | Message::Vote { .. } | Message::Outdated { .. } => {}
        }
    }

    fn timer(&mut self, timer: Timer, out: &mut impl Effects<Self>) {
        match (timer, &self.role) {
            (Timer::Ship, _) => {
                out.arm(Timer::Ship, Span::exactly(self.settings.ship_every));
                self.ship_new(out);
            }
            (Timer::Heartbeat, Role::Primary(_)) => self.beat(out),
            (Timer::Heartbeat, Role::Replica(_)) => self.count_heartbeat(out),
            (Timer::Patience, _) => self.lose_patience(out),
            (Timer::Serve, _) => self.end_wait(out),
            (Timer::Suspect, _) => self.suspect(out),
            (Timer::Stand, _) => self.stand(out),
        }
    }

    fn persisted(&mut self, upto: u64, out: &mut impl Effects<Self>) {
        self.synced(upto, out);
    }

    fn command(&mut self, command: Command, out: &mut impl Effects<Self>) {
        match command {
            Command::Promote => self.promote(out),
        }
    }

    fn crash(&mut self, kept: Kept, out: &mut impl Effects<Self>) {
        self.unsynced.clear();
        self.waiting = Waiting::default();
        self.role = Role::Replica(Replica::default());
        self.disk.crash(kept, self.settings.members == 1, out);
    }

    fn quiescent(&self) -> bool {
        let automatic = self.settings.suspicion().is_some();
        let at_rest = match &self.role {
            Role::Primary(primary) => {
                let end = self.disk.log.end();
                primary.pending.is_empty() && primary.peers.iter().all(|peer| peer.logged == end)
            }
            Role::Replica(replica) => {
                let follows = replica.following || (replica.leader.is_none() && !automatic);
                follows && replica.ahead.is_empty() && replica.candidacy.is_none()
            }
        };
        at_rest && self.unsynced.is_empty()
    }

    fn route(request: &Request, _: &Config) -> Route {
        match request {
            Request::Write { .. } | Request::Read { consistency: Consistency::Strong, .. } => Route::Primary,
            Request::Read { .. } => Route::Any,
        }
    }

    fn first_primary(members: Members<'_>, config: &Config) -> Option<Member> {
        Some(settings::first_primary(members, config))
    }

    fn promotion(members: Members<'_>, config: &Config) -> PromotionRule {
        settings::promotion(members, config)
    }

    fn tokens(_: &Config) -> Result<Tokens, &'static str> {
        Ok(Tokens::Kept)
    }

    fn obeys(command: Command, config: &Config) -> Result<(), &'static str> {
        match (command, &config.failover) {
            (Command::Promote, Failover::None) => Err("without `failover: manual` nobody is ever promoted"),
            (Command::Promote, Failover::Manual | Failover::Automatic(_)) => Ok(()),
        }
    }
}

/// The primary of `term` gives versions above this one; all others give versions up to it.
fn floor(term: u32) -> Version {
    version(term - 1, (1 << INDEX_BITS) - 1)
}
