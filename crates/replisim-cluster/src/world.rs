//! The running whole: one protocol, one network, clients and faults on one clock.

use replisim_engine::{Digest, Duration, Label, Model, Queue, Streams, Time, run_for};
use replisim_network::{Arrival, Network, NetworkEvent, Packet, Site, Traffic};
use replisim_observe::{
    Answer, Client, Fault as FaultId, Key, Member, Observation, Observer, Op, OpKind, Outcome, Said, Version,
    Window, Write,
};
use replisim_protocols::{Change, Members, Protocol, Reply, Request, Route, Timer};

use crate::clients::{ClientState, Ops, RandomRoute, ReadTarget, Source, read_target};
use crate::faults::{FaultEntry, Hands, Undo};
use crate::script::Step;
use crate::stage::{AtMember, Content, HEADER, Stage, change_bytes};
use crate::workload::Workload;

/// What takes part in a run, checked and with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Names of the nodes: the members of the group, in file order.
    pub nodes: Vec<String>,
    /// The network. Its sites are the nodes, then one for each client, in the order of `workloads`, `script_clients`.
    pub network: Network,
    /// Streams of operations.
    pub workloads: Vec<Workload>,
    /// Names of the clients of the script.
    pub script_clients: Vec<String>,
    /// Single operations, each with its key resolved.
    pub script: Vec<(Step, Key)>,
    /// What goes wrong.
    pub faults: Vec<FaultEntry>,
    /// Number of keys.
    pub keys: usize,
    /// From the end of warm-up to the moment the clients stop.
    pub window: Window,
    /// The longest time after that until the run is over.
    pub settle: Duration,
}

/// A run in progress.
#[derive(Debug)]
pub struct World<P: Protocol, O> {
    setup: Setup,
    instances: Vec<P>,
    stage: Stage<P, O>,
    clients: Vec<ClientState>,
    ops: Ops,
    writes: u64,
    primary: Option<Member>,
    script_targets: Vec<ReadTarget>,
    active_faults: Vec<Vec<Undo>>,
    labels: Labels,
    events: u64,
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the names say it; nobody outside makes or reads one
pub enum Event {
    Network(NetworkEvent),
    Arrive { client: u32 },
    Step { step: u32 },
    Deadline { client: u32 },
    Timer { member: u32, timer: u32 },
    FaultBegins { fault: u32 },
    FaultEnds { fault: u32 },
    ClientsStop,
}

impl From<NetworkEvent> for Event {
    fn from(event: NetworkEvent) -> Event {
        Event::Network(event)
    }
}

/// Labels of the sites and faults, for the digest.
#[derive(Debug)]
struct Labels {
    sites: Vec<Label>,
    faults: Vec<Label>,
}

/// How often a run that settles is asked whether it is quiet.
const SETTLE_STEP: Duration = Duration::from_millis(10);

impl<P: Protocol, O: Observer> World<P, O> {
    /// Sets the world up at time 0. Fails with a sentence where the setup asks for what the protocol does not have.
    pub fn new(
        setup: Setup,
        config: P::Config,
        streams: Streams,
        observer: O,
    ) -> Result<World<P, O>, String> {
        let members = Members { names: &setup.nodes };
        let primary = P::first_primary(members, &config);
        let mut stage = Stage::new(&setup.nodes, setup.keys, setup.network.clone(), &streams, observer);
        let target = |client: usize, read_from| {
            let site = Site((setup.nodes.len() + client) as u32);
            read_target(read_from, &setup.nodes, primary, |member| {
                setup.network.mean_rtt(site, Site(member.0))
            })
        };

        let names = setup.workloads.iter().map(|workload| &workload.name).chain(&setup.script_clients);
        let mut clients = Vec::new();
        for (i, name) in names.enumerate() {
            let source = match setup.workloads.get(i) {
                Some(workload) => Some(Source::new(workload, target(i, &workload.read_from)?, &streams)),
                None => None,
            };
            clients.push(ClientState {
                site: Site((setup.nodes.len() + i) as u32),
                label: Label::of(name),
                source,
                route: RandomRoute::new(name, &streams),
                deadlines: Default::default(),
                deadline_timer: stage.queue.new_timer(Event::Deadline { client: i as u32 }),
            });
        }
        let mut script_targets = Vec::new();
        for (step, _) in &setup.script {
            let client =
                setup.script_clients.iter().position(|name| *name == step.client).ok_or("unknown client")?;
            script_targets.push(target(setup.workloads.len() + client, &step.read_from)?);
        }

        let instances = (0..setup.nodes.len() as u32).map(|i| P::new(Member(i), members, &config)).collect();
        let labels = Labels {
            sites: setup.network.sites().iter().map(|site| Label::of(&site.name)).collect(),
            faults: setup.faults.iter().map(|entry| Label::of(&entry.kind.fault().label())).collect(),
        };
        let mut world = World {
            active_faults: vec![Vec::new(); setup.faults.len()],
            setup,
            instances,
            stage,
            clients,
            ops: Ops::default(),
            writes: 0,
            primary,
            script_targets,
            labels,
            events: 0,
        };
        world.begin();
        Ok(world)
    }

