//! The running whole: one protocol, one network, clients and faults on one clock.

use replisim_engine::{Digest, Duration, Label, Model, Queue, Stream, Streams, Time, prefetch, run_for};
use replisim_network::{Arrival, Network, NetworkEvent, Site};
use replisim_observe::{
    Client, Group, Groups, Key, Member, Observation, Observer, Op, Placement, Version, Window,
};
use replisim_protocols::{Members, Protocol, Timer};

use crate::clients::{Belief, ClientState, Ops, RandomRoute, ReadTarget, Source, read_target};
use crate::clocks::ClockSettings;
use crate::disk::DiskSettings;
use crate::faults::{FaultEntry, Placed};
use crate::followers::followers_of;
use crate::layout::Layout;
use crate::node::{Node, Waiting};
use crate::outages::ActiveFault;
use crate::retries::{Retrier, ToCome};
use crate::script::{Action, Step};
use crate::stage::{AtMember, Content, Envelope, Stage};
use crate::tasks::Pool;
use crate::workload::Workload;

/// What takes part in a run, checked and with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Names and places of the nodes, in file order: the members of the group, where there is one.
    pub nodes: Vec<Placed>,
    /// How keys and nodes are dealt to several replication groups. Not for a protocol that places keys by itself.
    pub groups: Option<Groups>,
    /// The network. Its sites are the nodes, then one for each client, in the order of `clients`.
    pub network: Network,
    /// Streams of operations.
    pub workloads: Vec<Workload>,
    /// The region of each node, and then of each client, as a number.
    pub regions: Vec<u32>,
    /// Names and places of all clients: one for each workload, then those of the script.
    pub clients: Vec<Placed>,
    /// Single operations, each with what it does and its key resolved.
    pub script: Vec<(Step, Action, Key)>,
    /// How the clocks of nodes, and then of clients, are wrong.
    pub clocks: Vec<ClockSettings>,
    /// How long the nodes' disks take.
    pub disk: DiskSettings,
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
    pub(crate) setup: Setup,
    pub(crate) config: P::Config,
    instances: Vec<P>,
    pub(crate) stage: Stage<P, O>,
    pub(crate) clients: Vec<ClientState>,
    pub(crate) ops: Ops,
    /// How many operations there have been, and how many writes.
    pub(crate) operations: u64,
    pub(crate) writes: u64,
    /// Further attempts at operations.
    pub(crate) to_come: ToCome,
    /// The node of the first primary in each group, if the protocol has them.
    pub(crate) primaries: Vec<Option<Member>>,
    pub(crate) placement: Placement,
    pub(crate) lanes: u32,
    pub(crate) script_targets: Vec<ReadTarget>,
    pub(crate) active_faults: Vec<ActiveFault>,
    /// When those that come at random fail and are repaired.
    pub(crate) fault_streams: Vec<Stream>,
    pub(crate) ignored_orders: u32,
    labels: Labels,
    events: u64,
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the names say it; nobody outside makes or reads one
pub enum Event {
    Network(NetworkEvent),
    Arrive { client: u32 },
    Thought { client: u32, session: u32 },
    Connected { client: u32 },
    Impatient { client: u32 },
    Follow { client: u32, key: u32 },
    Retry { client: u32, slot: u32 },
    Step { step: u32 },
    Deadline { client: u32 },
    Timer { instance: u32, timer: u32 },
    Synced { instance: u32 },
    FaultBegins { fault: u32 },
    FaultBeats { fault: u32 },
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
        let names: Vec<String> = setup.nodes.iter().map(|node| node.name.clone()).collect();
        let regions = setup.regions.clone();
        let members = Members { names: &names, regions: &regions };
        let fsync = setup.disk.fsync.as_ref().map(|law| law.sampler().map_err(|error| error.to_string()));
        let fsync = fsync.transpose()?;
        let mut sites = names.clone();
        if P::in_clients(&config) {
            sites.extend(setup.clients.iter().map(|client| format!("client/{}", client.name)));
        }
        let layout = Layout::new(names.len(), sites.len(), setup.groups);
        let (placement, lanes) = (P::placement(members, &config), P::lanes(members, &config).max(1));
        let mut stage = Stage::new(
            (layout, &sites),
            (setup.keys, lanes as usize),
            setup.network.clone(),
            &setup.clocks,
            fsync.as_ref(),
            &streams,
            observer,
        );
        let mut instances = Vec::with_capacity(layout.instances() as usize);
        let mut primaries = Vec::new();
        for group in (0..layout.groups()).map(Group) {
            let (names, regions) = layout.of_group(group, &names, &regions);
            let members = Members { names: &names, regions: &regions };
            let primary = P::first_primary(members, &config);
            primaries.push(primary.map(|primary| Member(layout.site(group, primary).0)));
            let size = layout.instances() / layout.groups();
            instances.extend((0..size).map(|member| P::new(Member(member), members, &config)));
        }
        let distances = |site: Site| -> Vec<Duration> {
            let nodes = (0..names.len() as u32).map(Site);
            nodes.map(|node| setup.network.mean_rtt(site, node)).collect()
        };
        let by_distance = |distances: &[Duration]| {
            let mut order: Vec<Member> = (0..names.len() as u32).map(Member).collect();
            order.sort_by_key(|member| distances[member.index()]);
            order
        };

