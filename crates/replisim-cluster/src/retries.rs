//! Retries: what a client does when an attempt at an operation is refused, or not answered in time.
//!
//! It waits a while, longer each time, and tries again, until an attempt succeeds or all are used up. Each attempt has
//! the whole time-out of the workload, and its driver chooses anew whom to ask; a connection is given back meanwhile, and
//! waited for again. What the client is told of an attempt that it has given up it does not hear. A condition that does
//! not hold is an answer, so it is not asked again. No attempt begins after the clients have stopped.
//!
//! Of reads every attempt is the same. A write without a token is a new write each time: if an earlier attempt was
//! done after all, it is done twice. With a token the protocol can tell; [`Tokens`] says how.

use std::collections::BTreeSet;

use replisim_engine::{Duration, Share, Stream, Streams, Time};
use replisim_observe::{Answer, Client, Observation, Observer, Op, OpKind, Outcome};
use replisim_protocols::{Protocol, Request, Token, Tokens};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clients::{Manner, draw_between};
use crate::tasks::{Task, Work, kind_and_key};
use crate::workload::Workload;
use crate::world::{Event, World};

/// How clients try again what was refused, or not answered in time. After a time-out they ask another node who the
/// primary is, which costs a round trip more.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Retries {
    /// The most attempts at an operation, the first one counted; each has the whole `timeout` of the workload.
    pub attempts: u32,
    /// How long a client waits before the second attempt at most; twice as long before the third, and so on.
    pub backoff: Duration,
    /// The share of each wait that is left to chance, so that clients that failed together do not come back together: at
    /// `50%` a wait is drawn evenly from its second half.
    pub jitter: Share,
    /// Whether all attempts at a write carry one idempotence token, by which it is done once. Without, each attempt is a
    /// write of its own.
    pub tokens: bool,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries { attempts: 3, backoff: Duration::from_millis(50), jitter: Share::new(0.5), tokens: false }
    }
}

/// A client that tries again.
#[derive(Debug)]
pub(crate) struct Retrier {
    settings: Retries,
    /// How the attempts at a write are told to be one, if they are.
    tokens: Option<Tokens>,
    stream: Stream,
    /// The number of the next token, and those whose operations are not over.
    next: u32,
    open: BTreeSet<u32>,
}

/// Which attempt, and at what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempt {
    /// The operation, as results call it; [`Ops`](crate::clients::Ops) numbers attempts.
    pub(crate) op: Op,
    /// How many came before.
    pub(crate) before: u32,
    /// How the last of them ended.
    pub(crate) after: Option<Outcome>,
    /// Whether one of them may have been done.
    pub(crate) in_doubt: bool,
}

/// Attempts that are to come, by their places; places are used again.
#[derive(Debug, Default)]
pub(crate) struct ToCome {
    slots: Vec<Option<(Request, Manner)>>,
    free: Vec<u32>,
}

/// The longest wait; longer than any run.
const LONGEST_WAIT: u64 = u64::MAX / 4;

impl Retrier {
    pub(crate) fn new(workload: &Workload, tokens: Option<Tokens>, streams: &Streams) -> Option<Retrier> {
        let settings = workload.retries?;
        Some(Retrier {
            settings,
            tokens: tokens.filter(|_| settings.tokens),
            stream: streams.named(&format!("client/{}/backoff", workload.name)),
            next: 0,
            open: BTreeSet::new(),
        })
    }

    /// How long to wait before another attempt where so many came before the last; none if there is to be no other.
    fn wait_after(&mut self, before: u32) -> Option<Duration> {
        let Retries { attempts, backoff, jitter, .. } = self.settings;
        if before + 1 >= attempts {
            return None;
        }
        let doubled = 1u64.checked_shl(before).unwrap_or(u64::MAX);
        let most = backoff.nanos().saturating_mul(doubled).min(LONGEST_WAIT);
        let least = Duration::from_nanos_f64(most as f64 * (1.0 - jitter.get()));
        let most = Duration::from_nanos(most);
        Some(draw_between(&mut self.stream, least.min(most), most))
    }
}

impl ToCome {
    fn put(&mut self, request: Request, manner: Manner) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = Some((request, manner));
        slot
    }

    fn take(&mut self, slot: u32) -> Option<(Request, Manner)> {
        let taken = self.slots[slot as usize].take();
        self.free.push(slot);
        taken
    }
}

