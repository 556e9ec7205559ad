//! Operations from the client's decision to its end: invoked, sent where the driver believes the primary to be or to
//! where the workload reads from, sent on when a member says so, answered or given up.
//!
//! The driver is a plain one. It starts out knowing the first primary, follows redirections, and when the node that it
//! takes for the primary does not answer in time, or refuses, it asks the next node in file order for the operations
//! after. Where there is no primary, it leaves a node that it chose and that did not answer in time alone for a while.
//! It never repeats by itself an operation of which it does not know the fate: that is for its client to ask for
//! (`retries`).

use replisim_network::{Site, Traffic};
use replisim_observe::{
    Answer, Client, Group, Key, Member, Observation, Observer, Op, Outcome, Said, Stored, Time, Write,
};
use replisim_protocols::{Change, Context, Protocol, Reply, Request, Route, TOKEN_BYTES, timestamp};

use crate::clients::{Manner, ReadTarget, Via};
use crate::retries::Attempt;
use crate::script::{Action, Step};
use crate::stage::{Content, HEADER, change_bytes};
use crate::tasks::kind_and_key;
use crate::world::World;

/// How often an operation is sent on before the driver gives up: enough for a primary that is new everywhere.
const MOST_REDIRECTIONS: u8 = 4;

impl<P: Protocol, O: Observer> World<P, O> {
    /// An operation of the script is due.
    pub(crate) fn step(&mut self, step: usize) {
        let (Step { client, consistency, timeout, .. }, action, key) = &self.setup.script[step];
        let (action, key, consistency, timeout) = (*action, *key, *consistency, *timeout);
        let names = &self.setup.clients[self.setup.workloads.len()..];
        let position = names.iter().position(|placed| placed.name == *client).unwrap_or_default();
        let client = Client((self.setup.workloads.len() + position) as u32);
        let state = &self.clients[client.index()];
        let token = state.token(0, self.stage.layout.group_of(key));
        let seen = state.seen.get(&key).copied();
        let request = match action {
            Action::Get | Action::ReadModifyWrite => {
                Request::Read { key, consistency, token, by_primary: false }
            }
            Action::Put => self.write(client, key, PUT, Context::new()),
            Action::Delete => self.write(client, key, Change::Delete, Context::new()),
            Action::CompareAndSet => {
                let change = Change::CompareAndSet { expected: seen, bytes: SCRIPT_VALUE };
                self.write(client, key, change, Context::new())
            }
        };
        let then = (action == Action::ReadModifyWrite).then_some(PUT);
        let (target, due, attempt) = (self.script_targets[step], self.stage.now, Attempt::default());
        self.attempt(client, request, Manner { target, timeout, then, session: 0, due, attempt });
    }

    pub(crate) fn write(&mut self, client: Client, key: Key, change: Change, context: Context) -> Request {
        let write = Write(self.writes);
        self.writes += 1;
        let state = &mut self.clients[client.index()];
        state.stamp = timestamp(self.stage.wall_clock(state.site), state.site.0, state.stamp);
        Request::Write { key, write, change, context, stamp: state.stamp, token: None }
    }

    /// Makes an attempt at an operation: the first, unless its manner says otherwise.
    pub(crate) fn attempt(&mut self, client: Client, mut request: Request, mut manner: Manner) {
        self.announce(client, &mut request, &mut manner);
        let Manner { target, timeout, due, .. } = manner;
        let (_, key) = kind_and_key(&request);
        let (to, via) = self.choose(client, &request, target, key);
        if let Request::Read { by_primary, .. } = &mut request {
            *by_primary = via == Via::Belief;
        }
        let op = self.ops.open(client, request.clone(), manner, to, via);
        self.trace_op(op, key);

        let state = &mut self.clients[client.index()];
        let deadline = due + timeout;
        // Time-outs of one workload are equal, so its deadlines nearly come in order; a script's may not.
        let place = match state.deadlines.back() {
            Some((last, _)) if *last > deadline => {
                state.deadlines.partition_point(|(other, _)| *other <= deadline)
            }
            _ => state.deadlines.len(),
        };
        state.deadlines.insert(place, (deadline, op));
        if place == 0 {
            self.stage.queue.arm(state.deadline_timer, deadline);
        }
        let site = state.site;
        self.ask(op, key, (site, to), request);
    }

