//! Clients: operations from their arrival to their answer or time-out.

use std::collections::{BTreeMap, VecDeque};

use rand::Rng;
use replisim_engine::random::{below, open_unit};
use replisim_engine::{Duration, Label, Outstanding, Stream, Streams, Time, TimerSlot};
use replisim_network::Site;
use replisim_observe::{Client, Group, Key, Member, Op, Version};
use replisim_protocols::{Change, Consistency, Request};

use crate::arrivals::Timetable;
use crate::avoided::Avoided;
use crate::followers::Follower;
use crate::keys::KeySampler;
use crate::retries::{Attempt, Retrier};
use crate::tasks::Pool;
use crate::workload::{ReadFrom, Workload};
use crate::writes::{Way, WaySampler};

/// A stream of operations at run time.
#[derive(Debug)]
pub(crate) struct ClientState {
    pub(crate) site: Site,
    pub(crate) label: Label,
    /// What makes operations; none for the client of a script.
    pub(crate) source: Option<Source>,
    /// Who reads what it has written.
    pub(crate) followers: Vec<Client>,
    pub(crate) route: RandomRoute,
    /// The deadlines of its operations, in order: only the first is on the event queue.
    pub(crate) deadlines: VecDeque<(Time, Op)>,
    pub(crate) deadline_timer: TimerSlot,
    /// What it takes to be true of each replication group.
    pub(crate) beliefs: Vec<Belief>,
    /// Whom its driver leaves alone, where there is no primary.
    pub(crate) avoided: Avoided,
    /// All nodes, the nearest first; and how far each is, where that is asked of the nodes of a group.
    pub(crate) by_distance: Vec<Member>,
    pub(crate) distances: Vec<Duration>,
    /// The timestamp of its last write.
    pub(crate) stamp: Version,
    /// The newest version that each session has written or read of each group; see [`ClientState::token`].
    pub(crate) tokens: Vec<Version>,
    /// How it tries again, if it does.
    pub(crate) retrier: Option<Retrier>,
    /// Its connections, if there is a limit to them.
    pub(crate) pool: Option<Pool>,
    /// For the client of a script: the version of each key that it last wrote or read.
    pub(crate) seen: BTreeMap<Key, Version>,
}

/// What a driver takes to be true of a replication group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Belief {
    /// Whom it takes for the primary.
    pub(crate) believed: Member,
    /// Whom it asked last when it had to look for the primary.
    pub(crate) asked: Member,
}

/// The random parts of a workload, each drawn from a stream of its own.
#[derive(Debug)]
pub(crate) struct Source {
    timetable: Timetable,
    /// Whether and when it reads after others' acknowledgements.
    pub(crate) follows: Option<Follower>,
    write_rate: f64,
    reads: f64,
    writes: WaySampler,
    keys: KeySampler,
    pub(crate) value: u32,
    pub(crate) consistency: Consistency,
    pub(crate) target: ReadTarget,
    pub(crate) timeout: Duration,
    sessions: u32,
    arrival_stream: Stream,
    mix_stream: Stream,
    way_stream: Stream,
    key_stream: Stream,
    session_stream: Stream,
}

/// The stream that `read-from: random` draws members from.
#[derive(Debug)]
pub(crate) struct RandomRoute(Stream);

/// [`ReadFrom`] with the names resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReadTarget {
    /// Whom the driver takes for the primary; where there is none, the nearest.
    Primary,
    Nearest,
    Member(Member),
    Random,
}

/// How a driver carries an operation out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Where it goes if any member may serve it.
    pub(crate) target: ReadTarget,
    /// How long the client waits.
    pub(crate) timeout: Duration,
    /// What a read is for: the client writes this as soon as it has its answer.
    pub(crate) then: Option<Change>,
    /// The client's session to which it belongs.
    pub(crate) session: u32,
    /// When the client meant to start this attempt at it: the time-out counts from here.
    pub(crate) due: Time,
    pub(crate) attempt: Attempt,
}