        let tokens = P::tokens(&config);
        let gives_tokens = |workload: &Workload| workload.retries.is_some_and(|retries| retries.tokens);
        if let (Err(reason), true) = (tokens, setup.workloads.iter().any(gives_tokens)) {
            return Err(format!("no tokens for retries: {reason}"));
        }
        let mut clients = Vec::new();
        for (i, Placed { name, .. }) in setup.clients.iter().enumerate() {
            let source = match setup.workloads.get(i) {
                Some(workload) => {
                    let target = read_target(&workload.read_from, &names)?;
                    Some(Source::new(workload, target, setup.window.to, &streams)?)
                }
                None => None,
            };
            let site = Site((setup.nodes.len() + i) as u32);
            let distances = distances(site);
            let workload = setup.workloads.get(i);
            let connections = workload.and_then(|workload| workload.connections);
            let sessions = workload.map_or(1, Workload::count_sessions);
            let client = i as u32;
            clients.push(ClientState {
                site,
                avoided: Default::default(),
                by_distance: by_distance(&distances),
                distances,
                stamp: Version(0),
                label: Label::of(name),
                source,
                followers: followers_of(name, &setup.workloads),
                route: RandomRoute::new(name, &streams),
                deadlines: Default::default(),
                deadline_timer: stage.queue.new_timer(Event::Deadline { client }),
                retrier: workload.and_then(|workload| Retrier::new(workload, tokens.ok(), &streams)),
                pool: connections
                    .map(|most| Pool::new(most, stage.queue.new_timer(Event::Impatient { client }))),
                beliefs: primaries.iter().map(|primary| Belief::new(primary.unwrap_or_default())).collect(),
                tokens: vec![Version(0); sessions as usize * primaries.len()],
                seen: Default::default(),
            });
        }
        let mut script_targets = Vec::new();
        for (step, ..) in &setup.script {
            script_targets.push(read_target(&step.read_from, &names)?);
        }

        let labels = Labels {
            sites: setup.network.sites().iter().map(|site| Label::of(&site.name)).collect(),
            faults: setup.faults.iter().map(|entry| Label::of(&entry.kind.fault().label())).collect(),
        };
        let mut world = World {
            active_faults: vec![ActiveFault::default(); setup.faults.len()],
            fault_streams: fault_streams(&setup.faults, &streams),
            ignored_orders: 0,
            setup,
            config,
            instances,
            stage,
            clients,
            ops: Ops::default(),
            operations: 0,
            writes: 0,
            to_come: ToCome::default(),
            primaries,
            placement,
            lanes,
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
        let quiet = |(i, instance): (u32, &P)| {
            let node = &self.stage.nodes[self.stage.layout.site_of(i).index()];
            !node.is_up() || (node.runs() && instance.quiescent())
        };
        self.ops.count_open() == 0 && (0..).zip(&self.instances).all(quiet)
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

    /// The node that takes all writes at first, if the protocol has one; of several groups, those of the first.
    pub fn primary(&self) -> Option<Member> {
        self.primaries.first().copied().flatten()
    }

    /// How many orders of operators came to nodes that were down, or to a protocol that cannot obey them.
    pub fn ignored_orders(&self) -> u32 {
        self.ignored_orders
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
            if entry.breakdowns.is_some() {
                continue;
            }
            queue.schedule(at, Event::FaultBegins { fault });
            if let Some(lasts) = entry.lasts {
                queue.schedule(at + lasts, Event::FaultEnds { fault });
            }
        }
        for (step, (at, ..)) in (0u32..).zip(&self.setup.script) {
            queue.schedule(Time::ZERO + at.at, Event::Step { step });
        }
        for (client, state) in (0u32..).zip(&mut self.clients) {
            if let Some(next) = state.source.as_mut().and_then(Source::next_arrival) {
                queue.schedule(next, Event::Arrive { client });
            }
            let Some(source) = &mut state.source else { continue };
            for session in 0..source.loops() {
                let think = source.think().unwrap_or_default();
                queue.schedule(Time::ZERO + think, Event::Thought { client, session });
            }
        }
        for fault in 0..self.setup.faults.len() as u32 {
            self.schedule_failure(fault, Time::ZERO + self.setup.faults[fault as usize].at);
        }
        for instance in 0..self.instances.len() as u32 {
            self.at_instance(instance, |protocol, out| protocol.start(out));
        }
        self.receive();
        self.watch_new_primaries();
    }