    /// To whom the driver sends a request.
    fn choose(&mut self, client: Client, request: &Request, target: ReadTarget, key: Key) -> (Member, Via) {
        let (layout, now) = (self.stage.layout, self.stage.now);
        let state = &mut self.clients[client.index()];
        let route = P::route(request, &self.config);
        let group = layout.group_of(key);
        let is_led = self.primaries[group.index()].is_some();
        if route == Route::Primary || (target == ReadTarget::Primary && is_led) {
            return (state.beliefs[group.index()].believed, Via::Belief);
        }
        if layout.groups() > 1 {
            return self.choose_in(group, client, target);
        }
        let members = self.setup.nodes.len();
        let serves = |member: Member| route != Route::Owner || self.placement.owns(members, member, key);
        let all = || state.by_distance.iter().copied();
        let nobody_is_left =
            all().filter(|member| serves(*member)).all(|member| state.avoided.has(member, now));
        let may = |member: Member| serves(member) && (nobody_is_left || !state.avoided.has(member, now));
        match target {
            ReadTarget::Member(member) => (member, Via::Name),
            ReadTarget::Random if state.avoided.is_empty() && route != Route::Owner => {
                (state.route.choose_any(members as u32), Via::Choice)
            }
            ReadTarget::Random => (state.route.choose(members as u32, may), Via::Choice),
            ReadTarget::Nearest | ReadTarget::Primary => {
                (all().find(|member| may(*member)).unwrap_or_default(), Via::Choice)
            }
        }
    }

    /// The same where there are several groups. None of them is without a primary, so nobody is left alone.
    fn choose_in(&mut self, group: Group, client: Client, target: ReadTarget) -> (Member, Via) {
        let layout = self.stage.layout;
        let node = |member: Member| Member(layout.site(group, member).0);
        let state = &mut self.clients[client.index()];
        match target {
            ReadTarget::Member(named) if layout.is_in(group, named) => (named, Via::Name),
            ReadTarget::Random => (node(state.route.choose_any(layout.group_size())), Via::Choice),
            ReadTarget::Nearest | ReadTarget::Primary | ReadTarget::Member(_) => {
                let members = (0..layout.group_size()).map(|member| node(Member(member)));
                let nearest = members.min_by_key(|member| (state.distances[member.index()], *member));
                (nearest.unwrap_or_default(), Via::Choice)
            }
        }
    }

    fn ask(&mut self, op: Op, key: Key, (from, to): (Site, Member), request: Request) {
        if P::in_clients(&self.config) {
            return self.at_instance(from.0, |protocol, out| protocol.request(op, request, out));
        }
        let bytes = match &request {
            Request::Write { change, token, .. } => {
                HEADER + token.map_or(0, |_| TOKEN_BYTES) + change_bytes(*change)
            }
            Request::Read { .. } => HEADER,
        };
        let (group, ends) = (self.stage.layout.group_of(key), (from, Site(to.0)));
        self.stage.send(group, ends, Traffic::Request, bytes, Content::Request(op, request));
    }