/// Why a driver sent an operation to the member to which it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Via {
    /// It takes that member for the primary.
    Belief,
    /// The workload names that member.
    Name,
    /// It has chosen it, as the nearest or at random.
    Choice,
}

/// An attempt at an operation.
#[derive(Clone, Debug)]
pub(crate) struct OpState {
    pub(crate) client: Client,
    pub(crate) request: Request,
    pub(crate) manner: Manner,
    /// Whom it has been sent to last.
    pub(crate) to: Member,
    pub(crate) via: Via,
    /// How often it has been sent on.
    pub(crate) redirections: u8,
}

/// All attempts that are open. Where nothing is tried again an attempt has the number of its operation.
#[derive(Debug, Default)]
pub(crate) struct Ops(Outstanding<OpState>);

impl Source {
    /// Fails with a sentence where a law is none. The clients stop at `end`.
    pub(crate) fn new(
        workload: &Workload,
        target: ReadTarget,
        end: Time,
        streams: &Streams,
    ) -> Result<Source, String> {
        let stream = |what: &str| streams.named(&format!("client/{}/{what}", workload.name));
        let follower = |follows| Follower::new(&workload.name, follows, streams);
        Ok(Source {
            follows: workload.follows().map(follower).transpose()?,
            timetable: Timetable::new(&workload.arrivals, end.nanos() as f64, stream("phases"))?,
            write_rate: workload.write_rate(),
            reads: workload.share_of_reads(),
            writes: WaySampler::new(&workload.writes),
            keys: KeySampler::new(&workload.keys.unwrap_or_default()),
            value: workload.value.get().min(u64::from(u32::MAX)) as u32,
            consistency: workload.consistency,
            target,
            timeout: workload.timeout,
            sessions: workload.count_sessions(),
            arrival_stream: stream("arrivals"),
            mix_stream: stream("mix"),
            way_stream: stream("writes"),
            key_stream: stream("keys"),
            session_stream: stream("sessions"),
        })
    }

    /// When the next operation comes by itself, if one does.
    pub(crate) fn next_arrival(&mut self) -> Option<Time> {
        let next = self.timetable.next(&mut self.arrival_stream)?;
        Some(Time::from_nanos(Duration::from_nanos_f64(next).nanos()))
    }

    /// For how long a client of a closed loop thinks; nothing where there is no such loop.
    pub(crate) fn think(&mut self) -> Option<Duration> {
        match &self.timetable {
            Timetable::AfterAnswers(think) => Some(think.sample(&mut self.arrival_stream)),
            _ => None,
        }
    }

    /// How many clients a closed loop has.
    pub(crate) fn loops(&self) -> u32 {
        if matches!(self.timetable, Timetable::AfterAnswers(_)) { self.sessions } else { 0 }
    }

    /// In which way the next operation writes, if it is no read, and its key.
    pub(crate) fn next_operation(&mut self) -> (Option<Way>, Key) {
        let is_read = open_unit(&mut self.mix_stream) < self.reads;
        let way = (!is_read).then(|| self.writes.sample(&mut self.way_stream));
        (way, self.keys.sample(way, &mut self.key_stream))
    }

    /// The session of the next operation.
    pub(crate) fn next_session(&mut self) -> u32 {
        if self.sessions == 1 { 0 } else { below(&mut self.session_stream, u64::from(self.sessions)) as u32 }
    }
}

impl OpState {
    /// Whether its last member was taken for the primary, by the driver or by another member.
    pub(crate) fn by_belief(&self) -> bool {
        self.via == Via::Belief || self.redirections > 0
    }

    /// The key that it is about.
    pub(crate) fn key(&self) -> Key {
        match self.request {
            Request::Write { key, .. } | Request::Read { key, .. } => key,
        }
    }
}

impl ClientState {
    /// Writes a second that it offers; a script offers next to none.
    pub(crate) fn write_rate(&self) -> f64 {
        self.source.as_ref().map_or(1e-9, |source| source.write_rate)
    }