    fn watch_new_primaries(&mut self) {
        while let Some(group) = self.stage.changed_primary.pop() {
            self.watch_primary(group);
        }
    }

    /// Runs a handler of an instance, and what follows from what it persisted.
    #[inline]
    pub(crate) fn at_instance(&mut self, instance: u32, act: impl FnOnce(&mut P, &mut AtMember<'_, P, O>)) {
        let (group, me) = self.stage.layout.member(instance);
        let site = self.stage.layout.site(group, me);
        let protocol = &mut self.instances[instance as usize];
        let (ops, clients) = (&self.ops, &self.clients);
        let reply_to = |op: Op| ops.get(op).map(|state| (clients[state.client.index()].site, state.key()));
        let out = &mut AtMember { stage: &mut self.stage, instance, group, me, site, reply_to: &reply_to };
        act(protocol, out);
        while let Some(upto) = out.stage.persisting.take() {
            protocol.persisted(upto, out);
        }
        while let Some((op, by, reply)) = self.stage.answers.pop_front() {
            self.answer(op, by, self.stage.now, reply);
        }
    }

    /// Hands over whatever the network has brought.
    #[inline]
    fn receive(&mut self) {
        while let Some(arrival) = self.stage.network.take_arrival() {
            let envelope = match arrival {
                Arrival::Delivered(packet) => self.stage.envelopes.take(packet),
                Arrival::Lost(packet) => {
                    self.stage.lose(packet);
                    continue;
                }
                Arrival::Copy(packet) => {
                    self.stage.observe(Observation::Duplicated);
                    self.stage.envelopes.copy(packet)
                }
            };
            if let Some(envelope) = envelope {
                self.deliver(envelope);
            }
        }
    }

    /// A message reaches the machine of its receiver.
    #[inline]
    fn deliver(&mut self, envelope: Envelope<P>) {
        let name = envelope.content.name();
        self.trace(name.label, self.labels.sites[envelope.to.index()], envelope.content.detail());
        self.stage.digest.absorb_label(self.labels.sites[envelope.from.index()]);
        if envelope.copied && !matches!(envelope.content, Content::Protocol(_)) {
            // A client's request has a number, and so has its answer: the second copy is recognised and dropped.
            return self.stage.observe(Observation::Delivered);
        }
        let is_up = self.stage.nodes.get(envelope.to.index()).is_none_or(Node::is_up);
        self.stage.observe_carried(&envelope, name, is_up);
        match self.stage.nodes.get_mut(envelope.to.index()) {
            Some(node) if !node.is_up() => self.stage.observe(Observation::Lost),
            Some(node) if !node.runs() => node.inbox.push_back(Waiting::Message(envelope)),
            _ => self.open(envelope),
        }
    }

    /// The receiver handles a message.
    #[inline]
    pub(crate) fn open(&mut self, Envelope { group, from, to, sent, content, .. }: Envelope<P>) {
        self.stage.observe(Observation::Delivered);
        let layout = self.stage.layout;
        match content {
            Content::Protocol(message) => {
                let sender = layout.member_at(group, from);
                let to = layout.instance(group, to);
                self.at_instance(to, |protocol, out| protocol.message(sender, message, out));
            }
            Content::Request(op, request) => {
                let to = layout.instance(group, to);
                self.at_instance(to, |protocol, out| protocol.request(op, request, out))
            }
            Content::Reply(op, reply) => self.answer(op, Member(from.0), sent, reply),
        }
    }

    /// A timer of a member runs out. One that is paused acts on it later.
    fn timer(&mut self, instance: u32, timer: P::Timer) {
        let slot = self.stage.timer(instance, timer);
        let node = &mut self.stage.nodes[self.stage.layout.site_of(instance).index()];
        if !node.runs() {
            return node.overdue.push(slot);
        }
        self.at_instance(instance, |protocol, out| protocol.timer(timer, out));
    }

    /// An fsync of a member ends.
    fn synced(&mut self, instance: u32) {
        let stage = &mut self.stage;
        let disk = &mut stage.disks[instance as usize];
        let node = &mut stage.nodes[stage.layout.site_of(instance).index()];
        if !node.runs() {
            return node.overdue.push(disk.done);
        }
        let (covered, next) = disk.finish(stage.now);
        if let Some(next) = next {
            stage.queue.arm(disk.done, next);
        }
        if let Some(upto) = covered {
            self.at_instance(instance, |protocol, out| protocol.persisted(upto, out));
        }
    }

    fn trace_instance(&mut self, kind: Label, instance: u32) {
        let (group, member) = self.stage.layout.member(instance);
        let site = self.stage.layout.site(group, member);
        self.trace(kind, self.labels.sites[site.index()], group.0.into());
    }

    fn trace(&mut self, kind: Label, party: Label, detail: u64) {
        let digest = &mut self.stage.digest;
        digest.absorb(self.stage.now.nanos());
        digest.absorb_label(kind);
        digest.absorb_label(party);
        digest.absorb(detail);
    }
}

/// A stream for each fault, by what it does and to whom; the second of the same kind has another.
fn fault_streams(faults: &[FaultEntry], streams: &Streams) -> Vec<Stream> {
    let names = faults.iter().map(|entry| format!("{}/{}", entry.kind.name(), entry.kind.fault().label()));
    let names: Vec<String> = names.collect();
    let twins = |i: usize| names[..i].iter().filter(|name| **name == names[i]).count();
    (0..names.len()).map(|i| streams.named(&format!("fault/{}/{}", names[i], twins(i)))).collect()
}

impl<P: Protocol, O: Observer> Model for World<P, O> {
    type Event = Event;