    /// Lets everything happen up to and including `limit`.
    pub fn run_until(&mut self, limit: Time) {
        self.run_for(limit, u64::MAX);
    }

    /// The same, but stops after `most` events; returns whether everything up to `limit` has happened.
    pub fn run_for(&mut self, limit: Time, most: u64) -> bool {
        let happened = run_for(self, limit, most);
        self.events += happened;
        if happened < most {
            self.stage.now = self.stage.now.max(limit);
        }
        happened < most
    }

    /// After the clients' time: runs on until nothing is left to do or the time to settle is over, then ends.
    /// `keep_going` is asked now and then; the run stays unfinished if it says no.
    pub fn settle(&mut self, mut keep_going: impl FnMut(Time) -> bool) {
        let limit = self.setup.window.to + self.setup.settle;
        while !self.is_quiet() && self.stage.now < limit {
            if !keep_going(self.stage.now) {
                return;
            }
            self.run_until((self.stage.now + SETTLE_STEP).min(limit));
        }
        self.stage.observe(Observation::Ended);
    }

    /// Whether no operation is open and no member has anything left to do.
    pub fn is_quiet(&self) -> bool {
        self.ops.count_open() == 0 && self.instances.iter().all(P::quiescent)
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.stage.now
    }

    /// How many events have happened.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The fingerprint of everything that has happened.
    pub fn digest(&self) -> Digest {
        self.stage.digest
    }

    /// The member that takes all writes, if the protocol has one.
    pub fn primary(&self) -> Option<Member> {
        self.primary
    }

    /// Whoever has been watching.
    pub fn into_observer(self) -> O {
        self.stage.observer
    }

    /// Puts the first events on the queue and starts the members.
    fn begin(&mut self) {
        let queue = &mut self.stage.queue;
        // First, so that at the last instant the clients stop before anything else happens.
        queue.schedule(self.setup.window.to, Event::ClientsStop);
        for (fault, entry) in (0u32..).zip(&self.setup.faults) {
            let at = Time::ZERO + entry.at;
            queue.schedule(at, Event::FaultBegins { fault });
            if let Some(lasts) = entry.lasts {
                queue.schedule(at + lasts, Event::FaultEnds { fault });
            }
        }
        for (step, (at, _)) in (0u32..).zip(&self.setup.script) {
            queue.schedule(Time::ZERO + at.at, Event::Step { step });
        }
        for (client, state) in (0u32..).zip(&mut self.clients) {
            if let Some(source) = &mut state.source {
                queue.schedule(source.next_arrival(), Event::Arrive { client });
            }
        }
        for member in 0..self.instances.len() as u32 {
            self.at_member(Member(member), |protocol, out| protocol.start(out));
        }
    }

