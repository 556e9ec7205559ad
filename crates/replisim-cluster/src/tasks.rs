//! Tasks: what a workload is about to do, from the moment it is due until it is handed to the system: an operation, or
//! another attempt at one.
//!
//! An operation is due when its timetable says so, or in a closed loop when its client has thought. It is handed over
//! at once, unless the workload has a limited number of connections and all are taken: then it waits in line, first
//! come first served. Its time-out counts from when it was due; whoever is still in line by then was never sent, so it
//! has certainly failed. A read and the write made of it use one connection, without a gap.

use std::collections::VecDeque;

use replisim_engine::{Duration, TimerSlot};
use replisim_observe::{Client, Key, Member, Observer, OpKind, Outcome, Time};
use replisim_protocols::{Change, Context, Protocol, Request};

use crate::clients::{Manner, Via};
use crate::retries::Attempt;
use crate::world::{Event, World};
use crate::writes::Way;

/// Something to do that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) work: Work,
    pub(crate) due: Time,
}

/// What there is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// An operation. `way` is how it writes; a read if it does not.
    New { way: Option<Way>, key: Key, session: u32 },
    /// Another attempt at one; its place among those that were [to come](crate::retries::ToCome).
    Again { slot: u32 },
}

/// A limited number of connections, and who waits for one. As long as anybody waits, all are taken.
#[derive(Debug)]
pub(crate) struct Pool {
    free: u32,
    waiting: VecDeque<Task>,
    /// When the first in line gives up.
    patience: TimerSlot,
}

/// How long a client of a closed loop takes at least whose operation took no time: else time would stand still.
const LEAST_PAUSE: Duration = Duration::from_micros(1);

impl Pool {
    pub(crate) fn new(connections: u32, patience: TimerSlot) -> Pool {
        Pool { free: connections, waiting: VecDeque::new(), patience }
    }
}

impl<P: Protocol, O: Observer> World<P, O> {
    /// The next operation of an open-loop workload is due.
    pub(crate) fn arrive(&mut self, client: u32) {
        if self.stage.now >= self.setup.window.to {
            return;
        }
        let Some(source) = &mut self.clients[client as usize].source else { return };
        let (way, key) = source.next_operation();
        let (session, next) = (source.next_session(), source.next_arrival());
        if let Some(next) = next {
            self.stage.queue.schedule(next, Event::Arrive { client });
        }
        self.submit(Client(client), Task { work: Work::New { way, key, session }, due: self.stage.now });
    }

    /// A client of a closed loop has thought.
    pub(crate) fn thought(&mut self, client: u32, session: u32) {
        if self.stage.now >= self.setup.window.to {
            return;
        }
        let Some(source) = &mut self.clients[client as usize].source else { return };
        let (way, key) = source.next_operation();
        self.submit(Client(client), Task { work: Work::New { way, key, session }, due: self.stage.now });
    }

    /// Hands a task over, or lets it wait for a connection.
    pub(crate) fn submit(&mut self, client: Client, task: Task) {
        let state = &mut self.clients[client.index()];
        match &mut state.pool {
            Some(pool) if pool.free == 0 => pool.waiting.push_back(task),
            Some(pool) => {
                pool.free -= 1;
                return self.hand_over(client, task);
            }
            None => return self.hand_over(client, task),
        }
        self.watch_line(client);
    }

    /// A connection is free for the first in line.
    pub(crate) fn connected(&mut self, client: Client) {
        let Some(pool) = &mut self.clients[client.index()].pool else { return };
        match pool.waiting.pop_front() {
            Some(task) => self.hand_over(client, task),
            None => pool.free += 1,
        }
        self.watch_line(client);
    }