    fn queue(&mut self) -> &mut Queue<Event> {
        &mut self.stage.queue
    }

    #[inline]
    fn foresee(&self, next: Option<Event>, after: Option<Event>) {
        if let Some(Event::Network(event)) = after {
            self.stage.network.foresee_later(event);
        }
        if let Some(Event::Network(event)) = next
            && let Some(site) = self.stage.network.foresee(event)
            && self.stage.layout.groups() == 1
            && let Some(instance) = self.instances.get(site.index())
        {
            prefetch(instance);
            prefetch(&self.stage.disks[site.index()]);
        }
    }

    fn handle(&mut self, now: Time, event: Event) {
        self.stage.now = now;
        match event {
            Event::Network(event) => {
                if let Some((label, from, to)) = self.stage.network.about(event) {
                    self.trace(label, self.labels.sites[from.index()], 0);
                    self.stage.digest.absorb_label(self.labels.sites[to.index()]);
                }
                self.stage.network.handle(now, event, &mut self.stage.queue);
            }
            Event::Arrive { client } => {
                self.trace(const { Label::of("arrive") }, self.clients[client as usize].label, 0);
                self.arrive(client);
            }
            Event::Thought { client, session } => {
                self.trace(const { Label::of("thought") }, self.clients[client as usize].label, 0);
                self.thought(client, session);
            }
            Event::Connected { client } => {
                self.trace(const { Label::of("connected") }, self.clients[client as usize].label, 0);
                self.connected(Client(client));
            }
            Event::Impatient { client } => {
                self.trace(const { Label::of("impatient") }, self.clients[client as usize].label, 0);
                self.impatient(Client(client));
            }
            Event::Follow { client, key } => {
                self.trace(const { Label::of("follow") }, self.clients[client as usize].label, 0);
                self.follow(Client(client), Key(key));
            }
            Event::Retry { client, slot } => {
                self.trace(const { Label::of("retry") }, self.clients[client as usize].label, 0);
                self.retry(Client(client), slot);
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
            Event::Timer { instance, timer } => {
                let timer = P::Timer::ALL[timer as usize];
                self.trace_instance(timer.label(), instance);
                self.timer(instance, timer);
            }
            Event::Synced { instance } => {
                self.trace_instance(const { Label::of("synced") }, instance);
                self.synced(instance);
            }
            Event::FaultBeats { fault } => {
                self.trace(const { Label::of("fault-beats") }, self.labels.faults[fault as usize], 0);
                self.fault_beats(fault);
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
                self.end_all_faults();
            }
        }
        self.receive();
        self.watch_new_primaries();
    }
}
