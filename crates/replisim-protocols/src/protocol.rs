//! What a protocol is ([`Protocol`]) and what it can do ([`Effects`]).
//!
//! The division of labour: the *stage* (a simulator, a model checker, one day a real server) owns time, randomness,
//! the network, disks and the store of each member; the protocol owns decisions. The stage calls one handler at a
//! time; a handler returns when it has said all its effects.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use replisim_engine::{Duration, Label, Name, Time};
use replisim_observe::{Client, Key, Member, Op, Placement, PromotionRule, Stored, Version, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A replication protocol: the state machine of one member of one replication group.
pub trait Protocol: Clone + Eq + Hash + Debug {
    /// What a scenario can set.
    type Config: Configuration;
    /// What members say to each other.
    type Message: Message;
    /// The timers of a member, a closed set.
    type Timer: Timer;

    /// The member `me` at the beginning of time.
    fn new(me: Member, members: Members<'_>, config: &Self::Config) -> Self;

    /// The member starts, or starts again after a [`crash`](Protocol::crash): all its timers are disarmed.
    fn start(&mut self, out: &mut impl Effects<Self>);

    /// A message from another member arrives.
    fn message(&mut self, from: Member, message: Self::Message, out: &mut impl Effects<Self>);

    /// A client's request arrives. Must be answered through [`Effects::reply`], now or later.
    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>);

    /// A timer that this member armed fires.
    fn timer(&mut self, timer: Self::Timer, out: &mut impl Effects<Self>);

    /// Everything up to `upto`, as given to [`Effects::persist`], survives a crash from now on.
    fn persisted(&mut self, upto: u64, out: &mut impl Effects<Self>);

    /// An operator orders something. Only what [`obeys`](Protocol::obeys) allows is ordered.
    fn command(&mut self, command: Command, out: &mut impl Effects<Self>);

    /// The process dies: all memory is gone, and of the disk what `kept` says. Takes back, through
    /// [`Effects::unlogged`] and [`Effects::unapply`], what log and store held of writes that were lost; where the
    /// whole disk is lost the stage has emptied the store already.
    fn crash(&mut self, kept: Kept, out: &mut impl Effects<Self>);

    /// Whether this member has nothing left to send, to wait for or to repair: settle may end.
    fn quiescent(&self) -> bool;

    /// Which members a client driver may send a request to.
    fn route(request: &Request, config: &Self::Config) -> Route;

    /// The member that is the primary at the start, if the protocol has one.
    fn first_primary(members: Members<'_>, config: &Self::Config) -> Option<Member>;

    /// Who would take over from a lost primary.
    fn promotion(members: Members<'_>, config: &Self::Config) -> PromotionRule;

    /// Whether this protocol, so configured, can do what an operator orders; if not, why not.
    fn obeys(command: Command, config: &Self::Config) -> Result<(), &'static str>;

    /// Whether this protocol, so configured, can do what clients ask; if not, why not.
    fn performs(_: Operation, _: &Self::Config) -> Result<(), &'static str> {
        Ok(())
    }

    /// How the attempts of one write are told to be one, if clients ask for it; if this protocol, so configured, cannot
    /// tell, why not.
    fn tokens(_: &Self::Config) -> Result<Tokens, &'static str> {
        Err("its members know no tokens")
    }

    /// Which members keep which keys.
    fn placement(_: Members<'_>, _: &Self::Config) -> Placement {
        Placement::Everywhere
    }

    /// In how many [lanes](replisim_observe::Roster::lanes) the versions of a key stand.
    fn lanes(_: Members<'_>, _: &Self::Config) -> u32 {
        1
    }

    /// Whether each client has an instance of the protocol within it: a member beyond the last of [`Members`], which
    /// keeps no data, to which its client's requests come without crossing the network.
    fn in_clients(_: &Self::Config) -> bool {
        false
    }
}

/// What a protocol can do. Every effect takes place at the instant of the handler.
pub trait Effects<P: Protocol> {
    /// Sends `message` to another member.
    fn send(&mut self, to: Member, message: P::Message);

    /// (Re-)arms `timer` to fire once, after a time drawn from `after`.
    fn arm(&mut self, timer: P::Timer, after: Span);

    /// Disarms `timer`, if it is armed.
    fn disarm(&mut self, timer: P::Timer);

    /// Starts to make everything up to position `upto` durable, `bytes` more than before; the stage answers with
    /// [`Protocol::persisted`].
    fn persist(&mut self, upto: u64, bytes: u64);

    /// The commit rule of the protocol holds for `stored`, a write of `key` that weighs `bytes`, from now on.
    fn committed(&mut self, key: Key, stored: Stored, bytes: u32);

    /// This member has taken over a write that is committed once `rule` says so; tells it anew with each member.
    fn accepted(&mut self, key: Key, stored: Stored, bytes: u32, rule: CommitRule);

    /// This member would keep `stored` if it were promoted now: it stands in its log.
    fn logged(&mut self, key: Key, stored: Stored);

    /// Takes `undone` back from the log, the newest first; `back_to` is the newest version of `key` that it holds now.
    fn unlogged(&mut self, key: Key, undone: Stored, back_to: Option<Stored>);

    /// Reads that this member serves show `stored` for `key`, a value of `bytes`, from now on.
    fn apply(&mut self, key: Key, stored: Stored, bytes: u32);

    /// Takes `undone` back from the store: `key` shows `back_to` again.
    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>);

    /// Keeps `stored` for an owner of the key that could not be reached.
    fn hinted(&mut self, key: Key, stored: Stored);

    /// A hint is gone: handed over, given up, or lost.
    fn unhinted(&mut self, key: Key, stored: Stored);

    /// Forgets the tombstone that the store shows for `key`: it shows nothing from now on.
    fn purge(&mut self, key: Key, tombstone: Stored);

    /// What this member's store shows for `key`.
    fn read(&self, key: Key) -> Option<Stored>;

    /// Size of the value that this member's store shows for `key`.
    fn value_bytes(&self, key: Key) -> u32;

    /// How many keys there are: `Key(0)` and up.
    fn keys(&self) -> u32;

    /// This member is the rightful primary from now on, and gives versions above `floor`: what its log lacks is
    /// excluded from history.
    fn promoted(&mut self, floor: Version);

    /// The promoted member would accept a write from now on.
    fn serving(&mut self);

    /// What this member's stopwatch shows: it measures durations, and nobody sets it.
    fn local_clock(&self) -> Time;

    /// What this member's clock shows, counted from [`WALL_CLOCK_START`]. Clocks of different members need not agree,
    /// and may jump.
    fn wall_clock(&self) -> Time;

    /// Answers the client that sent `op`.
    fn reply(&mut self, op: Op, reply: Reply);

    /// A number below `n`, at random.
    fn choose(&mut self, n: u32) -> u32;
}