    /// Runs a handler of a member, and what follows from what it persisted.
    #[inline]
    fn at_member(&mut self, me: Member, act: impl FnOnce(&mut P, &mut AtMember<'_, P, O>)) {
        let protocol = &mut self.instances[me.index()];
        let (ops, clients) = (&self.ops, &self.clients);
        let reply_to = |op: Op| ops.client(op).map(|client| clients[client.index()].site);
        let out = &mut AtMember { stage: &mut self.stage, me, reply_to: &reply_to };
        act(protocol, out);
        while let Some(upto) = out.stage.persisting.take() {
            protocol.persisted(upto, out);
        }
    }

    fn handle_network(&mut self, event: NetworkEvent) {
        match self.stage.network.handle(self.stage.now, event, &mut self.stage.queue) {
            Some(Arrival::Delivered(packet)) => self.deliver(packet),
            Some(Arrival::Lost(packet)) => self.stage.lose(packet),
            None => {}
        }
    }

    fn deliver(&mut self, packet: Packet) {
        let Some(envelope) = self.stage.envelopes.take(packet) else { return };
        self.trace(
            envelope.content.label(),
            self.labels.sites[envelope.to.index()],
            envelope.content.detail(),
        );
        self.stage.digest.absorb_label(self.labels.sites[envelope.from.index()]);
        self.stage.observe(Observation::Delivered);
        let to = Member(envelope.to.0);
        match envelope.content {
            Content::Protocol(message) => {
                let from = Member(envelope.from.0);
                self.at_member(to, |protocol, out| protocol.message(from, message, out));
            }
            Content::Request(op, request) => {
                self.at_member(to, |protocol, out| protocol.request(op, request, out))
            }
            Content::Reply(op, reply) => self.answer(op, Member(envelope.from.0), envelope.sent, reply),
        }
    }

    /// An answer reaches the client.
    fn answer(&mut self, op: Op, by: Member, sent: Time, reply: Reply) {
        if !self.ops.close(op) {
            return; // given up before
        }
        let (outcome, said) = match reply {
            Reply::Written(_) => (Outcome::Ok, Said::Written),
            Reply::NotApplied => (Outcome::Ok, Said::NotApplied),
            Reply::Value(returned) => (Outcome::Ok, Said::Value(returned)),
            Reply::Refused | Reply::Redirect(_) => (Outcome::Failed, Said::Refused),
        };
        let answer = Some(Answer { by, at: sent, said });
        self.stage.observe(Observation::Returned { op, outcome, answer });
    }

    /// The next operation of a workload is due.
    fn arrive(&mut self, client: u32) {
        if self.stage.now >= self.setup.window.to {
            return;
        }
        let state = &mut self.clients[client as usize];
        let Some(source) = &mut state.source else { return };
        let (is_read, key) = source.next_operation();
        let next = source.next_arrival();
        let (value, consistency, target, timeout) =
            (source.value, source.consistency, source.target, source.timeout);
        self.stage.queue.schedule(next, Event::Arrive { client });
        let request = match is_read {
            true => Request::Read { key, consistency, token: Version(0) },
            false => self.put(key, value),
        };
        self.invoke(Client(client), request, target, timeout);
    }

    /// An operation of the script is due.
    fn step(&mut self, step: usize) {
        let (Step { client, put, consistency, timeout, .. }, key) = &self.setup.script[step];
        let (is_put, key, consistency, timeout) = (put.is_some(), *key, *consistency, *timeout);
        let position = self.setup.script_clients.iter().position(|name| name == client).unwrap_or_default();
        let client = Client((self.setup.workloads.len() + position) as u32);
        let request = match is_put {
            true => self.put(key, 100),
            false => Request::Read { key, consistency, token: Version(0) },
        };
        self.invoke(client, request, self.script_targets[step], timeout);
    }

    fn put(&mut self, key: Key, bytes: u32) -> Request {
        let write = Write(self.writes);
        self.writes += 1;
        Request::Write { key, write, change: Change::Put { bytes } }
    }

    fn invoke(&mut self, client: Client, request: Request, target: ReadTarget, timeout: Duration) {
        let (kind, key, bytes) = match request {
            Request::Write { key, write, change } => {
                (OpKind::Write(write), key, HEADER + change_bytes(change))
            }
            Request::Read { key, .. } => (OpKind::Read, key, HEADER),
        };
        let op = self.ops.open(client);
        self.stage.observe(Observation::Invoked { op, client, kind, key, scheduled: self.stage.now });

        let state = &mut self.clients[client.index()];
        let deadline = self.stage.now + timeout;
        // Time-outs of one workload are equal, so its deadlines come in order; a script's may not.
        let place = state.deadlines.partition_point(|(other, _)| *other <= deadline);
        state.deadlines.insert(place, (deadline, op));
        if place == 0 {
            self.stage.queue.arm(state.deadline_timer, deadline);
        }

        let member = match (P::route(request), target) {
            (Route::Primary, _) => self.primary.unwrap_or(Member(0)),
            (Route::Any, ReadTarget::Member(member)) => member,
            (Route::Any, ReadTarget::Random) => state.route.choose(self.setup.nodes.len() as u32),
        };
        let site = state.site;
        self.stage.send(site, Site(member.0), Traffic::Request, bytes, Content::Request(op, request));
    }

    /// The time-out of a client's oldest operation is up.
    fn deadline(&mut self, client: u32) {
        let state = &mut self.clients[client as usize];
        while let Some(&(deadline, op)) = state.deadlines.front() {
            if self.ops.client(op).is_some() {
                if deadline > self.stage.now {
                    self.stage.queue.arm(state.deadline_timer, deadline);
                    return;
                }
                self.ops.close(op);
                self.stage.observe(Observation::Returned { op, outcome: Outcome::Unknown, answer: None });
            }
            state.deadlines.pop_front();
        }
    }

    fn fault_begins(&mut self, fault: u32) {
        if self.stage.now >= self.setup.window.to {
            return;
        }
        let mut hands = Hands { network: &mut self.stage.network, nodes: &self.setup.nodes };
        self.active_faults[fault as usize] = self.setup.faults[fault as usize].kind.fault().begin(&mut hands);
        self.stage.observe(Observation::FaultBegan(FaultId(fault)));
    }

    fn fault_ends(&mut self, fault: u32) {
        let undo = std::mem::take(&mut self.active_faults[fault as usize]);
        if undo.is_empty() {
            return; // it had not begun, or the end of the clients' time healed it
        }
        for change in undo {
            match change {
                Undo::Heal(partition) => {
                    self.stage.network.heal(self.stage.now, partition, &mut self.stage.queue)
                }
            }
        }
        self.stage.observe(Observation::FaultEnded(FaultId(fault)));
    }

    fn trace(&mut self, kind: Label, party: Label, detail: u64) {
        let digest = &mut self.stage.digest;
        digest.absorb(self.stage.now.nanos());
        digest.absorb_label(kind);
        digest.absorb_label(party);
        digest.absorb(detail);
    }
}

impl<P: Protocol, O: Observer> Model for World<P, O> {
    type Event = Event;