    /// The newest version that a session has written or read of a group.
    pub(crate) fn token(&self, session: u32, group: Group) -> Version {
        self.tokens[self.place(session, group)]
    }

    fn place(&self, session: u32, group: Group) -> usize {
        session as usize * self.beliefs.len() + group.index()
    }

    /// A session has written or read this version.
    pub(crate) fn has_seen(&mut self, session: u32, group: Group, key: Key, version: Version) {
        let place = self.place(session, group);
        self.tokens[place] = version.max(self.tokens[place]);
        if self.source.is_none() {
            self.seen.insert(key, version); // only scripts compare and set
        }
    }
}

impl Belief {
    /// The driver starts out knowing the first primary.
    pub(crate) fn new(primary: Member) -> Belief {
        Belief { believed: primary, asked: primary }
    }

    /// `member` does not answer, or is not the primary: the driver looks further, in the order of the group, from where
    /// it looked last. (Not from whom it was sent to: a member that is out of date would send it to the dead for ever.)
    pub(crate) fn gives_up_on(&mut self, member: Member, next: impl Fn(Member) -> Member) {
        if self.believed == member {
            self.asked = next(self.asked);
            if self.asked == member {
                self.asked = next(self.asked);
            }
            self.believed = self.asked;
        }
    }
}

impl RandomRoute {
    pub(crate) fn new(client: &str, streams: &Streams) -> RandomRoute {
        RandomRoute(streams.named(&format!("client/{client}/route")))
    }

    /// One of these members, each as likely as the others.
    pub(crate) fn choose_any(&mut self, members: u32) -> Member {
        Member(below(&mut self.0, u64::from(members)) as u32)
    }

    /// One of `members` members, of those that `may` be asked.
    pub(crate) fn choose(&mut self, members: u32, may: impl Fn(Member) -> bool) -> Member {
        let serving = || (0..members).map(Member).filter(|member| may(*member));
        let place = below(&mut self.0, serving().count().max(1) as u64);
        serving().nth(place as usize).unwrap_or_default()
    }
}

impl Ops {
    /// Opens the next attempt.
    pub(crate) fn open(
        &mut self,
        client: Client,
        request: Request,
        manner: Manner,
        to: Member,
        via: Via,
    ) -> Op {
        Op(self.0.begin(OpState { client, request, manner, to, via, redirections: 0 }))
    }

    /// Closes `op`; false if it was closed before.
    pub(crate) fn close(&mut self, op: Op) -> bool {
        self.0.end(op.0).is_some()
    }

    /// An attempt under way; none once it is closed.
    #[inline]
    pub(crate) fn get(&self, op: Op) -> Option<&OpState> {
        self.0.get(op.0)
    }

    /// An attempt is sent on to another member.
    pub(crate) fn redirect(&mut self, op: Op, to: Member) {
        if let Some(state) = self.0.get_mut(op.0) {
            state.to = to;
            state.redirections += 1;
        }
    }

    /// How many are open.
    pub(crate) fn count_open(&self) -> usize {
        self.0.len()
    }
}

/// Draws a duration between two bounds; takes no number where there is nothing to draw.
pub(crate) fn draw_between(stream: &mut impl Rng, least: Duration, most: Duration) -> Duration {
    let width = most.nanos().saturating_sub(least.nanos());
    if width == 0 { least } else { least + Duration::from_nanos(below(stream, width + 1)) }
}

/// Where an eventual read goes: names resolved once.
pub(crate) fn read_target(read_from: &ReadFrom, nodes: &[String]) -> Result<ReadTarget, String> {
    Ok(match read_from {
        ReadFrom::Random => ReadTarget::Random,
        ReadFrom::Primary => ReadTarget::Primary,
        ReadFrom::Nearest => ReadTarget::Nearest,
        ReadFrom::Node(name) => {
            let position = nodes.iter().position(|node| node == name);
            ReadTarget::Member(Member(position.ok_or_else(|| format!("no node `{name}`"))? as u32))
        }
    })
}