/// What a protocol can be told in a scenario.
pub trait Configuration: Clone + Default + Debug + for<'a> Deserialize<'a> + Serialize + JsonSchema {
    /// The members that the configuration names, each with the field in which the name stands.
    fn members_named(&self) -> Vec<(&'static str, &str)>;

    /// What is wrong with the settings in a group of these members, if something is.
    fn problems(&self, members: Members<'_>) -> Vec<SettingProblem>;

    /// What the reader of the results must know of these settings, a sentence each.
    fn caveats(&self) -> Vec<String>;

    /// The same where clients write what rests on nothing that they have read.
    fn caveats_of_blind_writes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether members go on bringing copies together when no client asks for anything.
    fn repairs_unasked(&self) -> bool {
        true
    }

    /// What these settings come to when these members are down together, a sentence each.
    fn caveats_without(&self, _down: &BTreeSet<Member>, _members: Members<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What these settings come to when a member is promoted that reaches so many, itself included: half a sentence.
    fn caveat_of_promotion(&self, _reached: u32, _members: Members<'_>) -> Option<String> {
        None
    }

    /// What these settings come to when the network is so cut that no member reaches more than so many, itself included:
    /// half a sentence.
    fn caveat_of_cut(&self, _reached: u32, _members: Members<'_>) -> Option<String> {
        None
    }
}

/// A setting that cannot be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingProblem {
    /// The field, relative to the configuration.
    pub field: &'static str,
    /// Why it cannot be.
    pub message: &'static str,
    /// What it must be.
    pub fix: String,
}

/// The members of a replication group.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    /// Their names; `Member(i)` is the i-th.
    pub names: &'a [String],
    /// The region of each, as a number, and then those of the clients; where none are given they are all in one.
    pub regions: &'a [u32],
}

/// A message between members.
pub trait Message: Clone + Eq + Hash + Debug {
    /// What the network tells apart.
    fn kind(&self) -> MessageKind;

    /// What this message is called, in traces and pictures.
    fn name(&self) -> Name;

    /// Size on the wire.
    fn bytes(&self) -> u64;