    /// An answer reaches the client.
    pub(crate) fn answer(&mut self, op: Op, by: Member, sent: Time, reply: Reply) {
        let Some(state) = self.ops.get(op) else { return }; // given up before
        let (client, key, manner) = (state.client, state.key(), state.manner);
        let layout = self.stage.layout;
        let group = layout.group_of(key);
        let driver = &mut self.clients[client.index()];
        let by_belief = state.by_belief();
        if let Reply::Redirect(Some(to)) = reply
            && to != by
        {
            driver.beliefs[group.index()].believed = to;
            if state.redirections < MOST_REDIRECTIONS {
                let (site, mut request) = (driver.site, state.request.clone());
                // It is sent to the primary, and whoever answers will be taken for it.
                if let Request::Read { by_primary, .. } = &mut request {
                    *by_primary = true;
                }
                self.ops.redirect(op, to);
                self.ask(op, key, (site, to), request);
                return;
            }
        }
        let (write, token) = match state.request {
            Request::Write { write, token, .. } => (Some(write), token),
            Request::Read { .. } => (None, None),
        };
        let (outcome, said) = match &reply {
            Reply::Written(_) => (Outcome::Ok, Said::Written),
            Reply::NotApplied => (Outcome::Ok, Said::NotApplied),
            Reply::Value(returned) => (Outcome::Ok, Said::Value(*returned)),
            Reply::Newest { stored, .. } => (Outcome::Ok, Said::Value(Some(*stored))),
            Reply::Siblings(siblings) => (Outcome::Ok, Said::Siblings(siblings.count)),
            Reply::Refused | Reply::Redirect(_) => (Outcome::Failed, Said::Refused),
        };
        match reply {
            Reply::Written(stored) => driver.has_seen(manner.session, group, key, stored.version),
            Reply::Value(Some(stored)) | Reply::Newest { stored, .. } => {
                driver.has_seen(manner.session, group, key, stored.version);
            }
            Reply::Value(None) => _ = driver.seen.remove(&key),
            _ => {}
        }
        match outcome {
            Outcome::Ok if by_belief => {
                let belief = &mut driver.beliefs[group.index()];
                (belief.believed, belief.asked) = (by, by);
            }
            Outcome::Failed if by_belief => {
                driver.beliefs[group.index()].gives_up_on(by, |node| layout.next(group, node));
            }
            _ => {}
        }
        let answer = Some(Answer { by, at: sent, said });
        if outcome != Outcome::Ok {
            let request = state.request.clone();
            self.ops.close(op);
            return self.given_up(client, request, manner, outcome, answer);
        }
        let seen = manner.attempt.op;
        if let Reply::Written(Stored { write: done, .. }) = reply
            && Some(done) != write
        {
            self.stage.observe_in(group, Observation::Recognised { op: seen, write: done });
        }
        if let Reply::Siblings(siblings) = &reply {
            for (lane, newest) in (0u32..).zip(&siblings.context).filter(|(_, newest)| newest.version.0 > 0) {
                let (key, version) = (key.lane(self.lanes, lane), newest.version);
                self.stage.observe_in(group, Observation::Saw { op: seen, key, version });
            }
        }
        let context = manner.then.and_then(|_| self.context_of(&reply));
        self.ops.close(op);
        self.forget_token(client, token);
        self.stage.observe_in(group, Observation::Returned { op: seen, outcome, answer });
        if said == Said::Written {
            self.tell_followers(client, key);
        }
        let goes_on = match manner.then.zip(context) {
            Some((change, context)) => self.rewrite(client, key, change, context, manner),
            None => false,
        };
        if !goes_on {
            self.over(client, manner);
        }
    }

    /// The time-out of a client's oldest operation is up.
    pub(crate) fn deadline(&mut self, client: u32) {
        while let Some(&(deadline, op)) = self.clients[client as usize].deadlines.front() {
            if let Some(state) = self.ops.get(op) {
                if deadline > self.stage.now {
                    self.stage.queue.arm(self.clients[client as usize].deadline_timer, deadline);
                    return;
                }
                let (to, key, chosen) = (state.to, state.key(), state.via == Via::Choice);
                let layout = self.stage.layout;
                let group = layout.group_of(key);
                let manner = state.manner;
                let driver = &mut self.clients[client as usize];
                if state.by_belief() {
                    driver.beliefs[group.index()].gives_up_on(to, |node| layout.next(group, node));
                } else if chosen && self.primaries[group.index()].is_none() {
                    driver.avoided.add(to, self.stage.now);
                }
                let request = state.request.clone();
                self.ops.close(op);
                self.trace_op(op, key);
                let client = Client(client);
                self.given_up(client, request, manner, Outcome::Unknown, None);
            }
            self.clients[client as usize].deadlines.pop_front();
        }
    }

    /// Takes an operation and its key into the digest.
    pub(crate) fn trace_op(&mut self, op: Op, key: Key) {
        self.stage.digest.absorb(op.0);
        self.stage.digest.absorb(u64::from(key.0));
    }
}

/// Size of the values that a script writes.
const SCRIPT_VALUE: u32 = 100;
const PUT: Change = Change::Put { bytes: SCRIPT_VALUE };