    fn queue(&mut self) -> &mut Queue<Event> {
        &mut self.stage.queue
    }

    fn handle(&mut self, now: Time, event: Event) {
        self.stage.now = now;
        match event {
            Event::Network(event) => self.handle_network(event),
            Event::Arrive { client } => {
                self.trace(const { Label::of("arrive") }, self.clients[client as usize].label, 0);
                self.arrive(client);
            }
            Event::Step { step } => {
                self.trace(
                    const { Label::of("step") },
                    Label::of(&self.setup.script[step as usize].0.client),
                    0,
                );
                self.step(step as usize);
            }
            Event::Deadline { client } => {
                self.trace(const { Label::of("deadline") }, self.clients[client as usize].label, 0);
                self.deadline(client);
            }
            Event::Timer { member, timer } => {
                let timer = P::Timer::ALL[timer as usize];
                self.trace(timer.label(), self.labels.sites[member as usize], 0);
                self.at_member(Member(member), |protocol, out| protocol.timer(timer, out));
            }
            Event::FaultBegins { fault } => {
                self.trace(const { Label::of("fault-begins") }, self.labels.faults[fault as usize], 0);
                self.fault_begins(fault);
            }
            Event::FaultEnds { fault } => {
                self.trace(const { Label::of("fault-ends") }, self.labels.faults[fault as usize], 0);
                self.fault_ends(fault);
            }
            Event::ClientsStop => {
                self.trace(const { Label::of("clients-stop") }, Label::of(""), 0);
                (0..self.setup.faults.len() as u32).for_each(|fault| self.fault_ends(fault));
            }
        }
    }
}