    /// Calls `each` with every write that the message carries.
    fn for_each_write(&self, each: impl FnMut(Write));
}

/// What the network tells apart among messages between members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MessageKind {
    /// Carries data.
    Replicate,
    /// Says that data has arrived.
    Acknowledge,
    /// Asks for data.
    Request,
    /// Brings the data that was asked for.
    Reply,
    /// Anything else.
    Control,
}

/// The timers of a protocol: a fieldless enum.
pub trait Timer: Copy + Eq + Hash + Debug + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// Position in [`Timer::ALL`].
    fn index(self) -> usize;

    /// What this timer is called, in traces.
    fn label(self) -> Label;
}

/// From when to when a timer may fire; the stage draws the moment uniformly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The shortest wait.
    pub least: Duration,
    /// The longest wait.
    pub most: Duration,
}

/// When a write is committed: once in each of `classes` classes of members the `needed` of that class have accepted it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CommitRule {
    /// The class of the member that tells it.
    pub class: u32,
    /// How many of that class it takes.
    pub needed: u32,
    /// How many classes there are that must have their number.
    pub classes: u32,
}

/// What a client asks a member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Request {
    /// Change `key`.
    Write {
        /// The key.
        key: Key,
        /// The handle of this write.
        write: Write,
        /// What to do.
        change: Change,
        /// What the client had read of the key and made the new value out of.
        context: Context,
        /// The client driver's [`timestamp`] of the write.
        stamp: Version,
        /// By which the attempts of one operation are known, where the protocol keeps [tokens](Tokens::Kept) and the
        /// client gives them.
        token: Option<Token>,
    },
    /// Return the value of `key`.
    Read {
        /// The key.
        key: Key,
        /// How fresh it must be.
        consistency: Consistency,
        /// The newest version that the session has written or seen.
        token: Version,
        /// Only who takes itself for the primary is to answer it.
        by_primary: bool,
    },
}

/// What a write does to its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// Set it to a value of so many bytes.
    Put {
        /// Size of the value.
        bytes: u32,
    },
    /// Delete it. A tombstone with a version of its own stands for it from then on.
    Delete,
    /// Set it if it still has the version that the client saw.
    CompareAndSet {
        /// The version; `None` if the client saw no value.
        expected: Option<Version>,
        /// Size of the value.
        bytes: u32,
    },
}

/// What all attempts of one operation have in common: a number that its client gives to no other (the idea of RIFL; Lee et
/// al. 2015). The client also says which of its operations are over: nobody need remember these.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token {
    /// Who gives the number.
    pub client: Client,
    /// Which operation it is, counted from 0 by client.
    pub number: u32,
    /// No operation below this one will ever be tried again.
    pub open: u32,
}

/// Bytes of a token on the wire.
pub const TOKEN_BYTES: u64 = 16;

/// How the attempts of one write are told to be one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tokens {
    /// Members keep the [`Token`] of a write with it, and answer for the first attempt that they took.
    Kept,
    /// The client gives the version, and every attempt has the same: it is the same write again, and taking it twice is
    /// taking it once.
    Same,
}

/// What a client has read of a key: the newest write in each [lane](replisim_observe::Roster::lanes), or one of version
/// 0 where there was none. Empty: nothing was read, the write is blind.
pub type Context = Vec<Stored>;

/// An answer of values that are concurrent with each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Siblings {
    /// How many values.
    pub count: u32,
    /// Bytes of them all.
    pub bytes: u32,
    /// What they reflect.
    pub context: Context,
}

/// What clients can do, as far as not every protocol can.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// Set a key if it still has the version that the client saw.
    CompareAndSet,
}

/// How a member answers a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reply {
    /// The write succeeded and has this version; or it was recognised as the attempt of an operation that had been done
    /// before, as this write.
    Written(Stored),
    /// The condition of the compare-and-set was false; nothing happened.
    NotApplied,
    /// What the store shows; `None` for a key never written.
    Value(Option<Stored>),
    /// The newest of several copies, which need not be the answering member's own.
    Newest {
        /// The copy.
        stored: Stored,
        /// Size of its value.
        bytes: u32,
    },
    /// Values that are concurrent with each other.
    Siblings(Box<Siblings>),
    /// This member does not serve such a request; nothing happened.
    Refused,
    /// Nothing happened here: ask this member, the primary as far as is known here.
    Redirect(Option<Member>),
}