    /// The first in line has waited for too long.
    pub(crate) fn impatient(&mut self, client: Client) {
        while let Some(task) = self.overdue(client) {
            let (mut request, mut manner) = self.request(client, task);
            self.announce(client, &mut request, &mut manner);
            let (_, key) = kind_and_key(&request);
            let op = self.ops.open(client, request.clone(), manner, Member::default(), Via::Name);
            self.ops.close(op);
            self.trace_op(op, key);
            if self.fails(client, request, manner, Outcome::Failed, None) {
                self.think(client, manner);
            }
        }
        self.watch_line(client);
    }

    /// Takes the first out of the line if its time is up.
    fn overdue(&mut self, client: Client) -> Option<Task> {
        let now = self.stage.now;
        let state = &mut self.clients[client.index()];
        let (pool, timeout) = (state.pool.as_mut()?, state.source.as_ref()?.timeout);
        pool.waiting.front().filter(|task| task.due + timeout <= now)?;
        pool.waiting.pop_front()
    }

    /// Sees to it that the first in line gives up in time.
    fn watch_line(&mut self, client: Client) {
        let state = &self.clients[client.index()];
        let Some((pool, source)) = state.pool.as_ref().zip(state.source.as_ref()) else { return };
        match pool.waiting.front() {
            Some(task) => self.stage.queue.arm(pool.patience, task.due + source.timeout),
            None => self.stage.queue.disarm(pool.patience),
        }
    }

    fn hand_over(&mut self, client: Client, task: Task) {
        let (request, manner) = self.request(client, task);
        self.attempt(client, request, manner);
    }

    /// What a task comes to.
    fn request(&mut self, client: Client, task: Task) -> (Request, Manner) {
        let Task { work, due } = task;
        let (way, key, session) = match work {
            Work::New { way, key, session } => (way, key, session),
            Work::Again { slot } => return self.next_request(client, slot),
        };
        let state = &self.clients[client.index()];
        let token = state.token(session, self.stage.layout.group_of(key));
        let Some(source) = &state.source else { unreachable!("only workloads have tasks") };
        let (consistency, target, timeout) = (source.consistency, source.target, source.timeout);
        let change = way.map(|way| match way {
            Way::Delete => Change::Delete,
            Way::CompareAndSet => Change::CompareAndSet { expected: None, bytes: source.value },
            Way::Put | Way::Add | Way::ReadModifyWrite | Way::SetAdd => Change::Put { bytes: source.value },
        });
        let then = change.filter(|_| way.is_some_and(Way::reads_first));
        let request = match change.filter(|_| then.is_none()) {
            Some(change) => self.write(client, key, change, Context::new()),
            None => Request::Read { key, consistency, token, by_primary: false },
        };
        (request, Manner { target, timeout, then, session, due, attempt: Attempt::default() })
    }

    /// An operation has ended, and nothing follows from it: its connection is free, and its client goes on.
    pub(crate) fn over(&mut self, client: Client, manner: Manner) {
        self.release(client);
        self.think(client, manner);
    }

    /// A connection is free.
    pub(crate) fn release(&mut self, client: Client) {
        match &mut self.clients[client.index()].pool {
            Some(pool) if pool.waiting.is_empty() => pool.free += 1,
            // By way of the queue: an operation may end the instant it begins.
            Some(_) => self.stage.queue.schedule(self.stage.now, Event::Connected { client: client.0 }),
            None => {}
        }
    }

    /// A client of a closed loop thinks about what comes next.
    fn think(&mut self, client: Client, Manner { session, due, .. }: Manner) {
        let source = self.clients[client.index()].source.as_mut();
        let Some(think) = source.and_then(|source| source.think()) else { return };
        let now = self.stage.now;
        let at = if now == due { now + think.max(LEAST_PAUSE) } else { now + think };
        self.stage.queue.schedule(at, Event::Thought { client: client.0, session });
    }
}

/// Whether a request reads or writes, and the key that it is about.
pub(crate) fn kind_and_key(request: &Request) -> (OpKind, Key) {
    match *request {
        Request::Write { key, write, .. } => (OpKind::Write(write), key),
        Request::Read { key, .. } => (OpKind::Read, key),
    }
}