impl<P: Protocol, O: Observer> World<P, O> {
    /// An attempt is about to be made, if only to wait in vain for a connection: tells of it, and gives it its token.
    pub(crate) fn announce(&mut self, client: Client, request: &mut Request, manner: &mut Manner) {
        let is_first = manner.attempt.after.is_none();
        self.give_token(client, request, is_first);
        let (kind, key) = kind_and_key(request);
        let repeats = self.repeats(client);
        let op = match manner.attempt {
            Attempt { op, after: Some(after), .. } => {
                let write = if let OpKind::Write(write) = kind { Some(write) } else { None };
                let write = write.filter(|_| !repeats);
                self.stage.observe_of(key, Observation::Retried { op, after, write });
                op
            }
            Attempt { after: None, .. } => {
                let op = Op(self.operations);
                self.operations += 1;
                let scheduled = manner.due;
                self.stage.observe_of(key, Observation::Invoked { op, client, kind, key, scheduled });
                op
            }
        };
        manner.attempt.op = op;
        if let Request::Write { write, context, .. } = request
            && (is_first || !repeats)
        {
            self.tell_basis(*write, key, context);
        }
    }

    /// An attempt that had a connection has ended, and not well.
    pub(crate) fn given_up(
        &mut self,
        client: Client,
        request: Request,
        manner: Manner,
        outcome: Outcome,
        answer: Option<Answer>,
    ) {
        match self.fails(client, request, manner, outcome, answer) {
            true => self.over(client, manner),
            false => self.release(client),
        }
    }

    /// An attempt has ended, and not well: another will follow, or the operation is over, and true is returned.
    pub(crate) fn fails(
        &mut self,
        client: Client,
        request: Request,
        manner: Manner,
        outcome: Outcome,
        answer: Option<Answer>,
    ) -> bool {
        let (attempt, (kind, key)) = (manner.attempt, kind_and_key(&request));
        let in_doubt = attempt.in_doubt || outcome == Outcome::Unknown;
        let next = self.next_attempt(client, attempt.before);
        if let (Outcome::Failed, OpKind::Write(write)) = (outcome, kind)
            && (!self.repeats(client) || (next.is_none() && !in_doubt))
        {
            self.stage.refused(write);
        }
        match next {
            Some(due) => {
                let (before, after) = (attempt.before + 1, Some(outcome));
                let attempt = Attempt { before, after, in_doubt, ..attempt };
                let slot = self.to_come.put(request, Manner { due, attempt, ..manner });
                self.stage.queue.schedule(due, Event::Retry { client: client.0, slot });
            }
            None => {
                if let Request::Write { token, .. } = request {
                    self.forget_token(client, token);
                }
                let outcome = if in_doubt { Outcome::Unknown } else { outcome };
                self.stage.observe_of(key, Observation::Returned { op: attempt.op, outcome, answer });
            }
        }
        next.is_none()
    }

    /// The wait before another attempt is over.
    pub(crate) fn retry(&mut self, client: Client, slot: u32) {
        self.submit(client, Task { work: Work::Again { slot }, due: self.stage.now });
    }

    /// What is to be asked in an attempt that has waited long enough.
    pub(crate) fn next_request(&mut self, client: Client, slot: u32) -> (Request, Manner) {
        let Some((request, manner)) = self.to_come.take(slot) else {
            unreachable!("an attempt is made once")
        };
        let request = match request {
            Request::Write { key, change, context, token, .. } if !self.repeats(client) => {
                let mut request = self.write(client, key, change, context);
                if let Request::Write { token: place, .. } = &mut request {
                    *place = token;
                }
                request
            }
            request => request,
        };
        (request, manner)
    }

    /// The operation that had this token is over: nobody need remember it.
    pub(crate) fn forget_token(&mut self, client: Client, token: Option<Token>) {
        if let (Some(token), Some(retrier)) = (token, &mut self.clients[client.index()].retrier) {
            retrier.open.remove(&token.number);
        }
    }

    /// When the attempt after one that so many came before is due, if there is to be one.
    fn next_attempt(&mut self, client: Client, before: u32) -> Option<Time> {
        let wait = self.clients[client.index()].retrier.as_mut()?.wait_after(before)?;
        Some(self.stage.now + wait).filter(|due| *due < self.setup.window.to)
    }

    /// Whether another attempt at a write is the same write, version and all.
    fn repeats(&self, client: Client) -> bool {
        let retrier = self.clients[client.index()].retrier.as_ref();
        retrier.is_some_and(|retrier| retrier.tokens == Some(Tokens::Same))
    }

    /// A write's first attempt gets its token, if its client gives any; every one tells which are open.
    fn give_token(&mut self, client: Client, request: &mut Request, is_first: bool) {
        let Request::Write { token, .. } = request else { return };
        let Some(retrier) = &mut self.clients[client.index()].retrier else { return };
        if retrier.tokens != Some(Tokens::Kept) {
            return;
        }
        if is_first {
            *token = Some(Token { client, number: retrier.next, open: 0 });
            retrier.open.insert(retrier.next);
            retrier.next += 1;
        }
        if let (Some(token), Some(open)) = (token, retrier.open.first()) {
            token.open = *open;
        }
    }
}