/// What a workload asks of its reads. Every protocol says in its documentation how it serves each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// The newest acknowledged value.
    Strong,
    /// Whatever the member that is asked shows.
    #[default]
    Eventual,
    /// At least what this session has written or seen before.
    Session(SessionRead),
    /// No older than a bound, as far as the member that is asked can tell.
    Bounded(BoundedRead),
}

/// How a session's reads are kept from going back in time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SessionRead {
    /// What a member does that does not have it yet.
    pub behind: Behind,
}

/// Reads of bounded staleness.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BoundedRead {
    /// The bound.
    pub staleness: Duration,
    /// What a member does that may be further behind.
    #[serde(default = "redirect")]
    pub behind: Behind,
}

fn redirect() -> Behind {
    Behind::Redirect
}

/// What a member does with a read for which it is too far behind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behind {
    /// Answer once it has caught up.
    #[default]
    Wait,
    /// Send the client to the primary.
    Redirect,
    /// Refuse.
    Refuse,
}

/// Where a client driver sends a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// To the primary, as far as the driver knows who that is.
    Primary,
    /// To any member; the workload's `read-from` decides.
    Any,
    /// To any that keeps the key; the workload's `read-from` decides.
    Owner,
}

/// What an operator can order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Become the primary.
    Promote,
}

/// What a crash leaves on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// All that was written, synced or not: only the process died.
    Written,
    /// What had been synced.
    Synced,
    /// Nothing.
    Nothing,
}

impl Request {
    /// A write of a client that has read nothing, and whose driver has no clock.
    pub fn blind(key: Key, write: Write, change: Change) -> Request {
        Request::Write { key, write, change, context: Context::new(), stamp: Version(0), token: None }
    }
}

impl Span {
    /// Exactly `after`.
    pub fn exactly(after: Duration) -> Span {
        Span { least: after, most: after }
    }
}

impl Members<'_> {
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.names.len() as u32
    }

    /// The region of a member.
    pub fn region(&self, member: Member) -> u32 {
        self.regions.get(member.index()).copied().unwrap_or_default()
    }

    /// The member called `name`.
    pub fn find(&self, name: &str) -> Option<Member> {
        self.names.iter().position(|other| other == name).map(|i| Member(i as u32))
    }

    /// Their names in a message; of many the first.
    pub fn listed(&self) -> String {
        const MOST: usize = 10;
        let shown = self.names[..self.names.len().min(MOST)].join(", ");
        match self.names.len().saturating_sub(MOST) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}

/// Bits of a version that say where in a log it stands; the rest is its term.
pub const INDEX_BITS: u32 = 40;

/// The last term that there can be.
pub const LAST_TERM: u32 = (1 << (u64::BITS - INDEX_BITS)) - 1;

/// Packs (term, index) into a version: later terms supersede earlier ones, then the log position decides.
pub fn version(term: u32, index: u64) -> Version {
    debug_assert!(
        term <= LAST_TERM && index < 1 << INDEX_BITS,
        "{term}, {index}: a version of more than 64 bits"
    );
    Version(u64::from(term) << INDEX_BITS | index)
}

/// The log position in a [`version`].
pub fn index(version: Version) -> u64 {
    version.0 & ((1 << INDEX_BITS) - 1)
}

/// What all wall clocks would show at the beginning if they were right: so long after their zero that one which is slow
/// is not before it.
pub const WALL_CLOCK_START: Time = Time::from_nanos(1 << 58);

/// Bits of a timestamp that say who gave it.
const GIVER_BITS: u32 = 14;

/// The last giver that there can be.
pub const LAST_GIVER: u32 = (1 << GIVER_BITS) - 1;

/// Packs (time, giver) into a version, the time in microseconds as Cassandra has it: later ones supersede earlier ones,
/// then the giver decides. Always above `after`, the giver's last: a driver whose clock stands still or jumps back
/// counts on (Cassandra's `MonotonicTimestampGenerator`).
pub fn timestamp(wall_clock: Time, giver: u32, after: Version) -> Version {
    debug_assert!(giver <= LAST_GIVER, "{giver}: a giver of more than {GIVER_BITS} bits");
    let micros = (wall_clock.nanos() / 1_000).max((after.0 >> GIVER_BITS) + 1);
    Version(micros << GIVER_BITS | u64::from(giver))
}

/// The time in a [`timestamp`], by the clock that it was taken from.
pub fn timestamp_time(version: Version) -> Time {
    Time::from_nanos((version.0 >> GIVER_BITS) * 1_000)
}
